//! The reset rules of every level, checked once.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use frontdesk_core::account::AccountId;
use frontdesk_core::config::ConfigError;
use frontdesk_core::key::Scope;
use frontdesk_core::reset::{PolicyError, ResetOverride, ResetPolicy};
use frontdesk_core::zone::parse_zone;

use super::{Reset, Routing};

impl Reset {
    /// The default level's rule; `machine` is the zone of a rule that names none.
    fn policy(&self, machine: Tz) -> Result<ResetPolicy, PolicyError> {
        let zone = self.timezone.as_deref().map_or(Ok(machine), parse_zone)?;
        ResetPolicy::new(self.mode, self.idle_minutes, self.hour, zone, self.notify)?
            .waiting_for_quiet(self.quiet_minutes)
    }
}

/// The reset rules of every level, checked once at load.
#[derive(Debug, Clone)]
pub struct ResetRules {
    default: ResetPolicy,
    scopes: BTreeMap<String, ResetOverride>,
    channels: BTreeMap<String, ResetOverride>,
    chats: BTreeMap<AccountId, BTreeMap<String, ResetOverride>>,
}

impl ResetRules {
    /// Checks all levels; the error says which one is wrong and why.
    pub fn parse(
        reset: &Reset,
        routing: &BTreeMap<AccountId, Routing>,
        machine: Tz,
    ) -> Result<ResetRules, ConfigError> {
        let at = |path: String| move |error: PolicyError| ConfigError::new(path, error.to_string());
        let default = reset.policy(machine).map_err(at("sessions.reset".into()))?;
        let level = |path: String, level: &ResetOverride| {
            default.with(level).map_err(at(path))?;
            Ok::<_, ConfigError>(level.clone())
        };
        let mut rules = ResetRules {
            default,
            scopes: BTreeMap::new(),
            channels: BTreeMap::new(),
            chats: BTreeMap::new(),
        };
        for (name, fields) in &reset.scope {
            let path = format!("sessions.reset.scope.{name}");
            if name.parse::<Scope>().is_err() {
                let problem =
                    "there is no such scope; there are dm, group, channel, topic, thread and member";
                return Err(ConfigError::new(path, problem));
            }
            rules.scopes.insert(name.clone(), level(path, fields)?);
        }
        for (name, fields) in &reset.channel {
            rules.channels.insert(name.clone(), level(format!("sessions.reset.channel.{name}"), fields)?);
        }
        for (account, routing) in routing {
            let mut chats = BTreeMap::new();
            for (id, chat) in &routing.chats {
                let path = format!("channels.{}.chats.\"{id}\".reset", account.channel());
                chats.insert(id.clone(), level(path, &chat.reset)?);
            }
            if !chats.is_empty() {
                rules.chats.insert(account.clone(), chats);
            }
        }
        Ok(rules)
    }

    /// The zone of the default rule.
    pub(crate) fn zone(&self) -> Tz {
        self.default.zone()
    }

    /// The policy of one conversation. Every level was checked on its own, and the fields of a policy do not depend on each
    /// other, so no combination can be wrong.
    pub fn policy(&self, account: &AccountId, scope: &str, chat: &str) -> ResetPolicy {
        let chat = self.chats.get(account).and_then(|chats| chats.get(chat));
        [self.scopes.get(scope), self.channels.get(account.channel()), chat]
            .into_iter()
            .flatten()
            .fold(self.default, |policy, narrower| policy.with(narrower).unwrap_or(policy))
    }
}
