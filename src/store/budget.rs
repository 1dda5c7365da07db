//! Budgets that admins have set in place of the configured ones.

use chrono::{DateTime, Utc};
use frontdesk_core::budget::{BudgetOverride, BudgetScope, Most};
use rusqlite::{Row, params};

use crate::audit::audit;
use crate::fault::Outcome;
use crate::row::{AccessDone, Author, BudgetRow};
use crate::sql::{Sql, int, maybe_at, ms};
use crate::tx::Tx;

/// Sets limits for one subject, or leaves them to the configuration.
pub(crate) fn set(
    tx: &Tx<'_>,
    (scope, subject): (BudgetScope, &str),
    set: Option<&BudgetOverride>,
    until: Option<DateTime<Utc>>,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let action = match set {
        Some(set) => {
            tx.run(
                "INSERT INTO budget (scope, subject, turns, tokens, cost_micro, warn_percent, until, author, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (scope, subject) DO UPDATE SET
                   turns = excluded.turns, tokens = excluded.tokens, cost_micro = excluded.cost_micro,
                   warn_percent = excluded.warn_percent, until = excluded.until, author = excluded.author,
                   updated_at = excluded.updated_at",
                params![
                    scope.name(),
                    subject,
                    set.turns.map(stored),
                    set.tokens.map(stored),
                    set.cost_micro.map(stored),
                    set.warn_percent,
                    until.map(ms),
                    author.name,
                    ms(now),
                ],
            )?;
            "budget set"
        }
        None => {
            let gone = "DELETE FROM budget WHERE scope = ?1 AND subject = ?2";
            tx.run(gone, params![scope.name(), subject])?;
            "budget default"
        }
    };
    audit(tx, author, action, &format!("{} {subject}", scope.name()), "done", now)?;
    Ok(AccessDone::BudgetSet)
}

/// Everything that admins have set.
pub(crate) fn all(sql: &Sql<'_>) -> Outcome<Vec<BudgetRow>> {
    let rows = sql.all(
        "SELECT scope, subject, turns, tokens, cost_micro, warn_percent, until, author FROM budget
         ORDER BY scope, subject",
        [],
        budget,
    )?;
    Ok(rows.into_iter().flatten().collect())
}

/// `None` if a later version has set it for something that this one does not know.
fn budget(row: &Row<'_>) -> rusqlite::Result<Option<BudgetRow>> {
    let Some(scope) = BudgetScope::named(row.get_ref(0)?.as_str()?) else { return Ok(None) };
    let most = |column| row.get::<_, Option<i64>>(column).map(|stored| stored.map(most));
    Ok(Some(BudgetRow {
        scope,
        subject: row.get(1)?,
        set: BudgetOverride {
            turns: most(2)?,
            tokens: most(3)?,
            cost_micro: most(4)?,
            warn_percent: row.get(5)?,
        },
        until: maybe_at(row, 6)?,
        by: row.get(7)?,
    }))
}

/// No limit is stored as 0: a limit is at least 1.
fn stored(most: Most) -> i64 {
    match most {
        Most::Unlimited => 0,
        Most::At(most) => int(most),
    }
}

fn most(stored: i64) -> Most {
    match u64::try_from(stored) {
        Ok(most @ 1..) => Most::At(most),
        _ => Most::Unlimited,
    }
}
