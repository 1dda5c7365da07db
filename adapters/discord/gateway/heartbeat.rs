//! The heartbeat of a connection. Discord ends a connection that does not send it, and a connection whose heartbeat is
//! not acknowledged is dead.

use std::time::Duration;

use frontdesk_core::port::{AdapterError, Mono};
use frontdesk_kit::timer::Timer;

/// When the next heartbeat is due, and whether the last one was acknowledged.
pub(super) struct Heartbeat {
    timer: Timer,
    every: Duration,
    next: Mono,
    acknowledged: bool,
}

impl Heartbeat {
    /// A heartbeat that does not beat yet.
    pub(super) fn new(timer: Timer) -> Self {
        Self { timer, every: Duration::ZERO, next: Mono(Duration::MAX), acknowledged: true }
    }

    /// Begins to beat. The first beat comes at a random time, as the documentation demands, so that bots that connect
    /// at the same time do not beat together.
    pub(super) fn start(&mut self, every: Duration) {
        self.every = every;
        self.next = self.timer.mono() + every.mul_f64(frontdesk_kit::timer::random());
    }

    /// The last beat was acknowledged.
    pub(super) fn acknowledged(&mut self) {
        self.acknowledged = true;
    }

    /// Waits until a beat is due. An error if the one before was not acknowledged.
    pub(super) async fn due(&mut self) -> Result<(), AdapterError> {
        self.timer.until(self.next).await;
        if !self.acknowledged {
            return Err(AdapterError::Lost("Discord did not acknowledge the heartbeat".to_owned()));
        }
        self.next = self.timer.mono() + self.every;
        self.acknowledged = false;
        Ok(())
    }
}
