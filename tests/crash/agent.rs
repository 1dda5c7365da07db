//! The test's agents: this same binary, started by the gateway. They do what the message says and write every prompt
//! and every tool run to a journal. `CRASH_AGENT` takes another main agent: `openai`, or the real `pi`.

pub mod model;
pub mod per_turn;
pub mod persistent;
mod tools;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::script::Task;

/// The argument for a persistent program.
pub const PERSISTENT: &str = "--persistent-agent";
/// The argument for a program that is started for every turn.
pub const PER_TURN: &str = "--per-turn-agent";
/// The environment variable with the path of the journal.
pub const JOURNAL: &str = "CRASH_JOURNAL";
/// The exit code when the script asks the agent to die.
const DEATH: u8 = 3;

/// In place of the fingerprint of a file whose content the agent does not get.
pub const UNSEEN: &str = "unseen";

/// The kind of the main agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This binary, as a persistent program.
    Program,
    /// `kind = "openai"`, with a provider in this process.
    OpenAi,
    /// The real pi, whose model is the same provider.
    Pi,
}

impl Kind {
    /// The one that `CRASH_AGENT` names.
    pub fn chosen() -> Result<Self> {
        match std::env::var("CRASH_AGENT").as_deref() {
            Err(_) | Ok("" | "command") => Ok(Kind::Program),
            Ok("openai") => Ok(Kind::OpenAi),
            Ok("pi") => Ok(Kind::Pi),
            Ok(other) => bail!("CRASH_AGENT is {other:?}, and must be command, openai or pi"),
        }
    }

    /// A task that it can do in place of one that it cannot do.
    pub fn task(self, task: Task) -> Task {
        match task {
            // A model does not die, has no files to send and asks nobody.
            Task::Poison | Task::Send { .. } | Task::Ask | Task::Call | Task::Offer
                if self != Kind::Program =>
            {
                Task::Echo
            }
            task => task,
        }
    }

    /// Whether an answer is the right one. Between two messages of a model is an empty line.
    pub fn is_same(self, right: &str, answer: &str) -> bool {
        match self {
            Kind::Program => right == answer,
            Kind::OpenAi | Kind::Pi => right.split_whitespace().eq(answer.split_whitespace()),
        }
    }

    /// By how much clients write less.
    pub fn pause(self) -> u64 {
        if self == Kind::Pi { 15 } else { 1 }
    }

    /// By how much a start, and so everything, takes longer than with the programs of the test.
    pub fn slowness(self) -> u32 {
        if self == Kind::Pi { 5 } else { 1 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    Prompt,
    Tool,
    /// A question has ended.
    Answer,
    /// A message was taken into the turn.
    Steer,
    /// A tool of the gateway has changed a message.
    Change,
}

/// One line of the agents' journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentRecord {
    pub at: i64,
    pub step: Step,
    pub tag: String,
    /// The turn's number in the database; 0 if the agent does not know it.
    pub turn: i64,
    /// The number of the attempt; 0 if the agent does not know it.
    pub attempt: i64,
    pub session: String,
    /// Every tag anywhere in the prompt.
    pub tags: BTreeSet<String>,
    /// Of a question that has ended: the choice that holds. Of a tool of the gateway: the id of the message that it has sent.
    #[serde(default)]
    pub choice: Option<String>,
    /// Fingerprints of the files in the prompt, or why they are missing.
    pub files: Vec<String>,
}

pub fn journal_path(home: &Path) -> PathBuf {
    home.join("agents.jsonl")
}

fn append(record: &AgentRecord) -> Result<()> {
    append_to(Path::new(&std::env::var(JOURNAL).context("no journal")?), record)
}

/// Appends a record with one write, so that lines of several processes do not mix.
fn append_to(path: &Path, record: &AgentRecord) -> Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    let line = format!("{}\n", serde_json::to_string(record)?);
    Ok(file.write_all(line.as_bytes())?)
}

/// The number in the turn's public name, `t12`.
fn turn_number(name: &str) -> Result<i64> {
    let number = name.strip_prefix('t').and_then(|number| number.parse().ok());
    number.with_context(|| format!("not the name of a turn: {name:?}"))
}
