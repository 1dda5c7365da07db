//! Connections, and detecting those on which nothing arrives.

use std::time::Duration;

use frontdesk_world::{World, operator};

#[tokio::test]
async fn readiness_depends_on_received_traffic_and_not_on_sends() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    assert!(world.handle().accounts()[0].ready);
    world.platform().hang_polls(true);
    world.clock().pass(Duration::from_secs(61));
    // Sending still works: a connection that receives nothing must not look healthy because of that.
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
    world.platform().hang_polls(false);
    frontdesk_world::wait::until("events arrive again", || async {
        world.handle().accounts()[0].ready.then_some(())
    })
    .await;
}

#[tokio::test]
async fn connections_that_begin_well_and_end_soon_are_opened_later_and_later() {
    let world = World::new().await;
    let mut seconds = 0;
    for connections in 1..=8 {
        frontdesk_world::wait::until("it connects again", || {
            let connected = world.platform().connections() == connections;
            if !connected {
                world.clock().pass(Duration::from_secs(1));
                seconds += 1;
            }
            async move { connected.then_some(()) }
        })
        .await;
        // What the platform says comes later than the connection.
        world.clock().pass(Duration::from_secs(1));
        world.platform().end_connection();
    }
    // The pauses are 1, 2, 4, 8, 16, 32 and 64 seconds, or a fifth shorter.
    assert!(seconds >= 101, "{seconds}");
    frontdesk_world::wait::until("readiness ends with a long pause", || async {
        (!world.handle().accounts()[0].ready).then_some(())
    })
    .await;
}

/// A connection that ends drops its batch wherever that is. What is stored is answered all the same, and once.
#[tokio::test]
async fn a_message_whose_connection_ends_while_it_is_stored_is_answered() {
    let world = World::new().await;
    let anna = world.user("anna");
    for steps in 0..10 {
        for text in ["hello", "/whoami"] {
            let before = anna.sees().len();
            world.platform().ends_while_storing(steps);
            anna.writes(text);
            frontdesk_world::wait::until("it is answered", || {
                let answered = anna.sees().len() > before;
                if !answered {
                    world.clock().pass(Duration::from_secs(1));
                }
                async move { answered.then_some(()) }
            })
            .await;
        }
    }
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 20, "each once: {:?}", anna.sees());
}
