//! Reads and writes that the gate needs before it can decide about a batch.

use std::collections::HashSet;

use frontdesk_core::access::{Action, Decision};
use frontdesk_core::address::Address;
use frontdesk_core::message::{Event, EventKind};
use frontdesk_core::port::Busy;

use super::first_id;
use crate::settings::Settings;
use crate::shared::Shared;

/// Stores new ids of chats first, so that later events of the batch find their session, and looks up the messages that
/// reactions refer to.
pub(super) async fn all(shared: &Shared, settings: &Settings, batch: &mut [Event]) -> Result<(), Busy> {
    let mut moved = HashSet::new();
    for event in batch.iter_mut() {
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
                event.quote = quote.map_err(|error| Busy::Storage(error.to_string()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the sender may write. For others nothing is read from the database.
fn may_write(shared: &Shared, settings: &Settings, event: &Event) -> bool {
    shared.authorize_event(settings, event, &first_id(shared, event), Action::Write) == Decision::Allow
}
