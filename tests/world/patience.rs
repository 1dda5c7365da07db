//! Waiting for something that must happen soon, in real time: events cross threads and the disk.

use std::future::Future;
use std::time::Duration;

/// After this a test has failed. Generous: a loaded machine is slow, and a passing test never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The value of `future`, or a panic that says what did not happen.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("this did not happen in {PATIENCE:?}: {what}"),
    }
}

/// Waits until `check` gives a value, looking again whenever other tasks have had their turn.
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
