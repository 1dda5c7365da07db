//! The state of the server: bots, people, chats, files, and what the kit keeps.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_fakes::{Clock, Common};
use serde_json::{Value, json};

use crate::bot::Bot;
use crate::chat::{Chat, Kind, Standing};
use crate::file::Files;
use crate::limits::Limiter;
use crate::person::{Person, officials};
use crate::queue::DAY_MS;

/// Where a chat is kept: a private chat belongs to one bot, any other to bot 0.
pub type Place = (i64, i64);

/// A button that was pressed and waits for its answer.
#[derive(Debug, Clone)]
pub struct Press {
    /// The bot that has to answer.
    pub bot: i64,
    pub chat: i64,
    /// When, in milliseconds.
    pub at: i64,
    /// The parameters of the answer.
    pub answer: Option<Value>,
}

#[derive(Debug)]
pub struct World {
    pub common: Common<i64>,
    pub bots: HashMap<i64, Bot>,
    /// The bot that is meant when none is named.
    pub first_bot: i64,
    /// Bots by token.
    pub tokens: HashMap<String, i64>,
    /// Accounts by number, bots among them.
    pub people: HashMap<i64, Person>,
    pub chats: HashMap<Place, Chat>,
    /// Public names in small letters, without the @.
    pub names: HashMap<String, i64>,
    pub files: Files,
    /// Pressed buttons by query id.
    pub presses: HashMap<String, Press>,
    pub limiter: Limiter,
    /// Whether `getUpdates` keeps the pace of the real one: an offset that is asked for again at once waits three
    /// seconds and gets one update.
    pub paced: bool,
    /// Where a server that runs with `--local` puts the files of which it is asked for the path.
    pub local: Option<PathBuf>,
}

impl World {
    pub fn new(clock: Arc<Clock>, seed: u64) -> Self {
        Self {
            common: Common::new(clock, seed),
            bots: HashMap::new(),
            first_bot: 0,
            tokens: HashMap::new(),
            people: officials().into_iter().map(|person| (person.id, person)).collect(),
            chats: HashMap::new(),
            names: HashMap::new(),
            files: Files::default(),
            presses: HashMap::new(),
            limiter: Limiter::default(),
            local: None,
            paced: false,
        }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.common.clock.now_ms()
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.now_ms() / 1000
    }

    /// Registers a bot; the first one is the default.
    pub fn add_bot(&mut self, token: &str, id: i64, name: &str, username: &str) {
        let now_ms = self.now_ms();
        self.bots.entry(id).or_insert_with(|| Bot::new(id, now_ms));
        self.tokens.insert(token.to_owned(), id);
        self.add_person(Person::bot(id, name, username));
        if self.first_bot == 0 {
            self.first_bot = id;
        }
    }

    pub fn add_person(&mut self, person: Person) {
        if let Some(username) = &person.username {
            self.names.insert(username.to_lowercase(), person.id);
        }
        self.people.insert(person.id, person);
    }

    /// A `User`; somebody unknown has no name.
    pub fn user(&self, id: i64) -> Value {
        match self.people.get(&id) {
            Some(person) => person.to_json(),
            None => json!({"id": id, "is_bot": false, "first_name": ""}),
        }
    }

    pub fn place(bot: i64, chat: i64) -> Place {
        if chat > 0 { (bot, chat) } else { (0, chat) }
    }

    pub fn chat(&self, bot: i64, chat: i64) -> Option<&Chat> {
        self.chats.get(&Self::place(bot, chat))
    }

    pub fn chat_mut(&mut self, bot: i64, chat: i64) -> Option<&mut Chat> {
        self.chats.get_mut(&Self::place(bot, chat))
    }

    /// The private chat between somebody and a bot, made if there is none.
    pub fn private(&mut self, bot: i64, user: i64) -> &mut Chat {
        self.chats.entry((bot, user)).or_insert_with(|| {
            let mut chat = Chat::new(user, Kind::Private, "");
            chat.members.extend([(user, Standing::Member), (bot, Standing::Member)]);
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

    /// The number that the next message in a chat gets. All private chats of a bot share one sequence.
    pub fn next_message(&mut self, bot: i64, chat: i64) -> Option<&mut i64> {
        if chat > 0 {
            self.bots.get_mut(&bot).map(|bot| &mut bot.next_message)
        } else {
            self.chat_mut(bot, chat).map(|chat| &mut chat.next_message)
        }
    }

    /// Queues an update for each of these bots that wants to hear of it; returns the first number, or 0.
    pub fn tell(&mut self, bots: &[i64], kind: &str, body: &str, chat: i64) -> i64 {
        let body = format!(r#""{kind}":{body}"#);
        let wants = |bot: &i64| self.bots.get(bot).is_some_and(|bot| bot.wants(kind));
        let bots: Vec<i64> = bots.iter().copied().filter(wants).collect();
        let ids: Vec<i64> = bots.into_iter().map(|bot| self.queue_update(bot, &body, chat)).collect();
        ids.first().copied().unwrap_or_default()
    }

    /// Queues an update that is kept for a day. `body` is what follows its number, as JSON text without braces.
    pub fn queue_update(&mut self, bot: i64, body: &str, chat: i64) -> i64 {
        self.queue_update_for(DAY_MS, bot, body, chat, chat)
    }

    /// Queues an update that is kept for so long. Updates of one lane reach a webhook one after the other.
    pub fn queue_update_for(&mut self, kept_ms: i64, bot: i64, body: &str, chat: i64, lane: i64) -> i64 {
        let now_ms = self.now_ms();
        let Some(known) = self.bots.get_mut(&bot) else { return 0 };
        let id = known.queue.push(kept_ms, body, lane, now_ms, &mut self.common.random);
        known.changed.notify_waiters();
        self.common.journal.expired(&bot, &known.queue.expired());
        self.common.journal.arrived(bot, id, chat, now_ms);
        id
    }

    /// The bots that are in a chat.
    pub fn bots_in(&self, place: Place) -> Vec<i64> {
        if place.0 != 0 {
            return vec![place.0];
        }
        let Some(chat) = self.chats.get(&place) else { return Vec::new() };
        let is_in = |bot: &i64| chat.standing(*bot).is_some_and(Standing::is_in);
        let mut bots: Vec<i64> = self.bots.keys().copied().filter(is_in).collect();
        bots.sort_by_key(|bot| (*bot != self.first_bot, *bot));
        bots
    }
}
