//! Ends questions whose deadline has passed, or that cannot be shown.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::port::Stop;

use crate::shared::Shared;

/// Pause after a database error.
const PAUSE: Duration = Duration::from_secs(1);

/// Lets questions expire until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    loop {
        let next = shared.store.expire_asks(shared.time.now()).await;
        shared.health.note(next.as_ref().err());
        let due = match next {
            Ok(next) => next.map(|deadline| shared.time.deadline(deadline)),
            Err(_) => Some(shared.time.mono() + PAUSE),
        };
        let deadline = async {
            match due {
                Some(due) => shared.time.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.work.asks.changed() => {}
            () = deadline => {}
        }
    }
}
