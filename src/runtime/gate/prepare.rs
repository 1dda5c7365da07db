//! Reads and writes that the gate needs before it can decide about a batch.

use std::collections::{HashMap, HashSet};

use frontdesk_core::address::Address;
use frontdesk_core::message::{Conversation, Event, EventKind, SenderKind, Source};
use frontdesk_core::port::Busy;
use frontdesk_store::StoreError;

use super::admission::Admission;
use super::answers::{self, Answer};
use super::{first_id, may_write};
use crate::settings::Settings;
use crate::shared::{JoinedSession, Shared};

/// Stores new ids of chats first, so that later events of the batch find their session, and looks up the messages that
/// reactions refer to. Returns the events that answer a question, by their place in the batch.
pub(super) async fn all(
    shared: &Shared,
    settings: &Settings,
    source: &Source,
    batch: &mut [Event],
) -> Result<HashMap<usize, Answer>, Busy> {
    let (mut moved, mut found) = (HashSet::new(), HashMap::new());
    let busy = |error: StoreError| Busy::Storage(error.to_string());
    for (n, event) in batch.iter_mut().enumerate() {
        match &event.kind {
            EventKind::Moved { to } => {
                let Ok(to) = Address::at(event.address.account(), to, None) else { continue };
                let from = event.address.without_thread();
                if from != to && moved.insert(to.clone()) {
                    let stored = shared.chat_moved(&from, &to).await;
                    stored.map_err(|error| Busy::Storage(error.to_string()))?;
                }
            }
            EventKind::Reaction { target, .. }
                if event.quote.is_none() && may_write(shared, settings, event) =>
            {
                let quote = shared.store.quote_of(&event.address.without_thread(), target).await;
                event.quote = quote.map_err(busy)?;
            }
            EventKind::Message | EventKind::Button { .. } => {
                if is_in_followed_thread(shared, settings, source, event).await.map_err(busy)? {
                    event.addressed = true;
                }
                let answer = answers::find(shared, settings, source, event).await.map_err(busy)?;
                found.extend(answer.map(|answer| (n, answer)));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Whether a message in a thread is meant for the bot because the bot takes part in that thread.
async fn is_in_followed_thread(
    shared: &Shared,
    settings: &Settings,
    source: &Source,
    event: &Event,
) -> Result<bool, StoreError> {
    let is_open = event.kind == EventKind::Message
        && !event.addressed
        && event.from.kind == SenderKind::Person
        && matches!(event.conversation, Conversation::Thread { .. });
    if !is_open || !may_write(shared, settings, event) {
        return Ok(false);
    }
    let chat = first_id(shared, event);
    let rules = shared.chat(settings, &source.account, &chat);
    if rules.and_then(|rules| rules.follow_threads) != Some(true) {
        return Ok(false);
    }
    let now = shared.time.now();
    let admission = Admission { shared, settings, source, event, answer: None, chat: &chat, now };
    let Ok(JoinedSession { session, .. }) = admission.session() else { return Ok(false) };
    // Whoever spoke to the bot there was answered, or will be.
    let known = shared.store.session(&session).await?;
    Ok(known.is_some_and(|known| known.epoch > 1 || known.last_user_at.is_some()))
}
