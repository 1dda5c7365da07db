//! The handles of a test: people, chats, and bots as their operators see them.

use std::sync::Arc;

use frontdesk_fakes::Shared;

use crate::actions::{Forward, Sent, UserMessage};
use crate::api::BOT;
use crate::chat::Standing;
use crate::file::{Content, Kind};
use crate::message::Shown;
use crate::world::World;

/// Where somebody writes: a chat, and perhaps a topic in it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    chat: i64,
    thread: Option<i64>,
}

impl From<i64> for Target {
    fn from(chat: i64) -> Self {
        Self { chat, thread: None }
    }
}

impl From<&User> for Target {
    fn from(user: &User) -> Self {
        user.id.into()
    }
}

impl From<&Group> for Target {
    fn from(group: &Group) -> Self {
        Self { chat: group.id, thread: group.thread }
    }
}

impl From<&User> for i64 {
    fn from(user: &User) -> Self {
        user.id
    }
}

impl From<&Group> for i64 {
    fn from(group: &Group) -> Self {
        group.id
    }
}

/// A group or a channel, or one topic of a group.
#[derive(Clone)]
pub struct Group {
    shared: Arc<Shared<World>>,
    /// The chat's number.
    pub id: i64,
    /// The topic, if it is one.
    pub thread: Option<i64>,
}

impl Group {
    pub(crate) fn new(shared: Arc<Shared<World>>, id: i64) -> Self {
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

    /// The group becomes a supergroup of this number.
    pub async fn migrates(&self, to: i64) -> Self {
        possible(self.shared.change(|world| world.migrate(self.id, to)));
        Self { id: to, thread: None, shared: self.shared.clone() }
    }

    /// Makes a bot an administrator.
    pub async fn promotes(&self, bot: &Bot) -> Sent {
        self.shared.change(|world| world.stand(bot.id, self.id, bot.id, Standing::Administrator))
    }

    /// What the chat shows now.
    pub fn shows(&self) -> Vec<Shown> {
        self.shared.state().shows(BOT, self.id)
    }
}

/// Somebody with an account.
#[derive(Clone)]
pub struct User {
    shared: Arc<Shared<World>>,
    /// The account's number, which is also that of the private chat.
    pub id: i64,
}

impl User {
    pub(crate) fn new(shared: Arc<Shared<World>>, id: i64) -> Self {
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
    pub async fn says(&self, to: impl Into<Target>, text: &str) -> Sent {
        self.message(to).text(text).send().await
    }

    /// Begins a message that has more to it than a text.
    pub fn message(&self, to: impl Into<Target>) -> Draft {
        let Target { chat, thread } = to.into();
        let message = UserMessage { chat, thread, from: self.id, ..UserMessage::default() };
        Draft { shared: self.shared.clone(), message }
    }

    /// Changes what they wrote.
    pub async fn edits(&self, to: impl Into<Target>, message: Sent, text: &str) -> Sent {
        self.can(to, |world, chat| world.edit(BOT, chat, message.message_id, text, None))
    }

    /// Reacts to a message; an empty text takes the reaction back.
    pub async fn reacts(&self, to: impl Into<Target>, message_id: i64, emoji: &str) -> Sent {
        let emoji: Vec<String> = emoji.split_whitespace().map(str::to_owned).collect();
        self.can(to, |world, chat| world.react(BOT, chat, message_id, self.id, &emoji))
    }

    /// Presses the button with this label or data.
    pub async fn presses(&self, to: impl Into<Target>, message_id: i64, button: &str) -> Sent {
        self.can(to, |world, chat| world.press(BOT, chat, message_id, self.id, button)).0
    }

    /// The same, for a button that may be gone before the press arrives; `None` if it is.
    pub async fn presses_if_shown(
        &self,
        to: impl Into<Target>,
        message_id: i64,
        button: &str,
    ) -> Option<Sent> {
        let chat = to.into().chat;
        let pressed = self.shared.change(|world| world.press(BOT, chat, message_id, self.id, button));
        pressed.ok().map(|pressed| pressed.0)
    }

    /// Blocks the default bot.
    pub async fn blocks(&self) -> Sent {
        self.shared.change(|world| world.block(BOT, self.id))
    }

    /// Unblocks the default bot.
    pub async fn unblocks(&self) -> Sent {
        self.shared.change(|world| world.stand(BOT, self.id, BOT, Standing::Member))
    }

    /// Comes into a chat.
    pub async fn joins(&self, group: &Group) -> Sent {
        self.can(group, |world, chat| world.join(BOT, chat, self.id, self.id))
    }

    /// What the private chat with the default bot shows now.
    pub fn sees(&self) -> Vec<Shown> {
        self.shared.state().shows(BOT, self.id)
    }

    fn can<T>(&self, to: impl Into<Target>, action: impl FnOnce(&mut World, i64) -> Result<T, String>) -> T {
        let chat = to.into().chat;
        possible(self.shared.change(|world| action(world, chat)))
    }
}

/// A message that is being written.
#[must_use = "a message is written by `send`"]
pub struct Draft {
    shared: Arc<Shared<World>>,
    message: UserMessage,
}

impl Draft {
    /// The text, or the caption of what is attached.
    pub fn text(mut self, text: &str) -> Self {
        self.message.text = Some(text.to_owned());
        self
    }

    /// The text with HTML tags.
    pub fn html(mut self, text: &str) -> Self {
        self.message.parse_mode = Some("HTML".to_owned());
        self.text(text)
    }

    /// Attaches a photo.
    pub fn photo(self, content: Content) -> Self {
        self.attach(Kind::Photo, content)
    }

    /// Attaches a file.
    pub fn document(self, content: Content) -> Self {
        self.attach(Kind::Document, content)
    }

    /// Attaches a voice message.
    pub fn voice(self, content: Content) -> Self {
        self.attach(Kind::Voice, content)
    }

    /// Attaches a video message.
    pub fn video_note(self, content: Content) -> Self {
        self.attach(Kind::VideoNote, content)
    }

    fn attach(mut self, kind: Kind, content: Content) -> Self {
        self.message.content = Some((kind, content));
        self
    }

    /// Puts it into an album.
    pub fn album(mut self, album: &str) -> Self {
        self.message.album = Some(album.to_owned());
        self
    }

    /// Replies to a message.
    pub fn reply_to(mut self, message_id: i64) -> Self {
        self.message.reply_to = Some(message_id);
        self
    }

    /// Says where it was forwarded from.
    pub fn forwarded(mut self, from: Forward) -> Self {
        self.message.forward = Some(from);
        self
    }

    /// Writes as a chat: as the group itself, which an anonymous administrator does, or as a channel.
    pub fn as_chat(mut self, chat: impl Into<i64>) -> Self {
        self.message.as_chat = Some(chat.into());
        self
    }

    /// Writes to this bot instead of the default one.
    pub fn to_bot(mut self, bot: &Bot) -> Self {
        self.message.bot = Some(bot.id);
        self
    }

    /// Sends it.
    pub async fn send(self) -> Sent {
        possible(self.shared.change(|world| world.write(self.message)))
    }
}

/// A bot, as its operator sees it.
#[derive(Clone)]
pub struct Bot {
    shared: Arc<Shared<World>>,
    /// The account's number.
    pub id: i64,
    /// The token.
    pub token: String,
}

impl Bot {
    pub(crate) fn new(shared: Arc<Shared<World>>, id: i64, token: &str) -> Self {
        Self { shared, id, token: token.to_owned() }
    }

    /// Switches privacy mode: whether it sees in groups only what is meant for it.
    pub fn privacy(&self, on: bool) {
        self.with(|bot| bot.privacy = on);
    }

    /// Says whether it can be added to groups.
    pub fn joins_groups(&self, on: bool) {
        self.with(|bot| bot.joins_groups = on);
    }

    /// How many updates wait for it.
    pub fn pending(&self) -> usize {
        self.with(|bot| bot.queue.waiting())
    }

    /// Delivers an update of this bot once more, even if it was confirmed.
    pub fn hears_again(&self, update_id: i64) -> bool {
        self.with(|bot| {
            bot.changed.notify_waiters();
            bot.queue.repeat(update_id)
        })
    }

    /// Gives its next update this number.
    pub fn numbers_from(&self, update_id: i64) {
        self.with(|bot| bot.queue.next_id = update_id);
    }

    /// Queues an update of any shape: `fields` is what stands beside `update_id`, as JSON text without braces. If they
    /// have an `update_id` of their own, or if there are none at all, they are delivered without its number.
    pub fn hears_garbage(&self, fields: &str) -> i64 {
        self.shared.change(|world| world.queue_update(self.id, fields, 0))
    }

    fn with<T>(&self, change: impl FnOnce(&mut crate::bot::Bot) -> T) -> T {
        self.shared.change(|world| change(world.bots.get_mut(&self.id).expect("a bot that was added")))
    }
}

fn possible<T>(action: Result<T, String>) -> T {
    action.unwrap_or_else(|reason| panic!("an impossible action: {reason}"))
}
