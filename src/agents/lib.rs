//! Who answers: the agents, each built from its config.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_core::config::ConfigError;
use frontdesk_core::port::{Agent, Clock};
use schemars::JsonSchema;
use serde::Deserialize;
use thiserror::Error;

pub mod command;
pub mod echo;
mod running;

/// One agent of the config: `kind` says who answers, the other keys are that kind's own.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Config {
    /// Answers what it hears: for a first look, for tests and for demos.
    Echo(echo::Config),
    /// Runs a program.
    Command(command::Config),
}

impl Default for Config {
    fn default() -> Self {
        Config::Echo(echo::Config::default())
    }
}

impl Config {
    /// Checks what the types cannot express.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.max_turns() == Some(0) {
            let problem = "must be at least 1; without this key the agent has no limit of its own";
            return Err(ConfigError::new("max_turns", problem));
        }
        match self {
            Config::Echo(_) => Ok(()),
            Config::Command(config) => config.check(),
        }
    }

    /// How many turns this agent may run at once; `None` leaves it to `turns.max`.
    pub fn max_turns(&self) -> Option<usize> {
        match self {
            Config::Echo(config) => config.max_turns,
            Config::Command(config) => config.max_turns,
        }
    }
}

/// What an agent is given of the machine. Only the binary reads the environment, so it hands it in.
#[derive(Clone)]
pub struct Host {
    /// Frontdesk's home: relative directories in the config start here.
    pub home: PathBuf,
    /// The clock that every wait goes through.
    pub clock: Arc<dyn Clock>,
    /// The gateway's environment (`std::env::vars_os()`), of which a program gets only what it may have.
    pub env: Vec<(OsString, OsString)>,
}

/// Why an agent could not be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// The name is no good as a directory's name.
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

/// What an agent's name is like.
const NAME: &str =
    "an agent's name has 1 to 64 of a-z, 0-9, `-` and `_`, and starts with a letter or a digit";

/// Says what is wrong with a name: it stands in session keys, on the disk and in programs' environment.
pub fn check_name(name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let plain = name.chars().all(|c| letter(c) || "-_".contains(c));
    let good = plain && name.starts_with(letter) && name.len() <= 64;
    if good { Ok(()) } else { Err(NAME.to_owned()) }
}

/// Builds the agent `name`. Nothing is started and no file is touched before its first turn.
pub fn build(name: &str, config: &Config, host: &Host) -> Result<Arc<dyn Agent>, BuildError> {
    check_name(name).map_err(|_| BuildError::Name(name.into()))?;
    config.check().map_err(|error| BuildError::Config { name: name.into(), error })?;
    Ok(match config {
        Config::Echo(_) => Arc::new(echo::Echo::new(host.clock.clone())),
        Config::Command(config) => command::build(name, config, host),
    })
}
