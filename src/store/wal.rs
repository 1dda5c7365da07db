//! Checkpoints of the write-ahead log, made by the writer alone, so that none races a commit.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::fault::Outcome;
use crate::file::log_of;
use crate::shared::Shared;
use crate::stopwatch::Stopwatch;

/// How long another program may hold the lock before a write is given up.
pub(crate) const BUSY: Duration = Duration::from_millis(250);
/// Pages in the log after which it is written back: 32 MB of 4 KB pages. A page that many commits change is written back
/// once: with 1,024 pages a checkpoint took a quarter of the writer's time, with more than 8,192 nothing is gained.
const STEP: i32 = 8192;
/// The file's size from which it is cut once readers allow it.
const LARGE: u64 = 64 * 1024 * 1024;
/// Idle time before a small log is written back.
const IDLE: Duration = Duration::from_secs(1);
/// Idle time before another attempt to cut a large log: the reader that blocked it may have finished.
const RETRY: Duration = Duration::from_secs(2);

thread_local! {
    /// Pages in the log after this thread's last commit. SQLite's hook is a plain function, and only one
    /// thread commits.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// The state of the log.
pub(crate) struct Wal {
    file: PathBuf,
    /// Pages at which the next checkpoint is due.
    due: i32,
    /// Pages at the last checkpoint.
    last: i32,
    /// Whether the file is large and could not be cut.
    is_large: bool,
    /// Whether everything in the log has been written back since the last marked commit (see `mark`).
    needs_mark: bool,
}

impl Wal {
    /// Counts the log's pages from now on, and writes back what an earlier process left in the log. To be called on the
    /// writer's thread.
    pub(crate) fn open(conn: &Connection, database: &Path, shared: &Shared) -> Outcome<Self> {
        conn.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        let mut wal = Self { file: log_of(database), due: STEP, last: 0, is_large: false, needs_mark: false };
        wal.write_back(conn, shared)?;
        Ok(wal)
    }

    /// How long the writer may idle before it calls [`Wal::tend`]; `None` when there is nothing to do.
    pub(crate) fn idle(&self) -> Option<Duration> {
        match PAGES.get() != self.last {
            true => Some(IDLE),
            false => self.is_large.then_some(RETRY),
        }
    }

    /// Whether the next commit that changes anything must renew the mark.
    pub(crate) fn needs_mark(&self) -> bool {
        self.needs_mark
    }

    /// The mark was renewed by a commit.
    pub(crate) fn marked(&mut self) {
        self.needs_mark = false;
    }

    /// Writes the log back when it is due, or when there is nothing else to do.
    pub(crate) fn tend(&mut self, conn: &Connection, shared: &Shared, idle: bool) -> Outcome<()> {
        let pages = PAGES.get();
        if pages < self.last {
            // The log was restarted.
            self.last = 0;
            self.due = STEP;
        }
        if pages < self.due && !(idle && (pages != self.last || self.is_large)) {
            return Ok(());
        }
        self.last = pages;
        let written = self.write_back(conn, shared);
        // Whatever happened, the next attempt waits for another step: a reader that blocks the log must not make every
        // commit try in vain. A log that is large already is to be cut soon after the reader has gone.
        self.due = PAGES.get().saturating_add(if self.is_large { STEP / 8 } else { STEP });
        written
    }

    fn write_back(&mut self, conn: &Connection, shared: &Shared) -> Outcome<()> {
        let watch = Stopwatch::start();
        let complete = checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)")?;
        metrics::histogram!("frontdesk_store_checkpoint_seconds").record(watch.elapsed());
        self.needs_mark |= complete;
        if complete && self.size() > LARGE {
            // Without waiting for locks: a reader that is still there blocks only this attempt.
            conn.busy_timeout(Duration::ZERO)?;
            let cut = checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)");
            conn.busy_timeout(BUSY)?;
            if cut? {
                self.last = 0;
                PAGES.set(0);
            }
        }
        let size = self.size();
        self.is_large = size > LARGE;
        shared.set_log_bytes(size);
        Ok(())
    }

    fn size(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |file| file.len())
    }
}

/// Whether the whole log was written back.
fn checkpoint(conn: &Connection, sql: &str) -> Outcome<bool> {
    let (busy, pages, written) = conn
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get::<_, i32>(0)?, row.get::<_, i32>(1)?, row.get::<_, i32>(2)?)))?;
    Ok(busy == 0 && pages == written)
}
