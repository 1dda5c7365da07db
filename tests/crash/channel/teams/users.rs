//! What the users do, each in a loop of its own.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::*;
use crate::script::{self, Task, fingerprint};

/// The buttons of a question for permission.
const CHOICES: [&str; 2] = ["Allow", "Deny"];

/// A user in one chat, with the messages that they sent last and the chats in which those are.
struct ChatUser<T> {
    platform: Arc<Platform<T>>,
    chat: Chat,
    user: String,
    expected: Expected,
    random: Random,
    recent: Vec<(Chat, String)>,
}

impl<T: Team> ChatUser<T> {
    fn new(platform: &Arc<Platform<T>>, chat: &Chat, user: &str, random: Random) -> Self {
        let (platform, chat, expected) = (platform.clone(), chat.clone(), chat.expected(user));
        Self { platform, chat, user: user.to_owned(), expected, random, recent: Vec::new() }
    }

    /// A script for a message in this place.
    fn script(&mut self, place: &Place) -> Script {
        let harness = &self.platform.harness;
        let mut script = Script::random(harness.tag(place), false, true, harness.kind, &mut self.random);
        if let Task::Send { bytes, .. } = script.task {
            script.task = Task::Send { files: 1, bytes };
        }
        script
    }

    /// The text as it is written here, mostly with a mention where one is needed, and what must become of it.
    fn mentioned(&mut self, text: &str) -> (String, Expected) {
        match self.random.permille(750) {
            _ if self.chat.is_private() => (text.to_owned(), self.expected),
            true => (format!("{} {text}", self.platform.team.mention()), self.expected),
            false if self.expected == Expected::Turn => (text.to_owned(), NOT_FOR_US),
            false => (text.to_owned(), self.expected),
        }
    }

    /// Writes a message, or sends a file with one.
    fn writes(&mut self, with_file: bool) {
        let mut place = (*self.chat.place).clone();
        if self.platform.team.opens_threads(&self.chat) {
            place.name = format!("{}t{}", place.name, self.platform.harness.number());
        }
        let mut script = self.script(&place);
        if self.chat.purpose == Purpose::Private && self.random.permille(200) {
            script.task = self.platform.harness.kind.task(Task::Ask);
        }
        let (text, expected) = self.mentioned(&script.text());
        let bytes = with_file.then(|| script::bytes(&script.tag, self.random.range(1, 100_000)));
        let files = bytes.iter().map(|bytes| fingerprint(bytes)).collect();
        let content = Content { text: script.text(), script: Some(script), files };
        let action = if with_file { Action::File } else { Action::Message };
        let act = Act::Say { text: &text, file: bytes.as_deref() };
        let sent = self.platform.act(&self.chat, &self.user, &act, (action, content, expected));
        // An edit could make a message for the bot of one that was not; the test does not do that.
        self.recent.extend(sent.filter(|_| expected != NOT_FOR_US && !with_file));
        if self.recent.len() > 3 {
            self.recent.remove(0);
        }
    }

    fn edits(&mut self) {
        if self.recent.is_empty() {
            return self.writes(false);
        }
        let (chat, message) = self.recent[self.random.index(self.recent.len())].clone();
        let script = self.script(&chat.place);
        let text = match self.chat.is_private() {
            true => script.text(),
            false => format!("{} {}", self.platform.team.mention(), script.text()),
        };
        let content = Content { text: script.text(), script: Some(script), files: Vec::new() };
        let act = Act::Edit { message: &message, text: &text };
        self.platform.act(&chat, &self.user, &act, (Action::Edit, content, self.expected));
    }

    /// Answers the question that the chat shows last.
    fn answers(&mut self) {
        let asked = self.platform.team.question(&self.chat).filter(|asked| asked.labels == CHOICES);
        let Some(asked) = asked else { return };
        let label = &asked.labels[self.random.index(asked.labels.len())];
        let content = Content { text: label.clone(), ..Content::default() };
        let act = Act::Press { message: &asked.message, label };
        self.platform.act(&self.chat, &self.user, &act, (Action::Button, content, Expected::Press));
    }

    /// Chooses a command of the bot.
    fn commands(&mut self, name: &str) {
        let content = Content { text: format!("/{name}"), ..Content::default() };
        let act = Act::Command { name };
        self.platform.act(&self.chat, &self.user, &act, (Action::Command, content, Expected::Command));
    }

    /// Does one of these things at random.
    async fn acts(&mut self) {
        match self.random.range(0, 99) {
            0..=54 => self.writes(false),
            55..=62 => self.writes(true),
            63..=77 => self.edits(),
            78..=86 if self.expected == Expected::Turn => self.commands("status"),
            87..=90 if self.expected == Expected::Turn => self.commands("whoami"),
            // The answer to the first version may be on its way already.
            _ => {
                self.writes(false);
                self.platform.harness.pause(&mut self.random, 0, 30).await;
                self.edits();
            }
        }
    }
}

pub fn start<T: Team>(platform: &Arc<Platform<T>>, clients: &mut JoinSet<()>, random: &Random) {
    let name = platform.team.name().bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
    let random = random.fork(name);
    let chats = platform.team.chats().iter().zip(1..);
    for (chat, n) in chats.filter(|(chat, _)| chat.is_private()) {
        clients.spawn(private_user(platform.clone(), chat.clone(), random.fork(n)));
    }
    clients.spawn(channel_users(platform.clone(), random.fork(100)));
    clients.spawn(operator(platform.clone(), random.fork(101)));
}

/// Waits until the gateway has been connected once: until then the platform would tell nobody.
async fn connected<T: Team>(platform: &Platform<T>) {
    while !platform.team.is_ready(&platform.database) {
        clock::sleep_ms(20).await;
    }
}

async fn private_user<T: Team>(platform: Arc<Platform<T>>, chat: Chat, mut random: Random) {
    let name = chat.users.first().cloned().unwrap_or_default();
    let mut user = ChatUser::new(&platform, &chat, &name, random.fork(1));
    connected(&platform).await;
    loop {
        platform.harness.pause(&mut random, 250, 1000).await;
        match chat.purpose {
            Purpose::Renewed if random.permille(250) => user.commands("new"),
            Purpose::Renewed => user.writes(false),
            _ => {
                user.acts().await;
                if random.permille(800) {
                    user.answers();
                }
            }
        }
    }
}

/// Users of the channels and threads, allowed and not.
async fn channel_users<T: Team>(platform: Arc<Platform<T>>, mut random: Random) {
    let chats = platform.team.chats().iter().filter(|chat| !chat.is_private());
    let users = chats.flat_map(|chat| chat.users.iter().map(move |user| (chat, user))).zip(200..);
    let users = users.map(|((chat, user), n)| ChatUser::new(&platform, chat, user, random.fork(n)));
    let mut users: Vec<ChatUser<T>> = users.collect();
    connected(&platform).await;
    loop {
        platform.harness.pause(&mut random, 100, 500).await;
        let index = random.index(users.len());
        // All messages of this channel are dropped, so fewer of them are enough.
        if users[index].chat.purpose != Purpose::Unlisted || random.permille(300) {
            users[index].acts().await;
        }
    }
}

/// Cuts connections and ends sessions, once everybody who writes in private has been answered.
async fn operator<T: Team>(platform: Arc<Platform<T>>, mut random: Random) {
    connected(&platform).await;
    while !platform.team.knows_all() {
        clock::sleep_ms(50).await;
    }
    loop {
        platform.harness.pause(&mut random, 500, 3000).await;
        platform.team.disturbs(&mut random).await;
    }
}
