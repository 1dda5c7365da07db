//! An agent that begins its answer again in the middle of it: nothing of the first try stays.

use std::time::Duration;

use frontdesk_core::profile::Flow;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, plan};

use crate::growing::next_edit;

const TWO_TRIES: [Step; 7] = [
    Step::Say("wrong **try"),
    Step::Pause,
    Step::Restart,
    Step::Say("right "),
    Step::Pause,
    Step::Say("**answer**"),
    Step::Pause,
];

#[tokio::test]
async fn a_growing_message_shows_the_second_try_in_place_of_the_first() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(TWO_TRIES);
    anna.says("go").await;
    world.platform().shows("anna", 1, |message| message.text == "wrong **try").await;
    world.agent().resume();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |message| message.text == "right").await;
    world.agent().resume();
    world.agent().resume();
    world.platform().shows("anna", 1, |message| message.text == "right <b>answer</b>").await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["right <b>answer</b>"]);
    assert_eq!(world.history("anna").await[0].answer.as_deref(), Some("right **answer**"));
}

#[tokio::test]
async fn a_live_stream_begins_again_under_a_higher_number_also_after_a_crash() {
    let mut world = World::with(plan().flow(Flow::Live)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("wrong"), Step::Restart, Step::Say("right"), Step::Pause, Step::Die]);
    world.agent().will([Step::Say("third"), Step::Pause]);
    anna.says("go").await;
    let deltas = |world: &World| world.platform().deltas("anna");
    let shown = |attempt, text: &str| (attempt, text.to_owned());
    until("the second try is shown", || async { (deltas(&world).len() == 3).then_some(()) }).await;
    assert_eq!(deltas(&world), [shown(1, "wrong"), shown(2, ""), shown(2, "right")]);
    world.crash().await;
    world.start().await.unwrap();
    until("the third try is shown", || async { (deltas(&world).len() == 4).then_some(()) }).await;
    assert_eq!(deltas(&world).pop(), Some(shown(3, "third")), "higher than every number before");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["third"]);
}

#[tokio::test]
async fn files_of_the_first_try_are_not_sent() {
    let world = World::new().await;
    std::fs::create_dir_all(world.media()).unwrap();
    for name in ["wrong.txt", "right.txt"] {
        std::fs::write(world.media().join(name), name).unwrap();
    }
    world.agent().will([
        Step::File("wrong.txt", None),
        Step::Restart,
        Step::File("right.txt", None),
        Step::Say("here"),
    ]);
    let anna = world.user("anna");
    anna.says("go").await;
    world.at_rest().await;
    let media: Vec<String> = world.outbox().await.iter().map(|row| format!("{:?}", row.media)).collect();
    assert!(media.concat().contains("right.txt") && !media.concat().contains("wrong.txt"), "{media:?}");
}

#[tokio::test]
async fn a_stop_after_a_restart_keeps_only_the_second_try() {
    let world = World::with(plan().flow(Flow::Live)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("wrong"), Step::Restart, Step::Say("right"), Step::Hang]);
    let message = anna.says("go").await;
    until("the second try is shown", || async { (world.platform().deltas("anna").len() == 3).then_some(()) })
        .await;
    anna.says("/stop").await;
    world.ended(message).await;
    world.at_rest().await;
    world.clock().pass(Duration::from_secs(1));
    until("the text is kept", || async {
        (world.message(message).await.answer.as_deref() == Some("right")).then_some(())
    })
    .await;
}
