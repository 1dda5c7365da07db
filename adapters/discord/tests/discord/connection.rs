//! Connections: sessions that are taken up again, gaps that are read, and what ends a connection.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::message::{Conversation, Event, EventKind};
use frontdesk_core::port::{AdapterError, Busy};
use frontdesk_fakediscord::{Id, TOKEN};
use serde_json::json;

use crate::setup::{Garden, ended, running, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_taken_up_again_and_nothing_is_missing() {
    for end in [json!({}), json!({"code": 4000}), json!({"code": 4008})] {
        let garden = Garden::new().await;
        let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
        running(&adapter, &inbox, async {
            garden.connected().await;
            garden.ann.says(garden.channel, "first");
            inbox.until(|inbox| texts(inbox) == ["first"]).await;
            garden.discord.act("disconnect", end);
            garden.ann.says(garden.channel, "second");
            garden.ann.says(garden.channel, "third");
            inbox.until(|inbox| texts(inbox).len() == 3).await;
        })
        .await;
        assert_eq!(texts(&inbox), ["first", "second", "third"]);
        assert_eq!(garden.identified(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_without_a_session_is_read() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        garden.ann.says(garden.channel, "in the guild");
        garden.ann.tells("in private");
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    garden.discord.act("forget_sessions", json!({}));
    for n in 0..3 {
        garden.ann.says(garden.channel, &format!("guild {n}"));
        garden.ann.tells(&format!("private {n}"));
    }
    let again = garden.adapter();
    running(&again, &inbox, async {
        inbox.until(|inbox| texts(inbox).len() == 8).await;
        garden.ann.says(garden.channel, "live");
        inbox.until(|inbox| texts(inbox).len() == 9).await;
    })
    .await;
    let of =
        |start: &str| texts(&inbox).into_iter().filter(|text| text.starts_with(start)).collect::<Vec<_>>();
    assert_eq!(of("guild"), ["guild 0", "guild 1", "guild 2"]);
    assert_eq!(of("private"), ["private 0", "private 1", "private 2"]);
    let events = inbox.events();
    let missed = events.iter().find(|event| event.text == "private 2").unwrap();
    assert_eq!(missed.conversation, Conversation::Dm { chat: "7".into(), thread: None });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_was_missed_without_a_session_is_read() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    let known = running(&first, &inbox, async {
        garden.connected().await;
        let known = garden.ann.says(garden.channel, "known");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
        known.message_id
    })
    .await;
    garden.discord.act("forget_sessions", json!({}));
    let new = garden.ann.says(garden.channel, "new").message_id;
    for (message, content) in [(new, "new, and changed"), (known, "known, and changed")] {
        let edit = json!({"channel": garden.channel, "message": message, "content": content});
        garden.discord.act("edit", edit);
    }
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 4).await }).await;
    let events = inbox.events();
    let of = |message: Id| {
        let of = |event: &&Event| event.platform_message.as_deref() == Some(&message.to_string());
        let said = |event: &Event| (event.kind.clone(), event.text.clone());
        events.iter().filter(of).map(said).collect::<Vec<_>>()
    };
    let edited = (EventKind::Edit, "known, and changed".to_owned());
    assert_eq!(of(known).last(), Some(&edited));
    let text = "new, and changed".to_owned();
    assert_eq!(of(new), [(EventKind::Message, text.clone()), (EventKind::Edit, text)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_edits_are_stored_where_their_authors_made_them() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    let one = running(&first, &inbox, async {
        garden.connected().await;
        let one = garden.ann.says(garden.channel, "one").message_id;
        inbox.until(|inbox| texts(inbox).len() == 1).await;
        one
    })
    .await;
    garden.discord.act("forget_sessions", json!({}));
    garden.ann.says(garden.channel, "two");
    garden.discord.advance(Duration::from_millis(5));
    garden.discord.act("edit", json!({"channel": garden.channel, "message": one, "content": "changed"}));
    garden.discord.advance(Duration::from_millis(5));
    garden.ann.says(garden.channel, "three");
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 4).await }).await;
    assert_eq!(texts(&inbox), ["one", "two", "changed", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_message_is_named_also_to_a_connection_that_has_not_delivered_it() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    let sent = running(&first, &inbox, async {
        garden.connected().await;
        let sent = [garden.ann.tells("in private"), garden.ann.says(garden.channel, "in the guild")];
        inbox.until(|inbox| texts(inbox).len() == 2).await;
        sent
    })
    .await;
    let deleted = |inbox: &RecordingInbox| {
        let events = inbox.events().into_iter();
        let events = events.filter(|event| event.kind == EventKind::DeletedById);
        events.map(|event| (event.id, event.platform_message.unwrap())).collect::<Vec<_>>()
    };
    let again = garden.adapter();
    running(&again, &inbox, async {
        garden.connected().await;
        for sent in &sent {
            garden.discord.act("delete", json!({"channel": sent.channel_id, "message": sent.message_id}));
        }
        inbox.until(|inbox| deleted(inbox).len() == 2).await;
        let more: Vec<Id> =
            ["a", "b"].iter().map(|text| garden.ann.says(garden.channel, text).message_id).collect();
        garden.discord.act("purge", json!({"channel": garden.channel, "messages": more}));
        inbox.until(|inbox| deleted(inbox).len() == 4).await;
        let ids = sent.iter().map(|sent| sent.message_id).chain(more);
        let named: Vec<(String, String)> = ids.map(|id| (format!("{id}/deleted"), id.to_string())).collect();
        assert_eq!(deleted(&inbox), named);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_appears_is_no_edit() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.connected().await;
        let message = garden.ann.says(garden.channel, "https://e.org").message_id;
        let preview = json!({"channel": garden.channel, "message": message, "embeds": [{"title": "E"}]});
        garden.discord.act("embed", preview.clone());
        let edit = json!({"channel": garden.channel, "message": message, "content": "https://e.org/new"});
        garden.discord.act("edit", edit);
        // It comes again for the new link, and names the time of the edit.
        garden.discord.act("embed", preview);
        garden.ann.says(garden.channel, "after it");
        inbox.until(|inbox| texts(inbox).last().is_some_and(|last| last == "after it")).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["https://e.org", "https://e.org/new", "after it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_first_session_delivered_and_nobody_stored_is_read() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        // The process dies before it can store anything of this session.
        (0..1000).for_each(|_| inbox.refuses(Busy::Full { waiting: 1 }));
        garden.ann.says(garden.channel, "the very first");
        let delivered = || garden.discord.journal().delivery(1).is_some_and(|one| !one.delivered.is_empty());
        garden.discord.until(delivered).await;
    })
    .await;
    assert_eq!(texts(&inbox), [""; 0]);
    inbox.takes();
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 1).await }).await;
    assert_eq!(texts(&inbox), ["the very first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_acknowledges_nothing_is_left() {
    let garden = Garden::new().await;
    garden.discord.act("heartbeat", json!({"interval_ms": 200}));
    garden.discord.act("unacknowledged", json!({"on": true}));
    let error = ended(&garden.adapter(), &Arc::default()).await;
    assert!(matches!(&error, AdapterError::Lost(why) if why.contains("heartbeat")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_has_to_do_is_said() {
    let garden = Garden::new().await;
    garden.discord.act("grant", json!({"intents": 0}));
    let error = ended(&garden.adapter(), &Arc::default()).await;
    assert!(matches!(&error, AdapterError::Setup(why) if why.contains("Message Content Intent")), "{error}");
    garden.discord.act("token", json!({"token": "other"}));
    let error = ended(&garden.adapter(), &Arc::default()).await;
    assert!(matches!(error, AdapterError::Credentials(_)), "{error}");
    assert!(!error.to_string().contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_budget_is_waited_for_and_costs_no_token() {
    let garden = Garden::new().await;
    garden.discord.act("budget", json!({"identifies": 0}));
    let error = ended(&garden.adapter(), &Arc::default()).await;
    assert!(matches!(error, AdapterError::Later { .. }), "{error}");
    assert_eq!(garden.identified(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_stored_is_handed_in_again() {
    let garden = Garden::new().await;
    let (adapter, inbox) = (garden.adapter(), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, async {
        garden.connected().await;
        (0..3).for_each(|_| inbox.refuses(Busy::Full { waiting: 1 }));
        garden.ann.says(garden.channel, "one");
        garden.ann.says(garden.channel, "two");
        inbox.until(|inbox| texts(inbox).len() == 2).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parent_of_a_thread_is_asked_for_after_a_resumed_session() {
    let garden = Garden::new().await;
    let inbox = Arc::new(RecordingInbox::default());
    let thread = json!({"channel": garden.channel, "user": 7, "name": "Hers"});
    let thread = garden.discord.act("thread", thread)["channel_id"].as_str().unwrap().to_owned();
    let speaks =
        |text: &str| garden.discord.act("say", json!({"user": 7, "channel": thread, "content": text}));
    let first = garden.adapter();
    running(&first, &inbox, async {
        garden.connected().await;
        speaks("known from the guild");
        inbox.until(|inbox| texts(inbox).len() == 1).await;
    })
    .await;
    // A resumed session names no channels.
    speaks("asked for");
    let again = garden.adapter();
    running(&again, &inbox, async { inbox.until(|inbox| texts(inbox).len() == 2).await }).await;
    let places: Vec<Conversation> = inbox.events().into_iter().map(|event| event.conversation).collect();
    let expected = Conversation::Thread { chat: garden.channel.to_string(), thread };
    assert_eq!(places, [expected.clone(), expected]);
    assert_eq!(garden.identified(), 1);
}
