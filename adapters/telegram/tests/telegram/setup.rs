//! A bot for a test: a Bot API server, an inbox that records events, and a clock that can be advanced.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_botapi::{BotApi, TOKEN};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, MessageRefs, Post, PostKind};
use frontdesk_core::id::OutId;
use frontdesk_core::markup::Part;
use frontdesk_core::message::{Event, EventKind, RawEvent};
use frontdesk_core::port::{Adapter, AdapterError, Clock, Inbox, Mono, Stop};
use frontdesk_telegram::{Account, Settings, TelegramAdapter};
use serde_json::{Value, json};

/// Longer than any step takes.
pub const SOON: Duration = Duration::from_secs(20);

/// The machine's clock plus what the test has added.
pub struct TestClock {
    start: Instant,
    ahead: Mutex<Duration>,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), ahead: Mutex::default() })
    }

    pub fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
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
        while self.mono() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The stored raw event of an update that could not be read.
pub fn undecodable(event: &Event) -> &RawEvent {
    let EventKind::Undecodable(raw) = &event.kind else { panic!("{event:?}") };
    raw
}

/// An account of the server's bot, with short intervals.
pub fn account(api: &BotApi) -> Account {
    let mut account = Account::new("default", TOKEN);
    account.settings = Settings {
        api_url: Some(api.url()),
        poll_seconds: 1,
        poll_grace_seconds: 1,
        busy_ms: 10,
        conflict_seconds: 1,
        conflict_longest_seconds: 1,
        webhook_check_seconds: 1,
        connect_seconds: 2,
        request_seconds: 2,
        transfer_seconds: 5,
        patience_seconds: 3,
        ..Settings::default()
    };
    account
}

pub fn adapter(account: Account) -> TelegramAdapter {
    TelegramAdapter::new(account, TestClock::new()).unwrap()
}

/// Runs the adapter during `story`, and then stops it.
pub async fn running<T>(
    adapter: &TelegramAdapter,
    inbox: &Arc<RecordingInbox>,
    story: impl Future<Output = T>,
) -> T {
    let stop = Stop::new();
    let inbox: Arc<dyn Inbox> = inbox.clone();
    // As the runtime does, with shorter pauses.
    let supervised = async {
        loop {
            match adapter.run(inbox.clone(), stop.clone()).await {
                Ok(()) => return,
                Err(AdapterError::Lost(_) | AdapterError::Later { .. }) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
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
pub async fn ended(adapter: &TelegramAdapter, inbox: &Arc<RecordingInbox>) -> AdapterError {
    let run = adapter.run(inbox.clone(), Stop::new());
    tokio::time::timeout(SOON, run).await.expect("it ends").unwrap_err()
}

/// Waits until the condition holds.
pub async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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

pub fn post(body: &str, plain: &str) -> Post {
    Post {
        part: Part { key: 0, body: body.into(), plain: plain.into() },
        out: OutId(1),
        key: "t1/0".into(),
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
    Delivery::Post(post(text, text))
}

/// The bot sends a message with a button, without the adapter. Returns the message's id.
pub async fn asks_back(api: &BotApi, chat: i64) -> i64 {
    let keyboard = json!({"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]});
    let body = json!({"chat_id": chat, "text": "Really?", "reply_markup": keyboard});
    let url = format!("{}/bot{TOKEN}/sendMessage", api.url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = client.post(url).json(&body).send().await.unwrap();
    let sent: Value = sent.json().await.unwrap();
    sent["result"]["message_id"].as_i64().unwrap()
}
