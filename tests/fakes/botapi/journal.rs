//! What happened, in order: what was delivered and confirmed, and what the bots asked for.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

/// How an update reached its bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In an answer to `getUpdates`.
    Poll,
    /// Posted to the bot's webhook.
    Webhook,
}

/// What became of an update. All times are the server's, in milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// The bot that it is for.
    pub bot: i64,
    /// Its number.
    pub update_id: i64,
    /// The chat that it is about, or 0.
    pub chat: i64,
    /// When it came into being.
    pub arrived: i64,
    /// Each time that it was delivered.
    pub delivered: Vec<(i64, Way)>,
    /// When it was confirmed: by an offset above it or by a 2xx.
    pub confirmed: Option<i64>,
    /// Whether it grew too old and was dropped.
    pub expired: bool,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Carried out.
    Done,
    /// Refused, with the status and the words.
    Refused(u16, String),
    /// A fault came before it was carried out.
    Unheard,
}

/// A request of a bot, except `getUpdates`.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Its place in the journal.
    pub number: usize,
    /// When it was carried out.
    pub at: i64,
    /// Who asked.
    pub bot: i64,
    /// The method, as the documentation spells it.
    pub method: String,
    /// The chat, or 0.
    pub chat: i64,
    /// The thread or topic that was asked for.
    pub thread: Option<i64>,
    /// The message that it made or changed.
    pub message: Option<i64>,
    /// Everything that was said, but for files.
    pub params: Map<String, Value>,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the bot was never told.
    pub lost: bool,
}

impl Call {
    /// The `text` or the `caption` as the bot wrote it.
    pub fn text(&self) -> &str {
        let text = |name| self.params.get(name).and_then(Value::as_str);
        text("text").or_else(|| text("caption")).unwrap_or_default()
    }

    /// Whether it put a message in a chat.
    pub fn is_post(&self) -> bool {
        self.method.starts_with("send") && self.message.is_some()
    }

    /// Whether it was carried out.
    pub fn is_done(&self) -> bool {
        self.outcome == Outcome::Done
    }
}

/// The journal that is being written. A reader gets what is there, and only if one still reads while there is more to
/// write it is copied.
#[derive(Debug, Default)]
pub(crate) struct Diary(Arc<Journal>);

impl Diary {
    /// What has happened until now.
    pub fn snapshot(&self) -> Arc<Journal> {
        self.0.clone()
    }
}

impl Deref for Diary {
    type Target = Journal;

    fn deref(&self) -> &Journal {
        &self.0
    }
}

impl DerefMut for Diary {
    fn deref_mut(&mut self) -> &mut Journal {
        Arc::make_mut(&mut self.0)
    }
}

/// Everything that happened.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    calls: Vec<Arc<Call>>,
    by_chat: HashMap<i64, Vec<usize>>,
    deliveries: Vec<Delivery>,
    by_update: HashMap<(i64, i64), usize>,
    by_number: HashMap<i64, usize>,
    unconfirmed: usize,
    polls: u64,
}

impl Journal {
    /// Every request, in order.
    pub fn calls(&self) -> &[Arc<Call>] {
        &self.calls
    }

    /// Requests from this place on; 0 is the first.
    pub fn calls_since(&self, number: usize) -> &[Arc<Call>] {
        self.calls.get(number..).unwrap_or_default()
    }

    /// Requests about one chat, in order.
    pub fn calls_in(&self, chat: impl Into<i64>) -> Vec<Arc<Call>> {
        let numbers = self.by_chat.get(&chat.into()).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().map(|number| self.calls[*number].clone()).collect()
    }

    /// Requests that put a message in this chat, in order; also those whose answer was lost.
    pub fn posts_in(&self, chat: impl Into<i64>) -> Vec<Arc<Call>> {
        self.calls_in(chat).into_iter().filter(|call| call.is_post()).collect()
    }

    /// How many requests there were about one chat; costs nothing.
    pub fn count_in(&self, chat: impl Into<i64>) -> usize {
        self.by_chat.get(&chat.into()).map_or(0, Vec::len)
    }

    /// Every request for one method, in order.
    pub fn calls_of(&self, method: &str) -> Vec<Arc<Call>> {
        self.calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    /// Every update, in order.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// One update; of the first bot, if several have one of that number.
    pub fn delivery(&self, update_id: i64) -> Option<&Delivery> {
        self.by_number.get(&update_id).map(|at| &self.deliveries[*at])
    }

    /// One update of one bot.
    pub fn delivery_to(&self, bot: i64, update_id: i64) -> Option<&Delivery> {
        self.by_update.get(&(bot, update_id)).map(|at| &self.deliveries[*at])
    }

    /// How many updates wait: they were neither confirmed nor grew too old.
    pub fn unconfirmed(&self) -> usize {
        self.unconfirmed
    }

    /// How often `getUpdates` was asked.
    pub fn polls(&self) -> u64 {
        self.polls
    }

    pub(crate) fn asked(&mut self) {
        self.polls += 1;
    }

    pub(crate) fn called(&mut self, mut call: Call) {
        call.number = self.calls.len();
        self.by_chat.entry(call.chat).or_default().push(call.number);
        self.calls.push(Arc::new(call));
    }

    pub(crate) fn arrived(&mut self, bot: i64, update_id: i64, chat: i64, at: i64) {
        self.by_update.insert((bot, update_id), self.deliveries.len());
        self.by_number.entry(update_id).or_insert(self.deliveries.len());
        self.unconfirmed += 1;
        let delivered = Vec::new();
        self.deliveries.push(Delivery {
            bot,
            update_id,
            chat,
            arrived: at,
            delivered,
            confirmed: None,
            expired: false,
        });
    }

    pub(crate) fn delivered(&mut self, bot: i64, update_id: i64, at: i64, way: Way) {
        if let Some(delivery) = self.by_update.get(&(bot, update_id)).map(|at| &mut self.deliveries[*at]) {
            delivery.delivered.push((at, way));
        }
    }

    pub(crate) fn confirmed(&mut self, bot: i64, update_id: i64, at: i64) {
        if let Some(delivery) = self.by_update.get(&(bot, update_id)).map(|at| &mut self.deliveries[*at])
            && delivery.confirmed.replace(at).is_none()
        {
            self.unconfirmed -= 1;
        }
    }

    pub(crate) fn expired(&mut self, bot: i64, update_ids: &[i64]) {
        for id in update_ids {
            let delivery = self.by_update.get(&(bot, *id)).map(|at| &mut self.deliveries[*at]);
            if let Some(delivery) = delivery.filter(|delivery| delivery.confirmed.is_none()) {
                delivery.expired = true;
                self.unconfirmed -= 1;
            }
        }
    }
}
