//! What everybody shares.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_botapi::{BOT, BotApi, Robot, Room, Sent, User};

use crate::book::{Act, Book, Deed, Lot};
use crate::cast::{
    ADA, ANNA, BERT, BOARD, CARL, FORUM, GUESTS, MALLORY, NORA, OTTO, PLAZA, Place, STAN, STREET, WENDY,
    WORK_BOT, WORK_TOKEN,
};
use crate::clock;
use crate::dice::Dice;
use crate::script::{self, Script};

/// The server and everybody on it.
pub struct World {
    pub api: BotApi,
    /// Asks the server as the bots do.
    pub http: reqwest::Client,
    bots: [Robot; 2],
    rooms: Vec<Room>,
    /// The topics of the forum.
    pub topics: Vec<i64>,
    /// In every text, so that it can be looked for where no text belongs.
    pub mark: String,
    book: Mutex<Book>,
    numbers: AtomicU64,
    calm: AtomicBool,
    /// Updates may come in the wrong order at this time.
    pub shuffling: AtomicBool,
}

impl World {
    pub async fn new(seed: u64, http: reqwest::Client) -> std::io::Result<Arc<Self>> {
        let api = BotApi::start_with(([127, 0, 0, 1], 0).into(), seed).await?;
        let names = [
            (ANNA, "Anna"),
            (BERT, "Bert"),
            (CARL, "Carl"),
            (NORA, "Nora"),
            (STAN, "Stan"),
            (ADA, "Ada"),
            (OTTO, "Otto"),
            (GUESTS[0], "Gina"),
            (GUESTS[1], "Gus"),
            (WENDY, "Wendy"),
            (MALLORY, "Mallory"),
        ];
        let people: Vec<User> = names.into_iter().map(|(id, name)| api.user(id, name)).collect();
        let rooms = vec![
            api.supergroup(PLAZA, "Plaza"),
            api.supergroup(BOARD, "Board"),
            api.forum(FORUM, "Forum"),
            api.supergroup(STREET, "Street"),
        ];
        for person in people.iter().take(7).chain(people.last()) {
            for room in &rooms {
                person.joins(room).await;
            }
        }
        let mut topics = Vec::new();
        for name in ["Plans", "News"] {
            topics.extend(rooms[2].topic(&people[0], name).await.thread);
        }
        // It is in no group: they were there before it.
        let work = api.bot(WORK_TOKEN, WORK_BOT, "frontdesk_work_bot");
        let bots = [api.default_bot(), work];
        Ok(Arc::new(Self {
            api,
            http,
            bots,
            rooms,
            topics,
            mark: format!("q{:08x}", seed & 0xffff_ffff),
            book: Mutex::default(),
            numbers: AtomicU64::default(),
            calm: AtomicBool::default(),
            shuffling: AtomicBool::default(),
        }))
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn bot(&self, id: i64) -> &Robot {
        &self.bots[usize::from(id != BOT)]
    }

    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub fn calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    /// Waits; longer while nobody may do anything.
    pub async fn pause(&self, dice: &mut Dice, low: u64, high: u64) {
        clock::pause_ms(dice.range(low, high)).await;
        while self.is_calm() {
            clock::pause_ms(20).await;
        }
    }

    /// A tag for something that is said here; it says where and by whom.
    pub fn tag(&self, place: &Place, person: i64) -> String {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        format!("{}-{}-{person}-{number}", self.mark, place.name)
    }

    /// Something that the agent is to do.
    pub fn script(&self, place: &Place, person: i64, dice: &mut Dice) -> Script {
        let tag = self.tag(place, person);
        match dice.permille(40) {
            true => Script { tag, deed: script::Deed::Send { bytes: dice.range(1, 200_000) } },
            false => Script::draw(tag, false, dice),
        }
    }

    /// The chat or the topic, as the server wants it.
    pub fn spot(&self, place: &Place) -> frontdesk_botapi::Spot {
        match self.rooms.iter().find(|room| room.id == place.chat) {
            Some(room) => {
                let mut room = room.clone();
                room.thread = place.thread;
                (&room).into()
            }
            None => place.chat.into(),
        }
    }

    /// Puts down what somebody did. Of what no bot hears nothing follows.
    pub fn note(&self, place: &Arc<Place>, person: i64, sent: Sent, deed: Deed, said: Said, lot: Lot) {
        if sent.update_id == 0 {
            return;
        }
        let act = Act {
            update: sent.update_id,
            message: sent.message_id,
            place: place.clone(),
            person,
            deed,
            text: said.text,
            script: said.script,
            files: said.files,
            lot,
            at: clock::now(),
            shuffled: self.shuffling.load(Ordering::Relaxed),
        };
        self.book().acts.push(act);
    }
}

/// What an act said and brought.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub text: String,
    pub script: Option<Script>,
    pub files: Vec<String>,
}

impl Said {
    pub fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub fn script(script: Script) -> Self {
        Self { text: script.text(), script: Some(script), files: Vec::new() }
    }
}
