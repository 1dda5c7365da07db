//! A press of somebody who is asked and may not write at the moment: they are told that, and not that others are asked.

use frontdesk_core::ask::AskError;
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::message::Outcome;
use frontdesk_store::row::{Batch, Decided};

use super::press;
use crate::shared::Shared;

/// Replaces the outcomes of presses that were dropped because of the rules. For unknown senders nothing is read from the
/// database.
pub(super) async fn explain(shared: &Shared, batch: &Batch, outcomes: &mut [Outcome]) {
    for (decided, outcome) in batch.events.iter().zip(outcomes) {
        let Decided::Dropped { event, reason: DropReason::Denied(_), .. } = decided else { continue };
        let Some(pressed) = press(event) else { continue };
        let Ok(Some(ask)) = shared.store.ask(pressed.ask).await else { continue };
        if ask.names(&event.from.id) {
            *outcome = Outcome::NotAnswered { ask: ask.id, error: AskError::MayNotWrite };
        }
    }
}
