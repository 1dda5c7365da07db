//! The plain agent: a program that is started for every turn.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use super::{AgentRecord, DEATH, Step, append, turn_number};
use crate::clock;
use crate::script::{Script, Task, tags};

/// Answers the one prompt on stdin.
pub fn run() -> Result<ExitCode> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    // A gateway that was killed before it wrote the prompt leaves nothing to do.
    let Some(script) = Script::read(&text) else { return Ok(ExitCode::SUCCESS) };
    let env = |name: &str| std::env::var(name).unwrap_or_default();
    let attempt = env("FRONTDESK_ATTEMPT").parse().unwrap_or(0);
    append(&AgentRecord {
        at: clock::now(),
        step: Step::Prompt,
        tag: script.tag.clone(),
        turn: turn_number(&env("FRONTDESK_TURN"))?,
        attempt,
        session: env("FRONTDESK_SESSION"),
        tags: tags(&text),
        choice: None,
        files: Vec::new(),
    })?;
    if script.task == Task::Poison || (script.task == Task::Flaky && attempt == 1) {
        return Ok(ExitCode::from(DEATH));
    }
    let pieces = script.pieces();
    let pace = match script.task {
        Task::Slow { ms, .. } => ms / pieces.len() as u64,
        _ => 0,
    };
    let mut out = std::io::stdout().lock();
    for piece in pieces {
        out.write_all(piece.as_bytes())?;
        out.flush()?;
        std::thread::sleep(Duration::from_millis(pace));
    }
    Ok(ExitCode::SUCCESS)
}
