//! Whether the database takes writes, for `/health`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use frontdesk_store::{Store, StoreError};

#[derive(Default)]
pub(crate) struct StorageHealth {
    fault: Mutex<Option<String>>,
    /// Equal to `fault.is_some()`, so that noting a successful write costs one atomic load and no lock.
    fails: AtomicBool,
    /// Whether it was logged that the write-ahead log is too large.
    pub(crate) log_is_large: AtomicBool,
}

impl StorageHealth {
    /// Records the result of a write.
    pub(crate) fn note(&self, error: Option<&StoreError>) {
        match error {
            None if !self.fails.load(Ordering::Relaxed) => {}
            None => {
                self.fails.store(false, Ordering::Relaxed);
                *self.lock() = None;
                tracing::info!("the database takes writes again");
            }
            // One request was at fault, not the database.
            Some(StoreError::Invalid(_)) => {}
            Some(error) => {
                *self.lock() = Some(error.to_string());
                if !self.fails.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the database does not take writes");
                }
            }
        }
    }

    /// Why the database does not take writes; `None` while it does.
    pub(crate) fn fault(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A warning if the write-ahead log has reached `limit_mb` megabytes.
pub(crate) fn log_excess(store: &Store, limit_mb: u32) -> Option<String> {
    const MB: u64 = 1 << 20;
    let size = store.log_bytes() / MB;
    (size >= u64::from(limit_mb)).then(|| {
        format!(
            "the database's write-ahead log has grown to {size} MB: another program probably keeps a read \
             transaction open; the log names it where it can"
        )
    })
}
