//! What was written while no socket was open is read from the history.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use frontdesk_conformance::{LogLines, RecordingInbox};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::MessageId;
use frontdesk_core::message::{Conversation, Event, EventKind, Outcome, Sender, SenderKind, Source};
use frontdesk_core::port::Inbox;
use frontdesk_fakeslack::{APP, BOT, Fault, SlackApi, TEAM};
use frontdesk_slack::{CHANNEL, SlackAdapter};
use serde_json::json;

use crate::setup::{TestClock, account, adapter, running, until};

/// A cursor of a minute ago.
fn a_minute_ago() -> RecordingInbox {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    RecordingInbox::at(&(now.as_secs() - 60).to_string())
}

fn texts(inbox: &RecordingInbox) -> Vec<String> {
    let messages = inbox.events().into_iter().filter(|event| event.kind == EventKind::Message);
    messages.map(|event| event.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_private_chats_and_their_threads_are_read_from_the_last_position_on() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    slack.act("channel", json!({"id": "C0FEW", "name": "few", "kind": "mpim", "members": ["U0000ANNA"]}));
    for n in 0..3 {
        anna.says(&garden.id, &format!("<@{BOT}> line {n}"));
    }
    let asked = anna.says(&garden.id, "a thread");
    anna.replies(&asked, &format!("<@{BOT}> in it"));
    anna.says("C0FEW", "among us");
    anna.tells("in private");
    slack.act("forget", json!({}));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
    running(&adapter, &inbox, &slack, async {
        until(|| inbox.batches().last().is_some_and(|(ids, cursor)| ids.is_empty() && cursor.is_some()))
            .await;
    })
    .await;
    let mut found = texts(&inbox);
    let lines: Vec<&String> = found.iter().filter(|text| text.starts_with("line")).collect();
    assert_eq!(lines, ["line 0", "line 1", "line 2"], "in their order");
    found.sort();
    assert_eq!(found, ["a thread", "among us", "in it", "in private", "line 0", "line 1", "line 2"]);
    let event = |text: &str| inbox.events().into_iter().find(|event| event.text == text).unwrap();
    assert_eq!(event("in it").address.thread(), Some(asked.ts.as_str()));
    assert!(event("in it").addressed && !event("a thread").addressed && event("in private").addressed);
    assert!(matches!(event("among us").conversation, Conversation::Group { .. }));
    // Until everything is read, no event moves the position.
    assert!(
        inbox.batches().iter().rev().skip(1).all(|(_, cursor)| cursor.is_none()),
        "{:?}",
        inbox.batches()
    );
}

/// Somebody has written in this thread before.
async fn known(inbox: &RecordingInbox, channel: &str, thread: &str, at: DateTime<Utc>) {
    let account = AccountId::default_of(CHANNEL);
    let from = Sender::new(Principal::at(&account, "U0000ANNA").unwrap(), SenderKind::Person);
    let address = Address::at(&account, channel, Some(thread)).unwrap();
    let conversation = Conversation::Thread { chat: channel.to_owned(), thread: thread.to_owned() };
    let mut event = Event::new(thread.to_owned(), EventKind::Message, from, address, conversation);
    event.sent_at = Some(at);
    let source = Source { id: "slack".into(), account };
    inbox.push(&source, vec![event], None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_thread_is_read_if_somebody_has_written_in_it_lately() {
    let slack = SlackApi::start().await;
    slack.channel("C0GARDEN", "garden", &[]);
    let inbox = Arc::new(a_minute_ago());
    let days_ago =
        |days: u32| DateTime::<Utc>::from(SystemTime::now() - days * Duration::from_secs(24 * 60 * 60));
    let thread = |days| format!("{}.000100", days_ago(days).timestamp());
    let (lively, silent) = (thread(40), thread(30));
    for (thread, days) in [(&lively, 13), (&silent, 15)] {
        known(&inbox, "C0GARDEN", thread, days_ago(days)).await;
    }
    let adapter = adapter(account(&slack));
    running(&adapter, &inbox, &slack, async {
        until(|| inbox.batches().last().is_some_and(|(_, cursor)| cursor.is_some())).await;
    })
    .await;
    let asked: Vec<String> = slack
        .journal()
        .calls_of("conversations.replies")
        .iter()
        .map(|call| call.params["ts"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(asked, [lively]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_meanwhile_comes_after_what_was_missed() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let others: Vec<_> = (0..20).map(|n| slack.channel(&format!("C0{n:03}"), "other", &[&anna]).id).collect();
    let garden = slack.channel("C0ZGARDEN", "garden", &[&anna]);
    anna.says(&garden.id, "missed");
    slack.act("forget", json!({}));
    slack.fault(Fault::slow(50).on("conversations.history"));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
    running(&adapter, &inbox, &slack, async {
        until(|| !slack.journal().calls_of("conversations.history").is_empty()).await;
        anna.says(&garden.id, "arrived");
        until(|| texts(&inbox).iter().any(|text| text == "arrived")).await;
        let asked = slack.journal().calls_of("conversations.history").len();
        assert!(asked < others.len(), "its channel was not read first");
    })
    .await;
    let is_moved = |(ids, cursor): &(Vec<String>, Option<String>)| !ids.is_empty() && cursor.is_some();
    assert!(!inbox.batches().iter().any(is_moved), "the position moved before everything was read");
    let found = texts(&inbox);
    let at = |text: &str| found.iter().position(|known| known == text).unwrap();
    assert!(at("missed") < at("arrived"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_meanwhile_waits_until_slack_shows_what_was_missed() {
    let history = "conversations.history";
    for faults in [
        vec![Fault::slow(600).on("users.conversations").times(1)],
        vec![Fault::status(502).on(history).times(2)],
        vec![Fault::too_many(1).on(history).times(1)],
        vec![Fault::hangup().on(history).times(1)],
    ] {
        let slack = SlackApi::start().await;
        let anna = slack.person("U0000ANNA", "Anna");
        let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
        anna.says(&garden.id, "missed");
        slack.act("forget", json!({}));
        let what = format!("{faults:?}");
        let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
        faults.into_iter().for_each(|fault| slack.fault(fault));
        running(&adapter, &inbox, &slack, async {
            until(|| slack.sockets() > 0).await;
            anna.says(&garden.id, "arrived");
            until(|| texts(&inbox).iter().any(|text| text == "arrived")).await;
        })
        .await;
        assert_eq!(texts(&inbox).first().map(String::as_str), Some("missed"), "{what}");
        let sockets = slack.journal().calls_of("apps.connections.open").len();
        assert_eq!(sockets, 1, "the connection has ended for a request that failed: {what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_connection_that_ended_too_soon_all_channels_are_still_read() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    anna.says(&garden.id, "missed");
    slack.act("forget", json!({}));
    slack.fault(Fault::slow(400).on("users.conversations").times(1));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
    running(&adapter, &inbox, &slack, async {
        slack.cut().await;
        slack.restore().await.unwrap();
        until(|| texts(&inbox).iter().any(|text| text == "missed")).await;
        assert!(slack.journal().calls_of("apps.connections.open").len() > 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_edited_in_the_gap_comes_with_its_edit_each_at_its_time() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let sent = anna.tells("first");
    anna.tells("between");
    anna.edits(&sent, "second");
    slack.act("forget", json!({}));
    let mut account = account(&slack);
    account.memberships = BTreeSet::from([format!("team:{TEAM}")]);
    let (adapter, inbox) = (adapter(account), Arc::new(a_minute_ago()));
    running(&adapter, &inbox, &slack, async {
        until(|| inbox.batches().last().is_some_and(|(_, cursor)| cursor.is_some())).await;
    })
    .await;
    let seen: Vec<(EventKind, String)> =
        inbox.events().into_iter().map(|event| (event.kind, event.text)).collect();
    let expected = [
        (EventKind::Message, "second".to_owned()),
        (EventKind::Message, "between".to_owned()),
        (EventKind::Edit, "second".to_owned()),
    ];
    assert_eq!(seen, expected);
    let is_member = |event: &Event| event.from.roles == [format!("team:{TEAM}")];
    assert!(inbox.events().iter().all(is_member), "whoever has edited it is who has written it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_in_the_gap_of_an_older_message_comes_and_the_message_does_not() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let sent = anna.tells("first");
    let root = anna.tells("a plan");
    let reply = anna.replies(&root, "a reply");
    anna.tells("not edited");
    slack.advance(Duration::from_secs(600));
    anna.edits(&sent, "second");
    anna.edits(&reply, "another reply");
    slack.act("forget", json!({}));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let inbox = Arc::new(RecordingInbox::at(&(now + 300).to_string()));
    known(&inbox, &root.channel, &root.ts, SystemTime::now().into()).await;
    let adapter = adapter(account(&slack));
    running(&adapter, &inbox, &slack, async {
        until(|| inbox.batches().last().is_some_and(|(_, cursor)| cursor.is_some())).await;
    })
    .await;
    let mut seen: Vec<(EventKind, String)> =
        inbox.events().into_iter().skip(1).map(|event| (event.kind, event.text)).collect();
    seen.sort_by(|(_, a), (_, b)| a.cmp(b));
    let edit = |text: &str| (EventKind::Edit, text.to_owned());
    assert_eq!(seen, [edit("another reply"), edit("second")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_guest_is_read_in_the_gap_and_no_edit_either() {
    let slack = SlackApi::start().await;
    let guest = slack.person_in(TEAM, "U0000GUEST", "Gus", json!({"is_restricted": true}));
    let sent = guest.tells("first");
    guest.edits(&sent, "second");
    slack.act("forget", json!({}));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
    inbox.gives(Outcome::Conflict { message: MessageId(7) });
    running(&adapter, &inbox, &slack, async {
        until(|| inbox.batches().last().is_some_and(|(_, cursor)| cursor.is_some())).await;
    })
    .await;
    let seen: Vec<_> = inbox.events().into_iter().map(|event| (event.kind, event.text)).collect();
    assert_eq!(seen, [(EventKind::Other("from_a_guest".to_owned()), String::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_waited_out_and_refusals_skipped() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    anna.says(&garden.id, "hello");
    anna.tells("secret");
    slack.act("forget", json!({}));
    slack.act("scopes", json!({"token": frontdesk_fakeslack::TOKEN, "remove": ["im:history"]}));
    slack.fault(Fault::too_many(1).on("conversations.history").times(1));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
    running(&adapter, &inbox, &slack, async {
        until(|| inbox.batches().last().is_some_and(|(_, cursor)| cursor.is_some())).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_messages_are_read_if_there_are_too_many_and_none_without_a_position() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    for n in 0..5 {
        anna.tells(&format!("line {n}"));
    }
    slack.act("forget", json!({}));
    let mut few = account(&slack);
    few.settings.missed_messages = 2;
    let (few, inbox) = (adapter(few), Arc::new(a_minute_ago()));
    running(&few, &inbox, &slack, async { until(|| texts(&inbox).len() == 2).await }).await;
    assert_eq!(texts(&inbox), ["line 3", "line 4"]);
    // The message must not go to the socket that is being closed.
    until(|| slack.sockets() == 0).await;
    let (first, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&first, &inbox, &slack, async {
        anna.tells("live");
        until(|| !inbox.events().is_empty()).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["live"]);
    assert!(slack.journal().calls_of("conversations.history").len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_refusal_is_asked_again() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    anna.says(&garden.id, "hello");
    slack.act("forget", json!({}));
    slack.fault(Fault::refuse(200, "team_added_to_org").on("conversations.history").times(1));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
    running(&adapter, &inbox, &slack, async { until(|| texts(&inbox) == ["hello"]).await }).await;
}

#[tokio::test]
async fn a_channel_whose_history_is_refused_is_named_in_the_log_once() {
    let log = LogLines::of_this_thread();
    for error in ["access_denied", "not_in_channel", "missing_scope"] {
        let slack = SlackApi::start().await;
        let anna = slack.person("U0000ANNA", "Anna");
        let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
        anna.says(&garden.id, "hello");
        slack.act("forget", json!({}));
        slack.fault(Fault::refuse(200, error).on("conversations.history"));
        let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
        running(&adapter, &inbox, &slack, async {
            until(|| inbox.batches().last().is_some_and(|(_, cursor)| cursor.is_some())).await;
        })
        .await;
        let lines = log.lines(&format!("cause=\"{error}\""));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("WARN") && lines[0].contains("chat=\"C0GARDEN\""), "{lines:?}");
    }
}

#[tokio::test]
async fn of_more_messages_than_a_page_the_newest_are_read_and_the_log_names_the_channel() {
    let log = LogLines::of_this_thread();
    let slack = SlackApi::start().await;
    slack.act("limits", json!({"on": false}));
    let anna = slack.person("U0000ANNA", "Anna");
    let [many, full, thread] =
        ["C0MANY", "C0FULL", "C0THREAD"].map(|id| slack.channel(id, "garden", &[&anna]).id);
    (0..201).for_each(|n| drop(anna.says(&many, &format!("line {n}"))));
    (0..200).for_each(|n| drop(anna.says(&full, &format!("full {n}"))));
    for replies in [200, 201] {
        let root = anna.says(&thread, "a thread");
        (0..replies).for_each(|n| drop(anna.replies(&root, &format!("reply {n} of {replies}"))));
    }
    slack.act("forget", json!({}));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(a_minute_ago()));
    running(&adapter, &inbox, &slack, async {
        until(|| inbox.batches().last().is_some_and(|(_, cursor)| cursor.is_some())).await;
    })
    .await;
    let found = texts(&inbox);
    let count = |what: &str| found.iter().filter(|text| text.contains(what)).count();
    let expected = [("line", 200), ("full", 200), ("of 200", 200), ("of 201", 200), ("a thread", 2)];
    assert_eq!(expected.map(|(what, _)| (what, count(what))), expected);
    for gone in ["line 0", "reply 0 of 201"] {
        assert!(!found.iter().any(|text| text == gone), "{gone}");
    }
    for newest in ["line 200", "reply 200 of 201"] {
        assert!(found.iter().any(|text| text == newest), "{newest}");
    }
    let mut lines = log.lines("raise missed_messages");
    lines.sort();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for chat in [&many, &thread] {
        assert!(lines.iter().any(|line| line.contains(&format!("chat=\"{chat}\""))), "{lines:?}");
    }
}

#[tokio::test]
async fn what_slack_has_withheld_is_read_when_it_no_longer_does() {
    let log = LogLines::of_this_thread();
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let (inbox, clock) = (Arc::new(RecordingInbox::default()), TestClock::new());
    let mut account = account(&slack);
    account.settings.patience_seconds = 3600;
    let adapter = SlackAdapter::new(account, clock.clone()).unwrap();
    running(&adapter, &inbox, &slack, async {
        anna.tells("known");
        until(|| texts(&inbox).len() == 1).await;
        slack.act("withhold", json!({"app": APP, "on": true}));
        anna.says(&garden.id, "withheld");
        let notice = EventKind::Other("app_rate_limited".to_owned());
        until(|| inbox.events().iter().any(|event| event.kind == notice)).await;
        slack.act("withhold", json!({"app": APP, "on": false}));
        anna.tells("delivered");
        until(|| texts(&inbox).len() == 2).await;
        assert_eq!(inbox.batches().last().unwrap().1, None, "the position passed what is withheld");
        clock.advance(Duration::from_secs(150));
        until(|| inbox.batches().last().unwrap().1.is_some()).await;
    })
    .await;
    assert!(texts(&inbox).iter().any(|text| text == "withheld"), "{:?}", texts(&inbox));
    let lines = log.lines("more than 30,000 an hour");
    assert!(lines.len() == 1 && lines[0].contains("WARN"), "{lines:?}");
}
