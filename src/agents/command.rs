//! An agent that is a program: one process per turn (`once`), or one per conversation that speaks JSON
//! lines (`lasting`, see [`wire`]).
//!
//! Every program runs in a process group of its own, and the group goes with it: when the leader has exited,
//! when the turn's stream is dropped, when the agent stops. A program that leaves its group (`setsid`) is
//! out of reach, but it cannot hold a turn up. If the gateway itself is killed, nobody is left to kill the
//! group: a `once` program then has its prompt and finds its stdout closed, a lasting one reads the end of
//! its stdin and must exit on it. One that does not is ended by the next start, before any turn runs again:
//! every group is on record while it lives (see [`record`]). There is no parent-death signal here, because it
//! follows the thread that started the program and not the gateway; under systemd the unit's control group
//! does that job as well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::port::Agent;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Host;

mod facts;
mod group;
mod idle_pool;
mod input;
mod lasting;
mod leftover;
mod lines;
mod once;
mod output;
mod permission;
mod process;
mod process_host;
mod program;
mod record;
mod stderr;
mod talk;
mod utf8;
pub mod wire;

pub use leftover::end_leftovers;
pub use record::FOLDER as RECORDS;

/// The keys of `kind = "command"`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The program and its arguments; no shell reads them. A program with a `/` that is not absolute is
    /// looked for under the home.
    pub command: Vec<String>,
    /// Whether every turn has a process of its own or a conversation keeps one.
    #[serde(default)]
    pub mode: Mode,
    /// Where it runs, from the home; `agents/<name>` unless set, which is made when missing.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// Variables for its environment.
    #[serde(default)]
    pub env: BTreeMap<String, Secret>,
    /// Names of the gateway's variables that it gets besides PATH, HOME, LANG, LC_*, TERM, TZ, TMPDIR, USER.
    #[serde(default)]
    pub inherit_env: Vec<String>,
    /// Whether a turn that was cut off may run again: with `assume` it may not, once the program has begun.
    #[serde(default)]
    pub side_effects: SideEffects,
    /// The longest line a lasting program may write, in bytes.
    #[serde(default = "Config::max_line")]
    pub max_line: usize,
    /// The longest answer, in bytes.
    #[serde(default = "Config::max_answer")]
    pub max_answer: usize,
    /// After so many seconds without a turn a lasting program is ended.
    #[serde(default = "Config::idle_timeout")]
    pub idle_timeout: u64,
    /// So many lasting programs may wait for their next turn; beyond that the one that waits longest is ended.
    #[serde(default = "Config::max_idle")]
    pub max_idle: usize,
    /// How many seconds a program has between SIGTERM and SIGKILL.
    #[serde(default = "Config::grace")]
    pub grace: u64,
    /// How many turns may run at once; no cap of its own unless set.
    #[serde(default)]
    pub max_turns: Option<usize>,
}

/// How long a program lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A process per turn: what was said on stdin, the answer on stdout, facts in the file `$FRONTDESK_FACTS`.
    #[default]
    Once,
    /// A process per conversation, which speaks JSON lines.
    Lasting,
}

/// What a run of the program may have changed in the world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideEffects {
    /// Nothing, as long as it does not say otherwise.
    #[default]
    None,
    /// Anything: the run itself counts as a tool call named `program`.
    Assume,
}

/// The longest time that a program without a turn is kept, in seconds.
const LONGEST: u64 = 86_400;

impl Config {
    /// The config of a program with nothing else said about it.
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
            return wrong("idle_timeout", "must be at least 1; mode = \"once\" keeps no program");
        }
        if self.max_idle == 0 {
            return wrong("max_idle", "must be at least 1; mode = \"once\" keeps no program");
        }
        if self.idle_timeout > LONGEST {
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
            if program::OURS.contains(&name.as_str()) || name == program::FACTS {
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
    let shop = Arc::new(process_host::ProcessHost::new(name, config, host));
    match config.mode {
        Mode::Once => Arc::new(once::Once::new(shop)),
        Mode::Lasting => Arc::new(lasting::Lasting::new(shop, config)),
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
            let said = wrong.check().unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_variables_value_is_not_shown() {
        let env = BTreeMap::from([("KEY".to_owned(), Secret::new("hunter2"))]);
        let shown = format!("{:?}", Config { env, ..Config::of(["cat"]) });
        assert!(shown.contains("KEY") && !shown.contains("hunter2"), "{shown}");
    }
}
