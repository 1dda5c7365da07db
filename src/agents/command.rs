//! An agent that is a program: one process per turn (`mode = "once"`), or one process per conversation that speaks JSON
//! lines (`mode = "lasting"`, see [`wire`]).
//! All that does not depend on this protocol is in [`process`](crate::process).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_core::agent::Capabilities;
use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::port::Agent;
use frontdesk_core::visible;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Host;
use crate::failover;
use crate::process::{self, Confinement, RunWith};

mod approval;
mod facts;
mod fields;
mod history;
mod idle_process;
mod line;
mod per_turn;
mod persistent;
mod persistent_turn;
mod probe;
mod question;
mod steers;
mod turn_host;
pub mod wire;

pub(crate) use probe::{describe, probe};

/// The keys of `kind = "command"`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The program and its arguments. No shell is involved. A program whose name contains a `/` and is not absolute is
    /// looked up relative to the home folder.
    pub command: Vec<String>,
    /// How long a process is used: `once` starts one for every turn, `lasting` keeps one for every conversation.
    #[serde(default)]
    pub mode: Mode,
    /// The working folder, relative to the home folder. Unset means `agents/NAME`, which is created if it is missing.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// Whether every session has a working folder of its own, in `sessions` beneath the working folder. Frontdesk
    /// creates these folders and never deletes them.
    #[serde(default)]
    pub cwd_per_session: bool,
    /// Environment variables for the program.
    #[serde(default)]
    pub env: BTreeMap<String, Secret>,
    /// Names of environment variables that the gateway passes on to the program, besides PATH, HOME, LANG, LC_*, TERM,
    /// TZ, TMPDIR and USER.
    #[serde(default)]
    pub inherit_env: Vec<String>,
    /// What closes the program in: `bubblewrap` (a sandbox in which system folders are read-only, and no other files are
    /// visible than the working folder, the folder for files and what `readable` and `writable` name), `bubblewrap-offline` (the
    /// same without a network), or the words of a prefix before the command, such as `["sudo", "-u", "agent"]`, in which
    /// `{cwd}`, `{media}` and `{facts}` stand for the working folder, the folder for files, and the file with the facts of the
    /// turn (mode `once`). Unset, the program can do all that the gateway can, and read its token and its database.
    #[serde(default)]
    pub run_with: Option<RunWith>,
    /// With `bubblewrap`: further files and folders that the program may read, relative to the home folder.
    #[serde(default)]
    pub readable: Vec<PathBuf>,
    /// With `bubblewrap`: further files and folders that the program may read and change, relative to the home folder.
    #[serde(default)]
    pub writable: Vec<PathBuf>,
    /// Whether a turn that was interrupted runs again by itself: with `none` it does, unless the program has started a
    /// tool; with `assume` it does not, once the program has started.
    #[serde(default)]
    pub side_effects: SideEffects,
    /// With `lasting`: maximum length of a line that the program writes, in bytes.
    #[serde(default = "Config::max_line")]
    pub max_line: usize,
    /// Maximum size of an answer, in bytes.
    #[serde(default = "Config::max_answer")]
    pub max_answer: usize,
    /// With `lasting`: seconds without a turn after which a process is ended.
    #[serde(default = "Config::idle_timeout")]
    pub idle_timeout: u64,
    /// With `lasting`: maximum number of processes that are kept between turns; beyond that the one that is idle longest
    /// is ended.
    #[serde(default = "Config::max_idle")]
    pub max_idle: usize,
    /// With `lasting`: number of processes that are started ahead, so that the first message of a new conversation does
    /// not wait for the program to start. They count for `max_idle`. The first ones are started after the first message.
    #[serde(default)]
    pub min_idle: usize,
    /// Maximum processor time of the program, in seconds; with `lasting` of all its turns together. A program that uses
    /// more is ended. Unset means no limit. Only on Linux.
    #[serde(default)]
    pub max_cpu: Option<u64>,
    /// Maximum size of a file that the program writes, in bytes. Unset means no limit. Only on Linux.
    #[serde(default)]
    pub max_file: Option<u64>,
    /// Seconds between SIGTERM and SIGKILL when a program is ended.
    #[serde(default = "Config::grace")]
    pub grace: u64,
    /// With `lasting`: whether the program takes messages into a turn that runs (`steer` lines).
    #[serde(default)]
    pub steer: bool,
    /// With `lasting`: whether the program can compact its context when it is asked to (`compact` lines).
    #[serde(default)]
    pub compact: bool,
    /// The models that a chat may choose with `/model`; the program gets the choice in `options`. Empty means no choice.
    #[serde(default)]
    pub models: Vec<String>,
    /// The levels that a chat may choose with `/thinking`; as `models`.
    #[serde(default)]
    pub thinking: Vec<String>,
    /// Which agents answer when this one cannot.
    #[serde(default)]
    pub failover: failover::Config,
    /// Maximum number of turns of this agent that run at once. Unset means that only `turns.max` limits them.
    #[serde(default)]
    pub max_turns: Option<usize>,
}

/// How long a process is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One process per turn: the text on stdin, the answer on stdout, the facts in the file `$FRONTDESK_FACTS`.
    #[default]
    #[serde(rename = "once")]
    PerTurn,
    /// One process per conversation, which reads and writes JSON lines.
    #[serde(rename = "lasting")]
    Persistent,
}

/// What a run of the program may have changed elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideEffects {
    /// Nothing, unless the program reports a tool call.
    #[default]
    None,
    /// Anything: the run itself counts as a tool call named `program`.
    Assume,
}

/// The longest allowed `idle_timeout`, in seconds.
const MAX_IDLE_TIMEOUT: u64 = 86_400;

impl Config {
    /// The config of a program with all other keys at their defaults.
    pub fn of(command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            mode: Mode::default(),
            cwd: None,
            cwd_per_session: false,
            env: BTreeMap::new(),
            inherit_env: Vec::new(),
            run_with: None,
            readable: Vec::new(),
            writable: Vec::new(),
            side_effects: SideEffects::default(),
            max_line: Self::max_line(),
            max_answer: Self::max_answer(),
            idle_timeout: Self::idle_timeout(),
            max_idle: Self::max_idle(),
            min_idle: 0,
            max_cpu: None,
            max_file: None,
            grace: Self::grace(),
            steer: false,
            compact: false,
            models: Vec::new(),
            thinking: Vec::new(),
            failover: failover::Config::default(),
            max_turns: None,
        }
    }

    fn max_line() -> usize {
        1024 * 1024
    }

    fn max_answer() -> usize {
        4 * 1024 * 1024
    }

    fn idle_timeout() -> u64 {
        300
    }

    fn max_idle() -> usize {
        16
    }

    fn grace() -> u64 {
        2
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: &str| Err(ConfigError::new(key, problem));
        process::check_command(&self.command)?;
        self.confinement().check(self.mode == Mode::PerTurn)?;
        if !(1024..=64 * 1024 * 1024).contains(&self.max_line) {
            return wrong("max_line", "must be between 1024 and 67108864 bytes");
        }
        if !(1..=256 * 1024 * 1024).contains(&self.max_answer) {
            return wrong("max_answer", "must be between 1 and 268435456 bytes");
        }
        if self.idle_timeout == 0 {
            return wrong("idle_timeout", "must be at least 1; use mode = \"once\" to keep no program");
        }
        if self.max_idle == 0 {
            return wrong("max_idle", "must be at least 1; use mode = \"once\" to keep no program");
        }
        if self.idle_timeout > MAX_IDLE_TIMEOUT {
            return wrong("idle_timeout", "must be at most 86400 seconds (a day)");
        }
        if self.grace > 60 {
            return wrong("grace", "must be at most 60 seconds");
        }
        self.check_started_ahead()?;
        self.failover.check()?;
        self.failover.check_no_models()?;
        self.check_capabilities()?;
        if self.max_cpu == Some(0) {
            return wrong("max_cpu", "must be at least 1 second; without this key there is no limit");
        }
        if self.max_file == Some(0) {
            return wrong("max_file", "must be at least 1 byte; without this key there is no limit");
        }
        let set = self.env.iter().map(|(name, value)| (name.as_str(), value.expose()));
        process::check_environment(set, &self.inherit_env, &[facts::VARIABLE])
    }

    fn check_capabilities(&self) -> Result<(), ConfigError> {
        for (key, set) in [("steer", self.steer), ("compact", self.compact)] {
            if set && self.mode != Mode::Persistent {
                let problem = "needs mode = \"lasting\": a process for one turn reads nothing but its prompt";
                return Err(ConfigError::new(key, problem));
            }
        }
        for (key, values) in [("models", &self.models), ("thinking", &self.thinking)] {
            let is_name = |value: &String| {
                !value.is_empty() && !value.contains(char::is_whitespace) && visible::name(value) == *value
            };
            if !values.iter().all(is_name) {
                let problem =
                    "must be names without white space, of at most 128 characters, as a chat sends them";
                return Err(ConfigError::new(key, problem));
            }
        }
        Ok(())
    }

    /// What closes the program in.
    pub(crate) fn confinement(&self) -> Confinement {
        let Self { run_with, readable, writable, .. } = self.clone();
        Confinement { run_with, readable, writable }
    }

    /// What the agent can do.
    pub(crate) fn capabilities(&self) -> Capabilities {
        Capabilities {
            steer: self.steer,
            compact: self.compact,
            client_tools: false,
            models: self.models.clone(),
            thinking: self.thinking.clone(),
            ..Capabilities::default()
        }
    }

    fn check_started_ahead(&self) -> Result<(), ConfigError> {
        let wrong = |problem: &str| Err(ConfigError::new("min_idle", problem));
        if self.min_idle == 0 {
            return Ok(());
        }
        if self.mode != Mode::Persistent {
            return wrong("needs mode = \"lasting\": a process for one turn cannot be started ahead of it");
        }
        if self.cwd_per_session {
            return wrong(
                "does not go with cwd_per_session: a process that is started ahead has no session yet",
            );
        }
        if self.min_idle >= self.max_idle {
            return wrong("must be less than max_idle, or no process could be kept for its conversation");
        }
        Ok(())
    }
}

pub use facts::clear as clear_facts;

pub(crate) fn build(name: &str, config: &Config, host: &Host) -> Arc<dyn Agent> {
    let host = Arc::new(turn_host::TurnHost::new(name, config, host));
    match config.mode {
        Mode::PerTurn => Arc::new(per_turn::PerTurn::new(host)),
        Mode::Persistent => Arc::new(persistent::Persistent::new(host, config)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_that_cannot_work_says_why() {
        let sound = Config::of(["cat"]);
        let lasting = Config { mode: Mode::Persistent, ..sound.clone() };
        assert_eq!(sound.check(), Ok(()));
        assert_eq!(Config { min_idle: 15, steer: true, compact: true, ..lasting.clone() }.check(), Ok(()));
        let none: [&str; 0] = [];
        let env = BTreeMap::from([("FRONTDESK_TURN".to_owned(), Secret::new("t1"))]);
        for (wrong, why) in [
            (Config::of(none), "must name a program"),
            (Config::of(["a\0b"]), "NUL"),
            (Config { max_line: 10, ..sound.clone() }, "max_line"),
            (Config { max_answer: 0, ..sound.clone() }, "max_answer"),
            (Config { idle_timeout: 0, ..sound.clone() }, "idle_timeout"),
            (Config { idle_timeout: u64::MAX, ..sound.clone() }, "idle_timeout: must be at most"),
            (Config { grace: 61, ..sound.clone() }, "grace"),
            (Config { max_cpu: Some(0), ..sound.clone() }, "max_cpu"),
            (Config { steer: true, ..sound.clone() }, "steer: needs mode"),
            (Config { compact: true, ..sound.clone() }, "compact: needs mode"),
            (Config { models: vec!["a b".into()], ..sound.clone() }, "models: must be names"),
            (Config { thinking: vec!["".into()], ..sound.clone() }, "thinking: must be names"),
            (Config { models: vec!["x".repeat(129)], ..sound.clone() }, "models: must be names"),
            (Config { max_file: Some(0), ..sound.clone() }, "max_file"),
            (Config { min_idle: 1, ..sound.clone() }, "min_idle: needs mode"),
            (Config { min_idle: 16, ..lasting.clone() }, "less than max_idle"),
            (Config { min_idle: 1, cwd_per_session: true, ..lasting.clone() }, "cwd_per_session"),
            (Config { inherit_env: vec!["AWS_*".into()], ..sound.clone() }, "AWS_*"),
            (Config { env, ..sound.clone() }, "set by Frontdesk"),
        ] {
            let message = wrong.check().unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
        }
    }

    #[test]
    fn a_variables_value_is_not_shown() {
        let env = BTreeMap::from([("KEY".to_owned(), Secret::new("hunter2"))]);
        let shown = format!("{:?}", Config { env, ..Config::of(["cat"]) });
        assert!(shown.contains("KEY") && !shown.contains("hunter2"), "{shown}");
    }
}
