//! People and programs whom an admin has blocked: no grant counts until the block ends.

use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use rusqlite::params;

use crate::audit::{audit, done_or_unchanged};
use crate::fault::Outcome;
use crate::revocation::{Target, end_access};
use crate::row::{AccessDone, Author, BlockRow, Revoked};
use crate::sql::{Sql, at, ms, parsed};
use crate::tx::Tx;

/// Blocks somebody and ends what they have open. Their grants stay, for the day on which the block ends.
pub(crate) fn block(
    tx: &Tx<'_>,
    principal: &Principal,
    private: Option<&Address>,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let blocked = tx.run(
        "INSERT INTO blocked (principal, source, author, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (principal) DO NOTHING",
        params![principal.as_str(), author.via, author.name, ms(now)],
    )?;
    tx.run(
        "UPDATE pairing SET state = 'denied' WHERE principal = ?1 AND state = 'open'",
        [principal.as_str()],
    )?;
    let ended = end_access(tx, Target::Person { principal, scope: None, private }, now)?;
    let new = blocked > 0;
    let changed = new || ended != Revoked::default();
    audit(tx, author, "block", principal.as_str(), done_or_unchanged(changed), now)?;
    Ok(AccessDone::Blocked { new, ended })
}

/// Ends a block.
pub(crate) fn unblock(
    tx: &Tx<'_>,
    principal: &Principal,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let before = tx.run("DELETE FROM blocked WHERE principal = ?1", [principal.as_str()])? > 0;
    audit(tx, author, "unblock", principal.as_str(), done_or_unchanged(before), now)?;
    Ok(AccessDone::Unblocked { before })
}

/// Everybody who is blocked.
pub(crate) fn all(sql: &Sql<'_>) -> Outcome<Vec<BlockRow>> {
    sql.all("SELECT principal, source, author, created_at FROM blocked ORDER BY principal", [], |row| {
        Ok(BlockRow {
            principal: parsed(row, 0)?,
            source: row.get(1)?,
            by: row.get(2)?,
            created: at(row, 3)?,
        })
    })
}
