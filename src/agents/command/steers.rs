//! The messages that a program was asked to take into its turn.

use std::collections::VecDeque;
use std::sync::Mutex;

use frontdesk_core::agent::STEER_TIMEOUT;
use frontdesk_core::port::Mono;
use tokio::sync::oneshot;

use crate::running_turns::lock;

/// The steers of one turn that the program has not answered.
#[derive(Default)]
pub(super) struct Steers(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// The turn takes no more steers.
    closed: bool,
    /// In the order in which the program got them. The sender is closed once nobody waits for the answer.
    steers: VecDeque<Steer>,
}

struct Steer {
    /// How long an answer is waited for when the turn is over.
    due: Mono,
    taken: oneshot::Sender<bool>,
}

impl Steers {
    /// Sends a steer with `send` and returns where its answer will arrive; `None` if it was not sent. The receiver fails
    /// if the program does not answer during the turn.
    pub(super) fn ask(&self, now: Mono, send: impl FnOnce() -> bool) -> Option<oneshot::Receiver<bool>> {
        // Sent while the lock is held, so that the answers arrive in the order of the steers.
        let mut waiting = lock(&self.0);
        if waiting.closed || !send() {
            return None;
        }
        let (taken, answer) = oneshot::channel();
        waiting.steers.push_back(Steer { due: now + STEER_TIMEOUT, taken });
        Some(answer)
    }

    /// The program has answered its oldest steer. False if nobody waits for the answer.
    pub(super) fn answered(&self, taken: bool) -> bool {
        let steer = lock(&self.0).steers.pop_front();
        steer.is_some_and(|steer| steer.taken.send(taken).is_ok())
    }

    /// The program has ended its turn: takes no more steers. Returns until when an answer is still waited for.
    pub(super) fn close(&self, now: Mono) -> Option<Mono> {
        let mut waiting = lock(&self.0);
        waiting.closed = true;
        let open = waiting.steers.iter().filter(|steer| !steer.taken.is_closed());
        open.map(|steer| steer.due).max().filter(|due| *due > now)
    }

    /// Takes no more steers and no more answers.
    pub(super) fn end(&self) {
        *lock(&self.0) = Waiting { closed: true, steers: VecDeque::new() };
    }
}
