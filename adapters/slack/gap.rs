//! Whether a connection has read what was missed before it.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// How far a connection has read what was missed before it, for those who store positions.
#[derive(Debug)]
pub(crate) struct Gap {
    /// Whether everything is read. Until then the position must not move.
    is_closed: AtomicBool,
    /// Says that the position is to be stored although no event arrives.
    store: Notify,
}

impl Gap {
    pub(crate) fn new(is_closed: bool) -> Self {
        Self { is_closed: AtomicBool::new(is_closed), store: Notify::new() }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Everything is read.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.store_position();
    }

    /// Waits until the position is to be stored.
    pub(crate) async fn is_due(&self) {
        self.store.notified().await;
    }

    /// The position is stored, unless events wait: they store it.
    pub(crate) fn store_position(&self) {
        self.store.notify_one();
    }
}
