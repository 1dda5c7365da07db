//! An agent that is a program: one process per turn (`mode = "once"`), or one process per conversation that speaks JSON
//! lines (`mode = "lasting"`, see [`wire`]).
//!
//! Every program runs in a process group of its own. The group is killed when its leader has exited, when the turn's
//! stream is dropped and when the agent stops. A program that leaves its group (`setsid`) cannot be killed this way,
//! but it does not delay the turn. If the gateway itself is killed, nothing kills the group: a program of one turn has
//! its prompt already and finds its stdout closed; a persistent program reads the end of its stdin and must then exit.
//! Programs that do not exit are ended by the next start of the gateway, before any turn runs again, because every
//! group has a record on disk while it exists (see [`record`]). The parent-death signal of Linux is not used, because
//! it follows the thread that started the program and not the gateway. Under systemd, the unit's control group ends the
//! programs as well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::port::Agent;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Host;

mod approval;
mod facts;
mod group;
mod idle_pool;
mod input;
mod leftover;
mod lines;
mod output;
mod per_turn;
mod persistent;
mod persistent_turn;
mod process;
mod process_host;
mod program;
mod record;
mod stderr;
mod utf8;
pub mod wire;

pub use leftover::end_leftovers;
pub use record::FOLDER as RECORDS;

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
    /// Environment variables for the program.
    #[serde(default)]
    pub env: BTreeMap<String, Secret>,
    /// Names of environment variables that the gateway passes on to the program, besides PATH, HOME, LANG, LC_*, TERM,
    /// TZ, TMPDIR and USER.
    #[serde(default)]
    pub inherit_env: Vec<String>,
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
    /// Seconds between SIGTERM and SIGKILL when a program is ended.
    #[serde(default = "Config::grace")]
    pub grace: u64,
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
            env: BTreeMap::new(),
            inherit_env: Vec::new(),
            side_effects: SideEffects::default(),
            max_line: Self::max_line(),
            max_answer: Self::max_answer(),
            idle_timeout: Self::idle_timeout(),
            max_idle: Self::max_idle(),
            grace: Self::grace(),
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
        if self.command.first().is_none_or(String::is_empty) {
            return wrong("command", "must name a program, for example [\"my-agent\", \"--flag\"]");
        }
        if self.command.iter().any(|word| word.contains('\0')) {
            return wrong("command", "must not contain a NUL character");
        }
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
        self.check_env()
    }

    fn check_env(&self) -> Result<(), ConfigError> {
        let set = self.env.keys().map(|name| ("env", name));
        let inherited = self.inherit_env.iter().map(|name| ("inherit_env", name));
        for (key, name) in set.chain(inherited) {
            if name.is_empty() || name.contains(['=', '\0', '*']) {
                return Err(ConfigError::new(key, format!("`{name}` is not the name of one variable")));
            }
            if program::SET_BY_FRONTDESK.contains(&name.as_str()) || name == program::FACTS {
                return Err(ConfigError::new(key, format!("{name} is set by Frontdesk for every program")));
            }
        }
        match self.env.iter().find(|(_, value)| value.expose().contains('\0')) {
            Some((name, _)) => {
                Err(ConfigError::new("env", format!("the value of {name} must not contain a NUL character")))
            }
            None => Ok(()),
        }
    }
}

pub use facts::clear as clear_facts;

pub(crate) fn build(name: &str, config: &Config, host: &Host) -> Arc<dyn Agent> {
    let host = Arc::new(process_host::ProcessHost::new(name, config, host));
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
        assert_eq!(sound.check(), Ok(()));
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
