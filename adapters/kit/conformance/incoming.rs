//! From the platform to the inbox.

use std::collections::BTreeSet;
use std::sync::Arc;

use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::message::{EventKind, SenderKind};
use frontdesk_core::port::Busy;

use super::{Rig, living, pause, texts, until};
use crate::Ledger;

/// A message is an event with everything that the house needs to know of it.
pub(super) async fn a_message_arrives_whole(rig: &impl Rig) {
    let (adapter, inbox) = (rig.adapter(), Arc::new(Ledger::default()));
    living(&adapter, &inbox, async {
        rig.writes("whole & <sound>").await;
        until(|| !inbox.events().is_empty()).await;
    })
    .await;
    let events = inbox.events();
    let event = &events[0];
    let channel = adapter.profile().channel;
    assert_eq!(event.kind, EventKind::Message);
    assert_eq!(event.text, "whole & <sound>", "what was said arrives as it was said");
    assert_eq!(adapter.account().channel(), channel);
    assert_eq!(event.principal.account(), adapter.account());
    assert_eq!(event.principal.id(), rig.person(), "people are known by their stable id");
    assert_eq!(event.sender_kind, SenderKind::Person);
    assert_eq!(event.address, rig.chat(), "an answer goes where the question came from");
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
    if adapter.profile().patience.is_some() {
        assert!(inbox.heard() > 0, "whoever has patience must hear signs of life");
    }
}

/// A command is read from plain text and never from text that the platform marks as code.
pub(super) async fn a_command_is_one_only_where_it_is_said(rig: &impl Rig) {
    let (adapter, inbox) = (rig.adapter(), Arc::new(Ledger::default()));
    let marks = living(&adapter, &inbox, async {
        rig.writes("/status").await;
        let marks = rig.writes_as_code("/gateway stop").await;
        until(|| inbox.events().len() >= if marks { 2 } else { 1 }).await;
        marks
    })
    .await;
    let events = inbox.events();
    let said = events.iter().find(|event| event.text == "/status").expect("the plain words arrived");
    assert_eq!(command::of(said), Parsed::Command(Command::Status));
    if marks {
        let shown = events.iter().find(|event| event.text == "/gateway stop").expect("the code arrived");
        assert_eq!(command::of(shown), Parsed::Text("/gateway stop"), "code is shown, not said");
    }
}

/// Nothing is acknowledged before `push` has returned well.
pub(super) async fn what_was_refused_is_brought_again(rig: &impl Rig) {
    let (adapter, inbox) = (rig.adapter(), Arc::new(Ledger::default()));
    for busy in [Busy::Full { waiting: 1 }, Busy::Storage("full".to_owned()), Busy::Full { waiting: 1 }] {
        inbox.refuses(busy);
    }
    living(&adapter, &inbox, async {
        rig.writes("once more").await;
        until(|| texts(&inbox).iter().any(|text| text == "once more")).await;
    })
    .await;
    let ids: BTreeSet<String> =
        inbox.events().into_iter().filter(|event| event.text == "once more").map(|event| event.id).collect();
    assert_eq!(ids.len(), 1, "an event keeps its id however often it is brought");
}

/// Whatever a platform brings twice has the same id; whatever it keeps while nobody listens comes in order.
pub(super) async fn order_holds_over_a_restart_and_nothing_is_lost(rig: &impl Rig) {
    let inbox = Arc::new(Ledger::default());
    let said: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
    for lines in said.chunks(10) {
        let adapter = rig.adapter();
        let last = lines.last().cloned().unwrap_or_default();
        living(&adapter, &inbox, async {
            for line in lines {
                rig.writes(line).await;
            }
            until(|| texts(&inbox).contains(&last)).await;
        })
        .await;
    }
    let taken: Vec<String> = texts(&inbox).into_iter().filter(|text| text.starts_with("line ")).collect();
    assert_eq!(taken, said);
}

/// `stop` stops, and only stops.
pub(super) async fn it_stops_when_it_is_told_and_is_silent_then(rig: &impl Rig) {
    let (adapter, inbox) = (rig.adapter(), Arc::new(Ledger::default()));
    living(&adapter, &inbox, async {
        rig.writes("before the stop").await;
        until(|| texts(&inbox).iter().any(|text| text == "before the stop")).await;
    })
    .await;
    let (events, heard) = (inbox.events().len(), inbox.heard());
    for _ in 0..10 {
        pause().await;
    }
    assert_eq!((inbox.events().len(), inbox.heard()), (events, heard), "something came after the stop");
}
