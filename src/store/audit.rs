//! The audit: one row for every change that an admin or an operator makes, in the transaction of the change.

use chrono::{DateTime, Utc};
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::ids::Table;
use crate::queue::WorkClass;
use crate::row::{AuditRow, Author};
use crate::sql::{at, ms};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

/// How many rows one search reads.
const SEARCHED: i64 = 50_000;

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
    /// Rows of the audit in which these words stand, the newest first, before one of them or from the end; and where the
    /// search goes on, `None` at its end. One search reads a part of the rows, because no index has their words.
    pub async fn audits_with(
        &self,
        words: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<AuditRow>, Option<i64>)> {
        let words = words.to_lowercase();
        self.read(move |sql| {
            let newest = "SELECT coalesce(max(id), 0) FROM audit";
            let newest = sql.one(newest, [], |row| row.get::<_, i64>(0))?.unwrap_or(0);
            let end = before.unwrap_or(i64::MAX).min(newest.saturating_add(1));
            let begin = end.saturating_sub(SEARCHED);
            let rows = sql.all(
                "SELECT id, at, author, via, action, subject, outcome FROM audit
                 WHERE id < ?1 AND id >= ?2
                   AND instr(lower(author || ' ' || action || ' ' || subject || ' ' || outcome), ?3) > 0
                 ORDER BY id DESC LIMIT ?4",
                params![end, begin, words, limit],
                audit_row,
            )?;
            let next = match rows.last() {
                Some(last) if rows.len() >= limit as usize => Some(last.id),
                _ => Some(begin).filter(|_| begin > 1),
            };
            Ok((rows, next))
        })
        .await
    }

    /// Rows of the audit, the newest first, before one of them or from the end.
    pub async fn audits(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        self.read(move |sql| {
            sql.all(
                "SELECT id, at, author, via, action, subject, outcome FROM audit
                 WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
                params![before.unwrap_or(i64::MAX), limit],
                audit_row,
            )
        })
        .await
    }
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        id: row.get(0)?,
        at: at(row, 1)?,
        by: row.get(2)?,
        via: row.get(3)?,
        action: row.get(4)?,
        subject: row.get(5)?,
        outcome: row.get(6)?,
    })
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
