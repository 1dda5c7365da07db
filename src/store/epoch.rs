//! Epochs of a conversation: one ends and the next begins, inside the transaction that decides it.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_core::reset::Reasons;
use rusqlite::params;

use crate::fault::Outcome;
use crate::row::{Admitted, Disposition, EpochChange, EpochReason, Reason};
use crate::sql::{Sql, count, int, maybe_at, ms};
use crate::tx::Tx;

/// A session as a message finds it.
pub(crate) struct Life {
    pub(crate) epoch: u64,
    pub(crate) last_epoch: u64,
    /// `None` while there is no message in this epoch: inactivity is counted from messages alone.
    pub(crate) last_user_at: Option<DateTime<Utc>>,
    pub(crate) address: String,
    /// Messages for the agent that wait.
    pub(crate) waiting: u64,
}

/// How a message joined its session.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Joined {
    /// The epoch it joined.
    pub(crate) epoch: u64,
    /// The epoch that ended for it.
    pub(crate) ended: Option<u64>,
    /// Whether the session was created for it.
    pub(crate) began: bool,
    /// Why the rule began a new epoch.
    pub(crate) reasons: Reasons,
    /// Of an epoch command: what it did.
    pub(crate) reason: Option<Reason>,
}

/// The session, if there is one.
pub(crate) fn life(sql: &Sql<'_>, key: &SessionKey) -> Outcome<Option<Life>> {
    sql.one(
        "SELECT epoch, last_epoch, last_user_at, address,
                (SELECT count(*) FROM inbound WHERE key = s.key AND disposition = 'turn' AND state = 'waiting')
         FROM session s WHERE key = ?1",
        [key.as_str()],
        |row| {
            Ok(Life {
                epoch: count(row, 0)?,
                last_epoch: count(row, 1)?,
                last_user_at: maybe_at(row, 2)?,
                address: row.get(3)?,
                waiting: count(row, 4)?,
            })
        },
    )
}

/// A message joins its session: the session is created, gets a new epoch, goes back to an older one or stays as it is.
pub(crate) fn join(
    tx: &Tx<'_>,
    life: Option<Life>,
    message: &Admitted,
    now: DateTime<Utc>,
) -> Outcome<Joined> {
    let Some(life) = life else { return first(tx, message, now) };
    let speaks = message.disposition == Disposition::Turn;
    match message.epoch {
        EpochChange::ByRule if !speaks => {
            moved(tx, &life, message, life.last_user_at)?;
            Ok(Joined { epoch: life.epoch, ..Joined::default() })
        }
        EpochChange::ByRule => by_rule(tx, &life, message, now),
        EpochChange::New => {
            let reason = Some(Reason::FromEpoch(life.epoch));
            let joined = anew(tx, &message.session, &life, EpochReason::New, now)?;
            moved(tx, &life, message, speaks.then_some(now))?;
            Ok(Joined { reason, ..joined })
        }
        EpochChange::Resume(wanted) => back(tx, &life, message, wanted, now),
    }
}

/// Creates a session. `/new` gets the first epoch as well, because there is no earlier one.
fn first(tx: &Tx<'_>, message: &Admitted, now: DateTime<Utc>) -> Outcome<Joined> {
    tx.run(
        "INSERT INTO session (key, address, epoch, last_epoch, last_user_at, seq, created_at)
         VALUES (?1, ?2, 1, 1, ?4, 0, ?3)",
        params![
            message.session.as_str(),
            message.event.address.as_str(),
            ms(now),
            (message.disposition == Disposition::Turn).then_some(ms(now)),
        ],
    )?;
    tx.run("UPDATE counter SET n = n + 1 WHERE name = 'sessions'", [])?;
    begin(tx, &message.session, 1, EpochReason::First, now)?;
    let missing = matches!(message.epoch, EpochChange::Resume(_)).then_some(Reason::NoSuchEpoch);
    Ok(Joined { epoch: 1, began: true, reason: missing, ..Joined::default() })
}

fn by_rule(tx: &Tx<'_>, life: &Life, message: &Admitted, now: DateTime<Utc>) -> Outcome<Joined> {
    let reasons = life.last_user_at.map(|seen| message.policy.due(seen, now)).unwrap_or_default();
    let mut joined = Joined { epoch: life.epoch, ..Joined::default() };
    if reasons.any() {
        joined = anew(tx, &message.session, life, EpochReason::Rule(reasons), now)?;
        joined.reasons = reasons;
    }
    // Never backwards: after the clock was set back, the next message must not look like the end of a long inactivity.
    moved(tx, life, message, Some(now).max(life.last_user_at))?;
    Ok(joined)
}

/// Ends the current epoch and begins the one after the highest number ever used.
pub(crate) fn anew(
    tx: &Tx<'_>,
    key: &SessionKey,
    life: &Life,
    reason: EpochReason,
    now: DateTime<Utc>,
) -> Outcome<Joined> {
    let epoch = life.last_epoch + 1;
    end(tx, key, life.epoch, now)?;
    begin(tx, key, epoch, reason, now)?;
    tx.run(
        "UPDATE session SET epoch = ?2, last_epoch = ?2 WHERE key = ?1",
        params![key.as_str(), int(epoch)],
    )?;
    Ok(Joined { epoch, ended: Some(life.epoch), ..Joined::default() })
}

/// Returns the session to an older epoch: to the one that ended last, if no number is given.
fn back(
    tx: &Tx<'_>,
    life: &Life,
    message: &Admitted,
    wanted: Option<u64>,
    now: DateTime<Utc>,
) -> Outcome<Joined> {
    let key = message.session.as_str();
    let found = match wanted {
        Some(n) => tx.one(
            "SELECT n FROM epoch WHERE key = ?1 AND n = ?2 AND n <> ?3",
            params![key, int(n), int(life.epoch)],
            |row| count(row, 0),
        )?,
        None => tx.one(
            "SELECT n FROM epoch WHERE key = ?1 AND n <> ?2 AND ended_at IS NOT NULL
             ORDER BY ended_at DESC, n DESC LIMIT 1",
            params![key, int(life.epoch)],
            |row| count(row, 0),
        )?,
    };
    let Some(epoch) = found else {
        moved(tx, life, message, life.last_user_at)?;
        return Ok(Joined { epoch: life.epoch, reason: Some(Reason::NoSuchEpoch), ..Joined::default() });
    };
    end(tx, &message.session, life.epoch, now)?;
    tx.run("UPDATE epoch SET ended_at = NULL WHERE key = ?1 AND n = ?2", params![key, int(epoch)])?;
    tx.run("UPDATE session SET epoch = ?2 WHERE key = ?1", params![key, int(epoch)])?;
    moved(tx, life, message, Some(now))?;
    Ok(Joined {
        epoch,
        ended: Some(life.epoch),
        reason: Some(Reason::FromEpoch(life.epoch)),
        ..Joined::default()
    })
}

fn begin(tx: &Tx<'_>, key: &SessionKey, n: u64, reason: EpochReason, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "INSERT INTO epoch (key, n, started_at, reason) VALUES (?1, ?2, ?3, ?4)",
        params![key.as_str(), int(n), ms(now), reason.to_string()],
    )?;
    Ok(())
}

fn end(tx: &Tx<'_>, key: &SessionKey, n: u64, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE epoch SET ended_at = ?3 WHERE key = ?1 AND n = ?2",
        params![key.as_str(), int(n), ms(now)],
    )?;
    Ok(())
}

/// Updates the session's address and the reference time of the reset rule, if either has changed.
fn moved(tx: &Tx<'_>, life: &Life, message: &Admitted, seen: Option<DateTime<Utc>>) -> Outcome<()> {
    let address: &Address = &message.event.address;
    if seen != life.last_user_at || address.as_str() != life.address {
        tx.run(
            "UPDATE session SET address = ?2, last_user_at = ?3 WHERE key = ?1",
            params![message.session.as_str(), address.as_str(), seen.map(ms)],
        )?;
    }
    Ok(())
}
