//! Accounts that an admin disconnected.

use chrono::{DateTime, Utc};
use frontdesk_core::account::shown;
use rusqlite::params;

use crate::audit::{audit, done_or_unchanged};
use crate::fault::Outcome;
use crate::row::{AccessDone, Author, StoppedAccount};
use crate::sql::{Sql, at, ms};
use crate::tx::Tx;

/// Disconnects accounts, or connects them again.
pub(crate) fn switch(
    tx: &Tx<'_>,
    accounts: &[(String, String)],
    stopped: bool,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    for (channel, account) in accounts {
        let changed = if stopped {
            tx.run(
                "INSERT INTO stopped_account (channel, account, author, stopped_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (channel, account) DO NOTHING",
                params![channel, account, author.name, ms(now)],
            )?
        } else {
            tx.run("DELETE FROM stopped_account WHERE channel = ?1 AND account = ?2", [channel, account])?
        };
        let action = if stopped { "stop" } else { "start" };
        audit(tx, author, action, &shown(channel, account), done_or_unchanged(changed > 0), now)?;
    }
    Ok(AccessDone::Done)
}

/// Every account that is disconnected.
pub(crate) fn stopped(sql: &Sql<'_>) -> Outcome<Vec<StoppedAccount>> {
    sql.all(
        "SELECT channel, account, author, stopped_at FROM stopped_account ORDER BY channel, account",
        [],
        |row| {
            Ok(StoppedAccount {
                channel: row.get(0)?,
                account: row.get(1)?,
                by: row.get(2)?,
                at: at(row, 3)?,
            })
        },
    )
}
