//! Which budgets count for whom: what the configuration says, and what admins have set instead.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::budget::{Budget, BudgetOverride, BudgetScope, Day, DayLimits};
use frontdesk_core::key::SessionKey;
use frontdesk_store::StoreError;
use frontdesk_store::row::{BudgetRule, SpentRow};

use crate::config::Budgets;
use crate::settings::Settings;
use crate::shared::Shared;

/// Where a turn belongs.
pub(crate) struct BudgetPlace<'a> {
    /// The agent that answers.
    pub(crate) agent: &'a str,
    /// The session whose chat it is for; `None` outside of chats.
    pub(crate) chat: Option<&'a SessionKey>,
    /// Where the answer goes.
    pub(crate) address: &'a Address,
}

impl Shared {
    /// The time zone of a chat. Work outside of chats has that of its address.
    fn chat_zone(&self, settings: &Settings, chat: Option<&SessionKey>, address: &Address) -> Tz {
        if let Some(chat) = chat {
            return self.reset_policy(settings, chat).zone();
        }
        let first = self.access.original(address);
        let chosen = self.access.zone(address.account(), &first);
        chosen.unwrap_or_else(|| settings.resets.zone())
    }

    /// The budgets for which a turn counts that answers these people.
    pub(crate) fn budgets<'p>(
        &self,
        settings: &Settings,
        place: &BudgetPlace<'_>,
        people: impl IntoIterator<Item = &'p Principal>,
        now: DateTime<Utc>,
    ) -> Vec<Budget> {
        let BudgetPlace { agent, chat, address } = place;
        let day = Day::at(self.chat_zone(settings, *chat, address), now);
        let mut seen: Vec<&Principal> = Vec::new();
        let mut budgets = Vec::new();
        for person in people {
            if !seen.contains(&person) {
                seen.push(person);
                let limits = self.person_limits(settings, *chat, person);
                budgets.push(self.budget(
                    settings,
                    (BudgetScope::Person, person.as_str()),
                    limits,
                    (day, now),
                ));
            }
        }
        let configured = &settings.config.limits.budget;
        if let Some(first) = self.first_address(address) {
            let limits = configured.chat.limits();
            budgets.push(self.budget(settings, (BudgetScope::Chat, first.as_str()), limits, (day, now)));
        }
        let day = Day::at(settings.resets.zone(), now);
        budgets.push(self.budget(
            settings,
            (BudgetScope::Agent, agent),
            configured.agent.limits(),
            (day, now),
        ));
        budgets
    }

    /// Those of them that limit anything, of one person.
    pub(crate) fn limiting_budgets(
        &self,
        settings: &Settings,
        place: &BudgetPlace<'_>,
        person: &Principal,
        now: DateTime<Utc>,
    ) -> Vec<Budget> {
        if !self.has_budgets(settings) {
            return Vec::new();
        }
        let mut budgets = self.budgets(settings, place, [person], now);
        budgets.retain(|budget| budget.limits.any());
        budgets
    }

    /// The rule by which a claimed turn counts.
    pub(crate) fn budget_rule(self: &Arc<Self>, settings: &Arc<Settings>, now: DateTime<Utc>) -> BudgetRule {
        let (shared, settings) = (self.clone(), settings.clone());
        Arc::new(move |turn| {
            let chat = Some(turn.chat).filter(|chat| !chat.scope().is_background());
            let place = BudgetPlace { agent: turn.session.agent(), chat, address: turn.address };
            shared.budgets(&settings, &place, turn.messages.iter().map(|row| &row.from.id), now)
        })
    }

    /// Whether anything limits anybody.
    fn has_budgets(&self, settings: &Settings) -> bool {
        let Budgets { person, chat, agent, role, .. } = &settings.config.limits.budget;
        let mut configured = [person, chat, agent].into_iter().chain(role.values());
        configured.any(|budget| budget.limits().any()) || self.access.has_budgets()
    }

    /// What each agent has used today.
    pub(crate) async fn spent_today(&self, settings: &Settings) -> Result<Vec<SpentRow>, StoreError> {
        let day = Day::at(settings.resets.zone(), self.time.wall());
        self.store.spent_by(BudgetScope::Agent, day.number).await
    }

    /// The address of a chat by its first id, without a thread.
    pub(crate) fn first_address(&self, address: &Address) -> Option<Address> {
        Address::at(address.account(), &self.access.original(address), None).ok()
    }

    fn person_limits(&self, settings: &Settings, chat: Option<&SessionKey>, person: &Principal) -> DayLimits {
        let configured = &settings.config.limits.budget;
        let Some(chat) = chat.filter(|_| !configured.role.is_empty()) else {
            return configured.person.limits();
        };
        let role = self.route_of(settings, chat, Some(person)).role;
        role.and_then(|role| configured.role.get(role)).unwrap_or(&configured.person).limits()
    }

    fn budget(
        &self,
        settings: &Settings,
        (scope, subject): (BudgetScope, &str),
        configured: DayLimits,
        (day, now): (Day, DateTime<Utc>),
    ) -> Budget {
        let set = self.access.budget(scope, subject, now).map_or_else(BudgetOverride::default, |row| row.set);
        let warn = set.warn_percent.unwrap_or(settings.config.limits.budget.warn_percent);
        let warn_percent = (warn > 0).then_some(warn);
        Budget { scope, subject: subject.to_owned(), day, limits: set.over(configured), warn_percent }
    }
}
