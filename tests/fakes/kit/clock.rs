//! The time on a fake platform's clock: real time that a test can move forward, or time that only a test moves.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// A clock in milliseconds since 1970.
#[derive(Debug)]
pub struct Clock {
    offset_ms: AtomicI64,
    is_real: bool,
    moved: Notify,
}

impl Clock {
    /// Real time, plus whatever [`Clock::advance`] adds.
    pub fn real() -> Self {
        Self { offset_ms: AtomicI64::new(0), is_real: true, moved: Notify::new() }
    }

    /// Stands at `start_ms` and moves by [`Clock::advance`] alone.
    pub fn manual(start_ms: i64) -> Self {
        Self { offset_ms: AtomicI64::new(start_ms), is_real: false, moved: Notify::new() }
    }

    /// Milliseconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "this is the clock of a server beside real processes")]
    pub fn now_ms(&self) -> i64 {
        let offset = self.offset_ms.load(Ordering::Relaxed);
        if !self.is_real {
            return offset;
        }
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + offset
    }

    /// Moves the clock forward at once.
    pub fn advance(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.offset_ms.fetch_add(ms, Ordering::Relaxed);
        self.moved.notify_waiters();
    }

    /// Waits until the clock shows `deadline_ms`.
    pub async fn until(&self, deadline_ms: i64) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let left = u64::try_from(deadline_ms - self.now_ms()).unwrap_or_default();
            if left == 0 {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = pause(Duration::from_millis(left)), if self.is_real => {}
            }
        }
    }
}

/// Waits in real time, whatever the clock shows: the client at the other end of the socket lives in real time.
#[expect(clippy::disallowed_methods, reason = "the client at the other end of the socket lives in real time")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
