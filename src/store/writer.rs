//! The writer: the only connection that writes, with group commit (many units, one fsync).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::oneshot;

use crate::access_state;
use crate::error::StoreError;
use crate::fault::{Fault, Outcome, caught, panic_message};
use crate::file::Identity;
use crate::ids::Ids;
use crate::mark;
use crate::queue::{Entry, NextGroup, Queue, Work};
use crate::row::{AccessState, CommitListener, OutboxRow};
use crate::shared::Shared;
use crate::stopwatch::Stopwatch;
use crate::tx::Tx;
use crate::wal::Wal;

/// The writer and what it works with.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) identity: Identity,
    pub(crate) wal: Wal,
    pub(crate) ids: Ids,
}

/// The result of one unit, as its caller gets it.
type UnitResult = Result<(), StoreError>;

/// An operation's closure and the channel on which its caller waits. The closure can run more than once: only what its
/// last run did is committed.
pub(crate) struct Job<T, F> {
    unit: F,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job<T, F>
where
    T: Send + 'static,
    F: Fn(&Tx<'_>) -> Outcome<T> + Send + 'static,
{
    pub(crate) fn with_reply(unit: F) -> (Box<dyn Work>, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { unit, done: None, reply }), answer)
    }
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: Fn(&Tx<'_>) -> Outcome<T> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> Outcome<()> {
        self.done = None;
        self.done = Some((self.unit)(tx)?);
        Ok(())
    }

    fn end(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { done, reply, .. } = *self;
        let answer = result.and_then(|()| done.ok_or(StoreError::Closed));
        if reply.send(answer).is_err() {
            tracing::trace!("the caller stopped waiting for a unit");
        }
    }
}

impl Writer {
    /// Serves the queue until it is closed and empty. However it ends, no caller is left waiting.
    pub(crate) fn serve(mut self) {
        let (shared, queue) = (Arc::clone(&self.shared), Arc::clone(&self.queue));
        let served = catch_unwind(AssertUnwindSafe(|| {
            let mut group = Vec::new();
            loop {
                match self.queue.gather(&mut group, self.wal.idle()) {
                    NextGroup::Group => self.commit(&mut group),
                    NextGroup::Idle => self.checkpoint(true),
                    NextGroup::Closed => break,
                }
            }
            self.give_back_ids();
            // After a fault nothing is written back and nothing is synced a second time: after a failed fsync the
            // kernel may count pages as written that are not on the disk. The next start reads the log as it is.
            if shared.broken().is_none()
                && let Err(error) = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            {
                tracing::warn!(%error, "the log is not written back; the next start does it");
            }
            if let Err((_, error)) = self.conn.close() {
                tracing::warn!(%error, "the database did not close cleanly; the next start recovers it");
            }
        }));
        if let Err(panic) = served {
            shared.broke(&format!("the writer {}", panic_message(&*panic)));
        }
        queue.abandon();
    }

    /// Ids that were reserved and not used are used after the next start. Without this they are skipped.
    fn give_back_ids(&self) {
        let tx = Tx::new(&self.conn, &self.shared, &self.ids);
        let given_back = || {
            self.identity.check().map_err(Fault::Bad)?;
            tx.run("BEGIN IMMEDIATE", [])?;
            self.ids.give_back(&tx)?;
            if self.wal.needs_mark() {
                mark::renew(&tx)?;
            }
            tx.run("COMMIT", [])
        };
        if self.shared.broken().is_none()
            && let Err(fault) = given_back()
        {
            tracing::warn!(cause = %fault.error(), "reserved ids are skipped");
        }
    }

    /// Runs a group and reports the result to each caller.
    fn commit(&mut self, group: &mut Vec<Entry>) {
        metrics::histogram!("frontdesk_store_group_size").record(group.len() as f64);
        metrics::gauge!("frontdesk_store_queue_depth").set(self.queue.depth() as f64);
        for entry in group.iter() {
            metrics::histogram!("frontdesk_store_wait_seconds").record(entry.since.elapsed());
        }
        let watch = Stopwatch::start();
        match self.transaction(group) {
            Ok(results) => {
                metrics::histogram!("frontdesk_store_commit_seconds").record(watch.elapsed());
                group.drain(..).zip(results).for_each(|(entry, result)| entry.work.end(result));
            }
            Err(error) => {
                metrics::counter!("frontdesk_store_failed_groups_total").increment(1);
                let error = self.shared.noted(error);
                tracing::warn!(%error, units = group.len(), "a group was not committed");
                group.drain(..).for_each(|entry| entry.work.end(Err(error.clone())));
            }
        }
        self.checkpoint(false);
    }

    /// Runs a group in one transaction. An error is the result of every unit.
    fn transaction(&mut self, group: &mut [Entry]) -> Result<Vec<UnitResult>, StoreError> {
        if let Some(error) = self.shared.broken() {
            return Err(error);
        }
        self.identity.check().map_err(StoreError::Fatal)?;
        let tx = Tx::new(&self.conn, &self.shared, &self.ids);
        let changes = self.conn.total_changes();
        tx.run("BEGIN IMMEDIATE", []).map_err(|fault| fault.error())?;
        let mut access = None;
        let results = together(&tx, group).and_then(|results| {
            // When a group of one unit fails, its transaction is rolled back already. Where any unit succeeded, the
            // transaction must still be open: else its changes are lost.
            if results.iter().any(Result::is_ok) {
                tx.whole("before its commit")?;
            }
            if !self.conn.is_autocommit() {
                let marks = self.wal.needs_mark() && self.conn.total_changes() != changes;
                if marks {
                    mark::renew(&tx)?;
                }
                access = tx.has_access_change().then(|| access_state::read(&tx)).transpose()?;
                tx.run("COMMIT", [])?;
                if marks {
                    self.wal.marked();
                }
            }
            Ok(results)
        });
        match results {
            Ok(results) => {
                self.shared.moved(tx.moved());
                self.announce(access, tx.take_stored());
                Ok(results)
            }
            Err(fault) => {
                self.ids.rolled_back();
                if !self.conn.is_autocommit()
                    && let Err(error) = tx.run("ROLLBACK", [])
                {
                    return Err(StoreError::Fatal(format!("a rollback failed: {:?}", error.error())));
                }
                Err(match fault.error() {
                    // A unit's own mistake does not end a group; if it did, SQLite has left the transaction.
                    StoreError::Invalid(cause) => StoreError::Unavailable(cause),
                    error => error,
                })
            }
        }
    }

    /// Tells the listener of a commit, in the order of commit and before any caller gets its result: first who has
    /// access now, then the new outbox rows.
    fn announce(&self, access: Option<AccessState>, rows: Vec<OutboxRow>) {
        if let Some(state) = access {
            self.tell(|listener| listener.access_changed(state));
        }
        if !rows.is_empty() {
            self.tell(|listener| listener.committed(rows));
        }
    }

    fn tell(&self, of: impl FnOnce(&dyn CommitListener)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| of(&*self.shared.listener))) {
            tracing::error!(cause = panic_message(&*panic), "the listener did not take what was committed");
        }
    }

    fn checkpoint(&mut self, idle: bool) {
        if self.shared.broken().is_some() {
            return;
        }
        if let Err(fault) = self.wal.tend(&self.conn, &self.shared, idle) {
            // The commits stand: they are in the log. Only a broken disk ends the process.
            let error = self.shared.noted(fault.error());
            tracing::warn!(%error, "the log could not be written back");
        }
    }
}

/// Every unit without a savepoint, which would copy each page that a unit changes. If one fails, nothing of the group is
/// kept, and the units run again one by one.
fn together(tx: &Tx<'_>, group: &mut [Entry]) -> Outcome<Vec<UnitResult>> {
    let units = group.len();
    for entry in group.iter_mut() {
        match caught(|| entry.work.run(tx)) {
            // Where SQLite has left the transaction, the next unit would commit by itself.
            Ok(()) => tx.whole("inside a unit")?,
            Err(fault) if fault.takes_the_group() => return Err(fault),
            Err(fault) => {
                tx.whole(&fault.error().to_string())?;
                tx.run("ROLLBACK", [])?;
                tx.forget();
                if units == 1 {
                    return Ok(vec![Err(fault.error())]);
                }
                metrics::counter!("frontdesk_store_split_groups_total").increment(1);
                tx.run("BEGIN IMMEDIATE", [])?;
                return one_by_one(tx, group);
            }
        }
    }
    Ok(vec![Ok(()); units])
}

/// Every unit in a savepoint of its own: one that fails leaves the others as they are.
fn one_by_one(tx: &Tx<'_>, group: &mut [Entry]) -> Outcome<Vec<UnitResult>> {
    let mut results = Vec::with_capacity(group.len());
    for entry in group {
        match tx.apart(|| entry.work.run(tx)) {
            Ok(()) => results.push(Ok(())),
            Err(fault) if fault.takes_the_group() => return Err(fault),
            Err(fault) => results.push(Err(fault.error())),
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Mutex, mpsc};

    use frontdesk_core::act::PostKind;
    use frontdesk_core::address::{Address, Principal};
    use frontdesk_core::id::BootId;
    use frontdesk_core::markup::Part;

    use super::*;
    use crate::null_renderer::NullRenderer;
    use crate::part::Outgoing;
    use crate::part_key::TextKey;
    use crate::queue::WorkClass;
    use crate::row::{AccessChange, Author, Scope};
    use crate::sql::Sql;
    use crate::{Options, Store, access};

    /// Panics on the writer's thread after its commit.
    struct Panics;

    impl Work for Panics {
        fn run(&mut self, _: &Tx<'_>) -> Outcome<()> {
            Ok(())
        }
        fn end(self: Box<Self>, _: Result<(), StoreError>) {
            panic!("after the commit");
        }
    }

    async fn open(home: &tempfile::TempDir) -> Store {
        NullRenderer::open(&home.path().join("frontdesk.db")).await
    }

    /// Blocks the writer until the sender is dropped, so that the units queued meanwhile make one group.
    async fn held(store: &Store) -> mpsc::Sender<()> {
        let (free, wait) = mpsc::channel::<()>();
        let (begun, waiting) = oneshot::channel();
        let begun = Cell::new(Some(begun));
        let (unit, _) = Job::with_reply(move |_| {
            let begun = begun.take().unwrap();
            assert!(begun.send(()).is_ok() && wait.recv().is_err());
            Ok(())
        });
        store.queue().put(WorkClass::Requests, unit).await.unwrap();
        waiting.await.unwrap();
        free
    }

    /// Queues a unit without waiting for its result.
    async fn put<T: Send + 'static>(
        store: &Store,
        unit: impl Fn(&Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (job, answer) = Job::with_reply(unit);
        store.queue().put(WorkClass::Requests, job).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_writer_that_panics_leaves_no_caller_waiting() {
        let home = tempfile::tempdir().unwrap();
        let store = open(&home).await;
        let free = held(&store).await;
        store.queue().put(WorkClass::Requests, Box::new(Panics)).await.unwrap();
        // More than one group: the writer runs some, the others are still in the queue.
        let mut waiting = Vec::new();
        for _ in 0..200 {
            waiting.push(put(&store, |_| Ok(())).await);
        }
        drop(free);
        for answer in waiting {
            assert!(!matches!(answer.await, Ok(Ok(()))), "nothing after the panic was committed");
        }
        assert!(store.fatal().await.contains("after the commit"));
        let later = store.write(WorkClass::Requests, |_| Ok(())).await;
        assert!(matches!(later, Err(StoreError::Fatal(_))), "{later:?}");
        assert!(matches!(store.totals().await, Err(StoreError::Fatal(_))));
        store.close().await;
    }

    #[tokio::test]
    async fn a_unit_that_loses_the_transaction_fails_the_whole_group() {
        type Losing = fn(&Tx<'_>) -> Outcome<()>;
        let silent: Losing = |tx| tx.run("ROLLBACK", []).map(drop);
        let loud: Losing = |tx| silent_then(tx, Err(Fault::Bad("and says so".into())));
        let swallowed: Losing = |tx| {
            let lost = tx.apart(|| silent_then(tx, Ok(())));
            assert!(lost.is_err());
            // The loss is ignored: this must not begin a transaction of its own.
            tx.apart(|| insert(tx, "after").map(drop)).or(Ok(()))
        };
        for losing in [silent, loud, swallowed] {
            for company in [0, 3] {
                let home = tempfile::tempdir().unwrap();
                let store = open(&home).await;
                let free = held(&store).await;
                let mut before = Vec::new();
                for n in 0..company {
                    before.push(put(&store, move |tx| insert(tx, &n.to_string())).await);
                }
                let unit = put(&store, losing).await;
                drop(free);
                for answer in before {
                    let answer = answer.await.unwrap();
                    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
                }
                let unit = unit.await.unwrap();
                assert!(matches!(unit, Err(StoreError::Unavailable(_))), "{unit:?}");
                let count = "SELECT count(*) FROM token";
                let rows = store.read(move |sql| sql.one(count, [], |row| row.get::<_, i64>(0))).await;
                assert_eq!(rows.unwrap(), Some(0));
                store.write(WorkClass::Requests, |tx| insert(tx, "next")).await.unwrap();
                store.close().await;
            }
        }
    }

    fn silent_then(tx: &Tx<'_>, outcome: Outcome<()>) -> Outcome<()> {
        tx.run("ROLLBACK", [])?;
        outcome
    }

    fn insert(tx: &Tx<'_>, id: &str) -> Outcome<usize> {
        tx.run("INSERT INTO token (id, hash, created_at) VALUES (?1, x'00', 0)", [id])
    }

    /// A listener that records the keys of the parts it is told of, and the authors of the grants that hold.
    #[derive(Default)]
    struct Noting(Mutex<Vec<Vec<String>>>);

    impl CommitListener for Noting {
        fn access_changed(&self, state: AccessState) {
            self.0.lock().unwrap().push(state.grants.iter().map(|grant| grant.by.clone()).collect());
        }

        fn committed(&self, rows: Vec<OutboxRow>) {
            self.0.lock().unwrap().push(rows.iter().map(|row| row.post.key.clone()).collect());
        }
    }

    /// A store with such a listener.
    async fn open_noting(home: &tempfile::TempDir) -> (Store, Arc<Noting>) {
        let (path, listener) = (home.path().join("frontdesk.db"), Arc::new(Noting::default()));
        let (boot, told) = (BootId::from_bits(1), Arc::clone(&listener));
        let options = Options { path, boot, renderer: Arc::new(NullRenderer), listener: told, readers: 1 };
        (Store::open(options).await.unwrap(), listener)
    }

    /// A unit that grants something to somebody.
    fn grants(tx: &Tx<'_>, id: &str) -> Outcome<()> {
        let principal = Principal::new("telegram", None, id).map_err(|_| Fault::Bad("no id".into()))?;
        let change = AccessChange::Grant { principal, scope: Scope::Dm };
        let author = Author { name: id.into(), via: "cli" };
        access::apply(tx, &change, &author, chrono::DateTime::UNIX_EPOCH.into()).map(drop)
    }

    #[tokio::test]
    async fn a_change_of_access_that_is_rolled_back_is_not_told() {
        let home = tempfile::tempdir().unwrap();
        let (store, listener) = open_noting(&home).await;
        let failing = |tx: &Tx<'_>| grants(tx, "failing").and(Err::<(), _>(Fault::Bad("no".into())));
        assert!(store.write(WorkClass::Requests, failing).await.is_err());
        assert!(listener.0.lock().unwrap().is_empty(), "alone");
        let free = held(&store).await;
        let kept = put(&store, |tx| grants(tx, "kept")).await;
        let failed = put(&store, failing).await;
        drop(free);
        kept.await.unwrap().unwrap();
        assert!(failed.await.unwrap().is_err());
        assert_eq!(*listener.0.lock().unwrap(), [["kept"]], "in a group with another change");
        store.close().await;
    }

    /// A unit that inserts a row and stores an outgoing part.
    fn says(tx: &Tx<'_>, id: &str) -> Outcome<()> {
        insert(tx, id)?;
        let address: Address = "telegram:7".parse().map_err(|_| Fault::Bad("no address".into()))?;
        let (about, now) = (&[][..], chrono::DateTime::UNIX_EPOCH);
        let kind = PostKind::Notice;
        let part = Part { key: 0, body: "hello".into(), plain: "hello".into() };
        Outgoing { turn: None, about, session: None, address: &address, reply_to: None, kind, now }
            .parts(tx, &TextKey::request(id), vec![part])
            .map(drop)
    }

    #[tokio::test]
    async fn a_unit_that_fails_neither_loses_nor_doubles_its_neighbours() {
        type Failing = fn(&Tx<'_>) -> Outcome<()>;
        let refused: Failing = |tx| says(tx, "failing").and(Err(Fault::Bad("no".into())));
        let constraint: Failing = |tx| says(tx, "failing").and_then(|()| insert(tx, "failing").map(drop));
        let panics: Failing = |tx| says(tx, "failing").map(|()| panic!("it panicked"));
        for failing in [refused, constraint, panics] {
            let home = tempfile::tempdir().unwrap();
            let (store, listener) = open_noting(&home).await;
            let free = held(&store).await;
            let runs = Arc::new(AtomicU32::new(0));
            let neighbour = |id: &'static str| {
                let runs = Arc::clone(&runs);
                move |tx: &Tx<'_>| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    says(tx, id)
                }
            };
            let before = put(&store, neighbour("before")).await;
            let failed = put(&store, failing).await;
            let after = put(&store, neighbour("after")).await;
            drop(free);
            before.await.unwrap().unwrap();
            assert!(matches!(failed.await.unwrap(), Err(StoreError::Invalid(_))));
            after.await.unwrap().unwrap();
            assert_eq!(runs.load(Ordering::Relaxed), 3, "the first one runs twice, the last one once");
            let ids = |sql: &Sql<'_>| {
                sql.all("SELECT id FROM token ORDER BY id", [], |row| row.get::<_, String>(0))
            };
            assert_eq!(store.read(ids).await.unwrap(), ["after", "before"]);
            let parts = store.parts(None, None, 9).await.unwrap();
            assert_eq!(parts.len(), 2);
            assert_eq!(*listener.0.lock().unwrap(), [["send/before/0", "send/after/0"]], "once, in order");
            store.close().await;
        }
    }
}
