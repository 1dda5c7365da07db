//! What users do, each in a loop of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use frontdesk_botapi::{BOT, Content, Delivery, Sent, TOKEN, User};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::*;
use crate::script::{self, Task};

/// How the first bot is mentioned.
const MENTION: &str = "@frontdesk_bot";
/// The buttons of a question for permission.
const CHOICES: [&str; 2] = ["Allow", "Deny"];
const EMOJI: [&str; 4] = ["👍", "❤", "🔥", "🎉"];

/// A user in one chat, with the messages that they sent last.
pub struct ChatUser {
    platform: Arc<Platform>,
    user: User,
    pub chat: Chat,
    expected: Expected,
    random: Random,
    recent: Vec<Sent>,
    /// The last message with their reaction.
    reacted_to: i64,
}

impl ChatUser {
    pub fn new(platform: &Arc<Platform>, user: i64, chat: Chat, random: Random) -> Self {
        let expected = chat.expected(user);
        let user = platform.api.user(user, &format!("User {user}"));
        let platform = platform.clone();
        Self { platform, user, chat, expected, random, recent: Vec::new(), reacted_to: 0 }
    }

    fn record(&self, sent: Sent, action: Action, content: EventContent, expected: Expected) {
        self.platform.record(&self.chat, self.user.id, sent, action, content, expected);
    }

    pub fn script(&mut self) -> Script {
        let place = &self.chat.place;
        let harness = &self.platform.harness;
        Script::random(harness.tag(place), place.plain, !place.plain, harness.kind, &mut self.random)
    }

    /// The text as it is written here, mostly with a mention where one is needed, and what must become of it.
    fn mentioned(&mut self, text: &str) -> (String, Expected) {
        if !self.chat.needs_mention() {
            return (text.to_owned(), self.expected);
        }
        match (self.random.permille(750), self.expected, self.chat.id) {
            (true, expected, _) => (format!("{MENTION} {text}"), expected),
            (false, Expected::Turn, OPEN_GROUP) => (text.to_owned(), Expected::Context),
            (false, Expected::Turn, _) => (text.to_owned(), NOT_FOR_US),
            (false, expected, _) => (text.to_owned(), expected),
        }
    }

    fn always_mentioned(&self, text: String) -> String {
        if self.chat.needs_mention() { format!("{MENTION} {text}") } else { text }
    }

    pub async fn writes(&mut self) {
        let mut script = self.script();
        if [ANNA, BERT, CARL].contains(&self.chat.id) && self.chat.bot == BOT && self.random.permille(200) {
            script.task = self.platform.harness.kind.task(Task::Ask);
        } else if !self.chat.place.plain && self.expected == Expected::Turn && self.random.permille(80) {
            script.task = self.platform.harness.kind.task(Task::Call);
        }
        let (text, expected) = self.mentioned(&script.text());
        let mut draft = self.user.message(self.platform.target(&self.chat)).text(&text);
        if self.chat.bot != BOT {
            draft = draft.to_bot(self.platform.bot(self.chat.bot));
        }
        let sent = draft.send().await;
        self.record(sent, Action::Message, EventContent::script(script), expected);
        // An edit could make a message for the bot of one that was not; the test does not do that.
        if expected != Expected::Context && expected != NOT_FOR_US {
            self.recent.push(sent);
            if self.recent.len() > 3 {
                self.recent.remove(0);
            }
        }
    }

    async fn edits(&mut self) {
        if self.recent.is_empty() {
            return self.writes().await;
        }
        let sent = self.recent[self.random.index(self.recent.len())];
        let script = self.script();
        let text = self.always_mentioned(script.text());
        let edited = self.user.edits(self.platform.target(&self.chat), sent, &text).await;
        self.record(edited, Action::Edit, EventContent::script(script), self.expected);
    }

    async fn sends_file(&mut self) {
        let script = self.script();
        let (text, expected) = self.mentioned(&script.text());
        let bytes = script::bytes(&script.tag, self.random.range(1, 400_000));
        let content = EventContent { files: vec![fingerprint(&bytes)], ..EventContent::script(script) };
        let file = Content::of(bytes).named(&format!("{}.bin", self.chat.place.name));
        let draft = self.user.message(self.platform.target(&self.chat)).text(&text);
        let draft = if self.random.permille(500) { draft.photo(file) } else { draft.document(file) };
        let sent = draft.send().await;
        self.record(sent, Action::File, content, expected);
    }

    async fn sends_album(&mut self) {
        let script = self.script();
        for number in 0..self.random.range(2, 3) {
            let bytes = script::bytes(&format!("{}-{number}", script.tag), self.random.range(1, 50_000));
            let files = vec![fingerprint(&bytes)];
            let draft = self.user.message(self.platform.target(&self.chat)).album(&script.tag);
            let mut draft = draft.photo(Content::of(bytes));
            let (mut content, mut expected) =
                (EventContent { files, ..EventContent::default() }, self.expected);
            if number == 0 {
                draft = draft.text(&self.always_mentioned(script.text()));
                content = EventContent { files: content.files, ..EventContent::script(script.clone()) };
            } else if self.chat.needs_mention() && expected == Expected::Turn {
                expected = Expected::TurnOrContext;
            }
            let sent = draft.send().await;
            self.record(sent, Action::AlbumPart, content, expected);
        }
    }

    /// Presses a button below a message that the test posts for the bot, as if it were from an earlier time.
    async fn presses(&mut self) {
        let script = Script { tag: self.platform.harness.tag(&self.chat.place), task: Task::Echo };
        let data = script.text();
        let keyboard = json!({"inline_keyboard": [[{"text": "go", "callback_data": data}]]});
        let body = json!({"chat_id": self.chat.id, "text": "a button", "reply_markup": keyboard});
        let url = format!("{}/bot{TOKEN}/sendMessage", self.platform.api.url());
        let Ok(answer) = self.platform.http.post(url).json(&body).send().await else { return };
        let Ok(answer) = answer.json::<Value>().await else { return };
        // A network fault may have met this request.
        let Some(message) = answer["result"]["message_id"].as_i64() else { return };
        let sent = self.user.presses(self.platform.target(&self.chat), message, &data).await;
        self.record(sent, Action::Button, EventContent::script(script), self.expected);
    }

    /// Answers the question that the chat shows last.
    async fn answers(&mut self) {
        self.presses_one_of(|buttons| buttons == CHOICES).await;
    }

    /// Presses a button of the last message that has such ones, if there is one.
    pub async fn presses_one_of(&mut self, are: impl Fn(&[String]) -> bool) {
        let asked = self.user.sees().into_iter().rev().find(|shown| are(&shown.buttons));
        let Some(asked) = asked else { return };
        let choice = &asked.buttons[self.random.index(asked.buttons.len())];
        let chat = self.platform.target(&self.chat);
        // The question may end meanwhile, and its buttons with it.
        let Some(sent) = self.user.presses_if_shown(chat, asked.message_id, choice).await else { return };
        let content = EventContent { script: Script::read(choice), ..EventContent::text(choice) };
        self.record(sent, Action::Button, content, Expected::Press);
    }

    /// Sends a message to the agent by a command.
    pub async fn says_by(&mut self, command: &str, script: Script) {
        let text = format!("{command} {}", script.text());
        let sent = self.user.says(self.platform.target(&self.chat), &text).await;
        self.record(sent, Action::Command, EventContent::script(script), self.expected);
    }

    /// A new tag for a text in this chat.
    pub fn tag(&self) -> String {
        self.platform.harness.tag(&self.chat.place)
    }

    /// Hands over a background task.
    pub async fn hands_over(&mut self, script: Script) {
        let command = format!("/bg {}", script.text());
        self.command_with(&command, Some(script)).await;
    }

    pub async fn commands(&mut self, command: &str) {
        self.command_with(command, None).await;
    }

    async fn command_with(&mut self, command: &str, script: Option<Script>) {
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        let mention = if self.chat.is_private() { "" } else { MENTION };
        let text = format!("{word}{mention} {rest}");
        let sent = self.user.says(self.platform.target(&self.chat), text.trim_end()).await;
        let expected = if self.expected == Expected::Turn { Expected::Command } else { self.expected };
        let content = EventContent { script, ..EventContent::text(command) };
        self.record(sent, Action::Command, content, expected);
    }

    /// Reacts to the last message of the bot.
    async fn reacts(&mut self) {
        let calls = self.platform.api.journal().calls_in(self.chat.id);
        let last = calls.iter().rev().find_map(|call| call.message);
        let Some(message) = last.filter(|message| *message > self.reacted_to) else { return };
        self.reacted_to = message;
        let emoji = EMOJI[self.random.index(EMOJI.len())];
        let sent = self.user.reacts(self.platform.target(&self.chat), message, emoji).await;
        self.record(sent, Action::Reaction, EventContent::default(), Expected::Context);
    }

    /// Does one of these things at random.
    async fn acts(&mut self) {
        match self.random.range(0, 99) {
            0..=54 => self.writes().await,
            55..=61 => self.sends_file().await,
            62..=64 if [OPEN_GROUP, self.user.id].contains(&self.chat.id) => self.sends_album().await,
            65..=78 => self.edits().await,
            79..=83 if self.chat.is_private() || self.chat.id == CLOSED_GROUP => self.presses().await,
            84..=87 => self.commands("/status").await,
            88..=89 => self.commands("/whoami").await,
            90..=92 if self.chat.is_private() => self.reacts().await,
            // The answer to the first version may be on its way already.
            _ => {
                self.writes().await;
                self.platform.harness.pause(&mut self.random, 0, 30).await;
                self.edits().await;
            }
        }
    }
}

pub async fn start(platform: &Arc<Platform>, clients: &mut JoinSet<()>, random: &Random) {
    // A bot cannot write to users who have never written to it.
    for user in ADMINS.into_iter().chain([OLGA, TARA, JULES, EVA]) {
        ChatUser::new(platform, user, Chat::private(user), Random::new(0)).commands("/start").await;
    }
    for user in [ANNA, BERT, CARL, NORA, STAN, PIA] {
        clients.spawn(private_user(platform.clone(), user, random.fork(user.unsigned_abs())));
    }
    clients.spawn(group_users(platform.clone(), random.fork(110)));
    clients.spawn(work_users(platform.clone(), random.fork(111)));
    clients.spawn(guests(platform.clone(), random.fork(112)));
    clients.spawn(admins(platform.clone(), random.fork(113)));
    clients.spawn(redelivery(platform.clone(), random.fork(114)));
}

/// A user who writes to the first bot in private.
async fn private_user(platform: Arc<Platform>, id: i64, mut random: Random) {
    let mut user = ChatUser::new(&platform, id, Chat::private(id), random.fork(1));
    loop {
        platform.harness.pause(&mut random, 120, 520).await;
        match id {
            NORA if random.permille(200) => user.commands("/new").await,
            NORA | PIA => user.writes().await,
            STAN => {
                user.writes().await;
                platform.harness.pause(&mut random, 20, 200).await;
                if random.permille(500) {
                    user.commands("/stop").await;
                }
            }
            _ => {
                user.acts().await;
                if random.permille(800) {
                    user.answers().await;
                }
            }
        }
    }
}

/// Users of the groups, allowed and not.
async fn group_users(platform: Arc<Platform>, mut random: Random) {
    let mut chats = vec![Chat::group("open", OPEN_GROUP, None), Chat::group("closed", CLOSED_GROUP, None)];
    let topic = |topic: &i64| Chat::group(&format!("topic{topic}"), FORUM, Some(*topic));
    chats.extend(platform.topics.iter().map(topic));
    chats.push(Chat::group("unlisted", UNLISTED_GROUP, None));
    let mut users = Vec::new();
    for (n, chat) in (0..).zip(chats) {
        for id in [ANNA, BERT, CARL, MALLORY] {
            let random = random.fork(1000 * n + id.unsigned_abs());
            users.push(ChatUser::new(&platform, id, chat.clone(), random));
        }
    }
    loop {
        platform.harness.pause(&mut random, 40, 200).await;
        let index = random.index(users.len());
        // All messages of this group are dropped, so fewer of them are enough.
        if users[index].chat.id != UNLISTED_GROUP || random.permille(300) {
            users[index].acts().await;
        }
    }
}

/// Users of the second bot, of whom it serves one.
async fn work_users(platform: Arc<Platform>, mut random: Random) {
    let user = |id: i64| ChatUser::new(&platform, id, Chat::work(id), random.fork(id.unsigned_abs()));
    let mut users = [WENDY, WENDY, ANNA, MALLORY].map(user);
    loop {
        platform.harness.pause(&mut random, 150, 600).await;
        users[random.index(4)].writes().await;
    }
}

/// Users who are allowed and revoked all the time and go on writing.
async fn guests(platform: Arc<Platform>, mut random: Random) {
    let user = |id: i64| ChatUser::new(&platform, id, Chat::private(id), random.fork(id.unsigned_abs()));
    let mut users = GUESTS.map(user);
    loop {
        platform.harness.pause(&mut random, 60, 260).await;
        let user = &mut users[random.index(2)];
        if random.permille(60) { user.commands("/status").await } else { user.writes().await }
    }
}

/// The admins' commands, and a user who sends them without being an admin.
async fn admins(platform: Arc<Platform>, mut random: Random) {
    let user = |id: i64, chat: Chat| ChatUser::new(&platform, id, chat, random.fork(id.unsigned_abs()));
    let mut admins = ADMINS.map(|id| user(id, Chat::private(id)));
    let mut closed = user(ADMINS[0], Chat::group("closed", CLOSED_GROUP, None));
    let mut carl = user(CARL, Chat::private(CARL));
    let mut allowed = FIRST_ALLOWED..;
    loop {
        platform.harness.pause(&mut random, 100, 700).await;
        let guest = GUESTS[random.index(2)];
        let admin = &mut admins[random.index(2)];
        match random.range(0, 99) {
            0..=24 => admin.commands(&format!("/gateway allow telegram {guest}")).await,
            25..=44 => admin.commands(&format!("/gateway revoke telegram {guest}")).await,
            45..=59 => {
                let id = allowed.next().unwrap_or(FIRST_ALLOWED);
                admin.commands(&format!("/gateway allow telegram {id}")).await;
            }
            60..=67 => {
                closed.commands("/gateway mute").await;
                platform.harness.pause(&mut random, 200, 900).await;
                closed.commands("/gateway unmute").await;
            }
            68..=77 => admin.commands("/gateway status").await,
            78..=83 => carl.commands("/gateway status").await,
            84..=89 => carl.commands(&format!("/gateway allow telegram {guest}")).await,
            _ => admin.writes().await,
        }
    }
}

/// Delivers again what was confirmed long ago, and at times of reordering also what was not confirmed.
///
/// Updates that may have been dropped are left out: the gateway keeps nothing by which it could know them, and where
/// users are allowed and chats unmuted it might rightly accept them the second time. So are updates that were never
/// delivered: a poll returns the oldest 100 that wait, and the offset behind a later one would confirm those between.
async fn redelivery(platform: Arc<Platform>, mut random: Random) {
    loop {
        platform.harness.pause(&mut random, 100, 500).await;
        let is_kept = |event: &&Event| event.expected != Expected::IfAllowed && !event.place.muted_at_times;
        let recent: Vec<(i64, i64)> = {
            let journal = platform.harness.journal();
            let bots = [BOT, WORK_BOT].map(|bot| (bot, source(bot)));
            let bot = |event: &Event| bots.iter().find(|(_, source)| *source == event.place.source);
            let events = journal.events.iter().rev().take(200).filter(is_kept);
            events.filter_map(|event| Some((bot(event)?.0, event.order))).take(80).collect()
        };
        if recent.is_empty() {
            continue;
        }
        let (bot, update) = recent[random.index(recent.len())];
        let reorders = platform.reorders.load(Ordering::Relaxed);
        let journal = platform.api.journal();
        let is_free = |seen: &Delivery| seen.confirmed.is_some() || (reorders && !seen.delivered.is_empty());
        if journal.delivery_to(bot, update).is_some_and(is_free) {
            platform.bot(bot).hears_again(update);
        }
    }
}
