//! `/usage`: what the person has used today, and what is left.

use frontdesk_core::budget::{Budget, BudgetScope, Measure, Spent};
use frontdesk_store::StoreError;
use frontdesk_store::row::InboundRow;

use super::Plan;
use crate::budgets::BudgetPlace;
use crate::shared::Shared;

pub(super) async fn plan(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let (settings, now) = (shared.settings(), shared.time.wall());
    let place = BudgetPlace { agent: row.session.agent(), chat: Some(&row.session), address: &row.address };
    let mut lines = Vec::new();
    for budget in shared.budgets(&settings, &place, [&row.from.id], now) {
        // What others use is of interest only where it counts.
        if budget.scope != BudgetScope::Person && !budget.limits.any() {
            continue;
        }
        let spent = shared.store.spent(budget.scope, &budget.subject, budget.day.number).await?;
        lines.push(format!(
            "{} used {} today. {}",
            who(&budget),
            used(&budget, &spent),
            end(&budget, &spent, now)
        ));
    }
    Ok(Plan::say(lines.join("\n")))
}

fn who(budget: &Budget) -> &'static str {
    match budget.scope {
        BudgetScope::Person => "You have",
        BudgetScope::Chat => "All people of this chat have",
        BudgetScope::Agent => "All people who write to this agent have",
    }
}

/// What was used, each with its limit.
fn used(budget: &Budget, spent: &Spent) -> String {
    let one = |measure: Measure| {
        let used = spent.of(measure);
        match budget.limits.of(measure) {
            Some(most) => Some(measure.out_of(used, most)),
            None => (used > 0 || measure == Measure::Turns).then(|| measure.amount(used)),
        }
    };
    let all: Vec<String> = Measure::ALL.into_iter().filter_map(one).collect();
    match all.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// What happens next.
fn end(budget: &Budget, spent: &Spent, now: chrono::DateTime<chrono::Utc>) -> String {
    let begins = budget.day.next_begins(now);
    match (budget.limits.any(), budget.used_up(spent).is_some()) {
        (_, true) => format!("Nothing is left. The next budget begins {begins}."),
        (true, false) => format!("The next budget begins {begins}."),
        (false, false) => format!("There is no limit. The next day begins {begins}."),
    }
}
