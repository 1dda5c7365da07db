//! Waiting in real time for something that must happen soon: events cross threads and the disk.

use std::future::Future;
use std::time::Duration;

/// A wait that takes longer fails the test. It is long because a loaded machine is slow; a passing test never waits
/// this long.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the value of `future`, or panics with what did not happen.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(TIMEOUT, future).await {
        Ok(value) => value,
        Err(_) => panic!("this did not happen in {TIMEOUT:?}: {what}"),
    }
}

/// Waits until `check` returns a value; it is called again and again while other tasks run.
pub async fn until<T, F>(what: &str, mut check: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    soon(what, async {
        loop {
            if let Some(value) = check().await {
                return value;
            }
            tokio::time::timeout(Duration::from_millis(2), std::future::pending::<()>()).await.unwrap_err();
        }
    })
    .await
}
