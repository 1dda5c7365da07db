//! The state of the terminal chat. It does nothing itself: what happens goes in, and what is to be done comes out.

mod act;
mod opening;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use chrono::{DateTime, Utc};
use crossterm::event::KeyEvent;
use frontdesk_core::port::Mono;
use serde_json::Value;

use super::chat::{Chat, Place};
use super::composer::Composer;
use super::connection::Link;
use super::fetch::{Fetched, Opened, Request};
use super::row::Look;
use super::sessions::{Entry, Sessions};
use crate::cli::Failure;

/// How often the list of conversations is read when nothing happens.
const LIST_EVERY: Duration = Duration::from_secs(10);

/// What happens.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The wheel was turned by so many steps, up if negative.
    Wheel(isize),
    /// The connection tells something.
    Link(Link),
    /// Something was read.
    Fetched(Fetched),
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Send a frame.
    Send(Value),
    /// Read something.
    Fetch(Request),
    /// Connect now.
    TryNow,
    /// Read the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Draw everything anew.
    Redraw,
    /// Stop the process until it is continued.
    Suspend,
    /// Quit.
    Quit,
}

/// The time of an event.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For what people read.
    pub wall: DateTime<Utc>,
    /// For pauses.
    pub mono: Mono,
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// It is being opened.
    Connecting,
    /// It is there.
    Open,
    /// The next attempt comes at this time; why the last one failed, if it is not just that no gateway runs.
    Waiting(Mono, String),
}

/// Makes the id of a frame.
pub type NewId = fn() -> Result<String, Failure>;

/// The whole state.
pub struct App {
    /// The conversation on the screen.
    pub chat: Chat,
    /// The list of conversations.
    pub sessions: Sessions,
    /// What is being written.
    pub composer: Composer,
    /// The state of the connection.
    pub connection: Connection,
    /// Whether the keyboard is in the list of conversations.
    pub in_list: bool,
    /// Whether the keys are shown.
    pub shows_help: bool,
    /// A sentence for the person, until the next key.
    pub sentence: Option<String>,
    /// How rows look.
    pub look: Look,
    /// Counts the ticks, for what moves.
    pub ticks: usize,
    /// Columns and lines of the conversation when it was drawn last.
    pub view: (usize, usize),
    /// The time of the last event.
    pub now: Now,
    reads_mouse: bool,
    /// What was written in other conversations and not sent.
    drafts: Vec<(Place, String)>,
    /// Other conversations with something that the gateway has not accepted yet.
    parked: Vec<Chat>,
    opened: Opened,
    resume: String,
    /// Frames that arrive before the timeline is shown; `None` once it is.
    early: Option<Vec<Value>>,
    timeline: Reading,
    list: Reading,
    reads_earlier: bool,
    next_list: Mono,
    /// Whether Ctrl+C was pressed just now.
    interrupted: bool,
    /// Whether the person knows that messages would be lost.
    warned: bool,
    new_id: NewId,
    effects: Vec<Effect>,
}

/// Something that is read again while it is being read.
#[derive(Debug, Default)]
struct Reading {
    is_under_way: bool,
    is_wanted: bool,
}

impl Reading {
    /// Returns whether to begin now.
    fn wants(&mut self) -> bool {
        self.is_wanted = self.is_under_way;
        !std::mem::replace(&mut self.is_under_way, true)
    }

    /// Returns whether to begin again.
    fn ended(&mut self) -> bool {
        self.is_under_way = std::mem::take(&mut self.is_wanted);
        self.is_under_way
    }
}

impl App {
    /// Shows a conversation.
    pub fn new(place: Place, look: Look, new_id: NewId, now: Now) -> App {
        App {
            chat: Chat::new(place, look.zone),
            sessions: Sessions::default(),
            composer: Composer::default(),
            connection: Connection::Connecting,
            in_list: false,
            shows_help: false,
            sentence: None,
            look,
            ticks: 0,
            view: (0, 0),
            now,
            reads_mouse: true,
            drafts: Vec::new(),
            parked: Vec::new(),
            opened: 0,
            resume: String::new(),
            early: Some(Vec::new()),
            timeline: Reading::default(),
            list: Reading::default(),
            reads_earlier: false,
            next_list: now.mono + LIST_EVERY,
            interrupted: false,
            warned: false,
            new_id,
            effects: Vec::new(),
        }
    }

    /// Takes an event in, and returns what is to be done.
    pub fn on(&mut self, event: Event, now: Now) -> Vec<Effect> {
        self.now = now;
        match event {
            Event::Key(key) => self.key(key),
            Event::Paste(text) => self.paste(&text),
            Event::Wheel(steps) => self.scroll(steps * 3),
            Event::Link(link) => self.link(link),
            Event::Fetched(fetched) => self.fetched(fetched),
            Event::Tick => self.tick(),
        }
        std::mem::take(&mut self.effects)
    }

    /// Whether something on the screen moves by itself.
    pub fn is_moving(&self) -> bool {
        self.chat.is_running() || self.connection != Connection::Open
    }

    /// The list of conversations.
    pub fn entries(&self) -> Vec<Entry> {
        self.sessions.entries(&self.chat.place, &self.chat.agent())
    }

    /// The conversation on the screen, as the list has it.
    pub fn current(&self) -> usize {
        self.entries().iter().position(|entry| entry.place == self.chat.place).unwrap_or_default()
    }

    fn is_connected(&self) -> bool {
        self.connection == Connection::Open
    }

    /// Messages that the gateway has not accepted yet, of all conversations.
    fn unsent(&self) -> usize {
        self.chat.unsent() + self.parked.iter().map(Chat::unsent).sum::<usize>()
    }

    /// A new id, unless the system has no random bytes.
    fn id(&mut self) -> Option<String> {
        (self.new_id)().map_err(|failure| self.sentence = Some(failure.to_string())).ok()
    }

    fn scroll(&mut self, by: isize) {
        let (columns, lines) = self.view;
        self.chat.rows.scroll(by, columns, lines, &self.look);
        self.read_earlier();
    }

    /// Reads what is older, if the beginning of what is shown is near.
    fn read_earlier(&mut self) {
        let (columns, lines) = self.view;
        if self.reads_earlier || self.early.is_some() || lines == 0 {
            return;
        }
        let (Some(before), Some(session)) = (self.chat.earlier.clone(), self.chat.session.clone()) else {
            return;
        };
        let above = self.chat.rows.view(columns, lines, &self.look).above;
        if above < 2 * lines && (!self.chat.rows.is_at_end() || above == 0) {
            self.reads_earlier = true;
            self.effects.push(Effect::Fetch(Request::Earlier(self.opened, session, before)));
        }
    }

    /// The screen was drawn: if it is not full, more can be shown.
    pub fn drawn(&mut self, columns: usize, lines: usize) -> Vec<Effect> {
        self.view = (columns, lines);
        self.read_earlier();
        std::mem::take(&mut self.effects)
    }

    fn tick(&mut self) {
        self.ticks += 1;
        if self.is_connected() && self.now.mono >= self.next_list {
            self.read_list();
        }
    }

    fn read_list(&mut self) {
        self.next_list = self.now.mono + LIST_EVERY;
        if self.list.wants() {
            self.effects.push(Effect::Fetch(Request::Sessions));
        }
    }
}
