//! The conformance suite that every adapter must pass, whatever its platform.
//!
//! A platform's tests implement [`TestPlatform`]: a way to cause events on the platform and to see what it shows.
//! [`check`] then sends messages in and answers out, with an inbox that refuses batches, with restarts in between, and
//! with every delivery and signal.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test's tools stop at the first surprise"
)]

mod groups;
mod incoming;
mod log_lines;
pub mod markdown;
mod outgoing;
pub mod profile;
mod recording_inbox;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::address::Address;
use frontdesk_core::port::{Adapter, AdapterError, Inbox, Stop};

pub use log_lines::LogLines;
pub use outgoing::question;
pub use recording_inbox::RecordingInbox;

/// Time limit of each step: longer than any step takes.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);

/// A platform, as its users see it.
#[async_trait]
pub trait TestPlatform: Send + Sync {
    /// Creates an adapter for the platform's only account. Calling it again is a restart of the gateway with the same
    /// account.
    fn adapter(&self) -> Arc<dyn Adapter>;
    /// The user sends a private message to the bot. Returns when the platform has it. On a platform that keeps no
    /// messages (the web), this must also send again every prompt that was refused, as its clients do.
    async fn writes(&self, text: &str);
    /// Like `writes`, with the text formatted as code. Returns `false` on a platform without formatting.
    async fn writes_as_code(&self, text: &str) -> bool;
    /// The user presses a button, given by its label, of the bot's message with this id in the private chat. Returns
    /// `false` on a platform without buttons.
    async fn presses(&self, message: &str, button: &str) -> bool;
    /// The user's stable id.
    fn person(&self) -> String;
    /// The private chat with the user, as the adapter should name it.
    fn chat(&self) -> Address;
    /// A chat that does not exist, or that the bot has no access to.
    fn missing_chat(&self) -> Address;
    /// The bot's messages in the private chat, oldest first.
    fn shown_texts(&self) -> Vec<String>;
}

/// Panics with the reason if the adapter breaks the contract of its port.
pub async fn check(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    profile::check(adapter.profile());
    incoming::a_message_arrives_with_all_its_fields(platform).await;
    incoming::only_plain_text_is_read_as_a_command(platform).await;
    incoming::a_refused_batch_is_delivered_again(platform).await;
    incoming::a_restart_loses_no_message_and_keeps_their_order(platform).await;
    incoming::it_delivers_nothing_after_a_stop(platform).await;
    outgoing::a_post_is_shown_and_has_an_id(platform).await;
    outgoing::a_question_has_buttons_and_a_press_arrives(platform).await;
    outgoing::an_album_is_accepted_as_a_whole(platform).await;
    outgoing::every_signal_returns_in_time(platform).await;
    outgoing::every_delivery_returns_in_time(platform).await;
    outgoing::a_post_to_a_missing_chat_is_not_retried(platform).await;
    outgoing::a_missing_file_is_an_error(platform).await;
    groups::what_is_no_group_is_not_described(platform).await;
    groups::listed_groups_are_those_that_are_described(platform).await;
}

/// Runs the adapter during `scenario`, and then stops it.
async fn run_adapter<T>(
    adapter: &Arc<dyn Adapter>,
    inbox: &Arc<RecordingInbox>,
    scenario: impl Future<Output = T>,
) -> T {
    let stop = Stop::new();
    let supervised = async {
        loop {
            let inbox: Arc<dyn Inbox> = inbox.clone();
            match adapter.run(inbox, stop.clone()).await {
                Ok(()) => {
                    assert!(stop.is_cancelled(), "`run` returned Ok before `stop` was cancelled");
                    return;
                }
                // As the runtime does, with shorter pauses.
                Err(AdapterError::Lost(_) | AdapterError::Later { .. }) => pause().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let described = async {
        let described = tokio::time::timeout(STEP_TIMEOUT, scenario)
            .await
            .expect("the scenario ends within the time limit");
        stop.cancel();
        described
    };
    let both = async { tokio::join!(supervised, described).1 };
    tokio::time::timeout(STEP_TIMEOUT * 2, both).await.expect("it stops within the time limit")
}

/// Waits until the condition holds.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        pause().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the platform at the other end lives in real time")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// The texts that were stored, in order and without duplicates.
fn texts(inbox: &RecordingInbox) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let events = inbox.events().into_iter().filter(|event| seen.insert(event.id.clone()));
    events.map(|event| event.text).collect()
}
