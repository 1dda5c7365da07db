//! Socket Mode: acknowledgement after the commit, the change of sockets, and connections that end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frontdesk_conformance::{LogLines, RecordingInbox};
use frontdesk_core::ask::AskError;
use frontdesk_core::id::AskId;
use frontdesk_core::message::{Conversation, Event, EventKind, Outcome};
use frontdesk_core::port::{AdapterError, Busy};
use frontdesk_fakeslack::{APP, BOT, Fault, OTHER_TEAM, SlackApi, TOKEN};
use serde_json::json;

use crate::setup::{account, adapter, ended, running, until};

fn ids(events: &[Event]) -> BTreeSet<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_acknowledged_after_the_commit_and_not_before() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        until(|| !inbox.batches().is_empty()).await;
        inbox.refuses(Busy::Full { waiting: 1 });
        let sent = anna.tells("hello");
        until(|| inbox.refusals() == 0).await;
        assert!(slack.journal().delivery(sent.number).unwrap().confirmed.is_none(), "acknowledged too early");
        // It waits in memory.
        until(|| slack.journal().delivery(sent.number).unwrap().confirmed.is_some()).await;
        assert_eq!(inbox.events().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_comes_twice_and_is_one_event_of_one_thread() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let sent = anna.says(&garden.id, &format!("<@{BOT}> is it wet?"));
        until(|| inbox.events().len() == 2).await;
        let events = inbox.events();
        assert_eq!(ids(&events).len(), 1, "{events:?}");
        for event in &events {
            let thread = Conversation::Thread { chat: garden.id.clone(), thread: sent.ts.clone() };
            assert_eq!(
                (&event.conversation, event.text.as_str(), event.addressed),
                (&thread, "is it wet?", true)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn events_of_another_workspace_are_named_in_the_log_once() {
    let log = LogLines::of_this_thread();
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let carol = slack.person_in(OTHER_TEAM, "U0STRANGER", "Carol", json!({}));
    slack.act(
        "channel",
        json!({"id": "C0THERE", "name": "there", "team": OTHER_TEAM, "members": ["U0STRANGER"]}),
    );
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        for _ in 0..3 {
            let sent = carol.says("C0THERE", "hello");
            until(|| !slack.journal().delivery(sent.number).unwrap().delivered.is_empty()).await;
        }
        anna.tells("hello");
        until(|| inbox.events().len() == 1).await;
    })
    .await;
    let lines = log.lines("an event of another workspace");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("WARN") && lines[0].contains(OTHER_TEAM), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_message_is_an_event_of_its_author_about_that_message() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let sent = anna.tells("never mind");
        until(|| inbox.events().len() == 1).await;
        anna.deletes(&sent);
        until(|| inbox.events().len() == 2).await;
        let [said, deleted] = inbox.events().try_into().unwrap();
        assert_eq!((deleted.kind, deleted.from.id), (EventKind::Deleted, said.from.id));
        assert_eq!((deleted.platform_message, deleted.address), (said.platform_message, said.address));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_when_slack_closes_a_socket() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let mut sent = 0;
        for reason in ["warning", "refresh_requested", "warning"] {
            assert_eq!(slack.act("disconnect", json!({"app": APP, "reason": reason})), 1);
            for _ in 0..20 {
                anna.tells(&format!("line {sent}"));
                sent += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if reason == "warning" {
                until(|| slack.sockets() == 2).await;
                slack.advance(Duration::from_secs(10));
            }
            until(|| slack.sockets() == 1).await;
        }
        // One at the start, and one for each that was to be closed.
        assert_eq!(slack.journal().calls_of("apps.connections.open").len(), 4);
        // What went to a socket in its last moment comes again.
        slack.advance(Duration::from_secs(63));
        let all = |events: &[Event]| {
            (0..sent).all(|n| events.iter().any(|event| event.text == format!("line {n}")))
        };
        until(|| all(&inbox.events())).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_says_why() {
    let slack = SlackApi::start().await;
    let inbox = Arc::new(RecordingInbox::default());
    slack.act("revoke", json!({"token": TOKEN, "error": "token_revoked"}));
    let error = ended(&adapter(account(&slack)), &inbox).await;
    assert!(matches!(&error, AdapterError::Credentials(why) if why.contains("token_revoked")), "{error}");
    let mut swapped = account(&slack);
    let app_token = frontdesk_core::config::Secret::new("xapp-1-A404-1-x");
    swapped.events = frontdesk_slack::Events::SocketMode { app_token };
    swapped.token = frontdesk_core::config::Secret::new(frontdesk_fakeslack::OTHER_TOKEN);
    let error = ended(&adapter(swapped), &inbox).await;
    assert!(
        matches!(&error, AdapterError::Credentials(why) if why.contains("apps.connections.open")),
        "{error}"
    );
    assert!(!error.to_string().contains("A404-1-x"));
    assert_eq!(inbox.heard(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_new_sockets_is_waited_out_by_the_runtime() {
    let slack = SlackApi::start().await;
    slack.fault(frontdesk_fakeslack::Fault::too_many(7).on("apps.connections.open").times(1));
    let error = ended(&adapter(account(&slack)), &Arc::new(RecordingInbox::default())).await;
    assert!(matches!(error, AdapterError::Later { after, .. } if after == Duration::from_secs(7)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn socket_mode_that_was_switched_off_is_the_operators_to_mend() {
    let slack = SlackApi::start().await;
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    let off = async {
        until(|| slack.sockets() == 1).await;
        slack.act("disconnect", json!({"app": APP, "reason": "link_disabled"}));
    };
    let (error, ()) = tokio::join!(ended(&adapter, &inbox), off);
    assert!(matches!(error, AdapterError::Setup(_)), "{error}");
}

#[tokio::test]
async fn only_a_socket_that_has_said_hello_shows_that_slack_is_there() {
    let log = LogLines::of_this_thread();
    let slack = SlackApi::start().await;
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    slack.act("socket_mode", json!({"app": APP, "state": "mute"}));
    let error = ended(&adapter, &inbox).await;
    assert!(matches!(&error, AdapterError::Lost(why) if why.contains("closed")), "{error}");
    assert_eq!((inbox.heard(), log.lines(": connected ").len()), (0, 0));
    slack.act("socket_mode", json!({"app": APP, "state": "on"}));
    running(&adapter, &inbox, &slack, async { until(|| inbox.heard() > 1).await }).await;
    assert_eq!(log.lines(": connected ").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_are_exchanged_soon_one_after_another_are_opened_later_and_later() {
    let slack = SlackApi::start().await;
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let opened = || slack.journal().calls_of("apps.connections.open").len();
        let mut pauses = Vec::new();
        for sockets in 2..=4 {
            let begun = Instant::now();
            slack.act("disconnect", json!({"app": APP, "reason": "warning"}));
            until(|| opened() == sockets && slack.sockets() == 2).await;
            pauses.push(begun.elapsed().as_millis());
            slack.advance(Duration::from_secs(10));
            until(|| slack.sockets() == 1).await;
        }
        assert!(pauses[1] >= 800 && pauses[2] >= 1600, "{pauses:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_read_while_the_next_one_is_opened_and_goes_on_if_that_fails() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let opened = || slack.journal().calls_of("apps.connections.open").len();
        let stored = async |text: &str| {
            let sent = anna.tells(text);
            until(|| slack.journal().delivery(sent.number).unwrap().confirmed.is_some()).await;
        };
        stored("known").await;
        // The first attempt fails, and the second one takes its time.
        slack.fault(Fault::status(502).on("apps.connections.open").times(1));
        slack.act("disconnect", json!({"app": APP, "reason": "warning"}));
        until(|| opened() == 2).await;
        stored("after a failed attempt").await;
        slack.fault(Fault::slow(1500).on("apps.connections.open").times(1));
        until(|| opened() == 3).await;
        stored("during the second attempt").await;
        assert_eq!(slack.sockets(), 1, "the next socket was open already");
        until(|| slack.sockets() == 2).await;
        slack.advance(Duration::from_secs(10));
        until(|| slack.sockets() == 1).await;
        assert_eq!(opened(), 3, "the connection goes on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_socket_has_closed_and_before_the_next_one_is_open_is_read() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let opened = || slack.journal().calls_of("apps.connections.open").len();
        let sent = anna.tells("known");
        until(|| slack.journal().delivery(sent.number).unwrap().confirmed.is_some()).await;
        slack.fault(Fault::slow(500).on("apps.connections.open").times(1));
        slack.act("disconnect", json!({"app": APP, "reason": "warning"}));
        until(|| opened() == 2).await;
        slack.advance(Duration::from_secs(10));
        until(|| slack.sockets() == 0).await;
        anna.tells("in between");
        until(|| inbox.events().iter().any(|event| event.text == "in between")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_socket_is_found_by_its_silence() {
    let slack = SlackApi::start().await;
    let mut account = account(&slack);
    account.settings.patience_seconds = 10;
    let (adapter, inbox) = (adapter(account), Arc::new(RecordingInbox::default()));
    let dies = async {
        until(|| slack.sockets() == 1).await;
        slack.act("dead", json!({"app": APP}));
    };
    let (error, ()) = tokio::join!(ended(&adapter, &inbox), dies);
    assert!(matches!(&error, AdapterError::Lost(why) if why.contains("sent nothing for 10s")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_button_is_told_to_its_presser_alone() {
    let slack = SlackApi::start().await;
    let (anna, bert) = (slack.person("U0000ANNA", "Anna"), slack.person("U0000BERT", "Bert"));
    let garden = slack.channel("C0GARDEN", "garden", &[&anna, &bert]);
    let button = |(label, value): (&str, &str)| {
        let text = json!({"type": "plain_text", "text": label});
        json!({"type": "button", "text": text, "value": value, "action_id": value})
    };
    let blocks = json!([{"type": "actions", "elements": [button(("Go", "a7:0"))]}]);
    let extra = json!({"channel": garden.id, "user": BOT, "text": "?", "extra": {"blocks": blocks}});
    let asked = slack.act("say", extra);
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    inbox.gives(Outcome::NotAnswered { ask: AskId(7), error: AskError::NotYours });
    running(&adapter, &inbox, &slack, async {
        // The app's own message is no event for us.
        until(|| inbox.events().iter().all(|event| matches!(event.kind, EventKind::Other(_)))).await;
        bert.presses(&garden.id, asked["ts"].as_str().unwrap(), "Go");
        until(|| garden.shows().len() == 2).await;
        let shown = garden.shows().pop().unwrap();
        assert_eq!(
            (shown.only.as_deref(), garden.shows()[0].buttons.len()),
            (Some("U0000BERT"), 1),
            "{shown:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_nobody_may_use_is_answered_to_its_user_alone() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    inbox.gives(Outcome::Denied);
    running(&adapter, &inbox, &slack, async {
        anna.commands(&garden.id, "/frontdesk", "new");
        until(|| garden.shows().len() == 1).await;
        assert_eq!(garden.shows()[0].only.as_deref(), Some("U0000ANNA"));
        assert_eq!(inbox.events()[0].text, "/new");
    })
    .await;
}
