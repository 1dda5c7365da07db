//! An app for a test: a Slack server, an inbox that records events, and a clock that can be put forward.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::address::Address;
use frontdesk_core::config::Secret;
use frontdesk_core::delivery::{Delivery, MessageRefs, Post, PostKind};
use frontdesk_core::id::OutId;
use frontdesk_core::markup::Part;
use frontdesk_core::port::{Adapter, AdapterError, Clock, Inbox, Mono, Stop};
use frontdesk_fakeslack::{APP_TOKEN, SlackApi, TOKEN};
use frontdesk_slack::{Account, Events, Settings, SlackAdapter};
use tokio::sync::watch;

/// Longer than any step takes.
pub const SOON: Duration = Duration::from_secs(20);

/// The machine's clock, which a test can put forward.
pub struct TestClock {
    begun: Instant,
    ahead: watch::Sender<Duration>,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { begun: Instant::now(), ahead: watch::Sender::default() })
    }

    pub fn advance(&self, time: Duration) {
        self.ahead.send_modify(|ahead| *ahead += time);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn wall(&self) -> DateTime<Utc> {
        DateTime::from(SystemTime::now() + *self.ahead.borrow())
    }

    fn mono(&self) -> Mono {
        Mono(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed() + *self.ahead.borrow()
    }

    async fn sleep_until(&self, deadline: Mono) {
        let mut ahead = self.ahead.subscribe();
        while self.mono() < deadline {
            tokio::select! {
                () = tokio::time::sleep(deadline.since(self.mono())) => {}
                _ = ahead.changed() => {}
            }
        }
    }
}

/// An account of the server's app, with short intervals.
pub fn account(slack: &SlackApi) -> Account {
    let mut account =
        Account::new("default", TOKEN, Events::SocketMode { app_token: Secret::new(APP_TOKEN) });
    account.settings = Settings {
        api_url: Some(slack.api_url()),
        connect_seconds: 2,
        request_seconds: 2,
        transfer_seconds: 5,
        ..Settings::default()
    };
    account
}

pub fn adapter(account: Account) -> SlackAdapter {
    SlackAdapter::new(account, TestClock::new()).unwrap()
}

/// Runs the adapter during `story`, and then stops it.
pub async fn running<T>(
    adapter: &SlackAdapter,
    inbox: &Arc<impl Inbox + 'static>,
    slack: &SlackApi,
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
        let story = async {
            until(|| slack.sockets() > 0).await;
            story.await
        };
        let described = tokio::time::timeout(SOON, story).await.expect("it happens in time");
        stop.cancel();
        described
    };
    tokio::join!(supervised, described).1
}

/// Runs the adapter until its connection ends by itself.
pub async fn ended(adapter: &SlackAdapter, inbox: &Arc<RecordingInbox>) -> AdapterError {
    let run = adapter.run(inbox.clone(), Stop::new());
    tokio::time::timeout(SOON, run).await.expect("it ends").unwrap_err()
}

/// Waits until the condition holds.
pub async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn to(address: &str) -> Address {
    address.parse().unwrap()
}

pub fn post(body: &str) -> Post {
    Post {
        part: Part { key: 0, body: body.into(), plain: body.into() },
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
    Delivery::Post(post(text))
}
