//! What every adapter must do, whatever its platform: one suite for all of them.
//!
//! A platform's tests provide a [`Rig`]: a way to make things happen on the platform and to see what it shows. Then
//! [`check`] tells the story of a message in and an answer out, with an inbox that refuses, restarts in between, and
//! every act there is.

mod incoming;
mod outgoing;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::address::Address;
use frontdesk_core::port::{Adapter, AdapterError, Inbox, Stop};

use crate::{Ledger, facts};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

/// A platform, seen from outside.
#[async_trait]
pub trait Rig: Send + Sync {
    /// An adapter for the one account there is. Called again, it is the next life of the same account.
    fn adapter(&self) -> Arc<dyn Adapter>;
    /// The person of this story writes to us in private. Returns when the platform has it; a platform without a
    /// memory of its own (the web) brings what was refused again by itself, as its clients do.
    async fn writes(&self, text: &str);
    /// Like `writes`, with the text marked as code; returns `false` on a platform that marks no text.
    async fn writes_as_code(&self, text: &str) -> bool;
    /// The person's stable id.
    fn person(&self) -> String;
    /// The private chat with the person, as the adapter should name it.
    fn chat(&self) -> Address;
    /// A chat that does not exist, or that shuts us out.
    fn nowhere(&self) -> Address;
    /// What the private chat shows from us now, oldest first.
    fn shows(&self) -> Vec<String>;
}

/// Panics with the reason if the adapter does not keep the port's promises.
pub async fn check(rig: &impl Rig) {
    let adapter = rig.adapter();
    facts::check(adapter.profile());
    incoming::a_message_arrives_whole(rig).await;
    incoming::a_command_is_one_only_where_it_is_said(rig).await;
    incoming::what_was_refused_is_brought_again(rig).await;
    incoming::order_holds_over_a_restart_and_nothing_is_lost(rig).await;
    incoming::it_stops_when_it_is_told_and_is_silent_then(rig).await;
    outgoing::a_post_is_seen_and_named(rig).await;
    outgoing::every_act_has_an_answer(rig).await;
    outgoing::a_chat_that_is_not_there_is_no_reason_to_try_again(rig).await;
    outgoing::a_file_that_is_not_there_is_an_answer_too(rig).await;
}

/// Runs one life of the adapter while `story` happens, and stops it then.
async fn living<T>(adapter: &Arc<dyn Adapter>, inbox: &Arc<Ledger>, story: impl Future<Output = T>) -> T {
    let stop = Stop::new();
    let supervised = async {
        loop {
            let inbox: Arc<dyn Inbox> = inbox.clone();
            match adapter.run(inbox, stop.clone()).await {
                Ok(()) => {
                    assert!(stop.is_cancelled(), "it returned from `run` though nobody told it to stop");
                    return;
                }
                // As the supervisor does, with shorter pauses.
                Err(AdapterError::Lost(_) | AdapterError::Later { .. }) => pause().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let told = async {
        let told = tokio::time::timeout(SOON, story).await.expect("this happens in time");
        stop.cancel();
        told
    };
    let both = async { tokio::join!(supervised, told).1 };
    tokio::time::timeout(SOON * 2, both).await.expect("it stops when it is told")
}

/// Waits until it is so.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        pause().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the platform at the other end lives in real time")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// The texts that were taken, once each, in order: as the store keeps them.
fn texts(inbox: &Ledger) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let events = inbox.events().into_iter().filter(|event| seen.insert(event.id.clone()));
    events.map(|event| event.text).collect()
}
