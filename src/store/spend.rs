//! What turns use, counted by person, chat, agent and day.
//!
//! A turn is counted when it is claimed, so that turns which run at the same time do not pass a limit together. For whom it
//! counts stands in its row from then on: what it has used is added in the transaction that ends it, whatever ends it.

use chrono::DateTime;
use chrono_tz::Tz;
use frontdesk_core::budget::{Budget, BudgetScope, Day, DayLimits, NearlyUsedUp, Spent, UsedUp};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, TurnId};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use crate::fault::Outcome;
use crate::part_key::TextKey;
use crate::row::{BudgetRule, InboundRow, SpentRow, TurnToPay};
use crate::sql::{Sql, count, int, ms};
use crate::tx::Tx;
use crate::{Result, StoreReader};

/// The largest number that one turn adds, so that the sums of many turns stay within what the database can store.
const MOST: u64 = 1_000_000_000_000;

impl StoreReader {
    /// What a subject has used on a day.
    pub async fn spent(&self, scope: BudgetScope, subject: &str, day: i64) -> Result<Spent> {
        let subject = subject.to_owned();
        self.read(move |sql| Ok(row(sql, scope, &subject, day)?.spent)).await
    }

    /// What subjects of a scope have used on a day, by their names, after one of them.
    pub async fn spent_page(
        &self,
        scope: BudgetScope,
        day: i64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SpentRow>> {
        let after = after.to_owned();
        self.read(move |sql| {
            sql.all(
                "SELECT turns, input, output, cost_micro, subject FROM spend
                 WHERE day = ?1 AND scope = ?2 AND subject > ?3 ORDER BY subject LIMIT ?4",
                params![day, scope.name(), after, limit],
                |row| Ok(SpentRow { subject: row.get(4)?, spent: spent(row)? }),
            )
        })
        .await
    }

    /// What every subject of a scope has used on a day, by their names.
    pub async fn spent_by(&self, scope: BudgetScope, day: i64) -> Result<Vec<SpentRow>> {
        self.read(move |sql| {
            sql.all(
                "SELECT turns, input, output, cost_micro, subject FROM spend
                 WHERE day = ?1 AND scope = ?2 ORDER BY subject",
                params![day, scope.name()],
                |row| Ok(SpentRow { subject: row.get(4)?, spent: spent(row)? }),
            )
        })
        .await
    }
}

/// One budget for which a turn counts, as it stands in the turn's row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Payer {
    scope: String,
    subject: String,
    day: i64,
    /// Number of people between whom the tokens and the cost of the turn are divided.
    share: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warning: Option<Warning>,
}

/// What the end of the turn needs to decide about a warning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Warning {
    percent: u8,
    turns: Option<u64>,
    tokens: Option<u64>,
    cost_micro: Option<u64>,
    ends: i64,
    zone: String,
}

impl Payer {
    fn of(budget: &Budget, share: u32) -> Self {
        let DayLimits { turns, tokens, cost_micro } = budget.limits;
        let warning = budget.warn_percent.filter(|_| budget.limits.any()).map(|percent| Warning {
            percent,
            turns,
            tokens,
            cost_micro,
            ends: ms(budget.day.ends),
            zone: budget.day.zone.name().to_owned(),
        });
        let scope = budget.scope.name().to_owned();
        Self { scope, subject: budget.subject.clone(), day: budget.day.number, share, warning }
    }

    /// The budget, if a warning about it is possible.
    fn budget(&self) -> Option<Budget> {
        let Warning { percent, turns, tokens, cost_micro, ends, zone } = self.warning.as_ref()?;
        let zone: Tz = zone.parse().ok()?;
        let day = Day { number: self.day, ends: DateTime::from_timestamp_millis(*ends)?, zone };
        Some(Budget {
            scope: BudgetScope::named(&self.scope)?,
            subject: self.subject.clone(),
            day,
            limits: DayLimits { turns: *turns, tokens: *tokens, cost_micro: *cost_micro },
            warn_percent: Some(*percent),
        })
    }
}

/// A turn as its budgets let it begin.
pub(crate) struct Begun {
    /// The column `payers` of its row.
    pub(crate) payers: Option<String>,
    /// The messages that it does not answer, because a budget is used up.
    pub(crate) over_budget: Vec<(MessageId, UsedUp)>,
}

/// Counts a new turn for those whose budgets let it begin. A turn that answers nobody then is not counted.
pub(crate) fn begin(tx: &Tx<'_>, budgets: &[Budget], messages: &[InboundRow]) -> Outcome<Begun> {
    let mut used_up = Vec::new();
    for budget in budgets {
        used_up.extend(self::used_up(tx, budget)?.map(|used_up| (budget, used_up)));
    }
    let concerns = |budget: &Budget, row: &InboundRow| {
        budget.scope != BudgetScope::Person || budget.subject == row.from.id.as_str()
    };
    let over = |row: &InboundRow| used_up.iter().find(|(budget, _)| concerns(budget, row));
    let over_budget: Vec<_> =
        messages.iter().filter_map(|row| over(row).map(|(_, used_up)| (row.id, *used_up))).collect();
    let within: Vec<&InboundRow> = messages.iter().filter(|row| over(row).is_none()).collect();
    let pays = |budget: &&Budget| within.iter().any(|row| concerns(budget, row));
    let paying: Vec<&Budget> = budgets.iter().filter(pays).collect();
    let people = paying.iter().filter(|budget| budget.scope == BudgetScope::Person).count();
    let payer = |budget: &&Budget| {
        let share = if budget.scope == BudgetScope::Person { people } else { 1 };
        Payer::of(budget, u32::try_from(share).unwrap_or(u32::MAX))
    };
    let payers: Vec<Payer> = paying.iter().map(payer).collect();
    for payer in &payers {
        tx.run(
            "INSERT INTO spend (scope, subject, day, turns, input, output, cost_micro) VALUES (?1, ?2, ?3, 1, 0, 0, 0)
             ON CONFLICT (scope, subject, day) DO UPDATE SET turns = turns + 1",
            params![payer.scope, payer.subject, payer.day],
        )?;
    }
    let payers = (!payers.is_empty()).then(|| serde_json::to_string(&payers).unwrap_or_default());
    Ok(Begun { payers, over_budget })
}

/// Another attempt at a turn. One that is counted already goes on, whatever is left of its budgets. One that is counted for
/// nobody is decided now: the process may have died before it was refused.
pub(crate) fn begin_again(
    tx: &Tx<'_>,
    turn: TurnId,
    to_pay: &TurnToPay<'_>,
    budgets: &BudgetRule,
) -> Outcome<Vec<(MessageId, UsedUp)>> {
    if !payers(tx, turn)?.is_empty() {
        return Ok(Vec::new());
    }
    let Begun { payers, over_budget } = begin(tx, &budgets(to_pay), to_pay.messages)?;
    tx.run("UPDATE turn SET payers = ?2 WHERE id = ?1", params![turn.0, payers])?;
    Ok(over_budget)
}

/// Adds what a turn, or one attempt at it, has used.
pub(crate) fn add(tx: &Tx<'_>, turn: TurnId, usage: &Usage) -> Outcome<()> {
    for payer in payers(tx, turn)? {
        let part = |n: Option<u64>| int(n.unwrap_or(0).min(MOST).div_ceil(payer.share.max(1).into()));
        let (input, output, cost) = (part(usage.input), part(usage.output), part(usage.cost_micro));
        tx.run(
            "UPDATE spend SET input = input + ?4, output = output + ?5, cost_micro = cost_micro + ?6
             WHERE scope = ?1 AND subject = ?2 AND day = ?3",
            params![payer.scope, payer.subject, payer.day, input, output, cost],
        )?;
    }
    Ok(())
}

/// A turn has ended without its agent: it does not count.
pub(crate) fn not_run(tx: &Tx<'_>, turn: TurnId) -> Outcome<()> {
    for payer in payers(tx, turn)? {
        tx.run(
            "UPDATE spend SET turns = turns - 1 WHERE scope = ?1 AND subject = ?2 AND day = ?3 AND turns > 0",
            params![payer.scope, payer.subject, payer.day],
        )?;
    }
    tx.run("UPDATE turn SET payers = NULL WHERE id = ?1", [turn.0])?;
    Ok(())
}

/// Calls `tell` for each budget of a turn that has ended which is nearly used up now, at most once a day for each. A text under
/// the key that `tell` gets is sent once.
pub(crate) fn warn(
    tx: &Tx<'_>,
    turn: TurnId,
    tell: impl Fn(&TextKey, NearlyUsedUp) -> Outcome<()>,
) -> Outcome<()> {
    for budget in payers(tx, turn)?.iter().filter_map(Payer::budget) {
        let used = row(tx, budget.scope, &budget.subject, budget.day.number)?;
        let Some(nearly) = budget.nearly_used_up(&used.spent).filter(|_| !used.warned) else { continue };
        tx.run(
            "UPDATE spend SET warned = 1 WHERE scope = ?1 AND subject = ?2 AND day = ?3",
            params![budget.scope.name(), budget.subject, budget.day.number],
        )?;
        tell(&TextKey::budget(&budget), nearly)?;
    }
    Ok(())
}

/// Whether nothing is left of a budget.
pub(crate) fn used_up(sql: &Sql<'_>, budget: &Budget) -> Outcome<Option<UsedUp>> {
    if !budget.limits.any() {
        return Ok(None);
    }
    Ok(budget.used_up(&row(sql, budget.scope, &budget.subject, budget.day.number)?.spent))
}

/// For whom a turn counts.
fn payers(sql: &Sql<'_>, turn: TurnId) -> Outcome<Vec<Payer>> {
    let stored = "SELECT payers FROM turn WHERE id = ?1";
    let stored: Option<String> = sql.one(stored, [turn.0], |row| row.get(0))?.flatten();
    Ok(stored.and_then(|stored| serde_json::from_str(&stored).ok()).unwrap_or_default())
}

/// A row of `spend`.
#[derive(Default)]
struct Used {
    spent: Spent,
    warned: bool,
}

fn row(sql: &Sql<'_>, scope: BudgetScope, subject: &str, day: i64) -> Outcome<Used> {
    let used = "SELECT turns, input, output, cost_micro, warned FROM spend
                WHERE scope = ?1 AND subject = ?2 AND day = ?3";
    let used = sql.one(used, params![scope.name(), subject, day], |row| {
        Ok(Used { spent: spent(row)?, warned: row.get(4)? })
    })?;
    Ok(used.unwrap_or_default())
}

fn spent(row: &Row<'_>) -> rusqlite::Result<Spent> {
    Ok(Spent {
        turns: count(row, 0)?,
        input: count(row, 1)?,
        output: count(row, 2)?,
        cost_micro: count(row, 3)?,
    })
}
