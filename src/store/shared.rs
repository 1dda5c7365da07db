//! State shared by the threads of one open store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use frontdesk_core::id::BootId;
use tokio::sync::watch;

use crate::error::StoreError;
use crate::row::{CommitListener, Renderer};

/// Shared by the handles, the writer and the readers.
pub(crate) struct Shared {
    /// The owner of what this process claims.
    pub(crate) boot: BootId,
    pub(crate) renderer: Arc<dyn Renderer>,
    pub(crate) listener: Arc<dyn CommitListener>,
    /// Messages and commands that wait, as of the last commit.
    waiting: AtomicI64,
    /// The size of the write-ahead log's file in bytes, as of the last checkpoint.
    log_bytes: AtomicU64,
    /// Number of commits, their time together and the longest of them in microseconds, since they were last taken.
    commits: [AtomicU64; 3],
    /// The fault after which nothing is tried any more.
    fatal: watch::Sender<Option<String>>,
}

impl Shared {
    pub(crate) fn new(boot: BootId, renderer: Arc<dyn Renderer>, listener: Arc<dyn CommitListener>) -> Self {
        Self {
            boot,
            renderer,
            listener,
            waiting: AtomicI64::new(0),
            log_bytes: AtomicU64::new(0),
            commits: Default::default(),
            fatal: watch::Sender::new(None),
        }
    }

    /// Counts what a commit has changed.
    pub(crate) fn moved(&self, by: i64) {
        self.waiting.fetch_add(by, Ordering::Relaxed);
    }

    /// Messages and commands that wait.
    pub(crate) fn waiting(&self) -> u64 {
        u64::try_from(self.waiting.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// The size of the write-ahead log's file, as of the last checkpoint.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_log_bytes(&self, bytes: u64) {
        self.log_bytes.store(bytes, Ordering::Relaxed);
        metrics::gauge!("frontdesk_store_wal_bytes").set(bytes as f64);
    }

    /// Counts a commit and the time that it took.
    pub(crate) fn committed(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let [count, sum, longest] = &self.commits;
        count.fetch_add(1, Ordering::Relaxed);
        sum.fetch_add(took, Ordering::Relaxed);
        longest.fetch_max(took, Ordering::Relaxed);
    }

    /// The number of commits, their time together and the longest of them in microseconds, since the last call.
    pub(crate) fn take_commits(&self) -> [u64; 3] {
        self.commits.each_ref().map(|counted| counted.swap(0, Ordering::Relaxed))
    }

    /// Remembers the first fatal fault, and tells those who wait for it.
    pub(crate) fn broke(&self, cause: &str) {
        self.fatal.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                tracing::error!(cause, "the database is broken");
                *known = Some(cause.to_owned());
            }
            first
        });
    }

    /// Passes an error on, and remembers it if it is fatal.
    pub(crate) fn noted(&self, error: StoreError) -> StoreError {
        if let StoreError::Fatal(cause) = &error {
            self.broke(cause);
        }
        error
    }

    /// The fatal fault, once there was one.
    pub(crate) fn broken(&self) -> Option<StoreError> {
        self.fatal.borrow().clone().map(StoreError::Fatal)
    }

    /// A receiver that changes with the first fatal fault.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.fatal.subscribe()
    }
}
