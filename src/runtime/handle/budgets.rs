//! Budgets as the API lists and sets them.

use std::collections::BTreeMap;
use std::time::Duration;

use frontdesk_core::address::{Address, Principal};
use frontdesk_core::budget::{BudgetOverride, BudgetScope, Day, DayLimits, Spent};
use frontdesk_store::row::{AccessChange, Author, BudgetRow};

use super::{GatewayError, GatewayHandle};

/// What a person, a chat or an agent has used today, with the limits that apply.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetView {
    /// Whose budget it is.
    pub scope: BudgetScope,
    /// The principal, the chat's address without a thread, or the name of the agent.
    pub subject: String,
    /// What was used on the gateway's day.
    pub spent: Spent,
    /// The limits that hold. Limits of roles are not among them: they depend on the chat.
    pub limits: DayLimits,
    /// What an admin has set.
    pub set: Option<BudgetRow>,
}

impl GatewayHandle {
    /// The budgets of a scope that have been used today or that admins have set, by their subjects, after one of them.
    pub async fn budgets(
        &self,
        scope: BudgetScope,
        after: &str,
        limit: u32,
    ) -> Result<Vec<BudgetView>, GatewayError> {
        let (settings, now) = (self.0.settings(), self.0.time.wall());
        let day = Day::at(settings.resets.zone(), now);
        let spent = self.0.store.spent_page(scope, day.number, after, limit).await?;
        let spent = spent.into_iter().map(|row| (row.subject, row.spent));
        let mut subjects: BTreeMap<String, Spent> = spent.collect();
        let set = self.0.access.budgets(now).into_iter().filter(|row| row.scope == scope);
        for row in set.filter(|row| row.subject.as_str() > after) {
            subjects.entry(row.subject).or_default();
        }
        if scope == BudgetScope::Agent {
            for name in settings.agents.keys().filter(|name| name.as_str() > after) {
                subjects.entry(name.clone()).or_default();
            }
        }
        let first = subjects.into_iter().take(limit as usize);
        Ok(first.map(|(subject, spent)| self.budget_view(scope, subject, spent)).collect())
    }

    /// Sets limits for one subject, or with `None` leaves them to the configuration.
    pub async fn set_budget(
        &self,
        scope: BudgetScope,
        subject: &str,
        set: Option<BudgetOverride>,
        span: Option<Duration>,
        author: Author,
    ) -> Result<BudgetView, GatewayError> {
        let subject = self.subject_of(scope, subject)?;
        let span = span.and_then(|span| chrono::Duration::from_std(span).ok());
        let now = self.0.time.wall();
        let until = span.and_then(|span| now.checked_add_signed(span));
        let change = AccessChange::Budget { scope, subject: subject.clone(), set, until };
        self.change_access(change, author).await?;
        let day = Day::at(self.0.settings().resets.zone(), now);
        let spent = self.0.store.spent(scope, &subject, day.number).await?;
        Ok(self.budget_view(scope, subject, spent))
    }

    fn budget_view(&self, scope: BudgetScope, subject: String, spent: Spent) -> BudgetView {
        let (settings, now) = (self.0.settings(), self.0.time.wall());
        let configured = &settings.config.limits.budget;
        let configured = match scope {
            BudgetScope::Person => configured.person.limits(),
            BudgetScope::Chat => configured.chat.limits(),
            BudgetScope::Agent => configured.agent.limits(),
        };
        let set = self.0.access.budget(scope, &subject, now);
        let limits = set.as_ref().map_or(configured, |row| row.set.over(configured));
        BudgetView { scope, subject, spent, limits, set }
    }

    /// The name under which a budget is stored. An error says why there can be no such subject.
    fn subject_of(&self, scope: BudgetScope, written: &str) -> Result<String, GatewayError> {
        let invalid = |problem: String| GatewayError::Invalid(format!("subject: {problem}"));
        match scope {
            BudgetScope::Person => {
                let person: Principal =
                    written.parse().map_err(|_| invalid("a person is written as CHANNEL:ID".to_owned()))?;
                Ok(person.as_str().to_owned())
            }
            BudgetScope::Chat => {
                let chat = written.parse::<Address>().ok().and_then(|chat| self.0.first_address(&chat));
                let chat = chat.ok_or_else(|| invalid("a chat is written as CHANNEL:ID".to_owned()))?;
                Ok(chat.as_str().to_owned())
            }
            BudgetScope::Agent if self.0.settings().agents.contains_key(written) => Ok(written.to_owned()),
            BudgetScope::Agent => Err(invalid(format!("there is no agent {written:?}"))),
        }
    }
}
