//! Those who act in a test: people, the chats that they are in, and bots.

use std::sync::Arc;

use crate::acts::{Attachment, Forward, Say, Sent};
use crate::api::BOT;
use crate::chat::Standing;
use crate::file::Content;
use crate::server::Shared;
use crate::view::Shown;
use crate::world::World;

/// Where somebody writes: a chat, and perhaps a topic in it.
#[derive(Debug, Clone, Copy)]
pub struct Spot {
    chat: i64,
    thread: Option<i64>,
}

impl From<i64> for Spot {
    fn from(chat: i64) -> Self {
        Self { chat, thread: None }
    }
}

/// A chat that is not private, or one topic of it.
#[derive(Clone)]
pub struct Room {
    shared: Arc<Shared>,
    /// The chat's number.
    pub id: i64,
    /// The topic, if it is one.
    pub thread: Option<i64>,
}

impl From<&Room> for Spot {
    fn from(room: &Room) -> Self {
        Self { chat: room.id, thread: room.thread }
    }
}

impl From<&Room> for i64 {
    fn from(room: &Room) -> Self {
        room.id
    }
}

impl Room {
    pub(crate) fn new(shared: Arc<Shared>, id: i64) -> Self {
        Self { shared, id, thread: None }
    }

    /// Somebody opens a topic.
    pub async fn topic(&self, by: &User, name: &str) -> Self {
        let thread = self.shared.change(|world| world.open_topic(BOT, self.id, by.id, name));
        Self { thread: Some(thread), ..self.clone() }
    }

    /// The topic is deleted, with everything in it.
    pub async fn is_deleted(&self) {
        if let Some(thread) = self.thread {
            self.shared.change(|world| world.delete_topic(self.id, thread));
        }
    }

    /// A post in a channel.
    pub async fn posts(&self, text: &str) -> Sent {
        act(&self.shared, &Say { chat: self.id, text: Some(text.to_owned()), ..Say::default() })
    }

    /// The channel's post as the platform carries it into the group that is linked to it.
    pub async fn carries(&self, post: Sent, into: &Self, text: &str) -> Sent {
        act(
            &self.shared,
            &Say {
                chat: into.id,
                from: crate::person::TELEGRAM,
                as_chat: Some(self.id),
                automatic: true,
                forward: Some(Forward::Channel(self.id, post.message_id)),
                text: Some(text.to_owned()),
                ..Say::default()
            },
        )
    }

    /// The group becomes a supergroup of this number.
    pub async fn migrates(&self, to: i64) -> Self {
        done(self.shared.change(|world| world.migrate(self.id, to)));
        Self { id: to, thread: None, shared: self.shared.clone() }
    }

    /// Makes a bot an administrator.
    pub async fn promotes(&self, bot: &Robot) -> Sent {
        self.shared.change(|world| world.stand(bot.id, self.id, bot.id, Standing::Administrator))
    }

    /// A bot comes into the chat.
    pub async fn adds(&self, bot: &Robot, by: &User) -> Sent {
        done(self.shared.change(|world| world.join(bot.id, self.id, bot.id, by.id)))
    }

    /// A bot is thrown out.
    pub async fn kicks(&self, bot: &Robot, by: &User) -> Sent {
        done(self.shared.change(|world| world.part(bot.id, self.id, bot.id, by.id)))
    }

    /// What it shows now.
    pub fn shows(&self) -> Vec<Shown> {
        self.shared.world().shows(BOT, self.id)
    }
}

/// Somebody with an account.
#[derive(Clone)]
pub struct User {
    shared: Arc<Shared>,
    /// The account's number, which is also that of the private chat.
    pub id: i64,
}

impl From<&User> for Spot {
    fn from(user: &User) -> Self {
        user.id.into()
    }
}

impl From<&User> for i64 {
    fn from(user: &User) -> Self {
        user.id
    }
}

impl User {
    pub(crate) fn new(shared: Arc<Shared>, id: i64) -> Self {
        Self { shared, id }
    }

    /// Presses "start" in the private chat with the default bot.
    pub async fn starts(&self) -> Sent {
        self.tells("/start").await
    }

    /// Writes to the default bot in private.
    pub async fn tells(&self, text: &str) -> Sent {
        self.says(self, text).await
    }

    /// Writes in a chat.
    pub async fn says(&self, to: impl Into<Spot>, text: &str) -> Sent {
        self.message(to).text(text).send().await
    }

    /// A message with more to it than a text.
    pub fn message(&self, to: impl Into<Spot>) -> Draft {
        let Spot { chat, thread } = to.into();
        let say = Say { chat, thread, from: self.id, ..Say::default() };
        Draft { shared: self.shared.clone(), say }
    }

    /// Changes what they wrote.
    pub async fn edits(&self, to: impl Into<Spot>, message: Sent, text: &str) -> Sent {
        let chat = to.into().chat;
        done(self.shared.change(|world| world.edit(BOT, chat, message.message_id, text, None)))
    }

    /// Takes a message back.
    pub async fn deletes(&self, to: impl Into<Spot>, message: Sent) {
        let chat = to.into().chat;
        done(self.shared.change(|world| world.withdraw(BOT, chat, message.message_id)));
    }

    /// Reacts to a message; an empty text takes the reaction back.
    pub async fn reacts(&self, to: impl Into<Spot>, message_id: i64, emoji: &str) -> Sent {
        let emoji: Vec<String> = emoji.split_whitespace().map(str::to_owned).collect();
        let chat = to.into().chat;
        done(self.shared.change(|world| world.react(BOT, chat, message_id, self.id, &emoji)))
    }

    /// Presses the button with this label or data.
    pub async fn presses(&self, to: impl Into<Spot>, message_id: i64, button: &str) -> Sent {
        let chat = to.into().chat;
        done(self.shared.change(|world| world.press(BOT, chat, message_id, self.id, button))).0
    }

    /// Blocks the default bot.
    pub async fn blocks(&self) -> Sent {
        self.shared.change(|world| {
            world.private(BOT, self.id);
            world.stand(BOT, self.id, BOT, Standing::Kicked)
        })
    }

    /// Unblocks the default bot.
    pub async fn unblocks(&self) -> Sent {
        self.shared.change(|world| world.stand(BOT, self.id, BOT, Standing::Member))
    }

    /// Comes into a chat.
    pub async fn joins(&self, room: &Room) -> Sent {
        done(self.shared.change(|world| world.join(BOT, room.id, self.id, self.id)))
    }

    /// Leaves a chat.
    pub async fn leaves(&self, room: &Room) -> Sent {
        done(self.shared.change(|world| world.part(BOT, room.id, self.id, self.id)))
    }

    /// Deletes the account.
    pub async fn deactivates(&self) {
        self.shared.change(|world| {
            if let Some(person) = world.people.get_mut(&self.id) {
                person.deactivated = true;
            }
        });
    }

    /// What the private chat with the default bot shows now.
    pub fn sees(&self) -> Vec<Shown> {
        self.shared.world().shows(BOT, self.id)
    }
}

/// A message that is being written.
#[must_use = "a message is written by `send`"]
pub struct Draft {
    shared: Arc<Shared>,
    say: Say,
}

impl Draft {
    /// The text, or the caption of what is attached.
    pub fn text(mut self, text: &str) -> Self {
        self.say.text = Some(text.to_owned());
        self
    }

    /// The text with HTML tags.
    pub fn html(mut self, text: &str) -> Self {
        self.say.parse_mode = Some("HTML".to_owned());
        self.text(text)
    }

    /// Something attached.
    pub fn with(mut self, attachment: Attachment) -> Self {
        self.say.attachment = Some(attachment);
        self
    }

    /// A photo.
    pub fn photo(self, content: Content) -> Self {
        self.with(Attachment::Photo(content.into()))
    }

    /// A file.
    pub fn document(self, content: Content) -> Self {
        self.with(Attachment::Document(content.into()))
    }

    /// A voice message.
    pub fn voice(self, content: Content) -> Self {
        self.with(Attachment::Voice(content.into()))
    }

    /// The album that it belongs to.
    pub fn album(mut self, album: &str) -> Self {
        self.say.album = Some(album.to_owned());
        self
    }

    /// The message that it replies to.
    pub fn reply_to(mut self, message_id: i64) -> Self {
        self.say.reply_to = Some(message_id);
        self
    }

    /// The words that it quotes of it.
    pub fn quote(mut self, words: &str) -> Self {
        self.say.quote = Some(words.to_owned());
        self
    }

    /// Where it was forwarded from.
    pub fn forwarded(mut self, from: Forward) -> Self {
        self.say.forward = Some(from);
        self
    }

    /// Written as a chat: in a group as itself by an anonymous administrator, or as a channel.
    pub fn as_chat(mut self, chat: impl Into<i64>) -> Self {
        self.say.as_chat = Some(chat.into());
        self
    }

    /// Written to this bot instead of the default one.
    pub fn to_bot(mut self, bot: &Robot) -> Self {
        self.say.bot = Some(bot.id);
        self
    }

    /// A field that is added as it stands.
    pub fn field(mut self, name: &str, value: serde_json::Value) -> Self {
        self.say.extra.insert(name.to_owned(), value);
        self
    }

    /// Sends it.
    pub async fn send(self) -> Sent {
        act(&self.shared, &self.say)
    }
}

/// A bot, as the one who runs it sees it.
#[derive(Clone)]
pub struct Robot {
    shared: Arc<Shared>,
    /// The account's number.
    pub id: i64,
    /// What it proves itself with.
    pub token: String,
}

impl Robot {
    pub(crate) fn new(shared: Arc<Shared>, id: i64, token: &str) -> Self {
        Self { shared, id, token: token.to_owned() }
    }

    /// Switches privacy mode: whether it only sees in groups what is meant for it.
    pub fn privacy(&self, on: bool) {
        self.with(|world, bot| {
            world.bots.entry(bot).and_modify(|bot| bot.privacy = on);
        });
    }

    /// How many updates wait for it.
    pub fn pending(&self) -> usize {
        self.with(|world, bot| world.bots.get(&bot).map_or(0, |bot| bot.queue.waiting()))
    }

    /// An update of this bot is delivered once more, also if it was confirmed.
    pub fn hears_again(&self, update_id: i64) -> bool {
        self.with(|world, bot| {
            let Some(known) = world.bots.get_mut(&bot) else { return false };
            let again = known.queue.repeat(update_id);
            known.bell.notify_waiters();
            again
        })
    }

    /// Its next update has this number.
    pub fn numbers_from(&self, update_id: i64) {
        self.with(|world, bot| {
            if let Some(known) = world.bots.get_mut(&bot) {
                known.queue.number_from(update_id);
            }
        });
    }

    /// An update of any shape: `fields` is what stands beside `update_id`, as JSON text without braces. With an
    /// `update_id` of their own, or none at all, they hide its number.
    pub fn hears_garbage(&self, fields: &str) -> i64 {
        self.with(|world, bot| {
            let now = world.now_ms();
            world.tell_raw(bot, fields, 0, now)
        })
    }

    /// Everything that waits for it is dropped, as by `drop_pending_updates`.
    pub fn forgets(&self) {
        self.with(crate::methods::webhook::drop_pending);
    }

    fn with<T>(&self, change: impl FnOnce(&mut World, i64) -> T) -> T {
        self.shared.change(|world| change(world, self.id))
    }
}

fn act(shared: &Arc<Shared>, say: &Say) -> Sent {
    done(shared.change(|world| world.say(say)))
}

fn done<T>(act: Result<T, String>) -> T {
    act.unwrap_or_else(|reason| panic!("an act that is impossible: {reason}"))
}
