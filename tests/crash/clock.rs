//! Real time: this test lives beside real processes, so nobody can hand it a clock.

use std::time::{Duration, Instant};

/// Milliseconds since 1970, comparable between processes.
#[expect(clippy::disallowed_methods, reason = "journals of several processes are compared")]
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A moment to measure from.
#[expect(clippy::disallowed_methods, reason = "real processes are measured")]
pub fn moment() -> Instant {
    Instant::now()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "real processes are waited for")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits so many milliseconds.
pub async fn pause_ms(ms: u64) {
    pause(Duration::from_millis(ms)).await;
}
