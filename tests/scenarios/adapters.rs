//! Connections, and knowing which of them hear.

use std::time::Duration;

use frontdesk_world::{World, operator};

#[tokio::test]
async fn readiness_follows_what_is_heard_and_not_what_is_sent() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    assert!(world.handle().accounts()[0].ready);
    world.platform().set_deaf(true);
    world.clock().pass(Duration::from_secs(61));
    // Sending still works, as it did for a gateway that was deaf for four days.
    world
        .handle()
        .send(&"fake:anna".parse().unwrap(), "still sending", None, "k", &operator())
        .await
        .unwrap();
    assert_eq!(anna.hears().await, "hello");
    assert_eq!(anna.hears().await, "still sending");
    let account = &world.handle().accounts()[0];
    assert!(!account.ready, "{account:?}");
    assert!(world.handle().health().degraded.is_empty(), "health does not depend on a platform");
    world.platform().set_deaf(false);
    frontdesk_world::patience::until("it hears again", || async {
        world.handle().accounts()[0].ready.then_some(())
    })
    .await;
}
