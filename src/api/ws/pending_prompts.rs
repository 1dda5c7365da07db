//! The prompts of one client that are not stored yet, and the frames that wait for their acknowledgements.

use futures_util::future::{Join, Ready, join, ready};
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;

use crate::error::ApiError;
use crate::prompt::{self, AcceptedPrompt};
use crate::prompt_queue::PromptOutcome;

/// A prompt's id, as the client chose it, and the outcome of the prompt.
pub(super) type Acknowledgement = (Value, Result<AcceptedPrompt, ApiError>);

/// Prompts in the order in which they were submitted. They are acknowledged in this order.
#[derive(Default)]
pub(super) struct PendingPrompts {
    outcomes: FuturesOrdered<Join<Ready<Value>, PromptOutcome>>,
    /// Number of prompts that were submitted.
    submitted: u64,
    /// Number of prompts that were acknowledged.
    acknowledged: u64,
    hold: Option<FrameHold>,
}

/// Holds frames back until the prompts that were pending when they arrived are acknowledged, so that no client sees an
/// answer to a message whose id it does not know yet.
struct FrameHold {
    /// The number of the last frame that may be sent while this hold is in force.
    up_to: u64,
    /// The number of acknowledged prompts at which the hold ends.
    acknowledged: u64,
}

impl PendingPrompts {
    pub(super) fn push(&mut self, id: String, outcome: PromptOutcome) {
        self.outcomes.push_back(join(ready(id.into()), outcome));
        self.submitted += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Waits for the oldest prompt, which counts as acknowledged then. `None` if there is none.
    pub(super) async fn next(&mut self) -> Option<Acknowledgement> {
        let (id, outcome) = self.outcomes.next().await?;
        self.acknowledged += 1;
        Some((id, prompt::accepted(outcome)))
    }

    /// The oldest prompt if its outcome is known.
    pub(super) fn next_if_known(&mut self) -> Option<Acknowledgement> {
        self.next().now_or_never().flatten()
    }

    /// The number of the last frame that may be sent now. `newest` returns the number of the last frame that has arrived.
    pub(super) fn sendable_up_to(&mut self, newest: impl FnOnce() -> u64) -> u64 {
        if self.acknowledged == self.submitted {
            self.hold = None;
            return u64::MAX;
        }
        if let Some(hold) = &self.hold
            && self.acknowledged < hold.acknowledged
        {
            return 0;
        }
        // Frames that are queued now wait for the prompts that are pending now, and for no later ones.
        let released = self.hold.take().map_or(0, |hold| hold.up_to);
        self.hold = Some(FrameHold { up_to: newest(), acknowledged: self.submitted });
        released
    }
}
