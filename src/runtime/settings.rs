//! What the operator configured, checked and parsed once: a snapshot in which nothing changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::account::AccountId;
use frontdesk_core::config::ConfigError;
use frontdesk_core::key::SessionKey;
use frontdesk_core::reset::ResetPolicy;

use crate::GrantRule;
use crate::access::AccessRules;
use crate::active_agents::ActiveAgents;
use crate::config::{Chat, Config, ResetRules, Routing};
use crate::lanes::LaneLimits;
use crate::limits::Limits;

pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) routing: BTreeMap<AccountId, Routing>,
    pub(crate) resets: ResetRules,
    /// The machine's zone, for rules that name none.
    pub(crate) machine_zone: Tz,
    pub(crate) limits: Limits,
    /// Who may write according to the configuration file.
    pub(crate) access: AccessRules,
    /// Who could write on each account when it was last connected. An account that is not connected says nothing about its
    /// people, so that they lose something only once it is back without them.
    pub(crate) access_when_connected: AccessRules,
    pub(crate) agents: ActiveAgents,
    pub(crate) default_agent: String,
    /// Checked before anything is granted.
    pub(crate) grant_rule: GrantRule,
    /// From which pairing codes are derived.
    pub(crate) pairing_secret: [u8; 32],
    /// Problems of the configuration, one sentence each, for the status.
    pub(crate) problems: Vec<String>,
    /// The configuration without secrets, for hooks.
    pub(crate) shown: Arc<serde_json::Value>,
}

impl Settings {
    /// Checks what depends on more than one part of the configuration.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.known_agent("default_agent".to_owned(), &self.default_agent)?;
        for (account, routing) in &self.routing {
            let channel = account.channel();
            if let Some(agent) = &routing.agent {
                self.known_agent(format!("channels.{channel}.agent"), agent)?;
            }
            for (id, chat) in &routing.chats {
                if let Some(agent) = &chat.agent {
                    self.known_agent(format!("channels.{channel}.chats.\"{id}\".agent"), agent)?;
                }
            }
        }
        Ok(())
    }

    fn known_agent(&self, path: String, agent: &str) -> Result<(), ConfigError> {
        if self.agents.contains_key(agent) || self.agents.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = self.agents.keys().map(String::as_str).collect();
        let known = names.join(", ");
        Err(ConfigError::new(path, format!("there is no agent `{agent}`; there are: {known}")))
    }

    /// How many turns may run at once.
    pub(crate) fn turn_limits(&self) -> LaneLimits {
        let limited = self.agents.iter();
        let groups = limited.filter_map(|(name, agent)| Some((name.clone(), agent.max_turns?))).collect();
        LaneLimits { total: self.config.turns.max, groups }
    }

    /// The name of the agent that answers in a chat, given the chat's own settings.
    pub(crate) fn agent<'s>(&'s self, account: &AccountId, chat: Option<&'s Chat>) -> &'s str {
        chat.and_then(|chat| chat.agent.as_deref())
            .or_else(|| self.routing.get(account).and_then(|routing| routing.agent.as_deref()))
            .unwrap_or(&self.default_agent)
    }

    /// The reset policy of a session whose chat has this id in the configuration.
    pub(crate) fn reset_policy(&self, session: &SessionKey, chat: &str) -> ResetPolicy {
        self.resets.policy(session.account(), session.scope().name(), chat)
    }

    /// The day on which something counts for quotas, as days since 1970, in the zone of the default reset rule.
    pub(crate) fn quota_day(&self, now: DateTime<Utc>) -> i64 {
        use chrono::Datelike;
        const EPOCH: i32 = 719_163; // 1970-01-01 in days of the common era
        i64::from(now.with_timezone(&self.resets.zone()).date_naive().num_days_from_ce() - EPOCH)
    }
}
