//! The server as a test holds it, and the handles of people and channels.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use frontdesk_fakes::{Clock, Fake, Shared};
use serde_json::{Value, json};

use crate::delivery;
use crate::shown::Shown;
use crate::world::World;

/// The workspaces that are always there.
pub const TEAM: &str = "T0000FIRST";
/// The second of them.
pub const OTHER_TEAM: &str = "T0000OTHER";
/// The app that is always there, installed in both.
pub const APP: &str = "A0000FRONT";
/// Its token for Socket Mode.
pub const APP_TOKEN: &str = "xapp-1-A0000FRONT-1-test";
/// Its signing secret.
pub const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
/// Its token in the first workspace.
pub const TOKEN: &str = "xoxb-1-first-test";
/// Its token in the second workspace.
pub const OTHER_TOKEN: &str = "xoxb-2-other-test";
/// The account of its bot in the first workspace.
pub const BOT: &str = "U0000FRONT";
/// The id that its messages carry in the first workspace.
pub const BOT_ID: &str = "B0000FRONT";

/// A running server. It stops when it is dropped. Its journal, faults, clock and port are [`Fake`]'s.
pub struct SlackApi(Fake<World>);

impl Deref for SlackApi {
    type Target = Fake<World>;

    fn deref(&self) -> &Fake<World> {
        &self.0
    }
}

impl SlackApi {
    /// Starts on a free port, with one app in two workspaces.
    pub async fn start() -> Self {
        Self::start_on(0).await.expect("a free port on the loopback interface")
    }

    /// Starts on this port.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        Self::start_with(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), 1).await
    }

    /// Starts on this address, with random numbers that begin at `seed`.
    pub async fn start_with(address: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let slack = Self(Fake::start(address, Clock::real(), |clock| World::new(clock, seed)).await?);
        let url = slack.url();
        slack.shared().change(|world| {
            world.url = url;
            world.add_team(TEAM, "First");
            world.add_team(OTHER_TEAM, "Other");
            world.add_app(APP, APP_TOKEN, SECRET);
            world.install(APP, TEAM, TOKEN, BOT, BOT_ID, "Frontdesk");
            world.install(APP, OTHER_TEAM, OTHER_TOKEN, "U0000OTHER", "B0000OTHER", "Frontdesk");
        });
        slack.shared().background(delivery::dispatch(slack.shared().clone()));
        Ok(slack)
    }

    /// The root of the Web API, with a slash at its end.
    pub fn api_url(&self) -> String {
        format!("{}/api/", self.url())
    }

    /// An action of the control port.
    pub fn act(&self, action: &str, body: Value) -> Value {
        act(self.shared(), action, body)
    }

    /// An action that may be impossible by now: a button may be gone.
    pub fn try_to(&self, action: &str, body: Value) -> Result<Value, String> {
        self.shared().change(|world| world.perform(action, body))
    }

    /// Adds a person to the first workspace.
    pub fn person(&self, id: &str, name: &str) -> Person {
        self.person_in(TEAM, id, name, json!({}))
    }

    /// Adds a person, with fields of `users.info` that differ from those of an ordinary member.
    pub fn person_in(&self, team: &str, id: &str, name: &str, more: Value) -> Person {
        self.act("user", json!({"id": id, "name": name, "team": team, "more": more}));
        Person { shared: self.shared().clone(), id: id.to_owned() }
    }

    /// Adds a public channel of the first workspace; the app is in it.
    pub fn channel(&self, id: &str, name: &str, members: &[&Person]) -> Channel {
        let members: Vec<&str> = members.iter().map(|person| person.id.as_str()).collect();
        self.act("channel", json!({"id": id, "name": name, "members": members}));
        Channel { shared: self.shared().clone(), id: id.to_owned() }
    }

    /// How many sockets the app has open and in use: it has read their hello. A socket that closes sooner was of no use to it.
    pub fn sockets(&self) -> usize {
        self.shared().state().apps.get(APP).map_or(0, |app| app.read.len())
    }

    /// What the control port shows of a channel or of an app.
    pub fn look(&self, id: &str) -> Value {
        self.shared().state().look(id)
    }

    /// What a channel shows now; a person's id means their private chat with the app.
    pub fn shows(&self, channel: &str) -> Vec<Shown> {
        self.shared().state().shows(channel)
    }
}

/// What an action led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The number of the event, command or press in the journal; 0 if the app is not told.
    pub number: i64,
    /// The message that it made or is about.
    pub ts: String,
    /// Its channel.
    pub channel: String,
}

impl From<Value> for Sent {
    fn from(did: Value) -> Self {
        let text = |name: &str| did[name].as_str().unwrap_or_default().to_owned();
        Self { number: did["number"].as_i64().unwrap_or_default(), ts: text("ts"), channel: text("channel") }
    }
}

/// A channel.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared<World>>,
    /// Its id.
    pub id: String,
}

impl Channel {
    /// What it shows now.
    pub fn shows(&self) -> Vec<Shown> {
        self.shared.state().shows(&self.id)
    }
}

/// Somebody with an account. Where a channel is wanted, a person's id means their private chat with the app.
#[derive(Clone)]
pub struct Person {
    shared: Arc<Shared<World>>,
    /// Their id.
    pub id: String,
}

impl Person {
    /// Writes to the app in private.
    pub fn tells(&self, text: &str) -> Sent {
        self.says(&self.id, text)
    }

    /// Writes in a channel.
    pub fn says(&self, channel: &str, text: &str) -> Sent {
        self.writes(json!({"channel": channel, "text": text}))
    }

    /// Writes in a thread.
    pub fn replies(&self, to: &Sent, text: &str) -> Sent {
        self.writes(json!({"channel": to.channel, "thread": to.ts, "text": text}))
    }

    /// Writes something that has more to it than a text: the fields of the control port's `say`.
    pub fn writes(&self, mut say: Value) -> Sent {
        say["user"] = self.id.as_str().into();
        act(&self.shared, "say", say).into()
    }

    /// Changes what they wrote.
    pub fn edits(&self, message: &Sent, text: &str) -> Sent {
        act(&self.shared, "edit", json!({"channel": message.channel, "ts": message.ts, "text": text})).into()
    }

    /// Deletes what they wrote.
    pub fn deletes(&self, message: &Sent) -> Sent {
        act(&self.shared, "delete", json!({"channel": message.channel, "ts": message.ts})).into()
    }

    /// Reacts to a message.
    pub fn reacts(&self, channel: &str, ts: &str, name: &str) -> Sent {
        act(&self.shared, "react", json!({"channel": channel, "ts": ts, "user": self.id, "name": name}))
            .into()
    }

    /// Presses the button with this label or value.
    pub fn presses(&self, channel: &str, ts: &str, button: &str) -> Sent {
        act(&self.shared, "press", json!({"channel": channel, "ts": ts, "user": self.id, "button": button}))
            .into()
    }

    /// Uses a slash command.
    pub fn commands(&self, channel: &str, command: &str, text: &str) -> Sent {
        let slash = json!({"channel": channel, "user": self.id, "command": command, "text": text});
        act(&self.shared, "slash", slash).into()
    }

    /// What the private chat with the app shows now.
    pub fn sees(&self) -> Vec<Shown> {
        self.shared.state().shows(&self.id)
    }
}

fn act(shared: &Shared<World>, action: &str, body: Value) -> Value {
    let did = shared.change(|world| world.perform(action, body));
    did.unwrap_or_else(|reason| panic!("an impossible action: {reason}"))
}
