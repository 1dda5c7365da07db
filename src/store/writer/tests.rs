//! Groups of units: what a unit that fails, panics or loses the transaction does to the others.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, mpsc};

use frontdesk_core::address::{Address, Principal};
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::BootId;
use frontdesk_core::markup::Part;

use tokio::sync::oneshot;

use super::*;
use crate::null_renderer::NullRenderer;
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::{Work, WorkClass};
use crate::row::{AccessChange, Author, EndedAsk, Scope};
use crate::sql::Sql;
use crate::unit::Unit;
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
    let (unit, _) = Unit::with_reply(move |_| {
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
    let (work, answer) = Unit::with_reply(unit);
    store.queue().put(WorkClass::Requests, work).await.unwrap();
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
    tx.run(
        "INSERT INTO token (name, holder, hash, scope, kind, author, created_at)
         VALUES (?1, ?1, randomblob(32), 'chat', 'named', 'x', 0)",
        [id],
    )
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

    fn asks_ended(&self, _: Vec<EndedAsk>) {}
}

/// A store with such a listener.
async fn open_noting(home: &tempfile::TempDir) -> (Store, Arc<Noting>) {
    let (path, listener) = (home.path().join("frontdesk.db"), Arc::new(Noting::default()));
    let (boot, told) = (BootId::from_bits(1), Arc::clone(&listener));
    let now = chrono::DateTime::UNIX_EPOCH;
    let options = Options { path, boot, now, renderer: Arc::new(NullRenderer), listener: told, readers: 1 };
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
    Outgoing {
        turn: None,
        about,
        session: None,
        address: &address,
        reply_to: None,
        kind,
        audience: None,
        now,
    }
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
            sql.all("SELECT name FROM token ORDER BY name", [], |row| row.get::<_, String>(0))
        };
        assert_eq!(store.read(ids).await.unwrap(), ["after", "before"]);
        let parts = store.parts(None, None, 9).await.unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(*listener.0.lock().unwrap(), [["send/before/0", "send/after/0"]], "once, in order");
        store.close().await;
    }
}

/// A unit that meets a conflict in each of its first runs, and counts the runs.
fn conflicts(times: u32, runs: &Arc<AtomicU32>) -> impl Fn(&Tx<'_>) -> Outcome<()> + Send + 'static {
    let runs = Arc::clone(runs);
    move |tx| {
        says(tx, "conflicting")?;
        let changed = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY_SNAPSHOT);
        match runs.fetch_add(1, Ordering::Relaxed) < times {
            true => Err(rusqlite::Error::SqliteFailure(changed, None).into()),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_group_that_meets_a_conflict_runs_again_and_is_committed_once() {
    let home = tempfile::tempdir().unwrap();
    let (store, listener) = open_noting(&home).await;
    let (free, runs) = (held(&store).await, Arc::default());
    let before = put(&store, |tx| says(tx, "before")).await;
    let conflicting = put(&store, conflicts(RUNS - 1, &runs)).await;
    let after = put(&store, |tx| says(tx, "after")).await;
    drop(free);
    for answer in [before, conflicting, after] {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(runs.load(Ordering::Relaxed), RUNS);
    assert_eq!(store.parts(None, None, 9).await.unwrap().len(), 3);
    let told = [["send/before/0", "send/conflicting/0", "send/after/0"]];
    assert_eq!(*listener.0.lock().unwrap(), told, "once, in order");
    store.close().await;
}

#[tokio::test]
async fn a_conflict_that_does_not_end_fails_the_group_and_not_the_store() {
    let home = tempfile::tempdir().unwrap();
    let (store, listener) = open_noting(&home).await;
    let (free, runs) = (held(&store).await, Arc::default());
    let before = put(&store, |tx| says(tx, "before")).await;
    let conflicting = put(&store, conflicts(u32::MAX, &runs)).await;
    drop(free);
    for answer in [before, conflicting] {
        let answer = answer.await.unwrap();
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(runs.load(Ordering::Relaxed), RUNS);
    assert!(listener.0.lock().unwrap().is_empty());
    store.write(WorkClass::Requests, |tx| says(tx, "next")).await.unwrap();
    assert_eq!(*listener.0.lock().unwrap(), [["send/next/0"]]);
    store.close().await;
}
