//! How many messages may be sent, and how much may be used in one day.

use std::collections::BTreeMap;

use frontdesk_core::config::{ConfigError, join};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Budgets, Rate};

/// How many messages may be sent. A limit of 0 is no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limits {
    /// Messages of one person on one account. Admins may always send at least 600 a minute.
    pub user: Rate,
    /// Messages of one person who is answered in this role, on one account, instead of `user`.
    pub role: BTreeMap<String, Rate>,
    /// Messages in one chat.
    pub chat: Rate,
    /// Messages on one account, all chats together.
    pub account: Rate,
    /// Maximum number of messages that one person may send to agents on one day, also across restarts; 0 means no limit.
    /// A day begins at midnight in the zone of `sessions.reset.timezone`.
    pub daily: u32,
    /// How much may be used in one day.
    pub budget: Budgets,
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let of_all = [("user", &self.user), ("chat", &self.chat), ("account", &self.account)];
        of_all.into_iter().try_for_each(|(name, rate)| rate.check(&join("limits", name)))?;
        self.role.iter().try_for_each(|(name, rate)| rate.check(&join("limits.role", name)))?;
        self.budget.check()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            user: Rate { per_minute: 60, burst: 0 },
            role: BTreeMap::new(),
            chat: Rate { per_minute: 120, burst: 0 },
            account: Rate { per_minute: 0, burst: 0 },
            daily: 0,
            budget: Budgets::default(),
        }
    }
}
