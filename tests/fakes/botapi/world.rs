//! Everything there is: bots, people, chats, files, and the journal of what happened.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::bot::Bot;
use crate::chat::{Chat, Kind, Standing};
use crate::clock::Clock;
use crate::dice::Dice;
use crate::fault::Faults;
use crate::file::Files;
use crate::flood::Flood;
use crate::journal::Diary;
use crate::person::{Person, officials};

/// A private chat belongs to one bot; the others to nobody.
pub type Place = (i64, i64);

/// A button that was pressed and waits for its answer.
#[derive(Debug, Clone)]
pub struct Press {
    /// The bot that has to answer.
    pub bot: i64,
    /// The chat with the button.
    pub chat: i64,
    /// When, in milliseconds.
    pub at: i64,
    /// What was answered: the parameters.
    pub answer: Option<Value>,
}

/// The state of the server.
#[derive(Debug)]
pub struct World {
    /// Its time.
    pub clock: Arc<Clock>,
    /// Bots by number.
    pub bots: HashMap<i64, Bot>,
    /// The bot that is meant when none is named.
    pub first_bot: i64,
    /// Who a token belongs to.
    pub tokens: HashMap<String, i64>,
    /// Accounts by number, bots among them.
    pub people: HashMap<i64, Person>,
    /// Chats by owner and number.
    pub chats: HashMap<Place, Chat>,
    /// Public names, in small letters, without the @.
    pub names: HashMap<String, i64>,
    /// What was sent as a file.
    pub files: Files,
    /// Pressed buttons by query id.
    pub presses: HashMap<String, Press>,
    /// What happened.
    pub journal: Diary,
    /// Flood control.
    pub flood: Flood,
    /// What goes wrong.
    pub faults: Faults,
    /// Whether `getUpdates` keeps the pace of the real one: an offset that is asked for again at once waits three
    /// seconds and gets one update.
    pub paced: bool,
    /// Chance.
    pub dice: Dice,
}

impl World {
    /// Nobody but the official accounts.
    pub fn new(clock: Arc<Clock>, seed: u64) -> Self {
        Self {
            clock,
            bots: HashMap::new(),
            first_bot: 0,
            tokens: HashMap::new(),
            people: officials().into_iter().map(|person| (person.id, person)).collect(),
            chats: HashMap::new(),
            names: HashMap::new(),
            files: Files::default(),
            presses: HashMap::new(),
            journal: Diary::default(),
            flood: Flood::default(),
            faults: Faults::default(),
            paced: false,
            dice: Dice::new(seed),
        }
    }

    /// Milliseconds since 1970, as the server counts.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.now_ms() / 1000
    }

    /// Registers a bot; the first one is the default.
    pub fn add_bot(&mut self, token: &str, id: i64, name: &str, username: &str) {
        let person = Person { username: Some(username.to_owned()), is_bot: true, ..Person::new(id, name) };
        self.bots.entry(id).or_insert_with(|| Bot::new(id, self.clock.now_ms()));
        self.tokens.insert(token.to_owned(), id);
        self.names.insert(username.to_lowercase(), id);
        self.people.insert(id, person);
        if self.first_bot == 0 {
            self.first_bot = id;
        }
    }

    /// A `User`; somebody unknown has no name.
    pub fn user(&self, id: i64) -> Value {
        match self.people.get(&id) {
            Some(person) => person.to_json(),
            None => json!({"id": id, "is_bot": false, "first_name": ""}),
        }
    }

    /// Where a chat of this bot is kept.
    pub fn place(bot: i64, chat: i64) -> Place {
        if chat > 0 { (bot, chat) } else { (0, chat) }
    }

    /// A chat as this bot knows it.
    pub fn chat(&self, bot: i64, chat: i64) -> Option<&Chat> {
        self.chats.get(&Self::place(bot, chat))
    }

    /// A chat as this bot knows it, to be changed.
    pub fn chat_mut(&mut self, bot: i64, chat: i64) -> Option<&mut Chat> {
        self.chats.get_mut(&Self::place(bot, chat))
    }

    /// The private chat between somebody and a bot, made if there is none.
    pub fn private(&mut self, bot: i64, user: i64) -> &mut Chat {
        self.chats.entry((bot, user)).or_insert_with(|| {
            let mut chat = Chat::new(user, Kind::Private, "");
            chat.members.insert(user, Standing::Member);
            chat.members.insert(bot, Standing::Member);
            chat
        })
    }

    /// A `Chat`, as messages carry it.
    pub fn chat_json(&self, bot: i64, id: i64) -> Value {
        match self.chat(bot, id) {
            Some(chat) if chat.kind != Kind::Private => chat.to_json(),
            _ => self.people.get(&id).map_or_else(|| json!({"id": id, "type": "private"}), Person::to_chat),
        }
    }

    /// The number of the next message in a chat.
    pub fn next_message(&mut self, bot: i64, chat: i64) -> i64 {
        let next = match self.bots.get_mut(&bot) {
            // All private chats of an account share one row of numbers.
            Some(bot) if chat > 0 => Some(&mut bot.next_message),
            _ => self.chats.get_mut(&Self::place(bot, chat)).map(|chat| &mut chat.next_message),
        };
        let Some(next) = next else { return 0 };
        *next += 1;
        *next - 1
    }

    /// Queues an update for a bot, if it wants to hear of it; `body` is JSON text.
    pub fn tell(&mut self, bot: i64, kind: &str, body: &str, chat: i64) -> Option<i64> {
        let now = self.now_ms();
        let known = self.bots.get_mut(&bot)?;
        if !known.wants(kind) {
            return None;
        }
        Some(self.tell_raw(bot, &format!(r#""{kind}":{body}"#), chat, now))
    }

    /// Queues any update at all: `body` is what follows its number, as JSON text without braces.
    pub fn tell_raw(&mut self, bot: i64, body: &str, chat: i64, now_ms: i64) -> i64 {
        let Some(known) = self.bots.get_mut(&bot) else { return 0 };
        let id = known.queue.push(body, chat, now_ms, &mut self.dice);
        known.bell.notify_waiters();
        self.journal.expired(bot, &known.queue.expired());
        self.journal.arrived(bot, id, chat, now_ms);
        id
    }

    /// The bots that are in a chat.
    pub fn bots_in(&self, place: Place) -> Vec<i64> {
        if place.0 != 0 {
            return vec![place.0];
        }
        let Some(chat) = self.chats.get(&place) else { return Vec::new() };
        let mut bots: Vec<i64> = self
            .bots
            .keys()
            .copied()
            .filter(|bot| chat.standing(*bot).is_some_and(Standing::is_in))
            .collect();
        bots.sort_by_key(|bot| (*bot != self.first_bot, *bot));
        bots
    }
}
