//! Frames of the gateway, as they arrive.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Chat, RowId, RowKind, Wants, text};
use crate::cli::field;
use crate::cli::tui::row::{Row, RowKey};

/// Where and when something is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spot {
    /// The row that follows.
    pub(super) before: Option<RowKey>,
    /// When it was written.
    pub(super) at: Option<DateTime<Utc>>,
}

impl Spot {
    fn end(now: DateTime<Utc>) -> Spot {
        Spot { before: None, at: Some(now) }
    }
}

/// Whether a frame belongs into the timeline, so that it waits until the timeline is shown.
pub fn is_shown(frame: &Value) -> bool {
    match frame["type"].as_str().unwrap_or_default() {
        "delta" | "done" | "message" | "ask" | "ask_closed" | "task" | "progress" | "status" | "gap"
        | "prompt" => true,
        "error" => frame["about"].is_string() && !frame["id"].is_string(),
        _ => false,
    }
}

impl Chat {
    /// Whether a frame is about the conversation that is shown. A connection goes on to get the frames of others.
    fn concerns(&self, frame: &Value) -> bool {
        let named = frame["session"].as_str();
        named.is_none() || self.session.is_none() || named == self.session.as_deref()
    }

    /// Shows what a frame says.
    pub fn handle(&mut self, frame: &Value, now: DateTime<Utc>) -> Wants {
        let mut wants = Wants::default();
        let kind = frame["type"].as_str().unwrap_or_default();
        if kind == "accepted" {
            self.accepted(frame, &mut wants);
            return wants;
        }
        if !self.concerns(frame) {
            wants.list = matches!(kind, "done" | "message" | "ask");
            return wants;
        }
        let spot = Spot::end(now);
        match kind {
            "prompt" => self.prompt(frame, spot),
            "delta" => self.delta(frame, spot),
            "done" => self.done(frame, spot, &mut wants),
            "message" => {
                self.show_message(frame, spot);
                // A reset is told only by the timeline.
                wants.timeline = frame["kind"] == "notice";
            }
            "ask" => {
                self.show_ask(frame, spot);
                if frame["reply"] == true {
                    self.ended(frame, &mut wants);
                }
            }
            "ask_closed" => self.close_ask(frame),
            "task" => self.show_task(frame, spot),
            "progress" => self.show_progress(frame),
            "status" => {
                self.model = frame["model"].as_str().map(str::to_owned).or(self.model.take());
                self.ended(frame, &mut wants);
            }
            "tool" => {
                self.tool = frame["name"].as_str().filter(|_| frame["state"] != "end").map(str::to_owned)
            }
            "gap" => self.gap(),
            "error" => self.error(frame, now, &mut wants),
            _ => {}
        }
        wants
    }

    fn prompt(&mut self, frame: &Value, spot: Spot) {
        let (id, message) = (text(frame, "id"), text(frame, "message"));
        let named = RowId::Message(message.clone());
        let is_mine = self.unsent.iter().any(|prompt| prompt.id == id);
        if is_mine || self.rows.find(&named).is_some() {
            return;
        }
        let answer = self.rows.find(&RowId::Answer(message.clone()));
        let words = text(frame, "text");
        self.rows.add(Row::new(RowKind::Mine, "You").id(named).text(words.clone()).at(spot.at), answer);
        if answer.is_none() {
            self.begin(&message, &words);
        }
    }

    /// The row of a message's answer. It is created when it is first needed.
    pub(super) fn answer_row(&mut self, message: &str, spot: Spot) -> Option<&mut Row> {
        let id = RowId::Answer(message.to_owned());
        if self.rows.find(&id).is_none() {
            let row = Row::new(RowKind::Theirs, self.agent_title()).id(id.clone()).at(spot.at);
            self.rows.add(row, spot.before);
        }
        self.rows.get_mut(&id)
    }

    fn delta(&mut self, frame: &Value, spot: Spot) {
        let message = text(frame, "message");
        let attempt = field::number(frame, "attempt");
        let known = self.growing.get(&message).copied();
        let begins = known.is_none_or(|known| known < attempt) || frame["whole"] == true;
        self.tool = None;
        let Some(row) = self.answer_row(&message, spot) else { return };
        if row.is_done {
            return;
        }
        if begins {
            row.set_text("");
            row.set_note("");
        }
        row.push_text(&text(frame, "text"));
        if begins {
            self.growing.insert(message, attempt);
            for id in about(frame) {
                self.begin(&id, "");
            }
        }
    }

    fn done(&mut self, frame: &Value, spot: Spot, wants: &mut Wants) {
        let message = text(frame, "message");
        self.show_answer(&message, &text(frame, "fullText"), spot);
        self.ended(frame, wants);
        let asked = self.rows.get(&RowId::Message(message));
        // What a command has done, a reset for example, is told only by the timeline.
        wants.timeline |= asked.is_some_and(|row| row.source().starts_with('/'));
    }

    pub(super) fn show_answer(&mut self, message: &str, words: &str, spot: Spot) {
        self.growing.remove(message);
        if let Some(row) = self.answer_row(message, spot) {
            row.is_done = true;
            row.set_note("");
            row.set_text(words);
        }
    }

    /// Shows a notice or a message of a program. Returns its row.
    pub(super) fn show_message(&mut self, frame: &Value, spot: Spot) -> Option<RowKey> {
        let id = frame["seq"].as_u64().map(RowId::Seq);
        if let Some(known) = id.as_ref().and_then(|id| self.rows.find(id)) {
            return Some(known);
        }
        let is_notice = frame["kind"] == "notice";
        let (kind, title) = match frame["kind"].as_str().unwrap_or_default() {
            "notice" => (RowKind::Notice, "Gateway".to_owned()),
            "result" => (RowKind::Theirs, "Result".to_owned()),
            _ => (RowKind::Theirs, "Message".to_owned()),
        };
        let mut row = Row::new(kind, title).text(text(frame, "text")).at(spot.at);
        row.id = id;
        row.is_done = true;
        row.about = frame["message"].as_str().map(str::to_owned);
        row.is_bad = is_notice && row.about.as_ref().is_some_and(|about| self.failed.remove(about));
        Some(self.rows.add(row, spot.before))
    }

    /// The messages that a frame is about are answered, stopped or given up.
    fn ended(&mut self, frame: &Value, wants: &mut Wants) {
        for id in about(frame) {
            self.end(&id);
        }
        if self.open.is_empty() {
            self.tool = None;
        }
        wants.list = true;
    }

    fn gap(&mut self) {
        for message in self.growing.keys() {
            if let Some(row) = self.rows.get_mut(&RowId::Answer(message.clone())) {
                row.set_note("Some of this answer is missing; the whole answer follows");
            }
        }
    }

    fn error(&mut self, frame: &Value, now: DateTime<Utc>, wants: &mut Wants) {
        let message = text(frame, "message");
        let id = frame["id"].as_str().unwrap_or_default();
        if self.asks.is_answer(id) {
            self.answer_refused(id, &message);
        } else if self.unsent.iter().any(|prompt| prompt.id == id) {
            self.refused(frame, &message, wants);
        } else if frame["about"].is_string() {
            self.given_up(frame, now, wants);
        } else if frame["code"] == "too_large" {
            self.too_large(wants);
        } else {
            wants.sentence = Some(message);
        }
    }

    /// A frame was too large to be read: it was the last message, which must not be sent again and again.
    fn too_large(&mut self, wants: &mut Wants) {
        if let Some(last) = self.unsent.last() {
            let frame = serde_json::json!({"id": last.id});
            self.refused(&frame, "This is too long. Shorten it, or send it in parts.", wants);
        }
    }

    /// A message was given up. What was shown of its answer stays.
    fn given_up(&mut self, frame: &Value, now: DateTime<Utc>, wants: &mut Wants) {
        let about = text(frame, "about");
        let (code, sentence) = (text(frame, "code"), text(frame, "message"));
        self.growing.remove(&about);
        if let Some(row) = self.rows.get_mut(&RowId::Answer(about.clone())) {
            // The reason of a failure arrives as a message of its own.
            row.set_note(match code.as_str() {
                "cancelled" => "(stopped)",
                "agent_failed" => "",
                _ => &sentence,
            });
        } else if code == "cancelled" {
            if let Some(row) = self.rows.get_mut(&RowId::Message(about.clone())) {
                row.set_note("(stopped)");
            }
        } else if code != "agent_failed" {
            self.rows.add(Row::new(RowKind::Notice, "Gateway").text(sentence).at(Some(now)), None);
        }
        self.ended(frame, wants);
        if code == "agent_failed" {
            self.fail(&about);
        }
    }

    /// A message has failed: the notice about it says what one can do.
    pub(super) fn fail(&mut self, message: &str) {
        let is_notice = |row: &Row| {
            row.kind == RowKind::Notice && row.about.as_deref().is_some_and(|about| about == message)
        };
        match self.rows.last_mut(is_notice) {
            Some(row) => row.set_bad(true),
            None => _ = self.failed.insert(message.to_owned()),
        }
    }
}

/// The messages that a frame is about.
fn about(frame: &Value) -> Vec<String> {
    let all: Vec<String> =
        field::list(frame, "messages").iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
    if !all.is_empty() {
        return all;
    }
    // In an error `message` is its text.
    let one = frame["about"].as_str().or_else(|| frame["message"].as_str());
    one.map(str::to_owned).into_iter().collect()
}
