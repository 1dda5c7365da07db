//! The readers: a few threads with connections that only read, in parallel with the writer.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::StoreError;
use crate::fault::{Outcome, caught};
use crate::shared::Shared;
use crate::sql::Sql;
use crate::stopwatch::Stopwatch;

/// Capacity of the queue of reads.
const CAPACITY: usize = 1024;
/// The longest read: while one lasts, the log cannot restart.
const LIMIT: Duration = Duration::from_secs(5);
/// How many instructions of SQLite's virtual machine run between two looks at the clock: less than a millisecond.
const STEPS: i32 = 20_000;

type Read = Box<dyn FnOnce(&Sql<'_>, &Shared) + Send>;

/// The queue between all callers and the readers.
pub(crate) struct Readers {
    reads: Mutex<Reads>,
    ready: Condvar,
    permits: Arc<Semaphore>,
    /// The longest read.
    limit: Duration,
}

#[derive(Default)]
struct Reads {
    waiting: VecDeque<(Read, OwnedSemaphorePermit)>,
    closed: bool,
}

impl Readers {
    pub(crate) fn new() -> Self {
        Self {
            reads: Mutex::new(Reads::default()),
            ready: Condvar::new(),
            permits: Arc::new(Semaphore::new(CAPACITY)),
            limit: LIMIT,
        }
    }

    /// Runs a read in one snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Sql<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let job: Read = Box::new(move |sql, shared| {
            let result = snapshot(sql, read).map_err(|fault| shared.noted(fault.error()));
            if reply.send(result).is_err() {
                tracing::trace!("the caller stopped waiting for a read");
            }
        });
        {
            let mut reads = self.reads();
            if reads.closed {
                return Err(StoreError::Closed);
            }
            reads.waiting.push_back((job, permit));
        }
        self.ready.notify_one();
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Takes no more reads. Those that wait are still served.
    pub(crate) fn close(&self) {
        self.reads().closed = true;
        self.permits.close();
        self.ready.notify_all();
    }

    /// Serves the queue on the calling thread until it is closed and empty.
    pub(crate) fn serve(&self, conn: &Connection, shared: &Shared) -> rusqlite::Result<()> {
        let watch = Arc::new(Mutex::new(Stopwatch::start()));
        let (begun, limit) = (Arc::clone(&watch), self.limit);
        let started = move |watch: &Mutex<Stopwatch>| *watch.lock().unwrap_or_else(PoisonError::into_inner);
        conn.progress_handler(STEPS, Some(move || started(&begun).elapsed() > limit))?;
        while let Some((read, _permit)) = self.next() {
            *watch.lock().unwrap_or_else(PoisonError::into_inner) = Stopwatch::start();
            read(&Sql(conn), shared);
        }
        Ok(())
    }

    fn next(&self) -> Option<(Read, OwnedSemaphorePermit)> {
        let mut reads = self.reads();
        loop {
            if let Some(next) = reads.waiting.pop_front() {
                return Some(next);
            }
            if reads.closed {
                return None;
            }
            reads = self.ready.wait(reads).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn reads(&self) -> MutexGuard<'_, Reads> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every statement of one read sees the same state.
fn snapshot<T>(sql: &Sql<'_>, read: impl FnOnce(&Sql<'_>) -> Outcome<T>) -> Outcome<T> {
    sql.run("BEGIN", [])?;
    let result = caught(|| read(sql));
    if !sql.0.is_autocommit() {
        sql.run("ROLLBACK", [])?;
    }
    result
}

#[cfg(test)]
mod tests {
    use frontdesk_core::id::BootId;

    use super::*;
    use crate::null_renderer::NullRenderer;

    #[tokio::test]
    async fn a_read_that_takes_too_long_is_ended_and_keeps_no_snapshot() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n)").unwrap();
        let readers = Arc::new(Readers { limit: Duration::from_millis(20), ..Readers::new() });
        let (serving, reading) = (Arc::clone(&readers), Connection::open(&path).unwrap());
        let thread = std::thread::spawn(move || {
            let shared = Shared::new(BootId::from_bits(1), Arc::new(NullRenderer), Arc::new(NullRenderer));
            serving.serve(&reading, &shared)
        });
        let endless = "WITH RECURSIVE c (n) AS (SELECT count(*) FROM t UNION ALL SELECT n + 1 FROM c)
                       SELECT max(n) FROM c";
        let ended = readers.read(|sql| sql.one(endless, [], |row| row.get::<_, i64>(0))).await;
        assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
        // The log can restart only if no reader uses it.
        conn.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 0, "the reader still holds a snapshot");
        readers.close();
        thread.join().unwrap().unwrap();
    }
}
