//! What the people outside saw: who sent what, what was accepted, which frames came. It lives in the driver,
//! which is never killed.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;
use crate::script::Script;

/// How a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Socket,
    Http,
    Lab,
}

/// What the oracle may expect of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Every message is answered, in order.
    Strict,
    /// Somebody says `/stop` here: a message may be cancelled.
    Stops,
    /// Somebody says `/new` here.
    Renews,
    /// Somebody says `/retry` here: a message may reach the agent again.
    Retries,
}

/// A chat of the test.
#[derive(Debug, Clone)]
pub struct Chat {
    pub way: Way,
    pub name: String,
    /// Whether a plain program answers, not the lasting one.
    pub plain: bool,
    pub rule: Rule,
}

impl Chat {
    /// The key that its conversation must have.
    pub fn session(&self) -> String {
        let agent = if self.plain { "plain" } else { "main" };
        let channel = if self.way == Way::Lab { "lab" } else { "web" };
        format!("agent:{agent}:{channel}:dm:{}", self.name)
    }
}

/// One message and what its sender knows of it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub chat: Chat,
    /// The platform's id of the event, as the database must have it.
    pub event: String,
    pub text: String,
    /// `None` for a command.
    pub script: Option<Script>,
    /// Every time it was sent.
    pub at: Vec<u64>,
    /// When it was first accepted, and as which message if the way says so.
    pub accepted: Option<(u64, Option<String>)>,
    /// How often the gateway has said "accepted".
    pub words: u32,
    /// Its sender is told when it is answered, not when it is accepted.
    pub waits: bool,
}

/// A durable frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub at: u64,
    pub kind: String,
    pub message: Option<String>,
    pub text: String,
}

#[derive(Debug, Default)]
pub struct Book {
    /// By event id, in the order of first sending.
    pub order: Vec<String>,
    pub sent: HashMap<String, Sent>,
    /// By session, then by seq.
    pub frames: BTreeMap<String, BTreeMap<u64, Frame>>,
    /// Messages with pieces on the screen and no end yet.
    pub streaming: HashMap<String, u64>,
    /// Messages whose end was seen.
    pub ended: HashMap<String, u64>,
    /// What a client noticed to be wrong.
    pub wrong: Vec<String>,
    /// Texts that were handed to `/api/send`, by key: the text, and whether it was taken.
    pub dispatches: BTreeMap<String, (String, bool)>,
    /// When the daemon was killed.
    pub kills: Vec<u64>,
}

#[derive(Debug, Default)]
pub struct Journal {
    book: Mutex<Book>,
    ids: AtomicU64,
    pub deltas: AtomicU64,
}

impl Journal {
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that nobody has had.
    pub fn number(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A message leaves its sender, for the first time or again.
    pub fn sends(&self, chat: &Chat, event: &str, text: &str) {
        let mut book = self.book();
        if let Some(sent) = book.sent.get_mut(event) {
            sent.at.push(clock::now());
            return;
        }
        book.order.push(event.to_owned());
        let sent = Sent {
            chat: chat.clone(),
            event: event.to_owned(),
            text: text.to_owned(),
            script: Script::read(text).filter(|_| !text.starts_with('/')),
            at: vec![clock::now()],
            accepted: None,
            words: 0,
            waits: false,
        };
        book.sent.insert(event.to_owned(), sent);
    }

    /// Whether the sender of a message asks for its answer and not only for its acceptance.
    pub fn waits(&self, event: &str, waits: bool) {
        if let Some(sent) = self.book().sent.get_mut(event) {
            sent.waits = waits;
        }
    }

    /// The gateway has said that it took a message.
    pub fn accepts(&self, event: &str, message: Option<&str>) {
        let mut book = self.book();
        let Some(sent) = book.sent.get_mut(event) else { return };
        sent.words += 1;
        let known = sent.accepted.as_ref().and_then(|(_, known)| known.clone());
        match (known, message) {
            (Some(known), Some(message)) if known != message => {
                let wrong = format!("{event} was accepted as {known} and later as {message}");
                book.wrong.push(wrong);
            }
            _ if sent.accepted.is_none() => {
                sent.accepted = Some((clock::now(), message.map(str::to_owned)));
            }
            _ => {}
        }
    }

    /// A durable frame came in; `expected` is the seq that had to come next.
    pub fn shows(&self, session: &str, seq: u64, expected: u64, frame: Frame) {
        let mut book = self.book();
        if seq != expected {
            let wrong = format!("{session}: seq {seq} came where {expected} was due ({})", frame.text);
            book.wrong.push(wrong);
        }
        let known = book.frames.entry(session.to_owned()).or_default().insert(seq, frame.clone());
        if let Some(known) = known.filter(|known| (&known.kind, &known.text) != (&frame.kind, &frame.text)) {
            let wrong = format!("{session}: seq {seq} was {:?} and is {:?} now", known.text, frame.text);
            book.wrong.push(wrong);
        }
        if let Some(message) = frame.message {
            book.streaming.remove(&message);
            book.ended.insert(message, clock::now());
        }
    }

    /// A piece of an answer came in.
    pub fn piece(&self, message: &str) {
        self.deltas.fetch_add(1, Ordering::Relaxed);
        self.book().streaming.entry(message.to_owned()).or_insert_with(clock::now);
    }

    /// A turn ended without a durable frame of its own.
    pub fn ends(&self, message: &str) {
        let mut book = self.book();
        book.streaming.remove(message);
        book.ended.insert(message.to_owned(), clock::now());
    }

    /// Something that must not be.
    pub fn wrong(&self, what: String) {
        self.book().wrong.push(what);
    }

    /// Messages of sockets and requests whose sender was not told yet that they are accepted.
    pub fn open_accepts(&self) -> usize {
        let book = self.book();
        let recent = book.order.iter().rev().take(200).filter_map(|event| book.sent.get(event));
        recent.filter(|sent| sent.accepted.is_none() && !sent.waits && sent.chat.way != Way::Lab).count()
    }

    /// Everything that was sent and is not accepted, whatever the way.
    pub fn unaccepted(&self) -> Vec<String> {
        let book = self.book();
        book.order
            .iter()
            .filter(|event| book.sent.get(*event).is_some_and(|sent| sent.accepted.is_none()))
            .cloned()
            .collect()
    }

    /// Messages of a chat that were sent in the last seconds and whose end nobody has seen.
    pub fn waiting_in(&self, chat: &str) -> usize {
        let (book, now) = (self.book(), clock::now());
        let recent = book.order.iter().rev().take(80).filter_map(|event| book.sent.get(event));
        recent
            .filter(|sent| sent.chat.name == chat && sent.at.first().is_some_and(|at| at + 3000 > now))
            .filter(|sent| match &sent.accepted {
                Some((_, Some(message))) => !book.ended.contains_key(message),
                _ => true,
            })
            .count()
    }

    /// Answers that are on somebody's screen in pieces.
    pub fn streaming(&self) -> usize {
        self.book().streaming.len()
    }

    /// How many lives of the daemon are over.
    pub fn lives(&self) -> usize {
        self.book().kills.len()
    }

    /// The daemon is gone: nobody streams any more.
    pub fn killed(&self) {
        let mut book = self.book();
        book.kills.push(clock::now());
        book.streaming.clear();
    }
}
