//! Other programs on the same file.

use std::fs;
use std::path::PathBuf;

use frontdesk_store::StoreError;
use frontdesk_store::row::*;
use rusqlite::Connection;

use crate::desk::*;

fn database(desk: &Desk) -> PathBuf {
    desk.home.path().join("frontdesk.db")
}

fn log_size(desk: &Desk) -> u64 {
    fs::metadata(desk.home.path().join("frontdesk.db-wal")).map_or(0, |file| file.len())
}

async fn write_megabytes(desk: &Desk, from: usize, count: usize) {
    let text = "x".repeat(1 << 20);
    for n in from..from + count {
        desk.heard(1, says(&format!("u{n}"), &format!("mb-{n}"), &text)).await;
    }
}

#[tokio::test]
async fn the_log_stays_small_while_nobody_is_in_the_way() {
    let desk = Desk::open().await;
    write_megabytes(&desk, 0, 40).await;
    assert!(log_size(&desk) < 8 << 20, "{} bytes", log_size(&desk));
}

#[tokio::test]
async fn a_foreign_reader_stops_no_write_and_the_log_is_cut_when_it_has_gone() {
    let desk = Desk::open().await;
    desk.heard(1, says("anna", "1", "x")).await;
    let reader = Connection::open(database(&desk)).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM inbound;").unwrap();
    let seen = || reader.query_row("SELECT count(*) FROM inbound", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(seen(), 1);
    write_megabytes(&desk, 0, 72).await;
    assert!(log_size(&desk) > 64 << 20, "the reader keeps the log: {} bytes", log_size(&desk));
    assert_eq!(seen(), 1, "it still sees its own state");
    reader.execute_batch("COMMIT").unwrap();
    write_megabytes(&desk, 100, 12).await;
    assert!(log_size(&desk) < 16 << 20, "{} bytes", log_size(&desk));
}

#[tokio::test]
async fn a_foreign_writer_is_a_refusal_until_it_has_gone() {
    let desk = Desk::open().await;
    let writer = Connection::open(database(&desk)).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let item = || vec![Item::Keep(Box::new(says("anna", "1", "x")))];
    let refused = desk.store.accept(batch(1, item())).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(desk.store.totals().await.is_ok(), "reading goes on");
    writer.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(desk.store.accept(batch(1, item())).await.unwrap().items[0], Stored::Accepted { .. }));
}
