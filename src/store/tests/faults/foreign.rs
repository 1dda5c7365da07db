//! Other programs on the same file.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use frontdesk_store::StoreError;
use frontdesk_store::row::*;
use rusqlite::Connection;

use crate::fixture::*;

fn database(fixture: &Fixture) -> PathBuf {
    fixture.home.path().join("frontdesk.db")
}

fn log_size(fixture: &Fixture) -> u64 {
    fs::metadata(fixture.home.path().join("frontdesk.db-wal")).map_or(0, |file| file.len())
}

async fn write_megabytes(fixture: &Fixture, from: usize, count: usize) {
    let text = "x".repeat(1 << 20);
    for n in from..from + count {
        fixture.accept_one(1, says(&format!("u{n}"), &format!("mb-{n}"), &text)).await;
    }
}

#[tokio::test]
async fn the_log_stays_small_while_nobody_is_in_the_way() {
    let fixture = Fixture::open().await;
    write_megabytes(&fixture, 0, 100).await;
    assert!(log_size(&fixture) < 40 << 20, "{} bytes", log_size(&fixture));
}

#[tokio::test]
async fn a_foreign_reader_stops_no_write_and_the_log_is_cut_when_it_has_gone() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "x")).await;
    let reader = Connection::open(database(&fixture)).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM inbound;").unwrap();
    let seen = || reader.query_row("SELECT count(*) FROM inbound", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(seen(), 1);
    write_megabytes(&fixture, 0, 72).await;
    assert!(log_size(&fixture) > 64 << 20, "the reader keeps the log: {} bytes", log_size(&fixture));
    assert_eq!(seen(), 1, "it still sees its own state");
    reader.execute_batch("COMMIT").unwrap();
    write_megabytes(&fixture, 100, 12).await;
    assert!(log_size(&fixture) < 16 << 20, "{} bytes", log_size(&fixture));
}

#[tokio::test]
async fn a_foreign_writer_is_a_refusal_until_it_has_gone() {
    let fixture = Fixture::open().await;
    let writer = Connection::open(database(&fixture)).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let item = || vec![Decided::Admitted(says("anna", "1", "x"))];
    let refused = fixture.store.accept(batch(1, item())).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(fixture.store.totals().await.is_ok(), "reading goes on");
    writer.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(fixture.store.accept(batch(1, item())).await.unwrap()[0], Stored::Accepted { .. }));
}

/// The child's database; without it the child's test does nothing.
const DATABASE: &str = "FRONTDESK_READ_DATABASE";

#[test]
fn the_child_reads_until_nobody_wants_it_to() {
    let Ok(path) = std::env::var(DATABASE) else { return };
    let reader = Connection::open(path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM inbound;").unwrap();
    println!("reading");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn child_that_reads(fixture: &Fixture) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "foreign::the_child_reads_until_nobody_wants_it_to", "--nocapture"])
        .env(DATABASE, database(fixture))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("reading")), "the child did not read");
    child
}

#[tokio::test]
async fn a_foreign_reader_is_named_and_a_log_that_it_kept_is_cut_without_another_message() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "x")).await;
    assert_eq!(fixture.store.log_readers(), Vec::<String>::new());
    let mut child = child_that_reads(&fixture);
    write_megabytes(&fixture, 0, 72).await;
    assert!(fixture.store.log_bytes() > 64 << 20, "{} bytes", fixture.store.log_bytes());
    let readers = fixture.store.log_readers();
    assert!(
        matches!(&readers[..], [one] if one.starts_with(&format!("process {} (", child.id()))),
        "{readers:?}"
    );
    drop(child.stdin.take());
    child.wait().unwrap();
    // Nobody writes any more, and no reading wakes the writer.
    let cut = async {
        while fixture.store.log_bytes() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), cut).await.expect("the log is cut");
    assert_eq!(log_size(&fixture), 0);
    assert_eq!(fixture.store.log_readers(), Vec::<String>::new());
}
