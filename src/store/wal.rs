//! The write-ahead log: written back by the writer alone, so that a checkpoint never races a commit.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::fault::Outcome;
use crate::stopwatch::Stopwatch;
use crate::writer::BUSY;

/// Pages in the log after which it is written back: 4 MB of 4 KB pages.
const STEP: i32 = 1024;
/// The file's size from which it is cut once readers allow it.
const LARGE: u64 = 64 * 1024 * 1024;
/// How long nothing must happen before a small log is written back.
const REST: Duration = Duration::from_secs(1);

thread_local! {
    /// Pages in the log after this thread's last commit. SQLite's hook is a plain function, and only one
    /// thread commits.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// How the log stands.
pub(crate) struct Wal {
    file: PathBuf,
    /// Pages at which the next checkpoint is due.
    due: i32,
    /// Pages at the last checkpoint.
    last: i32,
}

impl Wal {
    /// Takes checkpoints into our own hands. To be called on the writer's thread.
    pub(crate) fn tended(conn: &Connection, database: &Path) -> Outcome<Self> {
        conn.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        Ok(Self { file: log_of(database), due: STEP, last: 0 })
    }

    /// How long to sleep before the log is looked after; `None` when there is nothing to do.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (PAGES.get() != self.last).then_some(REST)
    }

    /// Writes the log back when it is due, or when there is nothing else to do.
    pub(crate) fn tend(&mut self, conn: &Connection, idle: bool) -> Outcome<()> {
        let pages = PAGES.get();
        if pages < self.last {
            // The log has begun anew.
            self.last = 0;
            self.due = STEP;
        }
        if pages < self.due && !(idle && pages != self.last) {
            return Ok(());
        }
        // Whatever happens, the next attempt waits for another step: a reader that blocks the log must not
        // make every commit try in vain.
        self.last = pages;
        self.due = pages.saturating_add(STEP);
        let watch = Stopwatch::start();
        let written = checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)")?;
        metrics::histogram!("frontdesk_store_checkpoint_seconds").record(watch.elapsed());
        let size = std::fs::metadata(&self.file).map_or(0, |file| file.len());
        metrics::gauge!("frontdesk_store_wal_bytes").set(size as f64);
        if size > LARGE && written {
            // Without patience: a reader that is still there keeps the file long, which hurts nobody.
            conn.busy_timeout(Duration::ZERO)?;
            let cut = checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)");
            conn.busy_timeout(BUSY)?;
            if cut? {
                self.last = 0;
                self.due = STEP;
                PAGES.set(0);
            }
        }
        Ok(())
    }
}

/// The log's file.
pub(crate) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Whether the whole log was written back.
fn checkpoint(conn: &Connection, sql: &str) -> Outcome<bool> {
    let (busy, pages, written) = conn
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get::<_, i32>(0)?, row.get::<_, i32>(1)?, row.get::<_, i32>(2)?)))?;
    Ok(busy == 0 && pages == written)
}
