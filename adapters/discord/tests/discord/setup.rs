//! A bot for a test: a fake Discord with a guild, an inbox that records events, and a clock that can be advanced.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, MessageRefs, Post, PostKind};
use frontdesk_core::id::OutId;
use frontdesk_core::markup::Part;
use frontdesk_core::port::{Adapter, AdapterError, Clock, Inbox, Mono, Stop};
use frontdesk_discord::{Account, DiscordAdapter, Settings};
use frontdesk_fakediscord::{Discord, Id, TOKEN, User};
use serde_json::json;
use tokio::sync::Notify;

/// Longer than any step takes.
pub const SOON: Duration = Duration::from_secs(20);

/// The machine's clock plus what the test has added.
pub struct TestClock {
    start: Instant,
    ahead: Mutex<Duration>,
    moved: Notify,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), ahead: Mutex::default(), moved: Notify::new() })
    }

    pub fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for TestClock {
    fn wall(&self) -> DateTime<Utc> {
        DateTime::from(SystemTime::now() + *self.ahead.lock().unwrap())
    }

    fn mono(&self) -> Mono {
        Mono(self.start.elapsed() + *self.ahead.lock().unwrap())
    }

    fn elapsed(&self) -> Duration {
        self.mono().0
    }

    async fn sleep_until(&self, deadline: Mono) {
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            moved.as_mut().enable();
            let left = deadline.since(self.mono());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = moved => {}
            }
        }
    }
}

/// A fake Discord with one guild, one channel and one person.
pub struct Garden {
    pub discord: Discord,
    pub ann: User,
    pub channel: Id,
}

impl Garden {
    pub async fn new() -> Self {
        let discord = Discord::start().await;
        let ann = discord.user(7, "Ann");
        let guild = discord.guild(9000, "Garden", &ann);
        let channel = discord.channel(guild, 5000, 0, "general");
        Self { discord, ann, channel }
    }

    /// An account of the server's bot, with short intervals.
    pub fn account(&self) -> Account {
        let mut account = Account::new("default", TOKEN);
        account.settings = Settings {
            api_url: Some(format!("{}/api", self.discord.url())),
            busy_ms: 10,
            position_seconds: 1,
            connect_seconds: 2,
            request_seconds: 2,
            transfer_seconds: 5,
            patience_seconds: 50,
            ..Settings::default()
        };
        account
    }

    pub fn adapter(&self) -> DiscordAdapter {
        DiscordAdapter::new(self.account(), TestClock::new()).unwrap()
    }

    /// The address of the channel.
    pub fn address(&self) -> Address {
        to(&format!("discord:{}", self.channel))
    }

    /// Waits until a bot is connected.
    pub async fn connected(&self) {
        self.discord.until(|| self.is_connected()).await;
    }

    /// Waits until no bot is connected.
    pub async fn left(&self) {
        self.discord.until(|| !self.is_connected()).await;
    }

    fn is_connected(&self) -> bool {
        let sessions = self.discord.look("sessions", json!({}));
        sessions["sessions"].as_array().unwrap().iter().any(|session| session["connected"] == true)
    }

    /// Waits until the bot has registered its commands.
    pub async fn commands(&self) {
        let registered = || self.discord.journal().calls_of("bulk_set_application_commands").len() == 1;
        self.discord.until(registered).await;
    }

    /// How often the bot has identified.
    pub fn identified(&self) -> u64 {
        self.discord.look("sessions", json!({}))["identified"].as_u64().unwrap()
    }

    /// The bot's texts in the channel.
    pub fn answers(&self) -> Vec<String> {
        let shown = self.discord.shows(self.channel).into_iter();
        shown.filter(|shown| shown.author == frontdesk_fakediscord::BOT).map(|shown| shown.content).collect()
    }
}

/// Runs the adapter during `story`, and then stops it.
pub async fn running<T>(
    adapter: &DiscordAdapter,
    inbox: &Arc<RecordingInbox>,
    story: impl Future<Output = T>,
) -> T {
    let stop = Stop::new();
    let inbox: Arc<dyn Inbox> = inbox.clone();
    // As the runtime does, without pauses.
    let supervised = async {
        loop {
            match adapter.run(inbox.clone(), stop.clone()).await {
                Ok(()) => return,
                Err(AdapterError::Lost(_) | AdapterError::Later { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let described = async {
        let described = tokio::time::timeout(SOON, story).await.expect("it happens in time");
        stop.cancel();
        described
    };
    tokio::join!(supervised, described).1
}

/// Runs the adapter until its connection ends by itself.
pub async fn ended(adapter: &DiscordAdapter, inbox: &Arc<RecordingInbox>) -> AdapterError {
    let run = adapter.run(inbox.clone(), Stop::new());
    tokio::time::timeout(SOON, run).await.expect("it ends").unwrap_err()
}

/// The texts that were stored, in order and without duplicates.
pub fn texts(inbox: &RecordingInbox) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let events = inbox.events().into_iter().filter(|event| seen.insert(event.id.clone()));
    events.map(|event| event.text).collect()
}

pub fn to(address: &str) -> Address {
    address.parse().unwrap()
}

pub fn post(text: &str) -> Post {
    Post {
        part: Part { key: 0, body: text.into(), plain: text.into() },
        out: OutId(1),
        key: format!("db/{text}"),
        reply_to: None,
        kind: PostKind::Answer,
        about: MessageRefs::default(),
        seq: None,
        more: false,
        ask: None,
        task: None,
        audience: None,
        file: None,
        native: None,
    }
}

pub fn says(text: &str) -> Delivery {
    Delivery::Post(post(text))
}
