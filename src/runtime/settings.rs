//! What the operator configured, checked and parsed once: a snapshot in which nothing changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::account::AccountId;
use frontdesk_core::agent::TurnRole;
use frontdesk_core::config::{Assignment, ConfigError};
use frontdesk_core::key::SessionKey;
use frontdesk_core::reset::ResetPolicy;
use frontdesk_core::route::{self, Place, Route};

use crate::GrantRule;
use crate::access::AccessRules;
use crate::active_agents::ActiveAgents;
use crate::config::{Config, JoinedSessions, ResetRules, Role, Routing};
use crate::lanes::LaneLimits;
use crate::limits::Limits;
use crate::voice::ActiveTranscriber;

pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) routing: BTreeMap<AccountId, Routing>,
    pub(crate) resets: ResetRules,
    /// The chats that share one session.
    pub(crate) joined: JoinedSessions,
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
    /// What transcribes recordings, if something is set up.
    pub(crate) voice: Option<ActiveTranscriber>,
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
        for (name, role) in &self.config.roles {
            if let Some(agent) = &role.agent {
                self.known_agent(format!("roles.{name}.agent"), agent)?;
            }
        }
        for (n, job) in self.config.jobs.iter().enumerate() {
            if let Some(agent) = &job.agent {
                self.known_agent(format!("jobs[{n}].agent"), agent)?;
            }
        }
        for (account, routing) in &self.routing {
            let channel = format!("channels.{}", account.channel());
            self.known(&channel, (&routing.agent, &routing.role))?;
            self.known(&channel, (&routing.channel.agent, &routing.channel.role))?;
            for (id, chat) in &routing.chats {
                let path = format!("{channel}.chats.\"{id}\"");
                self.known(&path, (&chat.agent, &chat.role))?;
                for (topic, Assignment { agent, role }) in &chat.topics {
                    self.known(&format!("{path}.topics.\"{topic}\""), (agent, role))?;
                }
            }
            for (id, Assignment { agent, role }) in &routing.people {
                self.known(&format!("{channel}.people.\"{id}\""), (agent, role))?;
            }
        }
        Ok(())
    }

    /// Checks the agent and the role at a path.
    fn known(
        &self,
        path: &str,
        (agent, role): (&Option<String>, &Option<String>),
    ) -> Result<(), ConfigError> {
        if let Some(agent) = agent {
            self.known_agent(format!("{path}.agent"), agent)?;
        }
        match role {
            Some(role) if !self.config.roles.contains_key(role) => {
                Err(ConfigError::new(format!("{path}.role"), format!("there is no role `{role}`")))
            }
            _ => Ok(()),
        }
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

    /// Who answers at a place of an account, and in which role.
    pub(crate) fn route(&self, account: &AccountId, place: Place<'_>) -> Route<'_> {
        route::choose(self.routing.get(account), &self.config.roles, &self.default_agent, place)
    }

    /// The role of this name, as an agent gets it.
    pub(crate) fn role(&self, name: &str) -> Option<Arc<TurnRole>> {
        let role: &Role = self.config.roles.get(name)?;
        Some(Arc::new(TurnRole { name: name.to_owned(), gives: role.clone() }))
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
