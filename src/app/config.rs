//! The configuration file: its keys, how it is read, checked and shown.
//!
//! Every room owns its part; this one puts them together. The way of a file: text, document (`syntax`),
//! variables (`interpolate`), the schema (`walk`: unknown keys and wrong types, with their places), secrets,
//! types, and last the checks that types cannot make.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use frontdesk_core::config::ConfigError;
use frontdesk_core::nearest::nearest;
use frontdesk_core::reset::{Mode, PolicyError, ResetPolicy};
use frontdesk_runtime::config::{ResetOverride, ResetRules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod defaults;
pub mod example;
mod interpolate;
mod load;
pub mod problem;
pub mod schema;
mod secret;
pub mod show;
mod syntax;
mod unknown;
mod walk;

pub use crate::adapters::Channels;
pub use load::{Loaded, More, Reading, load, load_with, parse};
pub use problem::{Problem, Problems};
pub use syntax::Syntax;

use crate::channel::Section;
use crate::document;

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

/// So many agents are named to somebody who named one that is not there.
const NAMED: usize = 20;

/// Checks one level's fields by themselves.
fn alone(level: &ResetOverride) -> Result<(), PolicyError> {
    let any = ResetPolicy::new(Mode::None, 1, 0, chrono_tz::UTC, false)?;
    any.with(&level.parse()?).map(drop)
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
    pub fn check(&self, more: &More) -> Vec<ConfigError> {
        let mut wrong: Vec<ConfigError> = Vec::new();
        wrong.extend(self.gateway.check().err());
        wrong.extend(self.runtime.check().err());
        wrong.extend(self.agents.iter().filter_map(|(name, agent)| {
            let path = document::join("agents", name);
            let name = frontdesk_agents::check_name(name).map_err(|problem| ConfigError::new("", problem));
            name.and_then(|()| agent.check()).err().map(|error| error.under(&path))
        }));
        wrong.extend(self.channels.check(&self.gateway));
        let sections = self.channels.sections();
        let reset = &self.runtime.sessions.reset;
        // The zone stands in for the machine's, which cannot be wrong.
        let rules = ResetRules::parse(reset, &self.channels.routing(), chrono_tz::UTC);
        let fields = self.reset_fields(&sections);
        if fields.is_empty() {
            wrong.extend(rules.err());
        }
        wrong.extend(fields);
        wrong.extend(self.unknown_channels(&sections, &more.channels));
        wrong.extend(self.missing_agents(&sections, &more.agents));
        wrong
    }

    /// What is wrong in reset rules, each at its own key.
    fn reset_fields(&self, sections: &[Section<'_>]) -> Vec<ConfigError> {
        let reset = &self.runtime.sessions.reset;
        let default = ResetOverride {
            hour: Some(reset.hour),
            idle_minutes: Some(reset.idle_minutes),
            timezone: reset.timezone.clone(),
            ..ResetOverride::default()
        };
        let mut levels = vec![("sessions.reset".to_owned(), &default)];
        let named = |table: &str, name: &str| document::join(&format!("sessions.reset.{table}"), name);
        levels.extend(reset.scope.iter().map(|(name, level)| (named("scope", name), level)));
        levels.extend(reset.channel.iter().map(|(name, level)| (named("channel", name), level)));
        let chats = sections.iter().flat_map(Section::chats);
        levels.extend(chats.map(|(path, chat)| (document::join(&path, "reset"), &chat.reset)));
        let mut wrong = Vec::new();
        for (path, level) in levels {
            let only = |level: ResetOverride, key: &str| {
                let error = alone(&level).err()?;
                Some(ConfigError::new(document::join(&path, key), error.to_string()))
            };
            let none = ResetOverride::default();
            let hour = ResetOverride { hour: level.hour, ..none.clone() };
            let minutes = ResetOverride { idle_minutes: level.idle_minutes, ..none.clone() };
            let zone = ResetOverride { timezone: level.timezone.clone(), ..none };
            wrong.extend(only(hour, "hour"));
            wrong.extend(only(minutes, "idle_minutes"));
            wrong.extend(only(zone, "timezone"));
        }
        wrong
    }

    /// Reset rules for channels that this program does not have, and for chats without a name.
    fn unknown_channels(&self, sections: &[Section<'_>], more: &[String]) -> Vec<ConfigError> {
        let ours = sections.iter().map(|section| section.channel);
        let known: BTreeSet<&str> = ours.chain(more.iter().map(String::as_str)).collect();
        let named = self.runtime.sessions.reset.channel.keys();
        let unknown = named.filter(|name| !known.contains(name.as_str())).map(|name| {
            let others = known.iter().copied().collect::<Vec<_>>().join(", ");
            let problem = format!("there is no channel `{name}`; there are: {others}");
            ConfigError::new(document::join("sessions.reset.channel", name), problem)
        });
        // Channels with groups look at their ids themselves.
        let plain = sections.iter().filter(|section| section.groups.is_none());
        let empty = plain.filter(|section| section.routing.chats.contains_key("")).map(|section| {
            let chats = document::join(&section.path, "chats");
            ConfigError::new(document::join(&chats, ""), "the chat's id is empty; write the platform's id")
        });
        unknown.chain(empty).collect()
    }

    /// Agents that are named somewhere and do not exist.
    fn missing_agents(&self, sections: &[Section<'_>], more: &[String]) -> Vec<ConfigError> {
        let mut named = vec![("default_agent".to_owned(), self.default_agent())];
        for section in sections {
            let agent = section.routing.agent.as_deref();
            named.extend(agent.map(|agent| (document::join(&section.path, "agent"), agent)));
            let chats = section.chats();
            named.extend(
                chats.filter_map(|(path, chat)| {
                    Some((document::join(&path, "agent"), chat.agent.as_deref()?))
                }),
            );
        }
        let there: BTreeSet<&str> = self.agents.keys().chain(more).map(String::as_str).collect();
        let names: Vec<&str> = there.iter().copied().take(NAMED).collect();
        let others = if there.len() > NAMED { ", ..." } else { "" };
        let missing = named.into_iter().filter(|(_, name)| !there.contains(name));
        missing
            .map(|(path, name)| {
                let near = nearest(name, there.iter().copied());
                let hint = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                let problem = format!(
                    "there is no agent `{name}`; {hint}there are: {}{others}. Add [agents.{name}] or name one of these",
                    names.join(", ")
                );
                ConfigError::new(path, problem)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
