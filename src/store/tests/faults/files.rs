//! Which files are opened, and with which modes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use frontdesk_store::{OpenError, Store};
use rusqlite::Connection;

use crate::database::options;
use crate::fixture::*;

async fn opened(path: &Path) -> Result<Store, OpenError> {
    Store::open(options(path, 9, Arc::default())).await
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Opening must fail, and must not change a byte.
async fn refused(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = opened(path).await.err().expect("it was opened");
    assert_eq!(fs::read(path).unwrap(), before, "the file was changed");
    error
}

#[tokio::test]
async fn every_file_of_the_database_is_ours_alone() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "x")).await;
    for name in ["frontdesk.db", "frontdesk.db-wal", "frontdesk.db-shm"] {
        assert_eq!(mode(&fixture.home.path().join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_file_that_was_open_to_others_is_closed_to_them() {
    let fixture = Fixture::open().await;
    fixture.store.close().await;
    let path = fixture.home.path().join("frontdesk.db");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    opened(&path).await.unwrap().close().await;
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn a_symbolic_link_is_refused() {
    let fixture = Fixture::open().await;
    fixture.store.close().await;
    let link = fixture.home.path().join("link.db");
    symlink(fixture.home.path().join("frontdesk.db"), &link).unwrap();
    let error = opened(&link).await.err().unwrap();
    assert!(matches!(&error, OpenError::Unusable { cause, .. } if cause.contains("link")), "{error}");
}

#[tokio::test]
async fn what_is_no_database_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("frontdesk.db");
    for content in [b"just some text".to_vec(), vec![7; 8192]] {
        fs::write(&path, content).unwrap();
        assert!(matches!(refused(&path).await, OpenError::Unusable { .. }));
    }
}

#[tokio::test]
async fn a_database_without_its_end_is_refused() {
    let fixture = Fixture::open().await;
    for n in 0..50 {
        fixture.accept_one(1, says("anna", &format!("{n}"), &"x".repeat(4000))).await;
    }
    fixture.store.close().await;
    let path = fixture.home.path().join("frontdesk.db");
    let size = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(size / 2).unwrap();
    let error = refused(&path).await;
    assert!(matches!(&error, OpenError::Unusable { cause, .. } if cause.contains("missing")), "{error}");
}

#[tokio::test]
async fn a_broken_first_page_is_refused() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "x")).await;
    fixture.store.close().await;
    let path = fixture.home.path().join("frontdesk.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4096].fill(0xee);
    fs::write(&path, bytes).unwrap();
    assert!(matches!(refused(&path).await, OpenError::Unusable { .. }));
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("frontdesk.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE x (y)").unwrap();
    let error = refused(&path).await;
    assert!(
        matches!(&error, OpenError::Unusable { cause, .. } if cause.contains("another program")),
        "{error}"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let fixture = Fixture::open().await;
    fixture.store.close().await;
    let path = fixture.home.path().join("frontdesk.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
}

/// A database as the first development version made it, closed or left behind with its log by a crash.
#[tokio::test]
async fn an_earlier_development_version_is_refused_and_left_untouched() {
    for closed in [true, false] {
        for version in [1, 2, 3, 4] {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("frontdesk.db");
            let old = Connection::open(&path).unwrap();
            let rows = format!(
                "PRAGMA journal_mode = WAL; PRAGMA application_id = 1178882891;
                 CREATE TABLE inbound (id INTEGER PRIMARY KEY, body TEXT);
                 INSERT INTO inbound VALUES (1, 'hello'); PRAGMA user_version = {version};"
            );
            old.execute_batch(&rows).unwrap();
            if closed {
                old.close().unwrap();
            } else {
                // Its log stays beside it.
                std::mem::forget(old);
            }
            let log = home.path().join("frontdesk.db-wal");
            assert_eq!(log.exists(), !closed);
            let logged = || fs::read(&log).unwrap_or_default();
            let before = logged();
            let error = refused(&path).await;
            assert!(
                matches!(error, OpenError::Older { found, known, .. } if found == version && known > 4),
                "{error}"
            );
            assert!(error.to_string().contains("move it"), "{error}");
            assert_eq!(logged(), before, "the log was changed");
            let kept: String = Connection::open(&path)
                .unwrap()
                .query_row("SELECT body FROM inbound", [], |row| row.get(0))
                .unwrap();
            assert_eq!(kept, "hello");
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_of_its_own() {
    let error = opened(Path::new("/nowhere/at/all/frontdesk.db")).await.err().unwrap();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}
