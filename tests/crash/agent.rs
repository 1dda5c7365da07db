//! The test's agents: this same binary, started by the gateway. They do what the message says and write every prompt
//! and every tool run to a journal.

pub mod per_turn;
pub mod persistent;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The argument for a persistent program.
pub const PERSISTENT: &str = "--persistent-agent";
/// The argument for a program that is started for every turn.
pub const PER_TURN: &str = "--per-turn-agent";
/// The environment variable with the path of the journal.
pub const JOURNAL: &str = "CRASH_JOURNAL";
/// The exit code when the script asks the agent to die.
const DEATH: u8 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    Prompt,
    Tool,
    /// A question has ended.
    Answer,
}

/// One line of the agents' journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentRecord {
    pub at: i64,
    pub step: Step,
    pub tag: String,
    /// The turn's number in the database.
    pub turn: i64,
    pub attempt: i64,
    pub session: String,
    /// Every tag anywhere in the prompt.
    pub tags: BTreeSet<String>,
    /// Of a question that has ended: the choice that holds.
    #[serde(default)]
    pub choice: Option<String>,
    /// Fingerprints of the files in the prompt, or why they are missing.
    pub files: Vec<String>,
}

pub fn journal_path(home: &Path) -> PathBuf {
    home.join("agents.jsonl")
}

/// Appends a record with one write, so that lines of several processes do not mix.
fn append(record: &AgentRecord) -> Result<()> {
    let path = std::env::var(JOURNAL).context("no journal")?;
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    let line = format!("{}\n", serde_json::to_string(record)?);
    Ok(file.write_all(line.as_bytes())?)
}

/// The number in the turn's public name, `t12`.
fn turn_number(name: &str) -> Result<i64> {
    let number = name.strip_prefix('t').and_then(|number| number.parse().ok());
    number.with_context(|| format!("not the name of a turn: {name:?}"))
}
