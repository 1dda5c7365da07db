//! The other stub agent: a plain program that is started for every turn.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::agent::{DEATH, Seen, note};
use crate::clock;
use crate::script::{Deed, Script};

/// Runs as a plain program: one turn.
pub fn once() -> Result<ExitCode> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    // A daemon that was killed before it wrote the prompt leaves nothing to do.
    let Some(script) = Script::read(&text) else { return Ok(ExitCode::SUCCESS) };
    let env = |name: &str| std::env::var(name).unwrap_or_default();
    let attempt = env("FRONTDESK_ATTEMPT").parse().unwrap_or(0);
    note(&Seen {
        at: clock::now(),
        what: "prompt".into(),
        tag: script.tag.clone(),
        turn: env("FRONTDESK_TURN"),
        attempt,
        session: env("FRONTDESK_SESSION"),
        tags: BTreeSet::new(),
        files: Vec::new(),
    })?;
    let dies = script.deed == Deed::Poison || (script.deed == Deed::Flaky && attempt == 1);
    if dies {
        return Ok(ExitCode::from(DEATH));
    }
    let pieces = script.pieces();
    let pace = match script.deed {
        Deed::Slow { ms, .. } => ms / pieces.len() as u64,
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
