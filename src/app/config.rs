//! The configuration file: its keys, how it is read, checked and shown.
//!
//! Every room owns its part; this one puts them together. The way of a file: text, document (`syntax`),
//! variables (`interpolate`), the schema (`walk`: unknown keys and wrong types, with their places), secrets,
//! types, and last the checks that types cannot make.

use std::collections::BTreeMap;
use std::path::PathBuf;

use frontdesk_runtime::config::{ConfigError, ResetRules, Routing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod defaults;
pub mod document;
pub mod example;
mod interpolate;
mod load;
pub mod problem;
pub mod schema;
pub mod secret;
pub mod show;
mod syntax;
mod unknown;
mod walk;

pub use crate::adapters::Channels;
pub use load::{Loaded, Reading, load, load_with, parse};
pub use problem::{Problem, Problems};
pub use secret::Secret;
pub use syntax::Syntax;

/// The whole configuration. Every key has a default: an empty file is a gateway with a web chat and an echo.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The door: where it listens and whom it lets in.
    pub gateway: frontdesk_api::Config,
    /// Conversations, queues, turns, delivery and storage.
    #[serde(flatten)]
    pub runtime: frontdesk_runtime::Config,
    /// The agent of chats that name none. Unset means `main`, or the only one there is.
    pub default_agent: Option<String>,
    /// Who answers, by name.
    pub agents: BTreeMap<String, frontdesk_agents::Config>,
    /// Where people write from.
    pub channels: Channels,
    /// What is logged, and where to.
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway: Default::default(),
            runtime: Default::default(),
            default_agent: None,
            agents: BTreeMap::from([("main".to_owned(), Default::default())]),
            channels: Default::default(),
            log: Default::default(),
        }
    }
}

/// What is logged, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Log {
    /// How much: `error`, `warn`, `info`, `debug` or `trace`. RUST_LOG and `--verbose` win over it.
    pub level: Level,
    /// `text` for people, `json` for a log collector: one object a line.
    pub format: Format,
    /// A file to append to, instead of standard error; a relative path starts at the home. Nothing rotates
    /// it but you.
    pub file: Option<PathBuf>,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::Info, format: Format::Text, file: None }
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What somebody must do something about.
    Error,
    /// And what may become that.
    Warn,
    /// And what happens, a line per turn at most.
    Info,
    /// And how.
    Debug,
    /// And every step.
    Trace,
}

impl Level {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Config {
    /// The agent of chats that name none.
    pub fn default_agent(&self) -> &str {
        match (&self.default_agent, self.agents.len()) {
            (Some(name), _) => name,
            (None, 1) => self.agents.keys().next().map_or("main", String::as_str),
            (None, _) => "main",
        }
    }

    /// Everything that the types cannot say and that is wrong; empty when all is well.
    /// `more` are agents that the library's user adds.
    pub fn check(&self, more: &[String]) -> Vec<ConfigError> {
        let mut wrong: Vec<ConfigError> = Vec::new();
        wrong.extend(
            self.gateway.check().err().map(|error| ConfigError { path: error.path, problem: error.problem }),
        );
        wrong.extend(self.runtime.check().err());
        wrong.extend(self.agents.iter().filter_map(|(name, agent)| {
            let path = document::join("agents", name);
            agent.check().err().map(|problem| ConfigError { path, problem })
        }));
        let routing = self.channels.routing();
        let reset = &self.runtime.sessions.reset;
        // The zone stands in for the machine's, which cannot be wrong.
        let rules = ResetRules::parse(reset, &routing, chrono_tz::UTC);
        wrong.extend(rules.err());
        wrong.extend(self.missing_agents(&routing, more));
        wrong
    }

    /// Agents that are named somewhere and do not exist.
    fn missing_agents(&self, routing: &BTreeMap<String, Routing>, more: &[String]) -> Vec<ConfigError> {
        let mut named = vec![("default_agent".to_owned(), self.default_agent())];
        for (channel, routing) in routing {
            let path = document::join("channels", channel);
            named.extend(routing.agent.iter().map(|agent| (document::join(&path, "agent"), agent.as_str())));
            let chats = document::join(&path, "chats");
            named.extend(routing.chats.iter().filter_map(|(id, chat)| {
                Some((document::join(&document::join(&chats, id), "agent"), chat.agent.as_deref()?))
            }));
        }
        let there: Vec<&str> = self.agents.keys().chain(more).map(String::as_str).collect();
        let missing = named.into_iter().filter(|(_, name)| !there.contains(name));
        missing
            .map(|(path, name)| ConfigError {
                path,
                problem: format!(
                    "there is no agent `{name}`; there are: {}. Add [agents.{name}] or name one of these",
                    there.join(", ")
                ),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
