//! A gateway that takes nothing for a while: nothing is lost, however long that lasts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::address::Address;
use frontdesk_core::message::{Cursor, Event, Outcome, Source};
use frontdesk_core::port::{Adapter, Busy, Clock, Inbox, Stop, WebhookOutcome};
use frontdesk_fakeslack::{APP, SlackApi};
use frontdesk_slack::SlackAdapter;
use serde_json::json;

use crate::http;
use crate::setup::{SOON, TestClock, account, adapter, running, until};

/// More events than wait in an adapter and in its queue.
const MANY: usize = 1300;

/// An inbox that takes no event while it is full, and a position all the same, as the gateway does.
#[derive(Default)]
struct FullInbox {
    inbox: RecordingInbox,
    is_full: AtomicBool,
    refused: AtomicUsize,
}

impl FullInbox {
    fn fill(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// The texts of the events that were stored, each once, as the store keeps them.
    fn texts(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let events = self.inbox.events().into_iter().filter(|event| seen.insert(event.id.clone()));
        events.map(|event| event.text).collect()
    }

    /// How many batches have moved the position.
    fn moves(&self) -> usize {
        self.inbox.batches().iter().filter(|(_, cursor)| cursor.is_some()).count()
    }
}

#[async_trait]
impl Inbox for FullInbox {
    async fn push(
        &self,
        source: &Source,
        batch: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Outcome>, Busy> {
        if !batch.is_empty() && self.is_full.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(Busy::Full { waiting: 1 });
        }
        self.inbox.push(source, batch, cursor).await
    }

    async fn cursor(&self, source: &Source) -> Result<Option<Cursor>, Busy> {
        self.inbox.cursor(source).await
    }

    async fn chats(&self, source: &Source, since: DateTime<Utc>) -> Result<Vec<Address>, Busy> {
        self.inbox.chats(source, since).await
    }

    fn heard(&self, source: &Source) {
        Inbox::heard(&self.inbox, source);
    }
}

/// Slack sends an event four times in all, and then never again.
async fn gives_up(slack: &SlackApi, number: i64) {
    until(|| {
        slack.advance(Duration::from_secs(30));
        slack.journal().delivery(number).unwrap().expired
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_position_does_not_pass_what_a_full_gateway_did_not_take() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (inbox, clock) = (Arc::new(FullInbox::default()), TestClock::new());
    let mut account = account(&slack);
    account.settings.patience_seconds = 3600;
    let first = SlackAdapter::new(account.clone(), clock.clone()).unwrap();
    running(&first, &inbox, &slack, async {
        anna.tells("taken");
        until(|| inbox.texts().len() == 1).await;
        inbox.fill(true);
        let sent = anna.tells("not taken for minutes");
        until(|| inbox.refused() > 0).await;
        gives_up(&slack, sent.number).await;
        let (heard, moves) = (inbox.inbox.heard(), inbox.moves());
        clock.advance(Duration::from_secs(7 * 60));
        // A ping of Slack's, after which the position is due.
        until(|| inbox.inbox.heard() > heard).await;
        let refused = inbox.refused();
        // It is handed in again after pauses of the clock, perhaps by another connection.
        until(|| {
            clock.advance(Duration::from_millis(100));
            inbox.moves() > moves || inbox.refused() > refused + 1
        })
        .await;
    })
    .await;
    until(|| slack.sockets() == 0).await;
    inbox.fill(false);
    let second = SlackAdapter::new(account, clock.clone()).unwrap();
    let moves = inbox.moves();
    running(&second, &inbox, &slack, until(|| inbox.moves() > moves)).await;
    assert_eq!(inbox.texts(), ["taken", "not taken for minutes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_gateway_did_not_take_is_handed_in_again_in_its_order() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(FullInbox::default()));
    let lines: Vec<String> = (0..250).map(|n| format!("line {n}")).collect();
    running(&adapter, &inbox, &slack, async {
        inbox.fill(true);
        let heard = inbox.inbox.heard();
        let sent: Vec<i64> = lines.iter().map(|line| anna.tells(line).number).collect();
        until(|| inbox.inbox.heard() >= heard + lines.len() && inbox.refused() > 0).await;
        // Slack brings nothing of that again.
        for number in &sent {
            assert!(slack.journal().delivery(*number).unwrap().confirmed.is_none(), "acknowledged too early");
        }
        inbox.fill(false);
        until(|| sent.iter().all(|number| slack.journal().delivery(*number).unwrap().confirmed.is_some()))
            .await;
    })
    .await;
    assert_eq!(inbox.texts(), lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_finds_no_space_is_read_from_the_history_later() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (inbox, clock, stop) = (Arc::new(FullInbox::default()), TestClock::new(), Stop::new());
    let adapter = http::signed(&slack, clock.clone());
    let hook = adapter.webhook().unwrap();
    slack.act("subscribe", json!({"app": APP, "events": []}));
    let chat = anna.tells("before").channel;
    let receive = |text: String, ts: String| {
        let message = json!({
            "type": "message", "channel_type": "im", "channel": chat, "user": anna.id, "text": text, "ts": ts,
        });
        hook.receive(http::event(clock.wall(), &message))
    };
    let story = async {
        until(|| inbox.moves() > 0).await;
        inbox.fill(true);
        let lines: Vec<_> =
            (0..1200).map(|n| receive(format!("line {n}"), format!("1700000000.{n:06}"))).collect();
        let mut all = std::pin::pin!(futures_util::future::join_all(lines));
        let given_up = async {
            until(|| inbox.refused() > 0).await;
            clock.advance(Duration::from_secs(3));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            outcomes = &mut all => assert!(outcomes.iter().all(|outcome| *outcome == WebhookOutcome::Busy)),
            () = given_up => {}
        }
        let turned_away = anna.tells("no space");
        let refused = async { receive("no space".to_owned(), turned_away.ts.clone()).await };
        let given_up = async {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(3));
        };
        assert_eq!(tokio::join!(refused, given_up).0, WebhookOutcome::Busy);
        inbox.fill(false);
        until(|| inbox.texts().len() > 1000).await;
        let moves = inbox.moves();
        let later = receive("later".to_owned(), "1700000001.000000".to_owned()).await;
        assert_eq!(later, WebhookOutcome::Taken(None));
        assert_eq!(inbox.moves(), moves, "the position passed what was turned away");
        assert!(!inbox.texts().contains(&"no space".to_owned()), "there was space");
        clock.advance(Duration::from_secs(150));
        until(|| inbox.texts().contains(&"no space".to_owned()) && inbox.moves() > moves).await;
        stop.cancel();
    };
    let told =
        tokio::time::timeout(SOON, async { tokio::join!(adapter.run(inbox.clone(), stop.clone()), story).0 });
    told.await.expect("it happens in time").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slack_gives_up_sending_to_a_full_socket_is_read_from_the_history_later() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (inbox, clock) = (Arc::new(FullInbox::default()), TestClock::new());
    let mut account = account(&slack);
    account.settings.patience_seconds = 3600;
    account.settings.missed_messages = 5000;
    let adapter = SlackAdapter::new(account, clock.clone()).unwrap();
    running(&adapter, &inbox, &slack, async {
        inbox.fill(true);
        anna.tells("waits");
        until(|| inbox.refused() > 0).await;
        let heard = inbox.inbox.heard();
        (1..MANY).for_each(|n| drop(anna.tells(&format!("line {n}"))));
        until(|| inbox.inbox.heard() >= heard + 1000).await;
        slack.act("subscribe", json!({"app": APP, "events": []}));
        anna.tells("never delivered");
        clock.advance(Duration::from_secs(300));
        let moves = inbox.moves();
        inbox.fill(false);
        until(|| inbox.texts().len() >= MANY).await;
        assert!(!inbox.texts().contains(&"never delivered".to_owned()));
        clock.advance(Duration::from_secs(150));
        until(|| inbox.texts().contains(&"never delivered".to_owned()) && inbox.moves() > moves).await;
        assert_eq!(slack.journal().calls_of("apps.connections.open").len(), 1, "the connection goes on");
    })
    .await;
}
