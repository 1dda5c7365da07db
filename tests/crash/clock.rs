//! Real time: the test runs beside real processes, so it cannot use a manual clock.

use std::time::{Duration, Instant};

/// Milliseconds since 1970, comparable between processes.
#[expect(clippy::disallowed_methods, reason = "the journals of several processes are compared")]
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "real processes are measured")]
pub fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "real processes are waited for")]
pub async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

pub async fn sleep_ms(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}
