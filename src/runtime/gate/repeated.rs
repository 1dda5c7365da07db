//! A press of a button that is delivered again gets the outcome of the first time, because the person may not have been
//! told yet.

use frontdesk_core::ask::AskEnd;
use frontdesk_core::message::Outcome;
use frontdesk_store::row::Batch;

use super::press;
use crate::shared::Shared;

/// Replaces the outcomes of repeated presses whose answer holds.
pub(super) async fn answer_again(shared: &Shared, batch: &Batch, outcomes: &mut [Outcome]) {
    for (decided, outcome) in batch.events.iter().zip(outcomes) {
        let event = decided.event();
        let (Some(press), Outcome::Duplicate { message, .. }) = (press(event), &*outcome) else { continue };
        // If the question cannot be read, only the sentence for the person is missing.
        let Ok(Some(ask)) = shared.store.ask(press.ask).await else { continue };
        if let Some(AskEnd::Answered { answer, by }) = &ask.end
            && by.id == event.from.id
        {
            let answer = answer.shown(&ask.choices).to_owned();
            *outcome = Outcome::Answered { message: *message, ask: ask.id, answer };
        }
    }
}
