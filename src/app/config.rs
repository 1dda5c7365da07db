//! The configuration file: its keys, and how it is read, checked and shown.
//!
//! Every crate owns its part of the configuration; this module puts the parts together. A file is processed in this
//! order: parsed into a document (`syntax`), variables replaced (`interpolate`), compared with the schema (`walk`, which
//! finds unknown keys and wrong types and their positions), secrets read, deserialized, and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use frontdesk_core::config::{ConfigError, join};
use frontdesk_core::reset::{PolicyError, ResetMode, ResetPolicy};
use frontdesk_http::Ssrf;
use frontdesk_runtime::config::{JoinedSessions, ResetOverride, ResetRules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod defaults;
mod environment;
pub mod example;
mod inherit;
mod interpolate;
mod load;
mod names;
pub mod problem;
pub mod schema;
mod secret;
pub mod show;
mod syntax;
mod unknown;
mod walk;

pub use crate::channels::Channels;
pub(crate) use load::LARGEST;
pub use load::{
    Loaded, More, Reading, load, load_telling, load_unchecked, load_with, log_wait, parse, parse_unchecked,
};
pub use problem::{Problem, Problems};
pub use secret::end_all as end_secret_commands;
pub use syntax::Syntax;

use crate::channels;
use frontdesk_kit::ConfiguredAccount;

/// The whole configuration. Every key has a default: an empty file runs a web chat with an agent that echoes.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// The HTTP server: where it listens and which requests it accepts.
    pub gateway: frontdesk_api::Config,
    /// Conversations, queues, turns, delivery and storage.
    #[serde(flatten)]
    pub runtime: frontdesk_runtime::Config,
    /// The name of the agent that answers where no other agent is set. Unset means `main`, or the only agent there is.
    pub default_agent: Option<String>,
    /// The agents, by name.
    pub agents: BTreeMap<String, frontdesk_agents::Config>,
    /// How voice messages become text.
    pub voice: frontdesk_agents::voice::Config,
    /// Events of other programs.
    pub hooks: frontdesk_api::Hooks,
    /// The channels: the platforms on which people write.
    pub channels: Channels,
    /// What the gateway keeps agents from reaching.
    pub security: Security,
    /// Logging.
    pub log: Log,
    /// When the configuration is read again while the gateway runs.
    pub reload: Reload,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gateway: Default::default(),
            runtime: Default::default(),
            default_agent: None,
            agents: BTreeMap::from([("main".to_owned(), Default::default())]),
            voice: Default::default(),
            hooks: Default::default(),
            channels: Default::default(),
            security: Default::default(),
            log: Default::default(),
            reload: Default::default(),
        }
    }
}

/// What the gateway keeps agents from reaching.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Security {
    /// A proxy for agents that are programs, which keeps them out of private networks.
    pub ssrf: Ssrf,
}

/// When the configuration is read again while the gateway runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reload {
    /// Whether a change of the file is applied at once, also if it is replaced by another file or through a symbolic
    /// link. Otherwise `frontdesk config reload` or SIGHUP applies it.
    pub watch: bool,
}

/// Logging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Log {
    /// The level: `error`, `warn`, `info`, `debug` or `trace`. RUST_LOG and `--verbose` override it.
    pub level: Level,
    /// The format: `text` for people, or `json` for log collectors (one object per line).
    pub format: Format,
    /// A file to append to, instead of standard error. A relative path is beneath the home folder. The gateway does not
    /// rotate the file.
    pub file: Option<PathBuf>,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::Info, format: Format::Text, file: None }
    }
}

/// A log level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Errors that somebody must act on.
    Error,
    /// Also problems that may become errors.
    Warn,
    /// Also normal events, at most one line per turn.
    Info,
    /// Also details.
    Debug,
    /// Also every single step.
    Trace,
}

impl Level {
    /// Its name in the configuration.
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

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Quiet hours and limits of chats that cannot be used, each at its own key.
fn chat_fields(accounts: &[ConfiguredAccount]) -> Vec<ConfigError> {
    let chats = accounts.iter().flat_map(ConfiguredAccount::chats);
    let wrong = chats.flat_map(|(path, chat)| {
        let quiet = chat.quiet_hours.as_ref().and_then(|hours| hours.check().err());
        let quiet =
            quiet.map(|error| ConfigError::new(join(&join(&path, "quiet_hours"), error.key), error.problem));
        let limits = chat.limits.and_then(|rate| rate.check(&join(&path, "limits")).err());
        quiet.into_iter().chain(limits)
    });
    wrong.collect()
}

/// Checks the fields of one level without the other levels.
fn alone(level: &ResetOverride) -> Result<(), PolicyError> {
    let any = ResetPolicy::new(ResetMode::None, 1, 0, chrono_tz::UTC, false)?;
    any.with(level).map(drop)
}

impl Config {
    /// The agent of chats for which no agent is set.
    pub fn default_agent(&self) -> &str {
        match (&self.default_agent, self.agents.len()) {
            (Some(name), _) => name,
            (None, 1) => self.agents.keys().next().map_or("main", String::as_str),
            (None, _) => "main",
        }
    }

    /// Checks what the types cannot express, and returns every error.
    pub fn check(&self, more: &More) -> Vec<ConfigError> {
        let mut wrong: Vec<ConfigError> = Vec::new();
        wrong.extend(self.gateway.check().err());
        wrong.extend(self.runtime.check().err());
        wrong.extend(self.hooks.check().err());
        wrong.extend(self.security.ssrf.check().err().map(|error| error.under("security.ssrf")));
        wrong.extend(self.agents.iter().filter_map(|(name, agent)| {
            let path = join("agents", name);
            let name = frontdesk_agents::check_name(name).map_err(|problem| ConfigError::new("", problem));
            name.and_then(|()| agent.check()).err().map(|error| error.under(&path))
        }));
        wrong.extend(self.voice.check().err().map(|error| error.under("voice")));
        let fallbacks = frontdesk_agents::check_fallbacks(&self.agents).into_iter();
        wrong.extend(fallbacks.map(|error| error.under("agents")));
        wrong.extend(self.channels.check(&self.gateway));
        let accounts = self.channels.accounts(&self.gateway);
        let reset = &self.runtime.sessions.reset;
        // UTC stands for the machine's zone, which is always valid.
        let rules = ResetRules::parse(reset, &channels::routing(&accounts), chrono_tz::UTC);
        let fields = self.reset_fields(&accounts);
        if fields.is_empty() {
            wrong.extend(rules.err());
        }
        wrong.extend(fields);
        wrong.extend(JoinedSessions::parse(&self.runtime.sessions.shared).err());
        wrong.extend(chat_fields(&accounts));
        wrong.extend(self.unknown_channels(&accounts, &more.channels));
        wrong.extend(names::unknown(self, &accounts, &more.agents));
        wrong
    }

    /// Errors in the reset rules, each at its own key.
    fn reset_fields(&self, accounts: &[ConfiguredAccount]) -> Vec<ConfigError> {
        let reset = &self.runtime.sessions.reset;
        let default = ResetOverride {
            hour: Some(reset.hour),
            idle_minutes: Some(reset.idle_minutes),
            timezone: reset.timezone.clone(),
            quiet_minutes: Some(reset.quiet_minutes),
            ..ResetOverride::default()
        };
        let mut levels = vec![("sessions.reset".to_owned(), &default)];
        let named = |table: &str, name: &str| join(&format!("sessions.reset.{table}"), name);
        levels.extend(reset.scope.iter().map(|(name, level)| (named("scope", name), level)));
        levels.extend(reset.channel.iter().map(|(name, level)| (named("channel", name), level)));
        let chats = accounts.iter().flat_map(ConfiguredAccount::chats);
        levels.extend(chats.map(|(path, chat)| (join(&path, "reset"), &chat.reset)));
        let mut wrong = Vec::new();
        for (path, level) in levels {
            let only = |level: ResetOverride, key: &str| {
                let error = alone(&level).err()?;
                Some(ConfigError::new(join(&path, key), error.to_string()))
            };
            let none = ResetOverride::default();
            let hour = ResetOverride { hour: level.hour, ..none.clone() };
            let minutes = ResetOverride { idle_minutes: level.idle_minutes, ..none.clone() };
            let quiet = ResetOverride { quiet_minutes: level.quiet_minutes, ..none.clone() };
            let zone = ResetOverride { timezone: level.timezone.clone(), ..none };
            wrong.extend(only(hour, "hour"));
            wrong.extend(only(minutes, "idle_minutes"));
            wrong.extend(only(zone, "timezone"));
            wrong.extend(only(quiet, "quiet_minutes"));
        }
        wrong
    }

    /// Reset rules for channels that do not exist, and chats without an id.
    fn unknown_channels(&self, accounts: &[ConfiguredAccount], more: &[String]) -> Vec<ConfigError> {
        let ours = self.channels.platforms().map(|platform| platform.name);
        let known: BTreeSet<&str> = ours.chain(more.iter().map(String::as_str)).collect();
        let named = self.runtime.sessions.reset.channel.keys();
        let unknown = named.filter(|name| !known.contains(name.as_str())).map(|name| {
            let others = known.iter().copied().collect::<Vec<_>>().join(", ");
            let problem = format!("there is no channel `{name}`; there are: {others}");
            ConfigError::new(join("sessions.reset.channel", name), problem)
        });
        // Platforms whose ids have a form check them themselves.
        let checked: BTreeSet<&str> = self
            .channels
            .platforms()
            .filter(|platform| platform.ids.is_some())
            .map(|platform| platform.name)
            .collect();
        let plain = accounts.iter().filter(|account| !checked.contains(account.id.channel()));
        let empty = plain.filter(|account| account.routing.chats.contains_key("")).map(|account| {
            let chats = join(&account.path, "chats");
            ConfigError::new(
                join(&chats, ""),
                "the chat's id is empty; write the id that the platform gave it",
            )
        });
        unknown.chain(empty).collect()
    }
}

#[cfg(test)]
mod tests;
