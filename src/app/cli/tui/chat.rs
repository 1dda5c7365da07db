//! One conversation: what the gateway's frames and its stored timeline say becomes rows.

mod ask;
mod frame;
mod item;
mod task;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::key::{Scope, SessionKey};
use serde_json::{Value, json};

use super::row::{Row, RowId, RowKind};
use super::rows::Rows;
pub use ask::{Ask, Asks};
pub use frame::is_shown;
pub use item::Page;

/// Which conversation is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A chat of the web channel, by its name: one can write here.
    Chat(String),
    /// A session of another platform, by its key: it can only be read.
    Session(SessionKey),
}

impl Place {
    /// Where the conversation of a session is.
    pub fn of(key: &SessionKey) -> Place {
        let is_web = *key.account() == AccountId::default_of("web") && key.scope() == Scope::Dm;
        if is_web { Place::Chat(key.id().to_owned()) } else { Place::Session(key.clone()) }
    }
}

/// A message without an acknowledgement.
#[derive(Debug, Clone)]
struct Prompt {
    id: String,
    text: String,
}

/// What the gateway is to be asked for, because of what has happened.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Something may have happened that only the stored timeline shows.
    pub timeline: bool,
    /// The list of conversations may show something new.
    pub list: bool,
    /// A sentence for the person.
    pub sentence: Option<String>,
    /// A text that was not accepted.
    pub rejected: Option<String>,
}

/// A conversation.
#[derive(Debug)]
pub struct Chat {
    /// Which one it is.
    pub place: Place,
    /// The key of its session, once that is known.
    pub session: Option<String>,
    /// What is shown.
    pub rows: Rows,
    /// The questions.
    pub asks: Asks,
    /// The place in the timeline before the earliest row.
    pub earlier: Option<String>,
    /// The model that wrote the last answer.
    pub model: Option<String>,
    /// The tool that runs, if the gateway tells.
    pub tool: Option<String>,
    zone: chrono_tz::Tz,
    unsent: Vec<Prompt>,
    /// The numbers of the messages without an answer.
    open: BTreeSet<u64>,
    /// The numbers of commands, which wait for nobody.
    commands: BTreeSet<u64>,
    /// Messages that have failed, whose notice is still to come.
    failed: BTreeSet<String>,
    /// Attempts of the answers that are being written.
    growing: HashMap<String, u64>,
    tasks: HashMap<String, task::Shown>,
}

impl Chat {
    /// An empty one.
    pub fn new(place: Place, zone: chrono_tz::Tz) -> Chat {
        Chat {
            session: match &place {
                Place::Session(key) => Some(key.as_str().to_owned()),
                Place::Chat(_) => None,
            },
            place,
            rows: Rows::default(),
            asks: Asks::default(),
            earlier: None,
            model: None,
            tool: None,
            zone,
            unsent: Vec::new(),
            open: BTreeSet::new(),
            commands: BTreeSet::new(),
            failed: BTreeSet::new(),
            growing: HashMap::new(),
            tasks: HashMap::new(),
        }
    }

    /// The agent that answers; empty if it is not known yet.
    pub fn agent(&self) -> String {
        let key = self.session.as_deref().and_then(|key| key.parse::<SessionKey>().ok());
        key.map_or_else(String::new, |key| key.agent().to_owned())
    }

    fn agent_title(&self) -> String {
        let agent = self.agent();
        if agent.is_empty() { "Agent".to_owned() } else { agent }
    }

    /// Whether an answer is awaited.
    pub fn is_running(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether an answer is being written.
    pub fn is_writing(&self) -> bool {
        !self.growing.is_empty()
    }

    /// The number of messages that the gateway has not accepted yet.
    pub fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Whether the gateway's reaction to this id is awaited.
    pub fn awaits(&self, id: &str) -> bool {
        self.asks.is_answer(id) || self.unsent.iter().any(|prompt| prompt.id == id)
    }

    /// The largest number in line of a message; 0 if none waits.
    pub fn waiting(&self) -> usize {
        self.open.difference(&self.commands).count().saturating_sub(1)
    }

    // -- what this person writes ---------------------------------------------------------------------------

    /// Shows a message, and returns the frame that sends it.
    pub fn say(&mut self, id: String, text: String, is_connected: bool, now: DateTime<Utc>) -> Value {
        let note = if is_connected { "" } else { "Sent when the connection is back" };
        let row = Row::new(RowKind::Mine, "You").id(RowId::Unsent(id.clone())).text(text.clone());
        self.rows.add(row.note(note).at(Some(now)), None);
        self.rows.show_end();
        let prompt = Prompt { id, text };
        let frame = self.frame_of(&prompt);
        self.unsent.push(prompt);
        frame
    }

    fn frame_of(&self, prompt: &Prompt) -> Value {
        let chat = match &self.place {
            Place::Chat(name) => name.as_str(),
            Place::Session(key) => key.id(),
        };
        json!({"type": "prompt", "id": prompt.id, "chat": chat, "text": prompt.text})
    }

    /// The frame that asks for what happens from now on; what happened before is read over HTTP.
    pub fn resume(&self, id: &str) -> Value {
        let mut frame = json!({"type": "resume", "id": id, "last_seq": u64::MAX >> 11, "follow": true});
        match &self.place {
            Place::Chat(name) => frame["chat"] = name.as_str().into(),
            Place::Session(key) => frame["session"] = key.as_str().into(),
        }
        frame
    }

    /// The frame that stops the answers.
    pub fn abort(&self) -> Value {
        match &self.place {
            Place::Chat(name) => json!({"type": "abort", "chat": name}),
            Place::Session(key) => json!({"type": "abort", "session": key.as_str()}),
        }
    }

    /// The frames that have no acknowledgement. Repeated ids are harmless.
    pub fn unacknowledged(&mut self) -> Vec<Value> {
        for prompt in &self.unsent {
            if let Some(row) = self.rows.get_mut(&RowId::Unsent(prompt.id.clone())) {
                row.set_note("");
            }
        }
        let prompts = self.unsent.iter().map(|prompt| self.frame_of(prompt));
        prompts.chain(self.asks.unacknowledged()).collect()
    }

    /// The connection is lost: what was written of an answer is shown again by the next one.
    pub fn disconnected(&mut self) {
        self.growing.clear();
        self.tool = None;
    }

    fn accepted(&mut self, frame: &Value, wants: &mut Wants) {
        let (id, message) = (text(frame, "id"), text(frame, "message"));
        let Some(at) = self.unsent.iter().position(|prompt| prompt.id == id) else { return };
        self.session = frame["session"].as_str().map(str::to_owned).or(self.session.take());
        let prompt = self.unsent.remove(at);
        let (unsent, named) = (RowId::Unsent(id), RowId::Message(message.clone()));
        // After a reconnect the history may have shown it already.
        if self.rows.find(&named).is_some() {
            self.rows.remove(&unsent);
        } else if let Some(row) = self.rows.get_mut(&unsent) {
            row.id = Some(named);
            row.set_note("");
            self.settle(&message);
        }
        if self.rows.find(&RowId::Answer(message.clone())).is_none() {
            self.begin(&message, &prompt.text);
        }
        wants.list = true;
    }

    /// Puts an accepted message before those that are still to be sent.
    fn settle(&mut self, message: &str) {
        let key = self.rows.find(&RowId::Message(message.to_owned()));
        if let (Some(key), Some(unsent)) = (key, self.rows.first_unsent()) {
            self.rows.put_before(key, unsent);
        }
    }

    /// A message was not accepted. Its text is not lost.
    fn refused(&mut self, frame: &Value, why: &str, wants: &mut Wants) {
        let id = text(frame, "id");
        let Some(at) = self.unsent.iter().position(|prompt| prompt.id == id) else { return };
        let prompt = self.unsent.remove(at);
        let mut id = Some(RowId::Unsent(id));
        if let Some(about) = frame["about"].as_str() {
            // It is stored all the same, and the timeline may have shown it already.
            let stored = RowId::Message(about.to_owned());
            self.rows.remove(&stored);
            if let Some(row) = id.as_ref().and_then(|id| self.rows.get_mut(id)) {
                row.id = Some(stored.clone());
            }
            id = Some(stored);
        }
        if let Some(row) = id.as_ref().and_then(|id| self.rows.get_mut(id)) {
            row.set_note(format!("{why} (Up brings the text back)"));
            row.set_bad(true);
            if matches!(row.id, Some(RowId::Unsent(_))) {
                row.id = None;
            }
        }
        wants.rejected = Some(prompt.text);
    }

    // -- what is under way ---------------------------------------------------------------------------------

    fn begin(&mut self, message: &str, words: &str) {
        if let Some(number) = number(message) {
            self.open.insert(number);
            if words.starts_with('/') {
                self.commands.insert(number);
            }
        }
        self.show_places();
    }

    fn end(&mut self, message: &str) {
        if let Some(number) = number(message) {
            self.open.remove(&number);
            self.commands.remove(&number);
        }
        self.show_place(message, 0);
        self.show_places();
    }

    /// Says which place in line each message has; the first one is being answered.
    fn show_places(&mut self) {
        let waiting: Vec<u64> = self.open.difference(&self.commands).copied().collect();
        for (place, number) in waiting.into_iter().enumerate() {
            self.show_place(&format!("m{number}"), place);
        }
    }

    fn show_place(&mut self, message: &str, place: usize) {
        const WAITS: &str = "Waits, number ";
        let Some(row) = self.rows.get_mut(&RowId::Message(message.to_owned())) else { return };
        if place > 0 {
            row.set_note(format!("{WAITS}{place} in line (/queue drop {message} withdraws it)"));
        } else if row.note_text().starts_with(WAITS) {
            row.set_note("");
        }
    }
}

/// The number of a message, `m12`.
fn number(message: &str) -> Option<u64> {
    message.strip_prefix('m')?.parse().ok()
}

fn text(value: &Value, name: &str) -> String {
    crate::cli::field::text(value, name)
}
