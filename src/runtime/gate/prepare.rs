//! Reads and writes that the gate needs before it can decide about a batch.

use std::collections::{HashMap, HashSet};

use frontdesk_core::address::Address;
use frontdesk_core::message::{Event, EventKind, Source};
use frontdesk_core::port::Busy;
use frontdesk_store::StoreError;

use super::answers::{self, Answer};
use super::may_write;
use crate::settings::Settings;
use crate::shared::Shared;

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
                let answer = answers::find(shared, settings, source, event).await.map_err(busy)?;
                found.extend(answer.map(|answer| (n, answer)));
            }
            _ => {}
        }
    }
    Ok(found)
}
