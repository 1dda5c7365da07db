//! What people do all day, each in a loop of their own.

use std::sync::Arc;

use frontdesk_botapi::{BOT, Content, Sent, TOKEN, User};
use serde_json::{Value, json};

use crate::book::{Act, Deed, Lot};
use crate::cast::{
    ADA, ANNA, BERT, BOARD, CARL, FIRST_STRAW, FORUM, GUESTS, MALLORY, NORA, OTTO, PLAZA, Place, STAN,
    STREET, WENDY,
};
use crate::dice::Dice;
use crate::script::{self, Script, fingerprint};
use crate::world::{Said, World};

/// What the first bot is called in groups.
const NAME: &str = "@frontdesk_bot";
const MARKS: [&str; 4] = ["👍", "❤", "🔥", "🎉"];

/// Somebody at a place, with what they said there last.
pub struct Person {
    world: Arc<World>,
    user: User,
    place: Arc<Place>,
    lot: Lot,
    dice: Dice,
    said: Vec<Sent>,
    marked: i64,
}

impl Person {
    pub fn new(world: &Arc<World>, person: i64, place: &Arc<Place>, dice: Dice) -> Self {
        let user = world.api.user(person, &format!("P{person}"));
        let lot = place.lot(person);
        Self { world: world.clone(), user, place: place.clone(), lot, dice, said: Vec::new(), marked: 0 }
    }

    /// The text as it is written here, and what becomes of it.
    fn dressed(&mut self, text: &str) -> (String, Lot) {
        if !self.place.wants_a_name() {
            return (text.to_owned(), self.lot);
        }
        match (self.dice.permille(750), self.lot, self.place.chat) {
            (true, lot, _) => (format!("{NAME} {text}"), lot),
            (false, Lot::Answered, PLAZA) => (text.to_owned(), Lot::Overheard),
            (false, Lot::Answered, _) => (text.to_owned(), Lot::Passed("ignored:not_for_us")),
            (false, lot, _) => (text.to_owned(), lot),
        }
    }

    fn note(&self, sent: Sent, deed: Deed, said: Said, lot: Lot) {
        self.world.note(&self.place, self.user.id, sent, deed, said, lot);
    }

    fn script(&mut self) -> Script {
        self.world.script(&self.place, self.user.id, &mut self.dice)
    }

    pub async fn says(&mut self) {
        let script = self.script();
        let (text, lot) = self.dressed(&script.text());
        let mut draft = self.user.message(self.world.spot(&self.place)).text(&text);
        if self.place.bot != BOT {
            draft = draft.to_bot(self.world.bot(self.place.bot));
        }
        let sent = draft.send().await;
        self.note(sent, Deed::Says, Said::script(script), lot);
        // What is not for the bot may become so by an edit; that is another story.
        if !matches!(lot, Lot::Overheard | Lot::Passed("ignored:not_for_us")) {
            self.said.push(sent);
            if self.said.len() > 3 {
                self.said.remove(0);
            }
        }
    }

    async fn edits(&mut self) {
        if self.said.is_empty() {
            return self.says().await;
        }
        let index = usize::try_from(self.dice.range(0, self.said.len() as u64 - 1)).unwrap_or(0);
        let (sent, script) = (self.said[index], self.script());
        let text = match self.place.wants_a_name() {
            true => format!("{NAME} {}", script.text()),
            false => script.text(),
        };
        let edited = self.user.edits(self.world.spot(&self.place), sent, &text).await;
        self.note(edited, Deed::Edits, Said::script(script), self.lot);
    }

    async fn brings(&mut self) {
        let script = self.script();
        let (text, lot) = self.dressed(&script.text());
        let bytes = script::bytes(&script.tag, self.dice.range(1, 400_000));
        let mut said = Said::script(script);
        said.files.push(fingerprint(&bytes));
        let content = Content::of(bytes).named(&format!("{}.bin", self.place.name));
        let draft = self.user.message(self.world.spot(&self.place)).text(&text);
        let draft = if self.dice.permille(500) { draft.photo(content) } else { draft.document(content) };
        let sent = draft.send().await;
        self.note(sent, Deed::Brings, said, lot);
    }

    async fn brings_album(&mut self) {
        let script = self.script();
        let album = script.tag.clone();
        for piece in 0..self.dice.range(2, 3) {
            let bytes = script::bytes(&format!("{album}-{piece}"), self.dice.range(1, 50_000));
            let mut said = if piece == 0 { Said::script(script.clone()) } else { Said::default() };
            said.files.push(fingerprint(&bytes));
            let mut draft =
                self.user.message(self.world.spot(&self.place)).album(&album).photo(Content::of(bytes));
            let mut lot = self.lot;
            if piece == 0 {
                let name = if self.place.wants_a_name() { format!("{NAME} ") } else { String::new() };
                draft = draft.text(&format!("{name}{}", script.text()));
            } else if self.place.wants_a_name() && lot == Lot::Answered {
                lot = Lot::Heard;
            }
            let sent = draft.send().await;
            self.note(sent, Deed::BringsPiece, said, lot);
        }
    }

    /// Presses a button under a message that the bot sent in another life.
    async fn presses(&mut self) {
        let script = Script { tag: self.world.tag(&self.place, self.user.id), deed: script::Deed::Echo };
        let data = script.text();
        let keyboard = json!([[{"text": "go", "callback_data": data}]]);
        let body = json!({
            "chat_id": self.place.chat, "text": "a button", "reply_markup": {"inline_keyboard": keyboard},
        });
        let url = format!("{}/bot{TOKEN}/sendMessage", self.world.api.url());
        let Ok(answer) = self.world.http.post(url).json(&body).send().await else { return };
        let Ok(answer) = answer.json::<Value>().await else { return };
        // Some requests fail: that is the weather.
        let Some(message) = answer["result"]["message_id"].as_i64() else { return };
        let sent = self.user.presses(self.world.spot(&self.place), message, &data).await;
        self.note(sent, Deed::Presses, Said::script(script), self.lot);
    }

    pub async fn commands(&mut self, command: &str) {
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        let name = if self.place.is_private() { "" } else { NAME };
        let text = format!("{word}{name} {rest}");
        let sent = self.user.says(self.world.spot(&self.place), text.trim_end()).await;
        let lot = if self.lot == Lot::Answered { Lot::Replied } else { self.lot };
        self.note(sent, Deed::Commands, Said::words(command), lot);
    }

    /// Puts a mark on the last message of the bot.
    async fn reacts(&mut self) {
        let last =
            self.world.api.journal().calls_in(self.place.chat).iter().rev().find_map(|call| call.message);
        let Some(message) = last.filter(|message| *message > self.marked) else { return };
        self.marked = message;
        let mark = MARKS[usize::try_from(self.dice.range(0, 3)).unwrap_or(0)];
        let sent = self.user.reacts(self.world.spot(&self.place), message, mark).await;
        self.note(sent, Deed::Reacts, Said::default(), Lot::Overheard);
    }

    /// One of all these things.
    async fn acts(&mut self) {
        match self.dice.range(0, 99) {
            0..=54 => self.says().await,
            55..=62 => self.brings().await,
            63..=64 if [PLAZA, self.user.id].contains(&self.place.chat) => self.brings_album().await,
            65..=78 => self.edits().await,
            79..=83 if self.place.is_private() || self.place.chat == BOARD => self.presses().await,
            84..=87 => self.commands("/status").await,
            88..=89 => self.commands("/whoami").await,
            90..=92 if self.place.is_private() => self.reacts().await,
            // The answer to the first version may be on its way already.
            _ => {
                self.says().await;
                self.world.pause(&mut self.dice, 0, 30).await;
                self.edits().await;
            }
        }
    }
}

/// A bot cannot write to admins who have never written to it.
pub async fn begin(world: &Arc<World>) {
    for admin in [ADA, OTTO] {
        Person::new(world, admin, &Arc::new(Place::private(admin)), Dice::new(0)).commands("/start").await;
    }
}

/// Somebody who talks to the first bot in private.
pub async fn talker(world: Arc<World>, person: i64, mut dice: Dice) {
    let place = Arc::new(Place::private(person));
    let mut me = Person::new(&world, person, &place, dice.fork(1));
    loop {
        world.pause(&mut dice, 120, 520).await;
        match person {
            NORA if dice.permille(200) => me.commands("/new").await,
            NORA => me.says().await,
            STAN => {
                me.says().await;
                world.pause(&mut dice, 20, 200).await;
                if dice.permille(500) {
                    me.commands("/stop").await;
                }
            }
            _ => me.acts().await,
        }
    }
}

/// All who meet in groups, allowed and not.
pub async fn crowd(world: Arc<World>, mut dice: Dice) {
    let mut places = vec![Place::group("plaza", PLAZA, None), Place::group("board", BOARD, None)];
    places
        .extend(world.topics.iter().map(|topic| Place::group(&format!("topic{topic}"), FORUM, Some(*topic))));
    places.push(Place::group("street", STREET, None));
    let mut people = Vec::new();
    for (n, place) in (0..).zip(places.into_iter().map(Arc::new)) {
        for person in [ANNA, BERT, CARL, MALLORY] {
            let fork = dice.fork(1000 * n + person.unsigned_abs());
            people.push(Person::new(&world, person, &place, fork));
        }
    }
    loop {
        world.pause(&mut dice, 40, 200).await;
        let index = usize::try_from(dice.next() % people.len() as u64).unwrap_or(0);
        // The street is there to be ignored; a little of it is enough.
        if people[index].place.chat != STREET || dice.permille(300) {
            people[index].acts().await;
        }
    }
}

/// The second bot's people, and those whom it does not know.
pub async fn workers(world: Arc<World>, mut dice: Dice) {
    let person = |id| Person::new(&world, id, &Arc::new(Place::work(id)), dice.fork(id.unsigned_abs()));
    let mut people = [WENDY, WENDY, ANNA, MALLORY].map(person);
    loop {
        world.pause(&mut dice, 150, 600).await;
        let index = usize::try_from(dice.range(0, 3)).unwrap_or(0);
        people[index].says().await;
    }
}

/// People who are let in and shut out all the time, and talk on.
pub async fn guests(world: Arc<World>, mut dice: Dice) {
    let person =
        |id: i64| Person::new(&world, id, &Arc::new(Place::private(id)), dice.fork(id.unsigned_abs()));
    let mut people = GUESTS.map(person);
    loop {
        world.pause(&mut dice, 60, 260).await;
        let index = usize::try_from(dice.range(0, 1)).unwrap_or(0);
        if dice.permille(60) { people[index].commands("/status").await } else { people[index].says().await }
    }
}

/// The admins at work, and somebody who would like to be one.
pub async fn admins(world: Arc<World>, mut dice: Dice) {
    let at = |person: i64, place: Place| {
        Person::new(&world, person, &Arc::new(place), dice.fork(person.unsigned_abs()))
    };
    let mut ada = at(ADA, Place::private(ADA));
    let mut otto = at(OTTO, Place::private(OTTO));
    let mut board = at(ADA, Place::group("board", BOARD, None));
    let mut carl = at(CARL, Place::private(CARL));
    let mut straws = FIRST_STRAW..;
    loop {
        world.pause(&mut dice, 100, 700).await;
        let guest = GUESTS[usize::try_from(dice.range(0, 1)).unwrap_or(0)];
        let admin = if dice.permille(500) { &mut ada } else { &mut otto };
        match dice.range(0, 99) {
            0..=24 => admin.commands(&format!("/gateway allow telegram {guest}")).await,
            25..=44 => admin.commands(&format!("/gateway revoke telegram {guest}")).await,
            45..=59 => {
                let straw = straws.next().unwrap_or(FIRST_STRAW);
                admin.commands(&format!("/gateway allow telegram {straw}")).await;
            }
            60..=67 => {
                board.commands("/gateway mute").await;
                world.pause(&mut dice, 200, 900).await;
                board.commands("/gateway unmute").await;
            }
            68..=77 => admin.commands("/gateway status").await,
            78..=83 => carl.commands("/gateway status").await,
            84..=89 => carl.commands(&format!("/gateway allow telegram {guest}")).await,
            _ => admin.says().await,
        }
    }
}

/// The server brings again what was confirmed long ago; at bad times also what was not. Of what was not heard when it
/// came nothing is kept by which it could be known: where people are let in and chats are muted it would be heard
/// the second time.
pub async fn echo(world: Arc<World>, mut dice: Dice) {
    loop {
        world.pause(&mut dice, 100, 500).await;
        let stays = |act: &&Act| act.lot != Lot::IfAllowed && act.place.chat != BOARD;
        let recent: Vec<(i64, i64)> =
            world.book().acts.iter().rev().take(80).filter(stays).map(Act::key).collect();
        if recent.is_empty() {
            continue;
        }
        let (bot, update) = recent[usize::try_from(dice.next() % recent.len() as u64).unwrap_or(0)];
        let shuffling = world.shuffling.load(std::sync::atomic::Ordering::Relaxed);
        let confirmed =
            world.api.journal().delivery_to(bot, update).is_some_and(|delivery| delivery.confirmed.is_some());
        if confirmed || shuffling {
            world.bot(bot).hears_again(update);
        }
    }
}
