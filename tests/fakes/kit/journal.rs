//! The journal: what clients asked for and were answered, and which events were delivered and confirmed. It only grows.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// How an event reached its bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In the answer to a poll.
    Poll,
    /// Posted to the bot's webhook.
    Webhook,
    /// Over a socket that the bot opened.
    Socket,
}

/// What became of an event. Times are milliseconds since 1970 on the platform's clock.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery<Id> {
    /// The bot that it is for.
    pub bot: Id,
    /// The event's number in the bot's queue.
    pub update_id: i64,
    /// The chat that it is about.
    pub chat: Id,
    /// When it was queued.
    pub arrived: i64,
    /// Each time that it was delivered.
    pub delivered: Vec<(i64, Way)>,
    /// When the bot confirmed it.
    pub confirmed: Option<i64>,
    /// Whether it grew too old and was dropped.
    pub expired: bool,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It was refused with this status and these words.
    Refused(u16, String),
    /// A fault struck before it was carried out.
    Unheard,
}

/// A request of a bot.
#[derive(Debug, Clone, Serialize)]
pub struct Call<Id> {
    /// Its place in the journal.
    pub number: usize,
    /// When it was carried out.
    pub at: i64,
    /// Who asked.
    pub bot: Id,
    /// The method, as the platform's documentation spells it.
    pub method: String,
    /// The chat, or the default id.
    pub chat: Id,
    /// The thread that was asked for.
    pub thread: Option<Id>,
    /// The message that it made or changed.
    pub message: Option<Id>,
    /// Everything that was asked for, except files.
    pub params: Map<String, Value>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the bot got no answer.
    pub lost: bool,
    /// Whether it put a message into a chat.
    pub posted: bool,
}

impl<Id> Call<Id> {
    /// A request that was read and not yet carried out.
    pub fn new(bot: Id, method: &str, chat: Id, params: Map<String, Value>) -> Self {
        Self {
            number: 0,
            at: 0,
            bot,
            method: method.to_owned(),
            chat,
            thread: None,
            message: None,
            params,
            outcome: Outcome::Unheard,
            lost: false,
            posted: false,
        }
    }

    /// The text as the bot wrote it.
    pub fn text(&self) -> &str {
        let text = |name| self.params.get(name).and_then(Value::as_str);
        text("text").or_else(|| text("caption")).or_else(|| text("content")).unwrap_or_default()
    }

    /// Whether it put a message into a chat.
    pub fn is_post(&self) -> bool {
        self.posted
    }

    /// Whether it was carried out.
    pub fn is_done(&self) -> bool {
        self.outcome == Outcome::Done
    }
}

/// Everything that happened.
#[derive(Debug, Clone)]
pub struct Journal<Id> {
    calls: Vec<Arc<Call<Id>>>,
    by_chat: HashMap<Id, Vec<usize>>,
    deliveries: Vec<Delivery<Id>>,
    by_update: HashMap<(Id, i64), usize>,
    unconfirmed: usize,
    polls: u64,
}

impl<Id: Clone + Eq + Hash> Journal<Id> {
    fn new() -> Self {
        Self {
            calls: Vec::new(),
            by_chat: HashMap::new(),
            deliveries: Vec::new(),
            by_update: HashMap::new(),
            unconfirmed: 0,
            polls: 0,
        }
    }

    /// Every request, in order.
    pub fn calls(&self) -> &[Arc<Call<Id>>] {
        &self.calls
    }

    /// Requests about one chat, in order.
    pub fn calls_in(&self, chat: impl Into<Id>) -> Vec<Arc<Call<Id>>> {
        let numbers = self.by_chat.get(&chat.into()).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().map(|number| self.calls[*number].clone()).collect()
    }

    /// Requests that put a message into this chat, in order, including those whose answer was lost.
    pub fn posts_in(&self, chat: impl Into<Id>) -> Vec<Arc<Call<Id>>> {
        self.calls_in(chat).into_iter().filter(|call| call.posted).collect()
    }

    /// Requests for one method, in order.
    pub fn calls_of(&self, method: &str) -> Vec<Arc<Call<Id>>> {
        self.calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    /// Every event, in order.
    pub fn deliveries(&self) -> &[Delivery<Id>] {
        &self.deliveries
    }

    /// The first event with this number.
    pub fn delivery(&self, update_id: i64) -> Option<&Delivery<Id>> {
        self.deliveries.iter().find(|delivery| delivery.update_id == update_id)
    }

    /// One event of one bot.
    pub fn delivery_to(&self, bot: Id, update_id: i64) -> Option<&Delivery<Id>> {
        self.by_update.get(&(bot, update_id)).map(|at| &self.deliveries[*at])
    }

    /// How many events wait: they were neither confirmed nor grew too old.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed
    }

    /// How often events were polled for.
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// Counts a poll.
    pub fn polled(&mut self) {
        self.polls += 1;
    }

    /// Writes down a request.
    pub fn called(&mut self, mut call: Call<Id>) {
        call.number = self.calls.len();
        self.by_chat.entry(call.chat.clone()).or_default().push(call.number);
        self.calls.push(Arc::new(call));
    }

    /// Writes down that an event was queued.
    pub fn arrived(&mut self, bot: Id, update_id: i64, chat: Id, at: i64) {
        self.by_update.insert((bot.clone(), update_id), self.deliveries.len());
        self.unconfirmed += 1;
        let delivery = Delivery {
            bot,
            update_id,
            chat,
            arrived: at,
            delivered: Vec::new(),
            confirmed: None,
            expired: false,
        };
        self.deliveries.push(delivery);
    }

    /// Writes down that an event was delivered.
    pub fn delivered(&mut self, bot: Id, update_id: i64, at: i64, way: Way) {
        if let Some(index) = self.by_update.get(&(bot, update_id)) {
            self.deliveries[*index].delivered.push((at, way));
        }
    }

    /// Writes down that a bot confirmed events.
    pub fn confirmed(&mut self, bot: &Id, update_ids: &[i64], at: i64) {
        for id in update_ids {
            let Some(index) = self.by_update.get(&(bot.clone(), *id)) else { continue };
            if self.deliveries[*index].confirmed.replace(at).is_none() {
                self.unconfirmed -= 1;
            }
        }
    }

    /// Writes down that events grew too old.
    pub fn expired(&mut self, bot: &Id, update_ids: &[i64]) {
        for id in update_ids {
            let Some(index) = self.by_update.get(&(bot.clone(), *id)) else { continue };
            let delivery = &mut self.deliveries[*index];
            if delivery.confirmed.is_none() && !delivery.expired {
                delivery.expired = true;
                self.unconfirmed -= 1;
            }
        }
    }
}

/// The journal that is being written. A snapshot costs nothing; the journal is copied only if it grows while somebody
/// still holds a snapshot.
#[derive(Debug)]
pub struct JournalWriter<Id>(Arc<Journal<Id>>);

impl<Id: Clone + Eq + Hash> Default for JournalWriter<Id> {
    fn default() -> Self {
        Self(Arc::new(Journal::new()))
    }
}

impl<Id> JournalWriter<Id> {
    /// What has happened until now.
    pub fn snapshot(&self) -> Arc<Journal<Id>> {
        self.0.clone()
    }
}

impl<Id> Deref for JournalWriter<Id> {
    type Target = Journal<Id>;

    fn deref(&self) -> &Journal<Id> {
        &self.0
    }
}

impl<Id: Clone> DerefMut for JournalWriter<Id> {
    fn deref_mut(&mut self) -> &mut Journal<Id> {
        Arc::make_mut(&mut self.0)
    }
}
