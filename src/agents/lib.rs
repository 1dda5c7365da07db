//! The agents that answer messages, each built from its config.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_core::config::ConfigError;
use frontdesk_core::port::{Agent, Clock};
use frontdesk_http::proxy::Access;
use schemars::JsonSchema;
use serde::Deserialize;
use thiserror::Error;

pub mod command;
pub mod echo;
pub mod failover;
mod fallbacks;
mod json;
pub mod openai;
mod openai_api;
mod outage;
mod paths;
pub mod pi;
mod probe;
pub mod process;
mod random;
pub mod regular_file;
mod reports;
mod responder;
mod roles;
mod running_turns;
pub mod voice;

pub use fallbacks::{build_one_of, built_from, check_fallbacks};
pub use probe::Probe;
pub use roles::problems_with;

/// The config of one agent: `kind` selects the kind of agent, the other keys belong to that kind.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Config {
    /// Repeats the message. For trying things out, for tests and for demos.
    Echo(echo::Config),
    /// Runs a program.
    Command(command::Config),
    /// Asks a model behind an OpenAI-compatible API.
    #[serde(rename = "openai")]
    OpenAi(openai::Config),
    /// Runs pi, the coding agent.
    Pi(Box<pi::Config>),
}

impl Default for Config {
    fn default() -> Self {
        Config::Echo(echo::Config::default())
    }
}

impl Config {
    /// The kind, as the config writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Config::Echo(_) => "echo",
            Config::Command(_) => "command",
            Config::OpenAi(_) => "openai",
            Config::Pi(_) => "pi",
        }
    }

    /// Checks what the types cannot express.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.max_turns() == Some(0) {
            let problem = "must be at least 1; without this key the agent has no limit of its own";
            return Err(ConfigError::new("max_turns", problem));
        }
        match self {
            Config::Echo(_) => Ok(()),
            Config::Command(config) => config.check(),
            Config::OpenAi(config) => config.check(),
            Config::Pi(config) => config.check(),
        }
    }

    /// Whether it is a program that nothing closes in: it can do all that the gateway can, and read its token and its
    /// database.
    pub fn has_gateway_rights(&self) -> bool {
        match self {
            Config::Command(config) => config.run_with.is_none(),
            Config::Pi(config) => config.run_with.is_none(),
            Config::Echo(_) | Config::OpenAi(_) => false,
        }
    }

    /// Which models and agents answer when this one cannot; `None` if its kind has no such thing.
    pub fn failover(&self) -> Option<&failover::Config> {
        match self {
            Config::Echo(_) => None,
            Config::Command(config) => Some(&config.failover),
            Config::OpenAi(config) => Some(&config.failover),
            Config::Pi(config) => Some(&config.failover),
        }
    }

    /// The maximum number of turns of this agent at the same time; `None` means that only `turns.max` limits them.
    pub fn max_turns(&self) -> Option<usize> {
        match self {
            Config::Echo(config) => config.max_turns,
            Config::Command(config) => config.max_turns,
            Config::OpenAi(config) => config.max_turns,
            Config::Pi(config) => Some(config.most_turns()),
        }
    }
}

/// What an agent needs of the machine. Only the binary reads the environment, so it passes it in.
#[derive(Clone)]
pub struct Host {
    /// Frontdesk's home directory: relative directories in the config start here.
    pub home: PathBuf,
    /// The clock for every wait.
    pub clock: Arc<dyn Clock>,
    /// The gateway's environment (`std::env::vars_os()`). A program gets only the allowed part of it.
    pub env: Vec<(OsString, OsString)>,
    /// The proxy that programs are to use, if there is one.
    pub proxy: Option<Access>,
    /// The circuits of models and agents that may fail. They outlive the agents, so that a reload does not close them.
    pub providers: Arc<failover::Providers>,
}

/// Why an agent could not be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// The name cannot be used.
    #[error("agent `{0}`: {NAME}")]
    Name(String),
    /// The config is wrong.
    #[error("agent `{name}`: {error}")]
    Config {
        /// The agent.
        name: String,
        /// What is wrong with it.
        error: ConfigError,
    },
}

/// The rule for agent names.
const NAME: &str =
    "an agent's name has 1 to 64 of a-z, 0-9, `-` and `_`, and starts with a letter or a digit";

/// Tries an agent out without a message: starts its program as for a turn, or asks its provider for its models. What is
/// started has ended when this returns.
pub async fn probe(name: &str, config: &Config, host: &Host) -> Probe {
    match config {
        Config::Echo(_) => Probe::seen("it is built in"),
        Config::Command(config) => command::probe(name, config, host).await,
        Config::OpenAi(config) => openai::probe(name, config, host).await,
        Config::Pi(config) => pi::probe(name, config, host).await,
    }
}

/// What answers for an agent: a program or a model, for people. Starts nothing.
pub fn describe(name: &str, config: &Config, host: &Host) -> String {
    match config {
        Config::Echo(_) => "the built-in test agent".to_owned(),
        Config::Command(config) => command::describe(config),
        Config::OpenAi(config) => config.describe(),
        Config::Pi(config) => pi::describe(name, config, host),
    }
}

/// Describes what is wrong with a name, if anything. Names are part of session keys, of directory names and of the
/// environment of programs.
pub fn check_name(name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let plain = name.chars().all(|c| letter(c) || "-_".contains(c));
    let good = plain && name.starts_with(letter) && name.len() <= 64;
    if good { Ok(()) } else { Err(NAME.to_owned()) }
}

/// Builds the agent `name`, which has no other agent as a fallback. No process is started and no file is touched before
/// its first turn.
pub fn build(name: &str, config: &Config, host: &Host) -> Result<Arc<dyn Agent>, BuildError> {
    build_one_of(name, config, &BTreeMap::new(), host)
}
