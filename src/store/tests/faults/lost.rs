//! A database that is gone, empty, older than its log, or another one: refused, and nothing is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontdesk_store::row::*;
use frontdesk_store::{OpenError, Store};

use crate::database::options;
use crate::fixture::*;

const FILES: [&str; 3] = ["frontdesk.db", "frontdesk.db-wal", "frontdesk.db.id"];

async fn opened(home: &Path) -> Result<Store, OpenError> {
    Store::open(options(&home.join("frontdesk.db"), 9, Arc::default())).await
}

/// The bytes of every file that holds data, where there is one.
fn bytes(home: &Path) -> Vec<Option<Vec<u8>>> {
    FILES.iter().map(|name| fs::read(home.join(name)).ok()).collect()
}

/// Opening must fail, and must not change, make or delete anything.
async fn refused(home: &Path) -> OpenError {
    let before = bytes(home);
    let error = opened(home).await.err().expect("it was opened");
    assert!(bytes(home) == before, "something was changed");
    assert!(error.to_string().contains("Nothing was changed"), "{error}");
    error
}

fn item(event: &str) -> Decided {
    Decided::Admitted(Admitted { per_session: 1000, ..says("anna", event, "x") })
}

async fn write(store: &Store, event: &str) {
    let stored = store.accept(batch(1, vec![item(event)])).await.unwrap();
    assert!(matches!(stored[0], Stored::Accepted { .. }), "{stored:?}");
}

async fn has(store: &Store, event: &str) -> bool {
    let known = store.accept(batch(1, vec![item(event)])).await.unwrap();
    matches!(known[0], Stored::Duplicate { .. })
}

/// What a crash at this moment would leave: a copy of every file in a folder of its own.
fn crashed(home: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in FILES {
        if home.join(name).exists() {
            fs::copy(home.join(name), copy.path().join(name)).unwrap();
        }
    }
    assert!(fs::metadata(copy.path().join("frontdesk.db-wal")).unwrap().len() > 0, "there is no log");
    copy
}

fn file(home: &Path, name: &str) -> PathBuf {
    home.join(format!("frontdesk.db{name}"))
}

/// One message in each of three boots that end in order, with the database as each of them left it, and one more in
/// a fourth boot that does not end.
async fn four_boots() -> (Vec<Vec<u8>>, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let mut left = Vec::new();
    for boot in 0..3 {
        let store = opened(home.path()).await.unwrap();
        write(&store, &format!("e{boot}")).await;
        store.close().await;
        left.push(fs::read(file(home.path(), "")).unwrap());
    }
    let store = opened(home.path()).await.unwrap();
    write(&store, "e3").await;
    let crash = crashed(home.path());
    store.close().await;
    (left, crash)
}

#[tokio::test]
async fn a_log_without_its_database_is_kept_and_nothing_begins_anew() {
    let (_, crash) = four_boots().await;
    let database = file(crash.path(), "");
    let moved = crash.path().join("moved");
    fs::rename(&database, &moved).unwrap();
    let error = refused(crash.path()).await;
    assert!(matches!(error, OpenError::LogWithoutDatabase { found: "missing", .. }), "{error}");
    fs::write(&database, "").unwrap();
    let error = refused(crash.path()).await;
    assert!(matches!(error, OpenError::LogWithoutDatabase { found: "empty", .. }), "{error}");

    fs::rename(&moved, &database).unwrap();
    let store = opened(crash.path()).await.unwrap();
    for event in ["e0", "e1", "e2", "e3"] {
        assert!(has(&store, event).await, "{event} was lost");
    }
    store.close().await;
}

#[tokio::test]
async fn a_database_that_was_there_is_missed() {
    let home = tempfile::tempdir().unwrap();
    let store = opened(home.path()).await.unwrap();
    write(&store, "1").await;
    store.close().await;
    let database = file(home.path(), "");
    for name in ["missing", "empty"] {
        match name {
            "missing" => fs::remove_file(&database).unwrap(),
            _ => fs::write(&database, "").unwrap(),
        }
        let error = refused(home.path()).await;
        assert!(matches!(&error, OpenError::Lost { found, .. } if *found == name), "{error}");
    }
    // What the error tells the operator to do.
    fs::remove_file(file(home.path(), ".id")).unwrap();
    opened(home.path()).await.unwrap().close().await;
    assert!(file(home.path(), ".id").exists());
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_can_be_made_again() {
    // What there can be before the first commit: nothing, an empty file, and an empty log.
    for files in [&[][..], &[""], &["", "-wal"], &["-wal"]] {
        let home = tempfile::tempdir().unwrap();
        for name in files {
            fs::write(file(home.path(), name), "").unwrap();
        }
        let store = opened(home.path()).await.unwrap();
        write(&store, "1").await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_database_older_than_its_log_is_refused() {
    let (left, crash) = four_boots().await;
    let right = fs::read(file(crash.path(), "")).unwrap();
    for (boot, older) in left[..2].iter().enumerate() {
        fs::write(file(crash.path(), ""), older).unwrap();
        let error = refused(crash.path()).await;
        assert!(matches!(error, OpenError::ForeignLog { .. }), "boot {boot}: {error}");
    }
    // What was complete when the log began is as good as what the crash left.
    for fitting in [&left[2], &right] {
        let home = crashed(crash.path());
        fs::write(file(home.path(), ""), fitting).unwrap();
        let store = opened(home.path()).await.unwrap();
        for event in ["e0", "e1", "e2", "e3"] {
            assert!(has(&store, event).await, "{event} was lost");
        }
        store.close().await;
    }
    // What the error tells the operator to do.
    fs::write(file(crash.path(), ""), &left[0]).unwrap();
    for name in ["-wal", "-shm"] {
        fs::rename(file(crash.path(), name), crash.path().join(name)).unwrap();
    }
    let store = opened(crash.path()).await.unwrap();
    assert!(has(&store, "e0").await && !has(&store, "e1").await);
    store.close().await;
}

#[tokio::test]
async fn a_log_older_than_its_database_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = opened(home.path()).await.unwrap();
    write(&store, "1").await;
    let early = crashed(home.path());
    store.close().await;
    for event in ["2", "3"] {
        let store = opened(home.path()).await.unwrap();
        write(&store, event).await;
        store.close().await;
    }
    fs::copy(file(early.path(), "-wal"), file(home.path(), "-wal")).unwrap();
    let error = refused(home.path()).await;
    assert!(matches!(error, OpenError::ForeignLog { .. }), "{error}");
}

#[tokio::test]
async fn another_databases_log_is_refused() {
    let (left, _crash) = four_boots().await;
    let (_, other) = four_boots().await;
    fs::write(file(other.path(), ""), left.last().unwrap()).unwrap();
    let error = refused(other.path()).await;
    assert!(matches!(error, OpenError::ForeignLog { .. }), "{error}");

    // With pages of another size the file and its log cannot even be read together.
    let home = tempfile::tempdir().unwrap();
    let foreign = rusqlite::Connection::open(home.path().join("x")).unwrap();
    foreign.execute_batch("PRAGMA page_size=8192; PRAGMA journal_mode=WAL; CREATE TABLE x (y)").unwrap();
    fs::write(file(home.path(), ""), &left[0]).unwrap();
    fs::copy(home.path().join("x-wal"), file(home.path(), "-wal")).unwrap();
    let error = refused(home.path()).await;
    assert!(matches!(error, OpenError::ForeignLog { .. }), "{error}");
}

#[tokio::test]
async fn a_crash_at_any_moment_leaves_a_log_that_fits() {
    let fixture = Fixture::open().await;
    let text = "x".repeat(700_000);
    let big = |n: usize| Admitted { per_session: 1000, ..says("anna", &format!("b{n}"), &text) };
    let mut reader = None;
    for n in 0..40 {
        // Somebody reads now and then, so that checkpoints end half way and the log begins anew at odd moments.
        if n % 9 == 2 {
            let foreign = rusqlite::Connection::open(file(fixture.home.path(), "")).unwrap();
            foreign.execute_batch("BEGIN; SELECT count(*) FROM inbound;").unwrap();
            reader = Some(foreign);
        } else if n % 9 == 6 {
            reader = None;
        }
        fixture.accept_one(1, big(n)).await;
        let crash = crashed(fixture.home.path());
        let store = opened(crash.path()).await.unwrap();
        let known = store.accept(batch(1, vec![Decided::Admitted(big(n))])).await.unwrap();
        assert!(matches!(known[0], Stored::Duplicate { .. }), "{n} was lost");
        // And a crash of that boot too.
        write(&store, "more").await;
        let again = crashed(crash.path());
        store.close().await;
        opened(again.path()).await.unwrap().close().await;
    }
    drop(reader);
}
