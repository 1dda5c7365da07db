//! The main agent: a persistent program that answers one turn after the other, as JSON lines.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::tools::Tools;
use super::{AgentRecord, DEATH, Step, append, turn_number};
use crate::script::{Script, Task};
use crate::{clock, script};

/// Answers prompts until stdin ends.
pub fn run() -> Result<ExitCode> {
    let (sender, lines) = channel();
    // A thread of its own reads, so that the end of stdin is noticed during a turn.
    let reader = std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let mut agent = Agent { lines, record: None };
    let ended = loop {
        let Ok(line) = agent.lines.recv() else { break ExitCode::SUCCESS };
        let line: Value = serde_json::from_str(&line)?;
        if line["type"] == "steer" {
            // Its turn is over.
            write(&json!({"type": "steered", "taken": false}))?;
        }
        if line["type"] == "prompt"
            && let Ended::Dies = agent.turn(&line)?
        {
            break ExitCode::from(DEATH);
        }
    };
    drop(reader);
    Ok(ended)
}

struct Agent {
    lines: Receiver<String>,
    /// The prompt of the present turn.
    record: Option<AgentRecord>,
}

/// What the agent does after a turn.
enum Ended {
    Stays,
    Dies,
}

impl Agent {
    fn turn(&mut self, prompt: &Value) -> Result<Ended> {
        let files = files(prompt)?;
        let messages = prompt["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts = messages.iter().filter_map(|message| message["text"].as_str());
        let script = Script::of(texts, files.len()).with_context(|| format!("not a script: {prompt}"))?;
        let turn = prompt["turn"].as_str().unwrap_or_default().to_owned();
        let record = AgentRecord {
            at: clock::now(),
            step: Step::Prompt,
            tag: script.tag.clone(),
            turn: turn_number(&turn)?,
            attempt: prompt["attempt"].as_i64().unwrap_or(0),
            session: prompt["session"].as_str().unwrap_or_default().to_owned(),
            tags: script::tags(&prompt.to_string()),
            choice: None,
            files,
        };
        append(&record)?;
        self.record = Some(record.clone());
        let pieces = script.pieces();
        match script.task {
            Task::Echo | Task::Count { .. } => return done(&turn, Some(&script.answer())),
            Task::Slow { ms, .. } => return self.stream(&turn, &pieces, ms / pieces.len() as u64),
            Task::Long { .. } => {
                let pieces: Vec<String> = pieces.chunks(20).map(<[String]>::concat).collect();
                return self.stream(&turn, &pieces, 5);
            }
            Task::Ask => return self.ask(&turn, &record, &script.answer()),
            Task::Tool { ms } => return self.tool(&turn, &record, &pieces, ms),
            Task::Call | Task::Offer => return self.call(&turn, &record, &script, prompt),
            Task::Send { .. } => {
                let folder = std::env::var("FRONTDESK_MEDIA").context("no folder for files")?;
                for (n, bytes) in (1..).zip(script.files()) {
                    let tag = &script.tag;
                    let (path, caption) = (format!("{tag}-{n}.bin"), format!("file {n} of {tag}"));
                    std::fs::write(std::path::Path::new(&folder).join(&path), bytes)?;
                    write(&json!({"type": "media", "turn": turn, "path": path, "caption": caption}))?;
                }
            }
            Task::Flaky | Task::Poison if record.attempt == 1 || script.task == Task::Poison => {
                write(&json!({"type": "delta", "turn": turn, "text": "at "}))?;
                self.wait(20)?;
                return Ok(Ended::Dies);
            }
            Task::Flaky | Task::Poison => {}
            Task::Fail => return error(&turn, "the script says so"),
        }
        done(&turn, Some(&script.answer()))
    }

    fn stream(&mut self, turn: &str, pieces: &[String], pace: u64) -> Result<Ended> {
        for (n, piece) in pieces.iter().enumerate() {
            write(&json!({"type": "delta", "turn": turn, "text": piece}))?;
            if n == pieces.len() / 2 && self.is_task() {
                write(&json!({"type": "progress", "turn": turn, "percent": 50, "text": "halfway"}))?;
            }
            if self.wait(pace)? {
                break;
            }
        }
        done(turn, None)
    }

    /// Whether the present turn works on a background task.
    fn is_task(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.session.contains(":task:"))
    }

    /// Asks a question that soon expires, and records what became of it.
    fn ask(&mut self, turn: &str, record: &AgentRecord, answer: &str) -> Result<Ended> {
        let (kind, text) = ("permission", "May I?");
        write(&json!({"type": "ask", "turn": turn, "id": "1", "kind": kind, "text": text, "deadline_s": 2}))?;
        loop {
            let line: Value = serde_json::from_str(&self.lines.recv().context("stdin ended")?)?;
            match line["type"].as_str() {
                Some("answer") => {
                    let choice = line["choice"].as_str().map(str::to_owned);
                    append(&AgentRecord { at: clock::now(), step: Step::Answer, choice, ..record.clone() })?;
                    return done(turn, Some(answer));
                }
                Some("abort") => return done(turn, None),
                _ => self.steered(&line)?,
            }
        }
    }

    /// The tool runs only once the gateway permits it.
    fn tool(&mut self, turn: &str, record: &AgentRecord, pieces: &[String], ms: u64) -> Result<Ended> {
        write(&json!({"type": "delta", "turn": turn, "text": pieces[0]}))?;
        write(&json!({"type": "tool_start", "turn": turn, "id": "1", "name": "lookup", "params": {}}))?;
        loop {
            let line: Value = serde_json::from_str(&self.lines.recv().context("stdin ended")?)?;
            match line["type"].as_str() {
                Some("tool_ok") => break,
                Some("abort") => return done(turn, None),
                Some("tool_denied") => return error(turn, "the tool was denied"),
                _ => self.steered(&line)?,
            }
        }
        append(&AgentRecord { at: clock::now(), step: Step::Tool, ..record.clone() })?;
        if !self.wait(ms)? {
            write(&json!({"type": "tool_end", "turn": turn, "id": "1", "failed": false}))?;
            write(&json!({"type": "delta", "turn": turn, "text": pieces[1]}))?;
        }
        done(turn, None)
    }

    /// Calls tools of the gateway, which permits each of them itself.
    fn call(&mut self, turn: &str, record: &AgentRecord, script: &Script, prompt: &Value) -> Result<Ended> {
        let pieces = script.pieces();
        write(&json!({"type": "delta", "turn": turn, "text": pieces[0]}))?;
        let tools = Tools::of(prompt)?;
        let mut message = json!({"text": script.sent()});
        if script.task == Task::Offer {
            message["choices"] = json!(script.choices());
        }
        let sent = tools.call("send_message", message)?;
        let id = sent.ok().and_then(|told| Some(told.rsplit_once(' ')?.1.trim_end_matches('.').to_owned()));
        if let Some(id) = id {
            append(&AgentRecord {
                at: clock::now(),
                step: Step::Tool,
                choice: Some(id.clone()),
                ..record.clone()
            })?;
            if script.task == Task::Call {
                let edit = json!({"action": "edit", "messageId": id, "text": script.edited()});
                if tools.call("message", edit)?.is_ok_and(|told| told == "Done.") {
                    append(&AgentRecord { at: clock::now(), step: Step::Change, ..record.clone() })?;
                }
                let reaction = tools.call("message", json!({"action": "react", "emoji": "👍"}))?;
                drop(reaction);
            }
        }
        if !self.wait(0)? {
            write(&json!({"type": "delta", "turn": turn, "text": pieces[1]}))?;
        }
        done(turn, None)
    }

    /// Takes every second message into the turn.
    fn steered(&self, line: &Value) -> Result<()> {
        if line["type"] != "steer" {
            return Ok(());
        }
        let text = line["text"].as_str().unwrap_or_default();
        let taken = text.bytes().map(u32::from).sum::<u32>() % 2 == 0;
        if let (true, Some(record), Some(script)) = (taken, &self.record, Script::read(text)) {
            let tags = script::tags(text);
            let record = record.clone();
            append(&AgentRecord {
                at: clock::now(),
                step: Step::Steer,
                tag: script.tag,
                tags,
                files: Vec::new(),
                ..record
            })?;
        }
        write(&json!({"type": "steered", "taken": taken}))
    }

    /// Waits; true if the turn was aborted meanwhile. The end of stdin ends the program.
    fn wait(&mut self, ms: u64) -> Result<bool> {
        let until = clock::instant() + Duration::from_millis(ms);
        loop {
            let left = until.saturating_duration_since(clock::instant());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let line: Value = serde_json::from_str(&line)?;
                    if line["type"] == "abort" {
                        return Ok(true);
                    }
                    self.steered(&line)?;
                }
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => bail!("stdin ended"),
            }
        }
    }
}

/// Fingerprints of the prompt's files.
fn files(prompt: &Value) -> Result<Vec<String>> {
    let messages = prompt["messages"].as_array().into_iter().flatten();
    let files = messages.filter_map(|message| message["files"].as_array()).flatten();
    let fingerprints = files.map(|file| match file["path"].as_str() {
        Some(path) => Ok(script::fingerprint(&std::fs::read(path)?)),
        None => Ok(format!("missing: {}", file["missing"].as_str().unwrap_or_default())),
    });
    fingerprints.collect()
}

fn done(turn: &str, text: Option<&str>) -> Result<Ended> {
    let usage = json!({"model": "stub", "input": 1, "output": 2});
    write(&json!({"type": "done", "turn": turn, "text": text, "usage": usage}))?;
    Ok(Ended::Stays)
}

fn error(turn: &str, message: &str) -> Result<Ended> {
    write(&json!({"type": "error", "turn": turn, "message": message}))?;
    Ok(Ended::Stays)
}

fn write(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    Ok(out.flush()?)
}
