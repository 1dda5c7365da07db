//! The stored timeline: what was shown before.

use frontdesk_core::count::counted;
use serde_json::Value;

use super::frame::Spot;
use super::{Chat, RowId, RowKind, text};
use crate::cli::field;
use crate::cli::tui::row::{Row, RowKey};

/// One page of the timeline, the newest item first.
#[derive(Debug, Default)]
pub struct Page {
    /// Its items.
    pub items: Vec<Value>,
    /// The place before the last one.
    pub next: Option<String>,
    /// The open background tasks of the session.
    pub tasks: Vec<Value>,
}

impl Chat {
    /// Shows the newest page: what is there already stays in its place.
    pub fn show_newest(&mut self, page: &Page) {
        let is_first = self.rows.first() == self.rows.first_unsent();
        let is_known = |item: &Value| row_id(item).is_some_and(|id| self.rows.find(&id).is_some());
        // So much has happened since that earlier rows would have a gap behind them.
        let has_gap = !is_first && page.next.is_some() && !page.items.iter().any(is_known);
        if has_gap {
            self.rows.retain(|row| matches!(row.id, Some(RowId::Unsent(_))));
            self.rows.show_end();
        }
        if is_first || has_gap {
            self.earlier.clone_from(&page.next);
        }
        self.show_page(page, self.rows.first_unsent());
        for task in &page.tasks {
            self.show_listed_task(task);
        }
    }

    /// Shows the page before the earliest row.
    pub fn show_earlier(&mut self, page: &Page) {
        self.earlier.clone_from(&page.next);
        self.show_page(page, self.rows.first());
    }

    fn show_page(&mut self, page: &Page, mut before: Option<RowKey>) {
        for item in &page.items {
            before = self.show_item(item, before);
        }
        self.show_places();
    }

    /// Shows an item before a row. Returns its row, or the same row if there is nothing to show.
    fn show_item(&mut self, item: &Value, before: Option<RowKey>) -> Option<RowKey> {
        let spot = Spot { before, at: field::time(item, "at") };
        match item["type"].as_str().unwrap_or_default() {
            "epoch" => self.show_epoch(item, spot),
            "frame" => self.show_frame(&item["frame"], spot),
            "prompt" => self.show_prompt(item, spot),
            _ => before,
        }
    }

    fn show_epoch(&mut self, item: &Value, spot: Spot) -> Option<RowKey> {
        let number = field::number(item, "epoch");
        let id = RowId::Epoch(number);
        let Some(words) = reason(&text(item, "reason")) else { return spot.before };
        if let Some(known) = self.rows.find(&id) {
            return Some(known);
        }
        let back = number.saturating_sub(1);
        let at = spot.at.map(|at| format!(" · {}", self.moment(at))).unwrap_or_default();
        let back = if text(item, "reason") == "erased" {
            String::new()
        } else {
            format!(" · /resume {back} returns")
        };
        let row = Row::new(RowKind::Divider, "").id(id).text(format!("{words}{at}{back}"));
        Some(self.rows.add(row, spot.before))
    }

    fn show_frame(&mut self, frame: &Value, spot: Spot) -> Option<RowKey> {
        match frame["type"].as_str().unwrap_or_default() {
            "done" => {
                let message = text(frame, "message");
                let id = RowId::Answer(message.clone());
                if !self.rows.get(&id).is_some_and(|row| row.is_done) {
                    self.show_answer(&message, &text(frame, "fullText"), spot);
                }
                self.rows.find(&id)
            }
            "message" => self.show_message(frame, spot),
            "ask" => {
                self.show_ask(frame, spot);
                self.rows.find(&RowId::Ask(text(frame, "ask"))).or(spot.before)
            }
            "task" => {
                self.show_task(frame, spot);
                self.rows.find(&RowId::Task(text(frame, "task"))).or(spot.before)
            }
            "ask_closed" => {
                self.close_ask(frame);
                spot.before
            }
            _ => spot.before,
        }
    }

    fn show_prompt(&mut self, item: &Value, mut spot: Spot) -> Option<RowKey> {
        if item["disposition"] == "answer" {
            return spot.before;
        }
        let message = text(item, "message");
        let (asked, answered) = (RowId::Message(message.clone()), RowId::Answer(message.clone()));
        let is_done = |chat: &Chat| chat.rows.get(&answered).is_some_and(|row| row.is_done);
        if let Some(answer) = item["answer"].as_str().filter(|_| !is_done(self)) {
            self.show_answer(&message, answer, spot);
            spot.before = self.rows.find(&answered);
        }
        if self.rows.find(&asked).is_none() {
            let row = Row::new(RowKind::Mine, author(item)).id(asked.clone()).text(text(item, "text"));
            self.rows.add(row.note(files(item)).at(spot.at), spot.before);
        }
        self.show_state(item, &message);
        self.rows.find(&asked)
    }

    fn show_state(&mut self, item: &Value, message: &str) {
        let state = text(item, "state");
        if state == "waiting" || state == "in_turn" {
            return self.begin(message, &text(item, "text"));
        }
        self.end(message);
        let has_answer = self.rows.find(&RowId::Answer(message.to_owned())).is_some();
        let note = match (state.as_str(), has_answer) {
            ("dead", _) => {
                self.fail(message);
                "(interrupted)"
            }
            ("cancelled", _) => "(stopped)",
            ("superseded", _) => "A later message took its place",
            ("refused", _) => "This was not accepted",
            _ => return,
        };
        let id = match (state.as_str(), has_answer) {
            ("dead" | "cancelled", true) => RowId::Answer(message.to_owned()),
            ("dead", false) => return,
            _ => RowId::Message(message.to_owned()),
        };
        if let Some(row) = self.rows.get_mut(&id).filter(|row| !row.is_bad) {
            row.set_note(note);
            row.set_bad(state == "refused");
        }
    }
}

/// The row of an item.
fn row_id(item: &Value) -> Option<RowId> {
    match item["type"].as_str()? {
        "prompt" => Some(RowId::Message(text(item, "message"))),
        "epoch" => Some(RowId::Epoch(field::number(item, "epoch"))),
        _ => {
            let frame = &item["frame"];
            match frame["type"].as_str()? {
                "done" => Some(RowId::Answer(text(frame, "message"))),
                "message" => frame["seq"].as_u64().map(RowId::Seq),
                "ask" => Some(RowId::Ask(text(frame, "ask"))),
                "task" => Some(RowId::Task(text(frame, "task"))),
                _ => None,
            }
        }
    }
}

/// Whose message it is. The people of the web channel have no names.
fn author(item: &Value) -> String {
    let principal = text(item, "principal");
    if principal.is_empty() || principal.starts_with("web:") {
        return "You".to_owned();
    }
    Some(text(item, "sender")).filter(|name| !name.is_empty()).unwrap_or(principal)
}

/// The names of a message's files.
fn files(item: &Value) -> String {
    let files = field::list(item, "attachments");
    if files.is_empty() {
        return String::new();
    }
    let name =
        |file: &Value| Some(text(file, "name")).filter(|name| !name.is_empty()).unwrap_or(text(file, "kind"));
    let names: Vec<String> = files.iter().map(name).collect();
    format!("{}: {}", counted(files.len() as u64, "file"), names.join(", "))
}

/// Why a conversation has begun; `None` for the first one.
fn reason(reason: &str) -> Option<&'static str> {
    match reason {
        "first" => None,
        "idle" => Some("New conversation, after a pause"),
        "daily" | "daily,idle" => Some("New conversation, for a new day"),
        "api" => Some("New conversation, begun by an operator"),
        "erased" => Some("The conversation before was erased"),
        "job" => Some("New conversation, for a scheduled run"),
        _ => Some("New conversation"),
    }
}
