//! What helps a bot back: hosts that are gone, channels that cannot be read, many servers, and sessions that Discord does not
//! confirm.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_conformance::{LogLines, RecordingInbox};
use frontdesk_core::port::{AdapterError, Busy};
use frontdesk_discord::DiscordAdapter;
use frontdesk_fakediscord::{Fault, Id};
use serde_json::{Value, json};

use crate::setup::{Garden, TestClock, ended, running, texts};

/// Nobody listens at this port, which no program can have.
const NOBODY: &str = "ws://127.0.0.1:0";

/// A bot that has stored "before" and its session, and then stops.
async fn stored_session(garden: &Garden, inbox: &Arc<RecordingInbox>) {
    let first = garden.adapter();
    running(&first, inbox, async {
        garden.commands().await;
        garden.ann.says(garden.channel, "before");
        inbox.until(|inbox| texts(inbox) == ["before"]).await;
    })
    .await;
    garden.left().await;
}

/// Lets time pass until the story ends.
async fn while_time_passes(clock: &TestClock, story: impl Future<Output = ()>) {
    let mut story = std::pin::pin!(story);
    loop {
        tokio::select! {
            biased;
            () = &mut story => return,
            () = tokio::time::sleep(Duration::from_millis(5)) => clock.advance(Duration::from_secs(1)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_host_is_gone_goes_on_elsewhere() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    garden.discord.act("resumed_at", json!({"url": NOBODY}));
    stored_session(&garden, &inbox).await;
    garden.discord.act("slash", json!({"user": 7, "channel": garden.channel, "name": "status"}));
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 2).await }).await;
    assert_eq!(texts(&inbox), ["before", "/status"]);
    assert_eq!(garden.identified(), 1, "the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_kept_while_discord_cannot_be_reached() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    stored_session(&garden, &inbox).await;
    garden.discord.fault(Fault::status(503).on("gateway"));
    garden.discord.fault(Fault::status(503).on("get_bot_gateway"));
    let again = garden.adapter();
    running(&again, &inbox, async {
        let asked = || garden.discord.journal().calls_of("get_bot_gateway").len();
        garden.discord.until(|| asked() > 10).await;
        garden.discord.clear_faults();
        garden.ann.says(garden.channel, "after it");
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "after it"]);
    assert_eq!(garden.identified(), 1, "the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_can_be_taken_up_nowhere_is_given_up_and_its_messages_are_read() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    stored_session(&garden, &inbox).await;
    garden.ann.says(garden.channel, "missed");
    garden.discord.fault(Fault::status(503).on("gateway").times(6));
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 2).await }).await;
    assert_eq!(texts(&inbox), ["before", "missed"]);
    assert_eq!(garden.identified(), 2);
}

#[tokio::test]
async fn a_channel_for_which_discord_does_not_answer_is_skipped_and_the_others_are_read() {
    for fault in [Fault::refuse(500, "0 500: Internal Server Error"), Fault::status(502)] {
        let log = LogLines::of_this_thread();
        let garden = Garden::new().await;
        let inbox = Arc::new(RecordingInbox::default());
        let other = garden.discord.channel(Id(9000), 5001, 0, "other");
        stored_session(&garden, &inbox).await;
        garden.discord.act("forget_sessions", json!({}));
        garden.discord.act("heartbeat", json!({"interval_ms": 10_000_000}));
        garden.ann.says(garden.channel, "cannot be read");
        garden.ann.says(other, "missed");
        garden.discord.fault(fault.on("list_messages").in_chat(garden.channel));
        let (clock, heard) = (TestClock::new(), inbox.heard());
        let again = DiscordAdapter::new(garden.account(), clock.clone()).unwrap();
        running(&again, &inbox, async {
            garden.connected().await;
            garden.ann.says(garden.channel, "live");
            while_time_passes(&clock, inbox.until(|inbox| texts(inbox).len() == 3)).await;
        })
        .await;
        assert_eq!(texts(&inbox), ["before", "missed", "live"]);
        assert_eq!((inbox.heard() - heard, garden.identified()), (1, 2), "the connection goes on");
        let lines = log.lines("were skipped");
        assert!(lines.len() == 1 && lines[0].contains("chat=\"5000\""), "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_skipped_does_not_look_like_private_chats() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    stored_session(&garden, &inbox).await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "cannot be read");
    garden.discord.fault(Fault::status(502).on("list_guild_channels"));
    let clock = TestClock::new();
    let again = DiscordAdapter::new(garden.account(), clock.clone()).unwrap();
    running(&again, &inbox, async {
        garden.connected().await;
        garden.ann.tells("live");
        while_time_passes(&clock, inbox.until(|inbox| texts(inbox).len() >= 2)).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "live"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_skipped_while_discord_answers_nothing() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    stored_session(&garden, &inbox).await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "missed");
    garden.discord.fault(Fault::status(503).on("list_messages"));
    let clock = TestClock::new();
    let again = DiscordAdapter::new(garden.account(), clock.clone()).unwrap();
    running(&again, &inbox, async {
        let calls = |method: &str| garden.discord.journal().calls_of(method).len();
        garden.discord.until(|| calls("list_messages") == 1).await;
        let before = calls("list_my_guilds");
        garden.discord.fault(Fault::status(503).on("list_my_guilds"));
        while_time_passes(&clock, garden.discord.until(|| calls("list_my_guilds") > before + 5)).await;
        garden.discord.clear_faults();
        while_time_passes(&clock, inbox.until(|inbox| texts(inbox).len() == 2)).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "missed"]);
}

#[tokio::test]
async fn messages_beyond_missed_messages_are_named_in_the_log_and_none_are_read_if_it_is_0() {
    // With so many missed messages and this setting, so many are read.
    for (missed, most, read) in [(2, 2, 2), (3, 2, 2), (100, 100, 100), (101, 100, 100), (3, 0, 0)] {
        let log = LogLines::of_this_thread();
        let garden = Garden::new().await;
        let inbox = Arc::new(RecordingInbox::default());
        stored_session(&garden, &inbox).await;
        garden.discord.act("forget_sessions", json!({}));
        for n in 0..missed {
            garden.ann.says(garden.channel, &n.to_string());
        }
        let mut account = garden.account();
        account.settings.missed_messages = most;
        let again = DiscordAdapter::new(account, TestClock::new()).unwrap();
        running(&again, &inbox, async {
            inbox.until(|inbox| texts(inbox).len() > read).await;
            garden.connected().await;
            garden.ann.says(garden.channel, "live");
            inbox.until(|inbox| texts(inbox).last().is_some_and(|last| last == "live")).await;
        })
        .await;
        let expected: Vec<String> = (missed - read..missed).map(|n| n.to_string()).collect();
        assert_eq!(texts(&inbox)[1..=read], expected, "{missed} {most}");
        let asked = garden.discord.journal().calls_of("list_messages").len();
        assert_eq!(asked == 0, most == 0);
        let lines = log.lines("raise missed_messages");
        assert_eq!(lines.len(), usize::from(missed > most && most > 0), "{missed} {most} {lines:?}");
        assert!(lines.iter().all(|line| line.contains("chat=\"5000\"")), "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_read_in_more_servers_than_a_page_lists() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let guilds: Vec<Id> =
        (0..200).map(|n| garden.discord.guild(10_000 + n, "One of many", &garden.ann)).collect();
    let last = garden.discord.channel(*guilds.last().unwrap(), 20_000, 0, "last");
    stored_session(&garden, &inbox).await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(last, "missed");
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 2).await }).await;
    assert_eq!(texts(&inbox), ["before", "missed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_discord_does_not_confirm_is_left_and_is_no_sign_of_life() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    garden.discord.act("heartbeat", json!({"interval_ms": 200}));
    garden.discord.act("unconfirmed", json!({"on": true}));
    for _ in 0..2 {
        let error = ended(&garden.adapter(), &inbox).await;
        assert!(matches!(&error, AdapterError::Lost(why) if why.contains("confirmed")), "{error}");
    }
    assert_eq!(inbox.heard(), 0);
    // A session that is taken up again is confirmed as well.
    garden.discord.act("unconfirmed", json!({"on": false}));
    stored_session(&garden, &inbox).await;
    garden.discord.act("unconfirmed", json!({"on": true}));
    let heard = inbox.heard();
    let error = ended(&garden.adapter(), &inbox).await;
    assert!(matches!(&error, AdapterError::Lost(why) if why.contains("confirmed")), "{error}");
    assert_eq!(inbox.heard(), heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_not_lost_if_its_session_ends_while_nothing_can_be_stored() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.commands().await;
        garden.ann.says(garden.channel, "before");
        inbox.until(|inbox| texts(inbox) == ["before"]).await;
        (0..100_000).for_each(|_| inbox.refuses(Busy::Full { waiting: 1 }));
        garden.discord.act("slash", json!({"user": 7, "channel": garden.channel, "name": "status"}));
        while inbox.refusals() > 99_990 {
            tokio::task::yield_now().await;
        }
        garden.discord.act("invalidate", json!({"resumable": false}));
        let opened = |look: Value| look["opened"].as_u64().unwrap();
        garden.discord.until(|| opened(garden.discord.look("sessions", json!({}))) >= 3).await;
        inbox.takes();
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "/status"]);
}
