//! The stub agent: this same binary, started by the daemon. It does what the message says and puts every prompt
//! and every tool run into a file.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::script::{Deed, Script};
use crate::{clock, script};

/// The environment variable that names the journal.
pub const JOURNAL: &str = "CRASH_JOURNAL";

/// One line of the agents' journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen {
    pub at: u64,
    /// `prompt` or `tool`.
    pub what: String,
    pub tag: String,
    pub turn: String,
    pub attempt: u32,
    pub session: String,
    /// Every tag that stands anywhere in the prompt.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// What the files that came with it hold, or why they are not there.
    #[serde(default)]
    pub files: Vec<String>,
}

/// The exit code of a death that the script asked for.
pub const DEATH: u8 = 3;

/// Runs as a lasting program.
pub fn lasting() -> Result<ExitCode> {
    let (sender, lines) = channel();
    // A thread of its own reads, so that the end of stdin is noticed in the middle of a turn.
    let reader = std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut agent = Lasting { lines };
    let ended = loop {
        match agent.lines.recv() {
            Ok(line) => {
                let line: Value = serde_json::from_str(&line)?;
                if line["type"] == "prompt"
                    && let End::Death = agent.turn(&line)?
                {
                    break ExitCode::from(DEATH);
                }
            }
            Err(_) => break ExitCode::SUCCESS,
        }
    };
    drop(reader);
    Ok(ended)
}

struct Lasting {
    lines: Receiver<String>,
}

enum End {
    Rest,
    Death,
}

impl Lasting {
    fn turn(&mut self, prompt: &Value) -> Result<End> {
        let files = files(prompt)?;
        let messages = prompt["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts = messages.iter().filter_map(|message| message["text"].as_str());
        let script = Script::of(texts, files.len()).with_context(|| format!("not a script: {prompt}"))?;
        let turn = prompt["turn"].as_str().unwrap_or_default().to_owned();
        let attempt = u32::try_from(prompt["attempt"].as_u64().unwrap_or(0))?;
        let seen = Seen {
            at: clock::now(),
            what: "prompt".into(),
            tag: script.tag.clone(),
            turn: turn.clone(),
            attempt,
            session: prompt["session"].as_str().unwrap_or_default().to_owned(),
            tags: script::tags(&prompt.to_string()).into_iter().map(str::to_owned).collect::<BTreeSet<_>>(),
            files,
        };
        note(&seen)?;
        let pieces = script.pieces();
        match script.deed {
            Deed::Echo | Deed::Count { .. } => return say_done(&turn, Some(&script.answer())),
            Deed::Slow { ms, .. } => {
                let pace = ms / pieces.len() as u64;
                for piece in &pieces {
                    say(&json!({"type": "delta", "turn": turn, "text": piece}))?;
                    if self.rest(pace)? {
                        return say_done(&turn, None);
                    }
                }
            }
            Deed::Long { .. } => {
                for piece in pieces.chunks(20) {
                    say(&json!({"type": "delta", "turn": turn, "text": piece.concat()}))?;
                    if self.rest(5)? {
                        return say_done(&turn, None);
                    }
                }
            }
            Deed::Tool { ms } => return self.tool(&seen, &pieces, ms),
            Deed::Send { bytes } => {
                let (path, tag) = (format!("{}.bin", script.tag), &script.tag);
                let folder = std::env::var("FRONTDESK_MEDIA").context("no folder for files")?;
                std::fs::write(std::path::Path::new(&folder).join(&path), script::bytes(tag, bytes))?;
                let caption = format!("the file of {tag}");
                say(&json!({"type": "media", "turn": turn, "path": path, "caption": caption}))?;
                return say_done(&turn, Some(&script.answer()));
            }
            Deed::Flaky | Deed::Poison if attempt == 1 || script.deed == Deed::Poison => {
                say(&json!({"type": "delta", "turn": turn, "text": "at "}))?;
                self.rest(20)?;
                return Ok(End::Death);
            }
            Deed::Flaky | Deed::Poison => return say_done(&turn, Some(&script.answer())),
            Deed::Fail => {
                say(&json!({"type": "error", "turn": turn, "message": "the script says so"}))?;
                return Ok(End::Rest);
            }
        }
        say_done(&turn, None)
    }

    /// A tool runs only after the permit.
    fn tool(&mut self, seen: &Seen, pieces: &[String], ms: u64) -> Result<End> {
        let turn = &seen.turn;
        say(&json!({"type": "delta", "turn": turn, "text": pieces[0]}))?;
        say(&json!({"type": "tool_start", "turn": turn, "id": "1", "name": "lookup", "params": {}}))?;
        loop {
            let line: Value = serde_json::from_str(&self.lines.recv().context("stdin ended")?)?;
            match line["type"].as_str() {
                Some("tool_ok") => break,
                Some("abort") => return say_done(turn, None),
                Some("tool_denied") => {
                    say(&json!({"type": "error", "turn": turn, "message": "the tool was denied"}))?;
                    return Ok(End::Rest);
                }
                _ => {}
            }
        }
        note(&Seen { at: clock::now(), what: "tool".into(), ..seen.clone() })?;
        if self.rest(ms)? {
            return say_done(turn, None);
        }
        say(&json!({"type": "tool_end", "turn": turn, "id": "1", "failed": false}))?;
        say(&json!({"type": "delta", "turn": turn, "text": pieces[1]}))?;
        say_done(turn, None)
    }

    /// Rests; true when the turn was aborted meanwhile. The end of stdin ends the program.
    fn rest(&mut self, ms: u64) -> Result<bool> {
        let until = clock::moment() + Duration::from_millis(ms);
        loop {
            let left = until.saturating_duration_since(clock::moment());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains("\"abort\"") => return Ok(true),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => bail!("stdin ended"),
            }
        }
    }
}

/// What the files of a prompt hold.
fn files(prompt: &Value) -> Result<Vec<String>> {
    let messages = prompt["messages"].as_array().into_iter().flatten();
    let files = messages.filter_map(|message| message["files"].as_array()).flatten();
    let held = files.map(|file| match file["path"].as_str() {
        Some(path) => Ok(script::fingerprint(&std::fs::read(path)?)),
        None => Ok(format!("missing: {}", file["missing"].as_str().unwrap_or_default())),
    });
    held.collect()
}

fn say_done(turn: &str, text: Option<&str>) -> Result<End> {
    say(
        &json!({"type": "done", "turn": turn, "text": text, "usage": {"model": "stub", "input": 1, "output": 2}}),
    )?;
    Ok(End::Rest)
}

fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    Ok(out.flush()?)
}

/// One line, one write: lines of several processes do not mix.
pub fn note(seen: &Seen) -> Result<()> {
    let path = std::env::var(JOURNAL).context("no journal")?;
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    let line = format!("{}\n", serde_json::to_string(seen)?);
    Ok(file.write_all(line.as_bytes())?)
}
