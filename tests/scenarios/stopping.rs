//! An orderly stop, and the next start.

use std::time::Duration;

use frontdesk_world::{Step, World};

#[tokio::test]
async fn a_running_turn_may_end_before_the_gateway_does() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("nearly done").await;
    world.agent().begun(1).await;
    let running = world.running();
    let resume = async {
        world.asleep(Duration::from_secs(5)).await;
        world.agent().resume();
    };
    tokio::join!(frontdesk_world::wait::soon("it stops", running.stop()), resume);
    assert_eq!(anna.sees(), ["nearly done"]);
    assert_eq!(world.agent().turns().len(), 1);
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_given_back_and_resumed_without_counting_as_a_death() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    world.agent().will([Step::Hang]);
    world.agent().will([Step::Hang]);
    anna.says("long work").await;
    for n in 1..=3 {
        world.agent().begun(n).await;
        let running = world.running();
        let passing = async {
            loop {
                world.clock().pass(Duration::from_secs(1));
                tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await.ok();
            }
        };
        tokio::select! {
            () = frontdesk_world::wait::soon("it stops", running.stop()) => {}
            () = passing => {}
        }
        world.start().await.unwrap();
    }
    assert_eq!(anna.hears().await, "long work");
    world.at_rest().await;
    let turns = world.agent().turns();
    assert_eq!(turns.len(), 4, "three restarts are no reason to give up");
    assert!(turns[3].resumed);
}

#[tokio::test]
async fn a_message_during_the_stop_is_not_acknowledged_and_is_delivered_again() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    anna.says("before").await;
    world.at_rest().await;
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("last").await;
    world.agent().begun(2).await;
    let running = world.running();
    let handle = running.handle().clone();
    let during = async {
        frontdesk_world::wait::until("it is on its way down", || async {
            (!handle.health().degraded.is_empty()).then_some(())
        })
        .await;
        let number = anna.writes("during the stop");
        world.agent().resume();
        number
    };
    let ((), number) = tokio::join!(frontdesk_world::wait::soon("it stops", running.stop()), during);
    let late = anna.writes("while it was down");
    world.start().await.unwrap();
    world.platform().outcome(number).await;
    world.platform().outcome(late).await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["before", "last", "during the stop", "while it was down"]);
}
