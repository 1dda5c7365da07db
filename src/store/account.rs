//! Accounts that an admin disconnected.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use rusqlite::params;

use crate::audit::{audit, done_or_unchanged};
use crate::fault::Outcome;
use crate::row::{AccessDone, Author, StoppedAccount};
use crate::sql::{Sql, account, at, ms};
use crate::tx::Tx;

/// Disconnects accounts, or connects them again.
pub(crate) fn switch(
    tx: &Tx<'_>,
    accounts: &[AccountId],
    stopped: bool,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let mut switched = Vec::new();
    for account in accounts {
        let (channel, name) = (account.channel(), account.name());
        let changed = if stopped {
            tx.run(
                "INSERT INTO stopped_account (channel, account, author, stopped_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (channel, account) DO NOTHING",
                params![channel, name, author.name, ms(now)],
            )?
        } else {
            tx.run("DELETE FROM stopped_account WHERE channel = ?1 AND account = ?2", [channel, name])?
        };
        if changed > 0 {
            switched.push(account.clone());
        }
        let action = if stopped { "stop" } else { "start" };
        audit(tx, author, action, &account.to_string(), done_or_unchanged(changed > 0), now)?;
    }
    Ok(AccessDone::Switched { changed: switched })
}

/// Every account that is disconnected.
pub(crate) fn stopped(sql: &Sql<'_>) -> Outcome<Vec<StoppedAccount>> {
    sql.all(
        "SELECT channel, account, author, stopped_at FROM stopped_account ORDER BY channel, account",
        [],
        |row| Ok(StoppedAccount { account: account(row, 0)?, by: row.get(2)?, at: at(row, 3)? }),
    )
}
