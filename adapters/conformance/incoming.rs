//! Tests of the way from the platform to the inbox.

use std::collections::BTreeSet;
use std::sync::Arc;

use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::message::{EventKind, SenderKind};
use frontdesk_core::port::Busy;

use super::{TestPlatform, pause, run_adapter, texts, until};
use crate::RecordingInbox;

/// A message becomes an event with all its fields.
pub(super) async fn a_message_arrives_with_all_its_fields(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    run_adapter(&adapter, &inbox, async {
        platform.writes("whole & <sound>").await;
        until(|| !inbox.events().is_empty()).await;
    })
    .await;
    let events = inbox.events();
    let event = &events[0];
    let channel = adapter.profile().channel.as_str();
    assert_eq!(event.kind, EventKind::Message);
    assert_eq!(event.text, "whole & <sound>", "the text arrives unchanged");
    assert_eq!(adapter.account().channel(), channel);
    assert_eq!(event.from.id.account(), adapter.account());
    assert_eq!(event.from.id.id(), platform.person(), "the sender has the stable id");
    assert_eq!(event.from.kind, SenderKind::Person);
    assert_eq!(event.address, platform.chat(), "the answer goes to the chat of the message");
    assert!(event.conversation.is_private() && event.addressed && event.forward.is_none());
    assert!(!event.id.is_empty());
    let sources = inbox.sources();
    assert!(
        sources
            .iter()
            .all(|source| source.id.starts_with(&format!("{channel}:"))
                && source.account == *adapter.account()),
        "{sources:?}"
    );
    if adapter.profile().max_silence.is_some() {
        assert!(inbox.heard() > 0, "an adapter with `max_silence` must call `heard`");
    }
}

/// A command is read from plain text, and never from text that is formatted as code.
pub(super) async fn only_plain_text_is_read_as_a_command(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    let marks = run_adapter(&adapter, &inbox, async {
        platform.writes("/status").await;
        let marks = platform.writes_as_code("/gateway stop").await;
        until(|| inbox.events().len() >= if marks { 2 } else { 1 }).await;
        marks
    })
    .await;
    let events = inbox.events();
    let plain = events.iter().find(|event| event.text == "/status").expect("the plain text arrived");
    assert_eq!(command::of(plain), Parsed::Command(Command::Status));
    if marks {
        let code = events.iter().find(|event| event.text == "/gateway stop").expect("the code arrived");
        assert_eq!(command::of(code), Parsed::Text("/gateway stop"), "text formatted as code is no command");
    }
}

/// Nothing is acknowledged before `push` has returned `Ok`.
pub(super) async fn a_refused_batch_is_delivered_again(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    for busy in [Busy::Full { waiting: 1 }, Busy::Storage("full".to_owned()), Busy::Full { waiting: 1 }] {
        inbox.refuses(busy);
    }
    run_adapter(&adapter, &inbox, async {
        platform.writes("once more").await;
        until(|| texts(&inbox).iter().any(|text| text == "once more")).await;
    })
    .await;
    let ids: BTreeSet<String> =
        inbox.events().into_iter().filter(|event| event.text == "once more").map(|event| event.id).collect();
    assert_eq!(ids.len(), 1, "an event keeps its id however often it is delivered");
}

/// A redelivered event has the same id, and messages sent while the adapter was stopped arrive in order.
pub(super) async fn a_restart_loses_no_message_and_keeps_their_order(platform: &impl TestPlatform) {
    let inbox = Arc::new(RecordingInbox::default());
    let sent: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
    for lines in sent.chunks(10) {
        let adapter = platform.adapter();
        let last = lines.last().cloned().unwrap_or_default();
        run_adapter(&adapter, &inbox, async {
            for line in lines {
                platform.writes(line).await;
            }
            until(|| texts(&inbox).contains(&last)).await;
        })
        .await;
    }
    let stored: Vec<String> = texts(&inbox).into_iter().filter(|text| text.starts_with("line ")).collect();
    assert_eq!(stored, sent);
}

/// After `stop`, the adapter returns and sends nothing more.
pub(super) async fn it_delivers_nothing_after_a_stop(platform: &impl TestPlatform) {
    let (adapter, inbox) = (platform.adapter(), Arc::new(RecordingInbox::default()));
    run_adapter(&adapter, &inbox, async {
        platform.writes("before the stop").await;
        until(|| texts(&inbox).iter().any(|text| text == "before the stop")).await;
    })
    .await;
    let (events, heard) = (inbox.events().len(), inbox.heard());
    for _ in 0..10 {
        pause().await;
    }
    assert_eq!(
        (inbox.events().len(), inbox.heard()),
        (events, heard),
        "an event was delivered after the stop"
    );
}
