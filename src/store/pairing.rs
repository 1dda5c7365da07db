//! Pairing: open requests, and the approval or denial of one by its code.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::notice::Notice;
use frontdesk_core::pairing::{Code, FAILURES, Salt};
use frontdesk_core::time::Now;
use rusqlite::{Row, params};

use crate::audit::audit;
use crate::failed_guesses::FailedGuesses;
use crate::fault::Outcome;
use crate::grant::give;
use crate::part::Outgoing;
use crate::row::{AccessDone, Author, PairingRow, Scope};
use crate::sql::{Sql, account, at, ms, parsed};
use crate::tx::Tx;
use crate::{Result, StoreReader};

impl StoreReader {
    /// Requests whose code can be used, the oldest first. `now` is steady time, as their times are.
    pub async fn pairing_requests(&self, now: DateTime<Utc>) -> Result<Vec<PairingRow>> {
        self.read(move |sql| Ok(open(sql, now)?.into_iter().map(|request| request.row).collect())).await
    }
}

/// Number of the latest requests that are checked for a code that was used or has expired.
const SPENT: i64 = 500;

/// An admin's decision about the person who has a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Let in.
    Approved,
    /// Refused.
    Denied,
}

impl Decision {
    fn action(self) -> &'static str {
        match self {
            Decision::Approved => "approve",
            Decision::Denied => "deny",
        }
    }

    fn state(self) -> &'static str {
        match self {
            Decision::Approved => "approved",
            Decision::Denied => "denied",
        }
    }
}

/// Decides about the person who has this code, unless its author has failed too often. A lock applies to right codes as
/// well: else it would tell them from wrong ones.
pub(crate) fn decide(
    tx: &Tx<'_>,
    decision: Decision,
    code: &Code,
    account: Option<&AccountId>,
    author: &Author,
    now: Now,
) -> Outcome<AccessDone> {
    let Now { wall, steady } = now;
    let tries = FailedGuesses::of(tx, &author.name, steady)?;
    let anybody = account.map_or_else(|| "anybody".to_owned(), AccountId::to_string);
    if let Some(until) = tries.locked_until {
        audit(tx, author, decision.action(), &anybody, "refused:locked", wall)?;
        return Ok(AccessDone::Locked { until });
    }
    let Some(row) = having(tx, code, account, steady)? else {
        // A code that was right once is no guess: it was typed twice, or too late.
        if is_spent(tx, code, steady)? {
            audit(tx, author, decision.action(), &anybody, "refused:spent_code", wall)?;
            return Ok(AccessDone::NoSuchCode { left: FAILURES.saturating_sub(tries.failures) });
        }
        let left = tries.failed(tx, &author.name, steady)?;
        audit(tx, author, decision.action(), &anybody, "refused:no_such_code", wall)?;
        return Ok(AccessDone::NoSuchCode { left });
    };
    tx.run("DELETE FROM pairing_failure WHERE author = ?1", [&author.name])?;
    settle(tx, decision, row, author, wall)
}

/// Decides about the person who has sent this request. No code is guessed here, so nothing is locked.
pub(crate) fn decide_request(
    tx: &Tx<'_>,
    decision: Decision,
    id: i64,
    author: &Author,
    now: Now,
) -> Outcome<AccessDone> {
    let Now { wall, steady } = now;
    match open(tx, steady)?.into_iter().find(|request| request.row.id == id) {
        Some(request) => settle(tx, decision, request.row, author, wall),
        None => {
            audit(tx, author, decision.action(), &format!("request {id}"), "refused:no_such_request", wall)?;
            Ok(AccessDone::NoSuchRequest)
        }
    }
}

/// Ends an open request, and lets its sender in if it was approved.
fn settle(
    tx: &Tx<'_>,
    decision: Decision,
    row: PairingRow,
    author: &Author,
    wall: DateTime<Utc>,
) -> Outcome<AccessDone> {
    tx.run("UPDATE pairing SET state = ?2 WHERE id = ?1", params![row.id, decision.state()])?;
    audit(tx, author, decision.action(), &format!("{} dm", row.principal), "done", wall)?;
    if decision == Decision::Denied {
        return Ok(AccessDone::Denied(row));
    }
    give(tx, &row.principal, &Scope::Dm, "pairing", row.sender.as_deref(), author, wall)?;
    let outgoing = Outgoing {
        turn: None,
        about: &[],
        session: None,
        address: &row.address,
        reply_to: None,
        kind: PostKind::Notice,
        audience: None,
        now: wall,
    };
    outgoing.notice(tx, format_args!("pairing/{}", row.id), &Notice::Admitted)?;
    Ok(AccessDone::Approved(row))
}

/// A request with its salt and hash.
struct Request {
    row: PairingRow,
    salt: Salt,
    hash: Vec<u8>,
    account: AccountId,
}

/// The request with this code. Every one is compared, so that the time taken says nothing about the code.
fn having(
    tx: &Tx<'_>,
    code: &Code,
    account: Option<&AccountId>,
    now: DateTime<Utc>,
) -> Outcome<Option<PairingRow>> {
    let mut found = None;
    for request in open(tx, now)? {
        let here = account.is_none_or(|account| *account == request.account);
        let fits = code.matches(request.salt, &request.hash);
        if here && fits {
            found = Some(request.row);
        }
    }
    Ok(found)
}

/// Whether this was the code of a request that is decided or too old.
fn is_spent(sql: &Sql<'_>, code: &Code, now: DateTime<Utc>) -> Outcome<bool> {
    let known = sql.all(
        "SELECT salt, hash FROM pairing WHERE state <> 'open' OR expires_at <= ?2 OR created_at > ?2 ORDER BY id DESC LIMIT ?1",
        params![SPENT, ms(now)],
        |row| Ok((Salt(row.get(0)?), row.get::<_, Vec<u8>>(1)?)),
    )?;
    Ok(known.into_iter().filter(|(salt, hash)| code.matches(*salt, hash)).count() > 0)
}

/// Requests that can be decided, the oldest first: those that have not expired.
fn open(sql: &Sql<'_>, now: DateTime<Utc>) -> Outcome<Vec<Request>> {
    sql.all(
        "SELECT id, principal, address, sender, created_at, expires_at, salt, hash, channel, account
         FROM pairing INDEXED BY pairing_open
         WHERE state = 'open' AND expires_at > ?1 AND created_at <= ?1 ORDER BY id",
        [ms(now)],
        request,
    )
}

fn request(row: &Row<'_>) -> rusqlite::Result<Request> {
    Ok(Request {
        row: PairingRow {
            id: row.get(0)?,
            principal: parsed(row, 1)?,
            address: parsed(row, 2)?,
            sender: row.get(3)?,
            created: at(row, 4)?,
            expires: at(row, 5)?,
        },
        salt: Salt(row.get(6)?),
        hash: row.get(7)?,
        account: account(row, 8)?,
    })
}
