//! What a reload of the configuration changes.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::account::AccountId;
use frontdesk_core::config::join;
use frontdesk_kit::{ConfiguredAccount, Fingerprint};
use serde::Serialize;
use serde_json::Value;

use crate::config::Config;
use crate::routes::{NamedPlace, Routes};

/// Keys whose values are used only at the start of the process.
const AT_THE_START: [&str; 10] = [
    "gateway.host",
    "gateway.port",
    "gateway.limits.max_connections",
    "gateway.limits.ws_buffer",
    "log.format",
    "log.file",
    "security.ssrf.enabled",
    "security.ssrf.block_private_ips",
    "security.ssrf.block_localhost",
    "security.ssrf.allowed_hosts",
];

/// The difference between the configuration in use and the one to be applied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Every account of either configuration, in order.
    pub accounts: Vec<AccountChange>,
    /// Every agent of either configuration, in order.
    pub agents: Vec<AgentChange>,
    /// The other keys that change, in effect from the next message or request on.
    pub changes: Vec<String>,
    /// Places of the configuration whose agent or role changes, for the messages that come from then on.
    pub routes: Vec<RouteChange>,
    /// Keys whose change needs a restart of the process. They keep their values until then.
    pub restart: Vec<String>,
    /// What keeps new and changed agents from answering, one sentence each.
    pub notes: Vec<String>,
    /// What a reload could not do after it had applied the configuration, one sentence each. It is in use all the same.
    pub unfinished: Vec<String>,
}

/// What happens to one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountChange {
    /// The account, for example `telegram@work`.
    pub account: String,
    /// What happens to it.
    pub change: Change,
    /// Whether it connects as another bot or login than before, which cannot edit or reply to earlier messages.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub another_login: bool,
}

/// What happens to one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentChange {
    /// The agent's name.
    pub agent: String,
    /// What happens to it.
    pub change: Change,
    /// Of one that is removed: how many messages wait for it. Their senders are told that it is gone, and `/retry` gives
    /// them to the agent that has their chat then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// Of one that is removed: how many turns run on it, which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<usize>,
}

/// Another agent or role at one place. The conversation with the agent before is kept, and goes on if that agent answers
/// here again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteChange {
    /// The account, chat, topic or person, for example `telegram chat -100123`.
    pub place: String,
    /// The agent before.
    pub agent_before: String,
    /// The agent from then on.
    pub agent: String,
    /// The role before.
    pub role_before: Option<String>,
    /// The role from then on.
    pub role: Option<String>,
}

/// What happens to an account or to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It keeps its connection or its programs.
    Kept,
    /// An account connects anew; an agent is replaced once its running turns have ended.
    Restarted,
    /// It is new.
    Added,
    /// An account is disconnected, and its messages wait until it comes back. An agent ends after its running turns.
    Removed,
}

impl Plan {
    /// The difference between two configurations.
    pub fn between(before: &Config, after: &Config) -> Plan {
        let old_accounts = before.channels.accounts(&before.gateway);
        let new_accounts = after.channels.accounts(&after.gateway);
        let (old, new) = (fingerprints(&old_accounts), fingerprints(&new_accounts));
        let accounts = changes(&old, &new).into_iter();
        let (old, new) = (agents(before), agents(after));
        let agents = changes(&old, &new).into_iter();
        let (restart, mut changes): (Vec<String>, Vec<String>) =
            keys(before, after).into_iter().partition(|key| AT_THE_START.contains(&key.as_str()));
        changes.extend(rules_of_accounts(&old_accounts, &new_accounts));
        changes.extend((before.voice != after.voice).then(|| "voice".to_owned()));
        let (old, new) = (&before.runtime.cron.webhook_secret, &after.runtime.cron.webhook_secret);
        changes.extend((old != new).then(|| "cron.webhook_secret".to_owned()));
        changes.extend((before.hooks != after.hooks).then(|| "hooks".to_owned()));
        Plan {
            accounts: accounts
                .map(|(id, change)| AccountChange { account: id.to_string(), change, another_login: false })
                .collect(),
            agents: agents
                .map(|(name, change)| AgentChange {
                    agent: name.clone(),
                    change,
                    waiting: None,
                    running: None,
                })
                .collect(),
            changes,
            routes: routes(&Routes::new(before, &old_accounts), &Routes::new(after, &new_accounts)),
            restart,
            notes: Vec::new(),
            unfinished: Vec::new(),
        }
    }

    /// What happens to an account; accounts that the configuration does not name are kept.
    pub(crate) fn account(&self, id: &AccountId) -> Change {
        let id = id.to_string();
        self.accounts.iter().find(|account| account.account == id).map_or(Change::Kept, |found| found.change)
    }

    /// What happens to an agent; agents that the configuration does not name are kept.
    pub(crate) fn agent(&self, name: &str) -> Change {
        self.agents.iter().find(|agent| agent.agent == name).map_or(Change::Kept, |found| found.change)
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        let accounts = self.accounts.iter().map(|account| account.change);
        let agents = self.agents.iter().map(|agent| agent.change);
        self.changes.is_empty()
            && self.routes.is_empty()
            && self.restart.is_empty()
            && accounts.chain(agents).all(|change| change == Change::Kept)
    }

    /// One sentence for the log.
    pub(crate) fn summary(&self) -> String {
        let named = |change| {
            let accounts = self.accounts.iter().filter(move |account| account.change == change);
            let agents = self.agents.iter().filter(move |agent| agent.change == change);
            let accounts = accounts.map(|account| account.account.clone());
            accounts.chain(agents.map(|agent| format!("agent {}", agent.agent))).collect::<Vec<_>>()
        };
        let parts = [
            ("added", named(Change::Added)),
            ("restarted", named(Change::Restarted)),
            ("removed", named(Change::Removed)),
            ("changed", self.changes.clone()),
            ("another agent or role", self.routes.iter().map(|route| route.place.clone()).collect()),
            ("waiting for a restart of the process", self.restart.clone()),
        ];
        let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<String> = parts.map(|(what, names)| format!("{what}: {}", names.join(", "))).collect();
        if parts.is_empty() { "nothing has changed".to_owned() } else { parts.join("; ") }
    }
}

/// The configuration that is in use after a reload: keys that need a restart keep their values.
pub(crate) fn in_use(before: &Config, mut after: Config) -> Config {
    after.gateway.host.clone_from(&before.gateway.host);
    after.gateway.port = before.gateway.port;
    after.gateway.limits.max_connections = before.gateway.limits.max_connections;
    after.gateway.limits.ws_buffer = before.gateway.limits.ws_buffer;
    after.log.format = before.log.format;
    after.log.file.clone_from(&before.log.file);
    after.security.clone_from(&before.security);
    after
}

/// The places that have another agent or another role than before. Those of accounts that are new or gone are none.
fn routes(before: &Routes<'_>, after: &Routes<'_>) -> Vec<RouteChange> {
    let all: BTreeSet<NamedPlace> = before.places().into_iter().chain(after.places()).collect();
    let known = all.iter().filter(|place| before.has(&place.account) && after.has(&place.account));
    let changed = known.filter_map(|place| {
        let (old, new) = (before.at(place), after.at(place));
        (old != new).then(|| RouteChange {
            place: place.to_string(),
            agent_before: old.agent.to_owned(),
            agent: new.agent.to_owned(),
            role_before: old.role.map(str::to_owned),
            role: new.role.map(str::to_owned),
        })
    });
    changed.collect()
}

/// What each agent is built from.
fn agents(config: &Config) -> BTreeMap<&String, Vec<&frontdesk_agents::Config>> {
    let all = &config.agents;
    all.keys().map(|name| (name, frontdesk_agents::built_from(name, all))).collect()
}

/// What the connection of each enabled account is built from.
fn fingerprints(accounts: &[ConfiguredAccount]) -> BTreeMap<&AccountId, Fingerprint> {
    accounts.iter().filter(|account| account.on).map(|account| (&account.id, account.fingerprint)).collect()
}

fn changes<K: Ord + Clone, V: PartialEq>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
) -> BTreeMap<K, Change> {
    let all: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    let change = |key: &K| match (before.get(key), after.get(key)) {
        (Some(old), Some(new)) if old == new => Change::Kept,
        (Some(_), Some(_)) => Change::Restarted,
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
    };
    all.into_iter().map(|key| (key.clone(), change(key))).collect()
}

/// The keys outside of `channels`, `agents` and `voice` whose values differ.
fn keys(before: &Config, after: &Config) -> Vec<String> {
    let mut found = Vec::new();
    differing("", &values(before), &values(after), &mut found);
    found
}

fn values(config: &Config) -> Value {
    // Serializing these types to a value cannot fail: their keys are texts.
    let mut all = serde_json::to_value(&config.runtime).unwrap_or_default();
    if let Some(all) = all.as_object_mut() {
        all.insert("gateway".to_owned(), serde_json::to_value(&config.gateway).unwrap_or_default());
        all.insert("security".to_owned(), serde_json::to_value(&config.security).unwrap_or_default());
        all.insert("log".to_owned(), serde_json::to_value(&config.log).unwrap_or_default());
        all.insert("reload".to_owned(), serde_json::to_value(&config.reload).unwrap_or_default());
        all.insert("default_agent".to_owned(), config.default_agent().into());
    }
    all
}

fn differing(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let (old, new) = (old.get(name), new.get(name));
                differing(&join(path, name), old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null), found);
            }
        }
        (old, new) if old == new => {}
        _ => found.push(path.to_owned()),
    }
}

/// What changes for accounts besides their connections.
fn rules_of_accounts(before: &[ConfiguredAccount], after: &[ConfiguredAccount]) -> Vec<String> {
    let mut found = Vec::new();
    for new in after {
        let Some(old) = before.iter().find(|old| old.id == new.id) else { continue };
        if old.on && !new.on {
            // It is removed, and what it has waits whoever may write.
            continue;
        }
        if old.access != new.access {
            found.push(format!("{}: who may write", new.id));
        }
        if old.routes() != new.routes() {
            found.push(format!("{}: agents and rules of chats", new.id));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use frontdesk_http::Ssrf;

    use super::*;

    #[test]
    fn a_plan_separates_keys_that_need_a_restart_from_those_that_do_not() {
        let before = Config::default();
        let mut after = before.clone();
        after.gateway.port = 1;
        after.gateway.hosts.push("chat.example.org".to_owned());
        after.runtime.limits.user.per_minute += 1;
        after.agents.insert("second".to_owned(), frontdesk_agents::Config::default());
        let plan = Plan::between(&before, &after);
        assert_eq!(plan.restart, ["gateway.port"]);
        assert_eq!(plan.changes, ["gateway.hosts", "limits.user.per_minute"]);
        let agents: Vec<_> = plan.agents.iter().map(|agent| (agent.agent.as_str(), agent.change)).collect();
        assert_eq!(agents, [("main", Change::Kept), ("second", Change::Added)]);
        assert!(!plan.is_empty() && Plan::between(&before, &before).is_empty());
    }

    #[test]
    fn a_plan_shows_each_place_that_gets_another_agent_or_role() {
        let config = |chats: serde_json::Value| {
            let roles = serde_json::json!({"kids": {"agent": "b"}, "plain": {}});
            let agents = serde_json::json!({"a": {"kind": "echo"}, "b": {"kind": "echo"}});
            let channels = serde_json::json!({"telegram": {"token": "1:a", "chats": chats}});
            let all = serde_json::json!({"default_agent": "a", "agents": agents, "roles": roles, "channels": channels});
            serde_json::from_value::<Config>(all).unwrap()
        };
        let before = config(serde_json::json!({"-1": {"role": "plain"}, "-2": {"agent": "a"}}));
        let topics = serde_json::json!({"5": {"role": "plain"}});
        let after =
            config(serde_json::json!({"-1": {"role": "kids", "topics": topics}, "-2": {"agent": "a"}}));
        let plan = Plan::between(&before, &after);
        let shown = |change: &RouteChange| {
            let role = |role: &Option<String>| role.clone().unwrap_or_default();
            let (old, new) = (role(&change.role_before), role(&change.role));
            format!("{}: {} {old} -> {} {new}", change.place, change.agent_before, change.agent)
        };
        let routes: Vec<String> = plan.routes.iter().map(shown).collect();
        let wanted = ["telegram chat -1: a plain -> b kids", "telegram chat -1 topic 5: a plain -> b plain"];
        assert_eq!(routes, wanted);
        assert!(
            !plan.is_empty() && plan.summary().contains("telegram chat -1 topic 5"),
            "{}",
            plan.summary()
        );
        assert_eq!(Plan::between(&before, &before).routes, []);
    }

    #[test]
    fn every_key_that_needs_a_restart_keeps_its_value() {
        let before = Config::default();
        let mut after = before.clone();
        after.gateway.host = "0.0.0.0".to_owned();
        after.gateway.port += 1;
        after.gateway.limits.max_connections += 1;
        after.gateway.limits.ws_buffer += 1;
        after.log.format = crate::config::Format::Json;
        after.log.file = Some("gateway.log".into());
        after.security.ssrf = Ssrf {
            enabled: true,
            block_private_ips: false,
            block_localhost: false,
            allowed_hosts: vec!["git.lan".to_owned()],
        };
        let plan = Plan::between(&before, &after);
        assert_eq!(plan.restart.len(), AT_THE_START.len());
        assert!(AT_THE_START.iter().all(|key| plan.restart.iter().any(|named| named == key)), "{plan:?}");
        assert!(Plan::between(&before, &in_use(&before, after)).is_empty());
    }
}
