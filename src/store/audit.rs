//! The audit: one row for every change that an admin or an operator makes, in the transaction of the change.

use chrono::{DateTime, Utc};
use rusqlite::params;

use crate::fault::Outcome;
use crate::ids::Table;
use crate::queue::WorkClass;
use crate::row::{AuditRow, Author};
use crate::sql::{at, ms};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

impl Store {
    /// Stores a row about something that changes nothing in the database: a refusal, for example. A change stores its row
    /// in its own transaction. Never a code and never a message's text.
    pub async fn audit(
        &self,
        author: &Author,
        action: &str,
        subject: &str,
        outcome: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let author = author.clone();
        let [action, subject, outcome] = [action, subject, outcome].map(str::to_owned);
        self.write(WorkClass::Requests, move |tx| audit(tx, &author, &action, &subject, &outcome, now)).await
    }
}

impl StoreReader {
    /// Rows of the audit, the newest first, before one of them or from the end.
    pub async fn audits(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        self.read(move |sql| {
            sql.all(
                "SELECT id, at, author, via, action, subject, outcome FROM audit
                 WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
                params![before.unwrap_or(i64::MAX), limit],
                |row| {
                    Ok(AuditRow {
                        id: row.get(0)?,
                        at: at(row, 1)?,
                        by: row.get(2)?,
                        via: row.get(3)?,
                        action: row.get(4)?,
                        subject: row.get(5)?,
                        outcome: row.get(6)?,
                    })
                },
            )
        })
        .await
    }
}

/// Stores a row. Never a code and never a message's text.
pub(crate) fn audit(
    tx: &Tx<'_>,
    author: &Author,
    action: &str,
    subject: &str,
    outcome: &str,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tx.run(
        "INSERT INTO audit (id, at, author, via, action, subject, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![tx.new_id(Table::Audit)?, ms(now), author.name, author.via, action, subject, outcome],
    )?;
    Ok(())
}

/// The outcome of a change that may have been made before.
pub(crate) fn done_or_unchanged(changed: bool) -> &'static str {
    if changed { "done" } else { "unchanged" }
}
