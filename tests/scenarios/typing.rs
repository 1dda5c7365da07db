//! When "typing" is shown.

use std::time::Duration;

use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn typing_is_shown_after_a_moment_and_repeated() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("think").await;
    world.agent().begun(1).await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(399));
    world.round_trip().await;
    assert_eq!(world.platform().typings(), 0);
    for (pass, typings) in [(Duration::from_millis(1), 1), (Duration::from_secs(4), 2)] {
        world.asleep(pass).await;
        world.clock().pass(pass);
        frontdesk_world::wait::until("typing was shown", || async {
            (world.platform().typings() == typings).then_some(())
        })
        .await;
    }
    world.agent().resume();
    world.at_rest().await;
}

#[tokio::test]
async fn typing_goes_on_until_something_is_shown() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("words, "), Step::Pause, Step::Say("and more")]);
    anna.says("think").await;
    world.agent().begun(1).await;
    for (pass, typings) in [(Duration::from_millis(400), 1), (Duration::from_secs(4), 2)] {
        world.asleep(pass).await;
        world.clock().pass(pass);
        until("typing was shown", || async { (world.platform().typings() == typings).then_some(()) }).await;
    }
    world.agent().resume();
    assert_eq!(anna.hears().await, "words, and more");
    world.at_rest().await;
}

#[tokio::test]
async fn an_answer_that_is_seen_to_grow_needs_no_typing() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("words"), Step::Pause]);
    anna.says("think").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.round_trip().await;
    world.clock().pass(Duration::from_secs(20));
    world.round_trip().await;
    assert_eq!(world.platform().typings(), 0);
    world.agent().resume();
    world.at_rest().await;
}
