//! The server's clock: real time, plus what a test has let pass.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Real time with hands that can be moved forward.
#[derive(Debug, Default)]
pub struct Clock {
    skew_ms: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// Milliseconds since 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "a server beside real processes, whose clock nobody hands it"
    )]
    pub fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + self.skew_ms.load(Ordering::Relaxed)
    }

    /// Lets time pass at once.
    pub fn advance(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.skew_ms.fetch_add(ms, Ordering::Relaxed);
        self.moved.notify_waiters();
    }

    /// Waits until the clock shows `deadline`, by waiting or by [`Clock::advance`].
    pub async fn until(&self, deadline_ms: i64) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let Ok(left) = u64::try_from(deadline_ms - self.now_ms()) else { return };
            if left == 0 {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = real_pause(Duration::from_millis(left)) => {}
            }
        }
    }
}

/// Waits in real time, whatever the clock shows.
#[expect(clippy::disallowed_methods, reason = "the other end of the socket lives in real time")]
pub async fn real_pause(time: Duration) {
    tokio::time::sleep(time).await;
}
