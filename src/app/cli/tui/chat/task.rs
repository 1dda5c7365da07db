//! Background tasks of this conversation: the title, the state, and how far the agent is.

use serde_json::{Value, json};

use super::frame::Spot;
use super::{Chat, RowId, RowKind, text};
use crate::cli::field;
use crate::cli::tui::row::Row;

/// What is shown of a task.
#[derive(Debug, Default)]
pub(super) struct Shown {
    seq: u64,
    attempt: u64,
    state: String,
    why: String,
    progress: String,
}

/// What a state means.
fn words(state: &str) -> &str {
    match state {
        "queued" => "waits for a free place",
        "running" => "is running",
        "waiting" => "waits for an answer",
        "succeeded" => "is done",
        "failed" => "has failed",
        "cancelled" => "was cancelled",
        "timed_out" => "took too long",
        "lost" => "was cut off",
        other => other,
    }
}

/// Whether nothing follows any more.
fn has_ended(state: &str) -> bool {
    !matches!(state, "queued" | "running" | "waiting")
}

/// How many cells a bar of progress has.
const BAR: u64 = 20;

impl Chat {
    /// Shows a task in this state, unless its row shows a later one.
    pub(super) fn show_task(&mut self, frame: &Value, spot: Spot) {
        let id = text(frame, "task");
        let named = RowId::Task(id.clone());
        let seq = field::number(frame, "seq");
        let row = self.rows.find(&named);
        if row.is_some() && self.tasks.get(&id).is_some_and(|shown| shown.seq >= seq) {
            // Its place is that of its first state.
            if let (Some(row), Some(before)) = (row, spot.before.filter(|before| Some(*before) != row)) {
                self.rows.put_before(row, before);
            }
            return;
        }
        let (attempt, state) = (field::number(frame, "attempt"), text(frame, "state"));
        let known = self.tasks.entry(id.clone()).or_default();
        // A new attempt begins at nothing.
        if known.attempt != attempt || state == "queued" || has_ended(&state) {
            known.progress.clear();
        }
        let error = if state == "cancelled" { String::new() } else { text(&frame["error"], "message") };
        (known.seq, known.attempt, known.why) = (seq, attempt, error);
        known.state = state;
        if row.is_none() {
            self.rows
                .add(Row::new(RowKind::Task, "Background task").id(named.clone()).at(spot.at), spot.before);
        }
        if let Some(row) = self.rows.get_mut(&named) {
            row.set_text(text(frame, "title"));
        }
        self.note_task(&id);
    }

    fn note_task(&mut self, id: &str) {
        let Some(shown) = self.tasks.get(id) else { return };
        let why = if shown.why.is_empty() { String::new() } else { format!(" {}", shown.why) };
        let state = format!("Background task {id} {}.{why}", words(&shown.state));
        let note = if shown.progress.is_empty() { state } else { format!("{}\n{state}", shown.progress) };
        if let Some(row) = self.rows.get_mut(&RowId::Task(id.to_owned())) {
            row.set_note(note);
        }
    }

    /// Shows how far a running task is.
    pub(super) fn show_progress(&mut self, frame: &Value) {
        let id = text(frame, "task");
        let Some(shown) = self.tasks.get_mut(&id) else { return };
        if has_ended(&shown.state) || shown.attempt > field::number(frame, "attempt") {
            return;
        }
        let percent = frame["percent"].as_u64().map(|percent| {
            let full = (percent.min(100) * BAR / 100) as usize;
            format!("{}{} {percent} %", "█".repeat(full), "░".repeat(BAR as usize - full))
        });
        let line = Some(text(frame, "text")).filter(|line| !line.is_empty());
        shown.progress = [percent, line].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        self.note_task(&id);
    }

    /// Shows an open task of this session that the newest rows may not show.
    pub(super) fn show_listed_task(&mut self, task: &Value) {
        let id = text(task, "id");
        let mut frame = task.clone();
        frame["task"] = id.as_str().into();
        self.show_task(&frame, Spot::default());
        let progress = &task["progress"];
        if !progress["percent"].is_null() || !progress["text"].is_null() {
            self.show_progress(&json!({
                "task": id, "attempt": task["attempt"], "percent": progress["percent"], "text": progress["text"],
            }));
        }
    }
}
