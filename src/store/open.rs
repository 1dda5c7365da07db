//! Opening and closing a store: its threads and their connections.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use chrono::{DateTime, Utc};
use frontdesk_core::id::BootId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};
use tokio::sync::oneshot;

use crate::error::{OpenError, StoreError};
use crate::fault::Outcome;
use crate::file::{self, Identity, unusable};
use crate::ids::Ids;
use crate::mark;
use crate::others;
use crate::queue::{Queue, WorkClass};
use crate::reader::Readers;
use crate::row::MinuteRow;
use crate::schema::{self, not_opened, unreadable};
use crate::shared::Shared;
use crate::sql::Sql;
use crate::tx::Tx;
use crate::unit::Unit;
use crate::wal::{BUSY, Wal};
use crate::writer::Writer;
use crate::{Options, Store, StoreReader};

/// The first SQLite without the WAL-reset fault, which can corrupt the database when the log restarts.
const SQLITE: i32 = 3_051_003;

/// Capacity of the cache of prepared statements: more than this crate has.
const STATEMENTS: usize = 256;

/// Shared by all handles. Dropping the last handle closes the store.
pub(crate) struct Inner {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    database: PathBuf,
    /// The writer's thread first, then the readers'.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.readers.close();
        self.queue.close();
    }
}

impl Store {
    /// Opens the database and creates it if there is none. A database of another version is refused, and nothing in
    /// it is changed.
    pub async fn open(options: Options) -> Result<Store, OpenError> {
        let Options { path, boot, now, renderer, listener, readers: count } = options;
        let shared = Arc::new(Shared::new(boot, renderer, listener));
        let (queue, readers) = (Arc::new(Queue::new()), Arc::new(Readers::new()));
        let inner = Inner {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            readers: Arc::clone(&readers),
            database: path.clone(),
            threads: Mutex::default(),
        };
        let (ready, opened) = oneshot::channel();
        let database = path.clone();
        inner.start("store-writer", &path, move || {
            let (writer, verdict) = match writer(&database, shared, queue, now) {
                Ok(writer) => (Some(writer), Ok(())),
                Err(error) => (None, Err(error)),
            };
            if ready.send(verdict).is_err() {
                tracing::trace!("the caller stopped waiting for the store to open");
            }
            if let Some(writer) = writer {
                writer.serve();
            }
        })?;
        opened.await.map_err(|_| unusable(&path, "opening it panicked"))??;
        for n in 0..count.max(1) {
            inner.start_reader(n, &path)?;
        }
        Ok(Store { reader: StoreReader { inner: Arc::new(inner) } })
    }

    /// Runs the queued work, writes the log back and ends the threads. Every later call fails with
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        self.inner.readers.close();
        let queue = Arc::clone(&self.inner.queue);
        let threads = std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let (ended, all) = oneshot::channel();
        let joined = thread::Builder::new().name("store-close".into()).spawn(move || {
            let mut threads = threads.into_iter();
            let writer = threads.next();
            let panics = threads.map(JoinHandle::join).filter(Result::is_err).count();
            // The writer last: the last connection to close writes the log back and removes it.
            queue.close();
            if panics > 0 || writer.is_some_and(|writer| writer.join().is_err()) {
                tracing::error!(panics, "a thread of the store panicked");
            }
            if ended.send(()).is_err() {
                tracing::trace!("the caller stopped waiting for the store to close");
            }
        });
        if joined.is_err() || all.await.is_err() {
            tracing::warn!("the store closes without its end being awaited");
        }
    }

    /// Runs a unit in the writer's next group; returns after the commit. A unit may run several times: if another unit of
    /// the group fails, and after a conflict with another writer, everything is rolled back and the units run again. So a
    /// unit is a function of its captured values and of the database: it changes nothing but rows and what [`Tx`] notes.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        class: WorkClass,
        unit: impl Fn(&Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (work, answer) = Unit::with_reply(unit);
        self.inner
            .queue
            .put(class, work)
            .await
            .map_err(|error| self.inner.shared.broken().unwrap_or(error))?;
        answer.await.unwrap_or_else(|_| Err(self.inner.shared.broken().unwrap_or(StoreError::Closed)))
    }

    /// The writer's queue.
    #[cfg(test)]
    pub(crate) fn queue(&self) -> &Queue {
        &self.inner.queue
    }
}

impl StoreReader {
    /// Resolves with the cause when the database has a fault after which the process must end.
    pub async fn fatal(&self) -> String {
        let mut watch = self.inner.shared.watch();
        let cause = watch.wait_for(Option::is_some).await.ok().and_then(|cause| cause.clone());
        match cause {
            Some(cause) => cause,
            // The sender exists as long as this handle.
            None => std::future::pending().await,
        }
    }

    /// Waiting messages and commands, counted in memory as of the last commit. It says when the queue is full, and nothing
    /// else is decided by it.
    pub fn waiting(&self) -> u64 {
        self.inner.shared.waiting()
    }

    /// What the writer has done since the last call: commits and their times.
    pub fn take_commits(&self) -> MinuteRow {
        let [commits, commit_us, commit_max_us] = self.inner.shared.take_commits();
        MinuteRow { commits, commit_us, commit_max_us, ..MinuteRow::default() }
    }

    /// The size of the write-ahead log's file in bytes, as of the last checkpoint. It grows while any reader keeps one
    /// transaction open.
    pub fn log_bytes(&self) -> u64 {
        self.inner.shared.log_bytes()
    }

    /// The other programs that read the database at this moment, as far as the kernel lists them: each keeps the log from
    /// being written back.
    pub fn log_readers(&self) -> Vec<String> {
        others::readers(&self.inner.database)
    }

    /// This start of this process.
    pub fn boot(&self) -> &BootId {
        &self.inner.shared.boot
    }

    /// Runs a read in one snapshot, in parallel with the writer.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Sql<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if let Some(error) = self.inner.shared.broken() {
            return Err(error);
        }
        self.inner.readers.read(read).await
    }
}

impl Inner {
    fn start(&self, name: &str, path: &Path, run: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let thread = thread::Builder::new().name(name.into()).spawn(run);
        let thread = thread.map_err(|error| file::failed(path, error))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    fn start_reader(&self, n: usize, path: &Path) -> Result<(), OpenError> {
        let (shared, readers) = (Arc::clone(&self.shared), Arc::clone(&self.readers));
        let conn = connect(path, 1024).map_err(|error| unreadable(path, error))?;
        conn.pragma_update(None, "query_only", true).map_err(|error| unreadable(path, error))?;
        self.start(&format!("store-reader-{n}"), path, move || {
            if let Err(error) = readers.serve(&conn, &shared) {
                tracing::error!(%error, "a reader could not start");
            }
        })
    }
}

/// Checks and prepares the database, and makes its writer.
fn writer(
    path: &Path,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    now: DateTime<Utc>,
) -> Result<Writer, OpenError> {
    if rusqlite::version_number() < SQLITE {
        return Err(OpenError::OldSqlite { found: rusqlite::version().into() });
    }
    file::refuse_lost(path)?;
    file::prepare(path)?;
    file::inspect(path)?;
    let mark = file::has_log(&file::log_of(path)).then(|| mark::in_file(path)).flatten();
    let conn = connect(path, 4096).map_err(|error| unreadable(path, error))?;
    refuse_read_only(&conn, path)?;
    mark::check(&conn, path, mark)?;
    schema::check(&conn, path)?;
    set_journal(&conn).map_err(|error| unreadable(path, error))?;
    schema::create(&conn, path)?;
    let waiting = first_reads(&conn).map_err(|error| unreadable(path, error))?;
    shared.moved(waiting);
    let ids = Ids::load(&conn).map_err(|error| unreadable(path, error))?;
    let wal = Wal::open(&conn, path, &shared).map_err(|fault| not_opened(path, &fault))?;
    let name = conn.query_row("SELECT name FROM meta", [], |row| row.get::<_, String>(0));
    file::witness(path, &name.map_err(|error| unreadable(path, error))?)?;
    let identity = Identity::of(path).map_err(|error| file::failed(path, error))?;
    let mut writer = Writer { conn, shared, queue, identity, wal, ids };
    writer.enter(now).map_err(|fault| not_opened(path, &fault))?;
    Ok(writer)
}

/// SQLite opens a file that it may not write for reading only, and tells nobody before the first write.
fn refuse_read_only(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    if !conn.is_readonly(MAIN_DB).map_err(|error| unreadable(path, error))? {
        return Ok(());
    }
    let cause = "this user may read the database, and not write it";
    Err(file::failed(path, io::Error::new(io::ErrorKind::PermissionDenied, cause)))
}

fn connect(path: &Path, cache_kib: i64) -> rusqlite::Result<Connection> {
    // Without CREATE: the file was made with its mode before. Without URI: a path is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    // However this connection ends, the log stays as it is; only an orderly stop of the writer writes it back.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Plans must not depend on the values of parameters: else a statement with `LIMIT ?` is compiled again at each run.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    Ok(conn)
}

/// Sets what only the writer's connection needs.
fn set_journal(conn: &Connection) -> rusqlite::Result<()> {
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::InvalidParameterName(format!("its journal stays in mode {mode}")));
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)
}

/// Counts waiting messages and commands: reads only the index of waiting rows.
fn first_reads(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("SELECT count(*) FROM session WHERE key = ''", [], |_| Ok(()))?;
    conn.query_row("SELECT count(*) FROM inbound WHERE state = 'waiting'", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_database_that_may_only_be_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("some.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY)").unwrap();
        refuse_read_only(&conn, &path).unwrap();
        let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let error = refuse_read_only(&conn, &path).unwrap_err();
        assert!(error.to_string().ends_with("may read the database, and not write it"), "{error}");
    }

    #[test]
    fn a_statement_is_compiled_once_whatever_its_parameters_are() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("some.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY)").unwrap();
        let conn = connect(&path, 1024).unwrap();
        let mut statement = conn.prepare("SELECT id FROM t ORDER BY id LIMIT ?1").unwrap();
        for limit in 0..3 {
            assert_eq!(statement.query([limit]).unwrap().mapped(|_| Ok(())).count(), 0);
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
