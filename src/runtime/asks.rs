//! The turns that wait for answers to their questions.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use frontdesk_core::id::TurnId;
use frontdesk_store::row::EndedAsk;
use tokio::sync::{Notify, mpsc};

/// The turns that wait for answers.
#[derive(Default)]
pub(crate) struct Asks {
    turns: Mutex<HashMap<TurnId, mpsc::UnboundedSender<EndedAsk>>>,
    /// A question was opened, or one may have become impossible to show.
    changed: Notify,
}

impl Asks {
    /// The ends of a turn's questions from now on. To be called before its first question is stored, so that no end is
    /// missed.
    pub(crate) fn follow(&self, turn: TurnId) -> mpsc::UnboundedReceiver<EndedAsk> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.turns().insert(turn, sender);
        receiver
    }

    /// The turn has ended.
    pub(crate) fn forget(&self, turn: TurnId) {
        self.turns().remove(&turn);
    }

    /// These questions have ended.
    pub(crate) fn ended(&self, ended: Vec<EndedAsk>) {
        let turns = self.turns();
        for ask in ended {
            let waiting = ask.turn.and_then(|turn| turns.get(&turn));
            // A turn that has just ended does not wait any more.
            if waiting.is_some_and(|waiting| waiting.send(ask).is_err()) {
                tracing::debug!("a question ended after its turn");
            }
        }
    }

    /// The deadlines are to be looked at again.
    pub(crate) fn note_change(&self) {
        self.changed.notify_one();
    }

    /// Waits until the deadlines are to be looked at again.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<TurnId, mpsc::UnboundedSender<EndedAsk>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
