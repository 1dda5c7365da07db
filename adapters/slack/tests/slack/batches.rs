//! Events that arrive while others are stored, and events that must wait.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::address::Address;
use frontdesk_core::message::{Cursor, Event, Outcome, Source};
use frontdesk_core::port::{Adapter, Busy, Inbox, Stop};
use frontdesk_fakeslack::{Fault, SlackApi};
use tokio::sync::Semaphore;

use crate::setup::{SOON, account, adapter, running, until};

/// An inbox whose commits take as long as the test wants.
struct SlowInbox {
    inbox: RecordingInbox,
    /// Each commit needs one to begin.
    commits: Semaphore,
    /// Each commit needs one to be reported.
    reports: Semaphore,
}

impl SlowInbox {
    fn new(commits: usize, reports: usize) -> Self {
        Self {
            inbox: RecordingInbox::default(),
            commits: Semaphore::new(commits),
            reports: Semaphore::new(reports),
        }
    }
}

#[async_trait]
impl Inbox for SlowInbox {
    async fn push(
        &self,
        source: &Source,
        batch: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Outcome>, Busy> {
        if batch.is_empty() {
            return self.inbox.push(source, batch, cursor).await;
        }
        self.commits.acquire().await.unwrap().forget();
        let outcomes = self.inbox.push(source, batch, cursor).await;
        self.reports.acquire().await.unwrap().forget();
        outcomes
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

/// The stored events, without repetitions that Slack has delivered because storing took too long.
fn texts(inbox: &RecordingInbox) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let events = inbox.events().into_iter().filter(|event| seen.insert(event.id.clone()));
    events.map(|event| event.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn envelopes_that_arrive_during_a_commit_are_stored_together_and_acknowledged_after_it() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let inbox = Arc::new(SlowInbox::new(1, Semaphore::MAX_PERMITS));
    let (adapter, stop) = (adapter(account(&slack)), Stop::new());
    let story = async {
        until(|| slack.sockets() > 0).await;
        anna.tells("known");
        until(|| inbox.inbox.events().len() == 1).await;
        let heard = inbox.inbox.heard();
        let sent: Vec<i64> = (0..50).map(|n| anna.tells(&format!("line {n}")).number).collect();
        let confirmed = |number| slack.journal().delivery(number).unwrap().confirmed.is_some();
        // One commit is under way, and everything else is read meanwhile.
        until(|| inbox.inbox.heard() >= heard + 50).await;
        assert!(!sent.iter().any(|number| confirmed(*number)), "acknowledged before the commit");
        inbox.commits.add_permits(2);
        until(|| sent.iter().all(|number| confirmed(*number))).await;
        stop.cancel();
    };
    let run = adapter.run(inbox.clone(), stop.clone());
    tokio::time::timeout(SOON, async { tokio::join!(run, story).0 }).await.expect("in time").unwrap();
    let lines = texts(&inbox.inbox).split_off(1);
    assert_eq!(lines, (0..50).map(|n| format!("line {n}")).collect::<Vec<_>>(), "in their order");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_slack_cannot_describe_holds_up_only_the_chat_that_they_write_in() {
    let slack = SlackApi::start().await;
    let (anna, bert) = (slack.person("U0000ANNA", "Anna"), slack.person("U0000BERT", "Bert"));
    let garden = slack.channel("C0GARDEN", "garden", &[&anna, &bert]);
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        anna.tells("I am known");
        until(|| inbox.events().len() == 1).await;
        slack.fault(Fault::too_many(1).on("users.info").times(1));
        bert.says(&garden.id, "who am I?");
        anna.says(&garden.id, "I come after him");
        until(|| slack.journal().calls_of("users.info").len() == 2).await;
        let last = anna.tells("I do not wait");
        until(|| slack.journal().delivery(last.number).unwrap().confirmed.is_some()).await;
        assert_eq!(texts(&inbox).len(), 2, "his message waits, and what follows it in its chat");
        until(|| texts(&inbox).len() == 4).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["I am known", "I do not wait", "who am I?", "I come after him"]);
    assert_eq!(slack.journal().calls_of("apps.connections.open").len(), 1, "the connection goes on");
    assert_eq!(slack.journal().calls_of("users.info").len(), 3, "nobody asks during the pause");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_whose_acknowledgement_is_lost_after_the_commit_comes_again_as_the_same_event() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let inbox = Arc::new(SlowInbox::new(1, 0));
    let (adapter, stop) = (adapter(account(&slack)), Stop::new());
    let first = async {
        until(|| slack.sockets() > 0).await;
        let sent = anna.tells("once");
        until(|| !slack.journal().delivery(sent.number).unwrap().delivered.is_empty()).await;
        // The connection is gone after the commit and before the acknowledgement, as after a kill.
        inbox.inbox.until(|inbox| inbox.events().len() == 1).await;
        sent
    };
    let sent = {
        let run = adapter.run(inbox.clone(), stop.clone());
        tokio::select! {
            biased;
            sent = first => sent,
            ended = run => panic!("{ended:?}"),
        }
    };
    until(|| slack.sockets() == 0).await;
    assert!(slack.journal().delivery(sent.number).unwrap().confirmed.is_none(), "acknowledged too early");
    inbox.commits.add_permits(5);
    inbox.reports.add_permits(5);
    let again = async {
        until(|| slack.sockets() > 0).await;
        slack.advance(Duration::from_secs(63));
        until(|| slack.journal().delivery(sent.number).unwrap().confirmed.is_some()).await;
        stop.cancel();
    };
    let run = adapter.run(inbox.clone(), stop.clone());
    tokio::time::timeout(SOON, async { tokio::join!(run, again).0 }).await.expect("in time").unwrap();
    let events = inbox.inbox.events();
    assert!(events.iter().all(|event| event.id == events[0].id), "{events:?}");
    assert!(events.len() > 1, "it comes again because it was not acknowledged");
}
