//! What the clients did and what they were told and shown. It lives in the test's process, which is never killed.

mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::clock;
use crate::config::{MAIN, PLAIN};
use crate::script::Script;

pub use work::{Request, RequestKind, WebhookPost, Work};

/// A chat, or a topic of one, as the database names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Stands in the tag of every text that is sent there.
    pub name: String,
    /// `inbound.source`
    pub source: String,
    /// `inbound.address`
    pub address: String,
    /// The session key without the agent.
    pub conversation: String,
    /// Whether the plain agent answers.
    pub plain: bool,
    pub command: Command,
    /// Whether an admin mutes and unmutes it during the test.
    pub muted_at_times: bool,
}

/// The command that is sent in a place now and then, and that changes what may become of other messages there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    None,
    Stop,
    New,
    Retry,
    /// Those of `/queue`, and `/steer`.
    Queue,
}

impl Place {
    /// `inbound.key`
    pub fn session(&self) -> String {
        format!("agent:{}:{}", if self.plain { PLAIN } else { MAIN }, self.conversation)
    }
}

/// What the client did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Message,
    File,
    AlbumPart,
    Edit,
    Button,
    Command,
    Reaction,
}

/// What must become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A turn that ends visibly.
    Turn,
    /// A command with one reply.
    Command,
    /// A command that may be carried out as a turn: `/retry`.
    Retry,
    /// A turn or a command if the author had access at that time; else a pairing request without the text.
    IfAllowed,
    /// Context for the next turn.
    Context,
    /// A turn, or context: part of an album whose first part arrived before a kill.
    TurnOrContext,
    /// A pressed button of a question, which is stored if the answer holds.
    Press,
    /// Dropped, and counted under this name.
    Dropped(&'static str),
}

/// An event that a client caused, as the database must store it.
#[derive(Debug, Clone)]
pub struct Event {
    pub place: Arc<Place>,
    /// `inbound.event_id`
    pub id: String,
    /// `inbound.principal`
    pub author: String,
    pub action: Action,
    /// The number of the message that it made or is about, where the channel has such numbers.
    pub message: i64,
    /// `inbound.body`
    pub text: String,
    pub script: Option<Script>,
    /// Fingerprints of the files.
    pub files: Vec<String>,
    pub expected: Expected,
    /// Its position among the events of its source.
    pub order: i64,
    /// The platform may have delivered events of that time in another order.
    pub reordered: bool,
    pub created: i64,
    /// Every time that it was handed to the gateway.
    pub delivered: Vec<i64>,
    /// When the gateway first acknowledged it.
    pub accepted: Option<i64>,
    /// The message's public id, if the gateway returned it.
    pub accepted_as: Option<String>,
    /// The client waits for the answer, not for the acknowledgement.
    pub waits: bool,
    /// Nothing of it has to be stored: its platform does not repeat it, and nobody can read it there later.
    pub may_be_lost: bool,
    /// It may have been found in the history of its chat: then the text is the last one that it had there.
    pub from_history: bool,
}

impl Event {
    /// A message that was handed to the gateway just now.
    pub fn message(place: &Arc<Place>, id: String, author: String, text: String) -> Self {
        let now = clock::now();
        Self {
            place: place.clone(),
            id,
            author,
            action: Action::Message,
            message: 0,
            script: Script::read(&text).filter(|_| !text.starts_with('/')),
            text,
            files: Vec::new(),
            expected: Expected::Turn,
            order: 0,
            reordered: false,
            created: now,
            delivered: vec![now],
            accepted: None,
            accepted_as: None,
            waits: false,
            may_be_lost: false,
            from_history: false,
        }
    }

    pub fn key(&self) -> String {
        event_key(&self.place.source, &self.id)
    }

    /// Whether it may rightly be stored after later events of its chat. A message in a muted chat, or of somebody without
    /// access, is dropped; if its acknowledgement is lost, it is delivered again and may be let in then.
    pub fn may_be_stored_later(&self) -> bool {
        let was_redelivered = self.delivered.len() > 1;
        let was_dropped = match self.expected {
            Expected::Turn => self.place.muted_at_times,
            Expected::IfAllowed => true,
            _ => false,
        };
        self.reordered || was_dropped && was_redelivered
    }
}

/// Identifies an event, as source and event id do in the database.
pub fn event_key(source: &str, id: &str) -> String {
    format!("{source} {id}")
}

/// A durable frame that a client received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: String,
    pub message: Option<String>,
    pub text: String,
    /// The tags in the text.
    pub tags: BTreeSet<String>,
}

/// A text that was handed to `/api/send`.
#[derive(Debug, Clone)]
pub struct OperatorSend {
    pub address: String,
    pub text: String,
    pub taken: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Journal {
    pub events: Vec<Event>,
    by_key: HashMap<String, usize>,
    /// By session and sequence number.
    pub frames: HashMap<String, BTreeMap<u64, Frame>>,
    /// By idempotency key.
    pub operator_sends: BTreeMap<String, OperatorSend>,
    /// Messages whose answer a client has seen in part.
    streaming: HashSet<String>,
    /// Messages whose answer a client has seen whole.
    ended: HashSet<String>,
    pub deltas: u64,
    /// What was handed over outside of the chats.
    pub work: Work,
    /// When the gateway was ready after a start.
    pub starts: Vec<i64>,
    /// When the gateway was killed.
    pub kills: Vec<i64>,
    /// When this process, with its platforms, got the processor too late, and by how many milliseconds.
    pub late: Vec<(i64, i64)>,
    /// Pairing codes that users were shown.
    pub codes: Vec<String>,
    /// What a client itself noticed to be wrong.
    pub wrong: Vec<String>,
}

impl Journal {
    /// Records an event, or that a known one was handed to the gateway again.
    pub fn sent(&mut self, event: Event) {
        if let Some(known) = self.event_mut(&event.key()) {
            known.delivered.extend(event.delivered);
            known.waits = event.waits;
            return;
        }
        self.by_key.insert(event.key(), self.events.len());
        self.events.push(event);
    }

    /// The number of chats in which somebody has written.
    pub fn chats(&self) -> usize {
        self.events.iter().map(|event| event.place.address.as_str()).collect::<HashSet<_>>().len()
    }

    pub fn event(&self, key: &str) -> Option<&Event> {
        self.by_key.get(key).map(|index| &self.events[*index])
    }

    pub fn event_mut(&mut self, key: &str) -> Option<&mut Event> {
        self.by_key.get(key).map(|index| &mut self.events[*index])
    }

    /// The gateway has acknowledged an event, with this message id, if it returned one.
    pub fn accepted(&mut self, key: &str, message: Option<&str>) {
        let Some(event) = self.event_mut(key) else { return };
        let known = event.accepted_as.clone();
        if event.accepted.is_none() {
            event.accepted = Some(clock::now());
            event.accepted_as = message.map(str::to_owned);
        } else if known.is_some() && message.is_some() && known.as_deref() != message {
            self.wrong.push(format!("O1: {key} was accepted as {known:?} and later as {message:?}"));
        }
    }

    /// A durable frame was shown; `expected` is the number that had to come next.
    pub fn shown(&mut self, session: &str, seq: u64, expected: u64, frame: Frame) {
        if seq != expected {
            let text = &frame.text;
            self.wrong.push(format!("O2: {session}: seq {seq} came and {expected} was next ({text})"));
        }
        if let Some(message) = &frame.message {
            self.ended(message);
        }
        let known = self.frames.entry(session.to_owned()).or_default().insert(seq, frame.clone());
        if let Some(known) = known.filter(|known| *known != frame) {
            self.wrong.push(format!("O2: {session}: seq {seq} was {known:?} and later {frame:?}"));
        }
    }

    /// A piece of the answer to a message was shown.
    pub fn delta(&mut self, message: &str) {
        self.deltas += 1;
        if !self.streaming.contains(message) {
            self.streaming.insert(message.to_owned());
        }
    }

    /// The turn of a message has ended.
    pub fn ended(&mut self, message: &str) {
        self.streaming.remove(message);
        self.ended.insert(message.to_owned());
    }

    pub fn killed(&mut self) {
        self.kills.push(clock::now());
        self.streaming.clear();
    }

    pub fn streaming(&self) -> usize {
        self.streaming.len()
    }

    /// Events of a source that were not acknowledged.
    pub fn unaccepted<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |event| event.accepted.is_none() && event.place.source == source)
    }

    /// Messages of a place that were sent in the last seconds and have no answer yet.
    pub fn unanswered_in(&self, place: &str) -> usize {
        let since = clock::now() - 3000;
        let recent = self.events.iter().rev().take(200);
        let recent = recent.filter(|event| event.place.name == place && event.created > since);
        recent
            .filter(|event| event.accepted_as.as_ref().is_none_or(|message| !self.ended.contains(message)))
            .count()
    }
}
