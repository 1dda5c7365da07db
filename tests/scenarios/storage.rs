//! A database that is away for a while.

use std::time::Duration;

use frontdesk_world::World;
use frontdesk_world::patience::until;

#[tokio::test]
async fn a_locked_database_withholds_the_acknowledgement_and_the_house_recovers_by_itself() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("before").await;
    world.at_rest().await;

    let foreign = rusqlite::Connection::open(world.home().join("frontdesk.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let number = anna.writes("while it is locked");
    let degraded = until("the house says so", || async { world.desk().health().degraded.pop() }).await;
    assert!(degraded.contains("does not take writes"), "{degraded}");
    // Nobody writes any more: only the house itself can find out.
    world.platform().set_deaf(true);
    foreign.execute_batch("ROLLBACK").unwrap();

    until("the house is well without anybody writing", || async {
        world.clock().pass(Duration::from_secs(1));
        world.desk().health().degraded.is_empty().then_some(())
    })
    .await;
    world.platform().set_deaf(false);
    world.platform().outcome(number).await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["before", "while it is locked"]);
}
