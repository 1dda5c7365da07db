//! What goes wrong between Discord and a connection.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_conformance::{LogLines, RecordingInbox};
use frontdesk_core::message::Conversation;
use frontdesk_core::port::AdapterError;
use frontdesk_discord::DiscordAdapter;
use frontdesk_fakediscord::{Fault, Id};
use serde_json::json;

use crate::setup::{Garden, TestClock, ended, running, texts};

/// A bot that has resumed its session, which names no channels, and the id of a thread.
async fn resumed(garden: &Garden, inbox: &Arc<RecordingInbox>) -> String {
    let thread = json!({"channel": garden.channel, "user": 7, "name": "Hers"});
    let thread = garden.discord.act("thread", thread)["channel_id"].as_str().unwrap().to_owned();
    let first = garden.adapter();
    running(&first, inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "before");
        garden.commands().await;
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    garden.left().await;
    thread
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_cannot_be_looked_up_at_once_loses_nothing_and_holds_up_nobody() {
    for fault in [Fault::refuse(500, "0 500: Internal Server Error"), Fault::status(502), Fault::too_many(2)]
    {
        let garden = Garden::new().await;
        let inbox = Arc::new(RecordingInbox::default());
        let thread = resumed(&garden, &inbox).await;
        garden.discord.fault(fault.clone().on("get_channel").in_chat(thread.parse::<Id>().unwrap()).times(1));
        // Apart from heartbeats, which do not come so soon, only a new connection is heard.
        garden.discord.act("heartbeat", json!({"interval_ms": 10_000_000}));
        let heard = inbox.heard();
        let says = |text: &str| {
            garden.discord.act("say", json!({"user": 7, "channel": thread, "content": text}));
        };
        let again = garden.adapter();
        running(&again, &inbox, async {
            says("in the thread");
            garden.ann.says(garden.channel, "elsewhere");
            says("again");
            inbox.until(|inbox| texts(inbox).len() == 4).await;
        })
        .await;
        assert_eq!(texts(&inbox), ["before", "elsewhere", "in the thread", "again"], "{fault:?}");
        let place = Conversation::Thread { chat: garden.channel.to_string(), thread };
        assert_eq!(inbox.events().last().unwrap().conversation, place);
        assert_eq!((inbox.heard() - heard, garden.identified()), (1, 1), "the connection goes on: {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_does_not_overtake_messages_whose_thread_is_being_looked_up() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let thread = resumed(&garden, &inbox).await;
    let fault = Fault::refuse(500, "0 500: Internal Server Error").on("get_channel");
    garden.discord.fault(fault.in_chat(thread.parse::<Id>().unwrap()).times(1));
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.discord.act("say", json!({"user": 7, "channel": thread, "content": "in the thread"}));
        garden.discord.act("slash", json!({"user": 7, "channel": thread, "name": "status"}));
        inbox.until(|inbox| texts(inbox).len() == 3).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "in the thread", "/status"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_thread_was_not_looked_up_comes_again_after_a_restart() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let thread = resumed(&garden, &inbox).await;
    let fault = Fault::refuse(500, "0 500: Internal Server Error").on("get_channel");
    garden.discord.fault(fault.in_chat(thread.parse::<Id>().unwrap()));
    let dies = garden.adapter();
    running(&dies, &inbox, async {
        garden.discord.act("say", json!({"user": 7, "channel": thread, "content": "in the thread"}));
        garden.ann.says(garden.channel, "elsewhere");
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    garden.left().await;
    garden.discord.clear_faults();
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 3).await }).await;
    assert_eq!(texts(&inbox), ["before", "elsewhere", "in the thread"]);
    assert_eq!(garden.identified(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_pause_of_the_whole_bot_is_waited_for_while_the_connection_goes_on() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "before");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    garden.left().await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "missed");
    // Apart from heartbeats, which do not come so soon, only a new connection is heard.
    garden.discord.act("heartbeat", json!({"interval_ms": 10_000_000}));
    let limit =
        json!({"operation": "list_messages", "scope": "global", "retry_after_ms": 90_000, "times": 1});
    garden.discord.act("too_many", limit);
    let (clock, heard) = (TestClock::new(), inbox.heard());
    let again = DiscordAdapter::new(garden.account(), clock.clone()).unwrap();
    running(&again, &inbox, async {
        garden.discord.until(|| !garden.discord.journal().calls_of("list_messages").is_empty()).await;
        garden.ann.says(garden.channel, "live");
        while texts(&inbox).len() < 3 {
            clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "missed", "live"]);
    assert_eq!((inbox.heard() - heard, garden.identified()), (1, 2), "the connection goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_cannot_be_read_is_skipped() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    garden.discord.act("heartbeat", json!({"interval_ms": 10_000_000}));
    running(&adapter, &inbox, async {
        garden.connected().await;
        for text in
            ["{", "[]", r#"{"op":"0"}"#, r#"{"op":0,"t":5,"s":1}"#, r#"{"op":0,"t":"MESSAGE_CREATE"}"#]
        {
            garden.discord.act("frame", json!({"text": text}));
        }
        garden.ann.says(garden.channel, "after them");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
        assert_eq!(inbox.heard(), 1, "the connection goes on");
        garden.discord.act("disconnect", json!({}));
        garden.ann.says(garden.channel, "resumed");
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    assert_eq!((texts(&inbox), garden.identified()), (vec!["after them".into(), "resumed".into()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_sessions_of_a_day_are_spread_over_the_rest_of_it() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    garden.discord.act("budget", json!({"identifies": 6}));
    let adapter = garden.adapter();
    running(&adapter, &inbox, async {
        for sessions in 1..=5_u8 {
            garden.discord.until(|| garden.identified() == u64::from(sessions)).await;
            garden.connected().await;
            inbox.until(|inbox| inbox.heard() >= usize::from(sessions)).await;
            garden.discord.act("disconnect", json!({"code": 4009}));
            garden.left().await;
        }
    })
    .await;
    // A restart does not begin another one either.
    let mut error = ended(&garden.adapter(), &inbox).await;
    if error.to_string().contains("Discord has ended the session") {
        // The end of the last session was not stored before.
        error = ended(&garden.adapter(), &inbox).await;
    }
    let AdapterError::Later { after, .. } = &error else { panic!("{error}") };
    assert!(*after > Duration::from_secs(23 * 3600), "{after:?}");
    assert_eq!(garden.identified(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_differ_in_anything_are_registered_again() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    let registered = || garden.discord.journal().calls_of("bulk_set_application_commands").len();
    running(&adapter, &inbox, async {
        garden.commands().await;
        for change in [json!({"options": []}), json!({"contexts": [0]})] {
            let before = registered();
            garden.discord.act("commands", json!({"change": change}));
            garden.discord.act("disconnect", json!({}));
            garden.discord.until(|| registered() > before).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_channel_whose_history_is_refused_is_named_in_the_log_once() {
    let log = LogLines::of_this_thread();
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "known");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "refused");
    garden.discord.fault(Fault::refuse(403, "50001 Missing Access").on("list_messages"));
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "live");
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    let lines = log.lines("missed messages of a channel or server cannot be read");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("WARN") && lines[0].contains("chat=\"5000\"") && lines[0].contains("code=50001"),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_an_operator_has_to_change_says_where() {
    let garden = Garden::new().await;
    for (code, place) in [
        (4004, "developer portal, Bot, Reset Token"),
        (4010, "developer portal, General Information"),
        (4011, "Integrations"),
        (4012, "developer portal, General Information"),
        (4013, "developer portal, General Information"),
        (4014, "developer portal, Bot, Privileged Gateway Intents"),
    ] {
        let (adapter, inbox) = (garden.adapter(), Arc::default());
        let closes = async {
            garden.connected().await;
            garden.discord.act("disconnect", json!({"code": code}));
        };
        let (error, ()) = tokio::join!(ended(&adapter, &inbox), closes);
        let is_final = matches!(error, AdapterError::Setup(_) | AdapterError::Credentials(_));
        assert!(is_final && error.to_string().contains(place), "{code}: {error}");
        garden.left().await;
    }
}
