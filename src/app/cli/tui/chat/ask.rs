//! Questions to the person who reads this conversation.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::frame::Spot;
use super::{Chat, RowId, RowKind, text};
use crate::cli::field;
use crate::cli::tui::row::Row;

/// An open question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Its id, `a1`.
    pub id: String,
    /// The ids and the labels of its choices; none if it asks for words.
    pub choices: Vec<(String, String)>,
    /// Whether this person may answer it.
    may_answer: bool,
    /// Whether an answer is on its way.
    is_sending: bool,
}

/// The open questions, and the answers on their way.
#[derive(Debug, Default)]
pub struct Asks {
    open: Vec<Ask>,
    /// What came of questions whose row is not shown yet: the end is newer than the question.
    ended: HashMap<String, Value>,
    /// Answers without a reaction of the gateway, by the ids of their frames.
    answers: HashMap<String, Value>,
    /// The choice that is selected.
    selected: Option<usize>,
}

impl Asks {
    /// The question that is to be answered: the one that was asked first.
    pub fn current(&self) -> Option<&Ask> {
        self.open.iter().find(|ask| ask.may_answer && !ask.is_sending)
    }

    /// Whether any question is open.
    pub fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// The selected choice of the current question.
    pub fn selected(&self) -> Option<usize> {
        let count = self.current()?.choices.len();
        self.selected.filter(|selected| *selected < count)
    }

    /// Selects a choice. Returns whether there is such a choice.
    pub fn select(&mut self, choice: usize) -> bool {
        let exists = self.current().is_some_and(|ask| choice < ask.choices.len());
        if exists {
            self.selected = Some(choice);
        }
        exists
    }

    /// Selects the next choice, or the one before.
    pub fn step(&mut self, forward: bool) -> bool {
        let count = self.current().map_or(0, |ask| ask.choices.len());
        if count == 0 {
            return false;
        }
        self.selected = Some(match (self.selected(), forward) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        });
        true
    }

    /// Selects nothing. Returns whether something was selected.
    pub fn unselect(&mut self) -> bool {
        let was = self.selected().is_some();
        self.selected = None;
        was
    }

    pub(super) fn is_answer(&self, id: &str) -> bool {
        self.answers.contains_key(id)
    }

    pub(super) fn unacknowledged(&self) -> impl Iterator<Item = Value> {
        self.answers.values().cloned()
    }
}

impl Chat {
    /// The frame with the selected choice as the answer.
    pub fn choose(&mut self, id: String) -> Option<Value> {
        let at = self.asks.selected()?;
        let choice = self.asks.current()?.choices.get(at)?.0.clone();
        self.answer(id, &json!({"choice": choice}))
    }

    /// The frame with words as the answer.
    pub fn answer_in_words(&mut self, id: String, words: &str) -> Option<Value> {
        self.answer(id, &json!({"text": words}))
    }

    /// The question is closed by the gateway's frame, not here: somebody else may have been faster.
    fn answer(&mut self, id: String, answer: &Value) -> Option<Value> {
        let ask = self.asks.current()?.id.clone();
        let mut frame = json!({"type": "answer", "id": id, "ask": ask});
        for name in ["choice", "text"] {
            if let Some(value) = answer.get(name) {
                frame[name] = value.clone();
            }
        }
        self.asks.answers.insert(id, frame.clone());
        self.asks.selected = None;
        self.mark_sending(&ask, true);
        self.note_ask(&ask, "sending…");
        Some(frame)
    }

    fn mark_sending(&mut self, ask: &str, is_sending: bool) {
        for open in self.asks.open.iter_mut().filter(|open| open.id == ask) {
            open.is_sending = is_sending;
        }
    }

    fn note_ask(&mut self, ask: &str, note: impl Into<String>) {
        if let Some(row) = self.rows.get_mut(&RowId::Ask(ask.to_owned())) {
            row.set_note(note);
        }
    }

    /// An answer was refused. The person can choose again, unless the question is closed.
    pub(super) fn answer_refused(&mut self, id: &str, why: &str) {
        let Some(answer) = self.asks.answers.remove(id) else { return };
        let ask = text(&answer, "ask");
        if self.asks.open.iter().any(|open| open.id == ask) {
            self.mark_sending(&ask, false);
            self.note_ask(&ask, why);
        }
    }

    /// Shows a question, unless it is shown already.
    pub(super) fn show_ask(&mut self, frame: &Value, spot: Spot) {
        let id = text(frame, "ask");
        let named = RowId::Ask(id.clone());
        if self.rows.find(&named).is_some() {
            return;
        }
        let choice = |choice: &Value| (text(choice, "id"), text(choice, "label"));
        let choices: Vec<(String, String)> = field::list(frame, "choices").iter().map(choice).collect();
        let may_answer = frame["may_answer"] != false;
        let labels = (1..)
            .zip(&choices)
            .map(|(n, (_, label))| format!("[{n}] {label}"))
            .collect::<Vec<_>>()
            .join("  ");
        let until = field::time(frame, "deadline").map(|at| format!("until {}", self.moment(at)));
        let hint = match (may_answer, until) {
            (false, _) => "Somebody else has to answer this".to_owned(),
            (true, Some(until)) => format!("Please answer {until}"),
            (true, None) => String::new(),
        };
        let note = if labels.is_empty() { hint } else { format!("{labels}\n{hint}") };
        let row = Row::new(RowKind::Ask, "Question").id(named).text(text(frame, "text"));
        self.rows.add(row.note(note).at(spot.at), spot.before);
        let ask = Ask { id: id.clone(), choices, may_answer, is_sending: false };
        // History is read backwards: an older question comes before those that are known.
        if spot.before.is_some() {
            self.asks.open.insert(0, ask)
        } else {
            self.asks.open.push(ask)
        }
        if let Some(ended) = self.asks.ended.remove(&id) {
            self.close_ask(&ended);
        }
    }

    /// Closes a question, and shows what came of it.
    pub(super) fn close_ask(&mut self, closed: &Value) {
        let id = text(closed, "ask");
        self.asks.answers.retain(|_, answer| text(answer, "ask") != id);
        if self.rows.find(&RowId::Ask(id.clone())).is_none() {
            self.asks.ended.insert(id, closed.clone());
            return;
        }
        let Some(at) = self.asks.open.iter().position(|open| open.id == id) else { return };
        let ask = self.asks.open.remove(at);
        self.asks.selected = None;
        self.note_ask(&id, outcome(&ask, closed));
    }

    /// A time of today as the hour, another one with its date.
    pub(super) fn moment(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        let today = frontdesk::clock::wall().with_timezone(&self.zone).date_naive();
        let format = if local.date_naive() == today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        local.format(format).to_string()
    }
}

/// What came of a question.
fn outcome(ask: &Ask, closed: &Value) -> String {
    let choice = text(closed, "choice");
    let label = ask.choices.iter().find(|(id, _)| *id == choice).map(|(_, label)| label.clone());
    let answer = label.unwrap_or(if choice.is_empty() { text(closed, "answer") } else { choice });
    let by = text(closed, "by");
    let name = Some(text(closed, "by_name")).filter(|name| !name.is_empty());
    let by = name.or(Some(by).filter(|by| !by.is_empty() && !by.starts_with("web:")));
    match closed["state"].as_str().unwrap_or_default() {
        "answered" => format!("Answer: {answer}{}", by.map(|by| format!(" ({by})")).unwrap_or_default()),
        "expired" if answer.is_empty() => "This question has expired".to_owned(),
        "expired" => format!("Nobody answered in time, so the default applies: {answer}"),
        _ => "This question was withdrawn".to_owned(),
    }
}
