//! How to reach the turns that run, to cancel them or to add a message, including those that were claimed and have not begun yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Mono, Stop};
use tokio::sync::mpsc;

/// How long the cancellation of a turn that does not run here is kept: far longer than a claim takes to begin.
const KEPT: Duration = Duration::from_secs(60);

/// One entry per turn that runs.
#[derive(Default)]
pub(crate) struct RunningTurns(Mutex<HashMap<TurnId, Entry>>);

struct Entry {
    stop: Stop,
    /// Its session, and where messages go that the agent is asked to take into it; `None` before it begins.
    steers: Option<(SessionKey, mpsc::UnboundedSender<MessageId>)>,
    /// When the turn was cancelled before it began; `None` while it runs.
    cancelled_early: Option<Mono>,
}

impl RunningTurns {
    /// A turn of a session begins. It may have been cancelled between its claim and now. Returns how it is cancelled, and
    /// the messages that it is asked to take in.
    pub(crate) fn begin(
        &self,
        turn: TurnId,
        session: &SessionKey,
    ) -> (Stop, mpsc::UnboundedReceiver<MessageId>) {
        let (steers, messages) = mpsc::unbounded_channel();
        let mut entries = self.entries();
        let entry = entries.entry(turn).or_insert_with(|| Entry {
            stop: Stop::new(),
            steers: None,
            cancelled_early: None,
        });
        entry.cancelled_early = None;
        entry.steers = Some((session.clone(), steers));
        (entry.stop.clone(), messages)
    }

    /// Asks the running turn of a session, if there is one, to take in a message that waits. What it does not take in
    /// goes on waiting.
    pub(crate) fn steer(&self, session: &SessionKey, message: MessageId) {
        let entries = self.entries();
        let mut running = entries.values().filter_map(|entry| entry.steers.as_ref());
        if let Some((_, steers)) = running.find(|(of, _)| of == session)
            && steers.send(message).is_err()
        {
            tracing::debug!(%session, %message, "the turn has just ended");
        }
    }

    /// A turn has ended.
    pub(crate) fn end(&self, turn: TurnId) {
        self.entries().remove(&turn);
    }

    /// A turn that was running in the database was cancelled there.
    pub(crate) fn cancel(&self, turn: TurnId, now: Mono) {
        let mut entries = self.entries();
        let entry = entries.entry(turn);
        entry
            .or_insert_with(|| Entry { stop: Stop::new(), steers: None, cancelled_early: Some(now) })
            .stop
            .cancel();
    }

    /// Forgets cancellations of turns that had ended before.
    pub(crate) fn sweep(&self, now: Mono) {
        self.entries().retain(|_, entry| entry.cancelled_early.is_none_or(|since| now.since(since) < KEPT));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TurnId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(turns: &RunningTurns, turn: TurnId) -> (Stop, mpsc::UnboundedReceiver<MessageId>) {
        turns.begin(turn, &"agent:main:fake:dm:anna".parse().unwrap())
    }

    #[test]
    fn a_turn_that_is_cancelled_before_it_begins_does_not_begin() {
        let turns = RunningTurns::default();
        turns.cancel(TurnId(1), Mono::default());
        assert!(begin(&turns, TurnId(1)).0.is_cancelled());
        assert!(!begin(&turns, TurnId(2)).0.is_cancelled());
    }

    #[test]
    fn cancellations_of_ended_turns_are_forgotten_and_running_turns_are_kept() {
        let turns = RunningTurns::default();
        let (stop, _) = begin(&turns, TurnId(1));
        turns.cancel(TurnId(2), Mono::default());
        turns.sweep(Mono(KEPT));
        assert_eq!(turns.entries().len(), 1);
        turns.cancel(TurnId(1), Mono(KEPT));
        assert!(stop.is_cancelled());
        turns.end(TurnId(1));
        assert!(turns.entries().is_empty());
    }
}
