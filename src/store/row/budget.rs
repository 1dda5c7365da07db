//! Budgets: what a turn counts for, and what admins have set.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::budget::{Budget, BudgetOverride, BudgetScope, Spent};
use frontdesk_core::key::SessionKey;

use super::InboundRow;

/// Says for which budgets a turn counts. It is asked within the transaction that claims the turn, so it must not wait.
pub type BudgetRule = Arc<dyn Fn(&TurnToPay<'_>) -> Vec<Budget> + Send + Sync>;

/// A turn that is about to begin.
#[derive(Debug, Clone, Copy)]
pub struct TurnToPay<'a> {
    /// Its session.
    pub session: &'a SessionKey,
    /// The session whose chat it is for: of a task the one that has handed it over.
    pub chat: &'a SessionKey,
    /// The reply's target.
    pub address: &'a Address,
    /// The messages that it would take.
    pub messages: &'a [InboundRow],
}

/// What an admin has set for one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRow {
    /// Whose budget.
    pub scope: BudgetScope,
    /// The principal, the chat's address without a thread, or the name of the agent.
    pub subject: String,
    /// The limits in place of the configured ones.
    pub set: BudgetOverride,
    /// Until when; `None` until it is changed.
    pub until: Option<DateTime<Utc>>,
    /// Who has set it.
    pub by: String,
}

impl BudgetRow {
    /// Whether it is in force.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What one subject has used on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentRow {
    /// The principal, the chat's address without a thread, or the name of the agent.
    pub subject: String,
    /// What it has used.
    pub spent: Spent,
}
