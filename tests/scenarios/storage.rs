//! A database that fails for a while.

use std::time::Duration;

use frontdesk_core::markup::Part;
use frontdesk_store::row::{Author, OutgoingMessage};
use frontdesk_world::wait::until;
use frontdesk_world::{World, plan};

#[tokio::test]
async fn a_locked_database_withholds_the_acknowledgement_and_the_gateway_recovers_by_itself() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("before").await;
    world.at_rest().await;

    let foreign = rusqlite::Connection::open(world.home().join("frontdesk.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let number = anna.writes("while it is locked");
    let degraded = until("the gateway reports it", || async { world.handle().health().degraded.pop() }).await;
    assert!(degraded.contains("does not take writes"), "{degraded}");
    // Nobody writes any more, so the gateway itself must notice.
    world.platform().hang_polls(true);
    foreign.execute_batch("ROLLBACK").unwrap();

    until("the gateway recovers without a message", || async {
        world.clock().pass(Duration::from_secs(1));
        world.handle().health().degraded.is_empty().then_some(())
    })
    .await;
    world.platform().hang_polls(false);
    world.platform().outcome(number).await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["before", "while it is locked"]);
}

#[tokio::test]
async fn health_reports_a_large_log_that_a_foreign_reader_keeps_until_it_is_small_again() {
    let world = World::with(plan().with(|config| config.storage.wal_warn_mb = 64)).await;
    let foreign = rusqlite::Connection::open(world.home().join("frontdesk.db")).unwrap();
    foreign.execute_batch("BEGIN; SELECT count(*) FROM outbox;").unwrap();
    assert_eq!(world.handle().health().degraded, Vec::<String>::new());
    // The size is read after a checkpoint, so it is reported a few megabytes after the limit was passed.
    let mut written = 0_u64;
    while world.handle().health().degraded.is_empty() && written < 120 {
        written += 1;
        let body = "x".repeat(1 << 20);
        let part = Part { key: 0, plain: body.clone(), body };
        let outgoing = OutgoingMessage {
            key: written.to_string(),
            author: Author { name: "cli".to_owned(), via: "cli" },
            // No real request is made, so nothing is sent twice.
            address: "elsewhere:1".parse().unwrap(),
            session: None,
            parts: vec![part],
            media: Vec::new(),
            now: world.handle().clock().wall(),
        };
        world.store().send(outgoing).await.unwrap();
    }
    let degraded = world.handle().health().degraded;
    let [one] = &degraded[..] else { panic!("one sentence, not {degraded:?}") };
    let (_, size) = one.split_once("write-ahead log has grown to ").unwrap();
    let size: u64 = size.split(' ').next().unwrap().parse().unwrap();
    assert!((64..=written + 8).contains(&size) && written < 120, "{size} MB after {written} MB: {one}");
    foreign.execute_batch("COMMIT").unwrap();
    until("the log is cut", || async { world.handle().health().degraded.is_empty().then_some(()) }).await;
}
