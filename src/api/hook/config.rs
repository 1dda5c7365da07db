//! The `[hooks]` section: events of other programs.

use std::collections::BTreeMap;

use frontdesk_core::config::{ConfigError, Rate, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HookSet;
use super::signature::Signature;

/// Events of other programs: `POST /hooks/NAME` and `POST /hooks/wake`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hooks {
    /// Whether events are accepted at all.
    pub enabled: bool,
    /// The bearer token of `POST /hooks/wake`, and of endpoints without a secret of their own: at least 16 characters.
    pub token: Option<Secret>,
    /// The chat that gets the agent's answers to `POST /hooks/wake`, and those of endpoints without a `to` of their own.
    pub to: String,
    /// The agent that works on events. Unset means the one that answers in the chat that gets its answer.
    pub agent: Option<String>,
    /// Endpoints, by the last part of their paths: `[hooks.endpoints.github]` is `POST /hooks/github`.
    pub endpoints: BTreeMap<String, HookEndpoint>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            enabled: false,
            token: None,
            to: "web:main".to_owned(),
            agent: None,
            endpoints: BTreeMap::new(),
        }
    }
}

/// One endpoint for events.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HookEndpoint {
    /// How a sender proves that it knows the secret: `bearer` (the secret as a bearer token), `github`
    /// (`X-Hub-Signature-256`), `slack` (`X-Slack-Signature`), or `generic` (the headers of standardwebhooks.com).
    pub signature: Signature,
    /// The secret that the sender shares: at least 16 characters. With `bearer`, unset means `hooks.token`.
    pub secret: Option<Secret>,
    /// What becomes of an event: `agent` gives it to an agent in a session of its own, whose answer goes to the chat;
    /// `message` sends the filled template to the chat.
    pub mode: HookMode,
    /// The prompt or the message, with `{{ path.to.field }}` for values of the event, `{{ path.to.field? }}` for those
    /// that may be missing and `{{ . }}` for all of it. With `agent`, unset means all of it.
    pub template: Option<String>,
    /// Accepts only events whose fields have one of these values, by their paths: `{ action = ["opened"] }`. Others are
    /// answered with 200 and have no effect.
    pub when: BTreeMap<String, Vec<String>>,
    /// The chat, for example `telegram:123456789`. Unset means `hooks.to`.
    pub to: Option<String>,
    /// With `agent`: the key of an existing session whose conversation gets the event as a message, instead of a session
    /// of its own.
    pub session: Option<String>,
    /// The agent that works on it. Unset means `hooks.agent`.
    pub agent: Option<String>,
    /// The person in whose name an agent works, for example `telegram:123456789`. Unset means the operator or, with the
    /// `session` of a private chat of another channel than the web, the person of that chat.
    pub owner: Option<String>,
    /// Maximum size of an event, in bytes.
    pub max_bytes: usize,
    /// With `slack` and `generic`: maximum seconds between the sender's clock and ours. Older events are refused.
    pub window_seconds: u64,
    /// How many events are accepted. Without this table, 60 per minute.
    pub rate: Rate,
}

impl Default for HookEndpoint {
    fn default() -> Self {
        Self {
            signature: Signature::Bearer,
            secret: None,
            mode: HookMode::Agent,
            template: None,
            when: BTreeMap::new(),
            to: None,
            session: None,
            agent: None,
            owner: None,
            max_bytes: 256 * 1024,
            window_seconds: 300,
            rate: Rate { per_minute: 60, burst: 0 },
        }
    }
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HookMode {
    /// An agent works on it.
    Agent,
    /// It is sent as a message.
    Message,
}

impl Hooks {
    /// Checks what the types do not, also of endpoints that are off.
    pub fn check(&self) -> Result<(), ConfigError> {
        HookSet::of_all(self).map(drop)
    }

    /// Every agent that is named, with its path.
    pub fn agents(&self) -> impl Iterator<Item = (String, &str)> {
        let of_all = self.agent.iter().map(|agent| ("hooks.agent".to_owned(), agent.as_str()));
        let of_each = self.endpoints.iter().filter_map(|(name, endpoint)| {
            Some((format!("hooks.endpoints.{name}.agent"), endpoint.agent.as_deref()?))
        });
        of_all.chain(of_each)
    }
}
