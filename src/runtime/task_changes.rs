//! Tells when a background task was submitted or has ended, and when the number of places may have changed.

use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct TaskChanges(Notify);

impl TaskChanges {
    pub(crate) fn note(&self) {
        self.0.notify_one();
    }

    /// Waits for the next change.
    pub(crate) async fn noted(&self) {
        self.0.notified().await;
    }
}
