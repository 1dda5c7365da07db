//! What waits until the messages that were missed are read: it is stored after them, and not lost with its connection.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_conformance::RecordingInbox;
use frontdesk_fakediscord::Fault;
use serde_json::{Value, json};

use crate::setup::{Garden, running, texts};

/// A bot whose second session has begun, while the history of the first one cannot be read. Then its process dies.
async fn dies_before_the_gap_is_read(
    garden: &Garden,
    inbox: &Arc<RecordingInbox>,
    said: impl FnOnce() -> usize,
) {
    let first = garden.adapter();
    running(&first, inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "before");
        garden.commands().await;
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "missed");
    garden.discord.fault(Fault::silent().on("list_my_guilds"));
    let second = garden.adapter();
    running(&second, inbox, async {
        garden.connected().await;
        let events = said();
        let delivered = || {
            let journal = garden.discord.journal();
            journal.deliveries().iter().filter(|one| !one.delivered.is_empty()).count() == events
        };
        garden.discord.until(delivered).await;
        inbox.until(|inbox| inbox.batches().last().is_some_and(|(_, cursor)| has_session(cursor))).await;
    })
    .await;
    assert_eq!(texts(inbox), ["before"]);
    garden.left().await;
    garden.discord.clear_faults();
}

/// Whether a position has a session.
fn has_session(cursor: &Option<String>) -> bool {
    let cursor: Option<Value> = cursor.as_ref().and_then(|cursor| serde_json::from_str(cursor).ok());
    cursor.is_some_and(|cursor| cursor["session"].is_object() && cursor["gap"].is_number())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_a_new_session_delivered_and_nobody_stored_comes_again() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let status = json!({"user": 7, "channel": garden.channel, "name": "status"});
    let asks = || {
        garden.discord.act("slash", status);
        2
    };
    dies_before_the_gap_is_read(&garden, &inbox, asks).await;
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 3).await }).await;
    assert_eq!(texts(&inbox), ["before", "missed", "/status"]);
    assert_eq!(garden.identified(), 2, "the second session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_stored_before_what_a_session_delivers_again() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let speaks = || {
        (0..3).for_each(|n| _ = garden.ann.says(garden.channel, &format!("live {n}")));
        4
    };
    dies_before_the_gap_is_read(&garden, &inbox, speaks).await;
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 5).await }).await;
    assert_eq!(texts(&inbox), ["before", "missed", "live 0", "live 1", "live 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_a_session_ends_is_stored_after_what_was_missed() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let status = json!({"user": 7, "channel": garden.channel, "name": "status"});
    dies_before_the_gap_is_read(&garden, &inbox, || 1).await;
    garden.discord.fault(Fault::slow(300).on("list_my_guilds"));
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.connected().await;
        garden.discord.act("slash", status);
        garden.ann.says(garden.channel, "live");
        let delivered = || garden.discord.journal().delivery(3).is_some_and(|one| !one.delivered.is_empty());
        garden.discord.until(delivered).await;
        garden.discord.act("invalidate", json!({"resumable": false}));
        inbox.until(|inbox| texts(inbox).len() == 4).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "missed", "/status", "live"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_for_the_gap_is_not_lost_with_its_connection() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    dies_before_the_gap_is_read(&garden, &inbox, || 1).await;
    garden.discord.fault(Fault::silent().on("list_my_guilds").times(1));
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.connected().await;
        garden.discord.act("slash", json!({"user": 7, "channel": garden.channel, "name": "status"}));
        let delivered = || garden.discord.journal().delivery(2).is_some_and(|one| !one.delivered.is_empty());
        garden.discord.until(delivered).await;
        // A session whose connection ends is over.
        garden.discord.act("window", json!({"seconds": 0}));
        garden.discord.act("reconnect", json!({}));
        inbox.until(|inbox| texts(inbox).len() == 3).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "missed", "/status"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_an_older_message_that_waits_for_the_gap_is_not_lost_with_its_connection() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    let mut older = None;
    running(&first, &inbox, async {
        garden.connected().await;
        older = Some(garden.ann.says(garden.channel, "older"));
        garden.discord.advance(Duration::from_secs(600));
        garden.ann.says(garden.channel, "before");
        garden.commands().await;
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    garden.discord.act("forget_sessions", json!({}));
    garden.discord.fault(Fault::silent().on("list_my_guilds").times(1));
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.connected().await;
        let (message, content) = (older.unwrap().message_id, "edited");
        garden
            .discord
            .act("edit", json!({"channel": garden.channel, "message": message, "content": content}));
        let delivered = || garden.discord.journal().delivery(3).is_some_and(|one| !one.delivered.is_empty());
        garden.discord.until(delivered).await;
        // A session whose connection ends is over.
        garden.discord.act("window", json!({"seconds": 0}));
        garden.discord.act("reconnect", json!({}));
        inbox.until(|inbox| texts(inbox).len() == 3).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["older", "before", "edited"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_only_the_history_has_is_stored_after_what_was_delivered() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    dies_before_the_gap_is_read(&garden, &inbox, || 1).await;
    garden.discord.act("forget_sessions", json!({}));
    garden.discord.fault(Fault::slow(300).on("list_my_guilds"));
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "delivered");
        let delivered = || garden.discord.journal().delivery(2).is_some_and(|one| !one.delivered.is_empty());
        garden.discord.until(delivered).await;
        // The clocks of Discord's servers differ: this one was written before the session began.
        garden.discord.act("deaf", json!({"on": true}));
        garden.ann.says(garden.channel, "not delivered");
        inbox.until(|inbox| texts(inbox).len() == 4).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["before", "missed", "delivered", "not delivered"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_versions_of_a_message_that_wait_for_the_gap_are_kept_although_the_history_has_only_the_last() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    dies_before_the_gap_is_read(&garden, &inbox, || 1).await;
    garden.discord.fault(Fault::silent().on("list_my_guilds").times(1));
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.connected().await;
        let message = garden.ann.says(garden.channel, "live").message_id;
        for content in ["edited", "edited again"] {
            garden.discord.advance(Duration::from_secs(1));
            let edit = json!({"channel": garden.channel, "message": message, "content": content});
            garden.discord.act("edit", edit);
        }
        let delivered = || garden.discord.journal().delivery(4).is_some_and(|one| !one.delivered.is_empty());
        garden.discord.until(delivered).await;
        // A session whose connection ends is over.
        garden.discord.act("window", json!({"seconds": 0}));
        garden.discord.act("reconnect", json!({}));
        inbox.until(|inbox| texts(inbox).iter().any(|text| text == "edited")).await;
    })
    .await;
    assert!(texts(&inbox).iter().any(|text| text == "edited again"), "{:?}", texts(&inbox));
}
