//! What a crash leaves unfinished, and how the next start continues it.

use frontdesk_core::message::Outcome;
use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn accepted_messages_are_answered_after_a_crash() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    anna.says("waits 1").await;
    anna.says("waits 2").await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["runs", "waits 1", "waits 2"]);
    let turns = world.agent().turns();
    assert_eq!(world.agent().prompts(), ["runs", "runs", "waits 1", "waits 2"]);
    assert!(turns[1].resumed && turns[1].attempt == 2 && turns[1].id == turns[0].id);
}

#[tokio::test]
async fn what_only_a_client_that_is_gone_would_read_is_not_run_again_after_a_crash() {
    let mut world = World::new().await;
    world.agent().will([Step::Hang]);
    let mut asked = Vec::new();
    for text in ["runs", "waits"] {
        let number = world.platform().deliver(message_from("anna", text).while_connected());
        let Outcome::Accepted { message, .. } = world.platform().outcome(number).await else {
            panic!("{text} was not accepted")
        };
        asked.push(message);
    }
    world.agent().begun(1).await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs"]);
    for message in asked {
        assert_eq!(world.message(message).await.message.state.name(), "cancelled");
    }
    let anna = world.user("anna");
    anna.says("next").await;
    assert_eq!(anna.hears().await, "next");
}

#[tokio::test]
async fn a_turn_that_had_acted_is_not_run_again_after_a_crash() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("I will do it. "), Step::Tool("act"), Step::Hang]);
    let message = anna.says("do it").await;
    frontdesk_world::wait::until("the tool ran", || async {
        (!world.agent().tools().is_empty()).then_some(())
    })
    .await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["I will do it.\n\n(interrupted, /retry)"]);
    assert_eq!(world.agent().turns().len(), 1);
    assert_eq!(world.message(message).await.message.state.name(), "dead");
    anna.says("/retry").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["do it", "do it"]);
}

#[tokio::test]
async fn a_turn_that_dies_with_the_gateway_every_time_is_given_up() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    let poison = anna_says_poison(&world, &anna).await;
    anna.says("next").await;
    for _ in 0..2 {
        world.agent().will([Step::Hang]);
        let begun = world.agent().turns().len();
        world.crash().await;
        world.start().await.unwrap();
        if world.message(poison).await.message.state.name() != "dead" {
            world.agent().begun(begun + 1).await;
        }
    }
    assert_eq!(world.message(poison).await.message.state.name(), "dead");
    // There is no third attempt, so the next message runs this script.
    world.agent().begun(3).await;
    assert_eq!(world.agent().prompts()[2], "next");
    assert!(anna.hears().await.contains("killed too often"));
}

async fn anna_says_poison(world: &World, anna: &frontdesk_world::User) -> frontdesk_core::id::MessageId {
    world.agent().will([Step::Hang]);
    let poison = anna.says("poison").await;
    world.agent().begun(1).await;
    poison
}

#[tokio::test]
async fn parts_that_were_not_sent_are_sent_after_a_crash() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.platform().set_offline(true);
    anna.says("one").await;
    anna.says("two").await;
    frontdesk_world::wait::until("both answers are stored", || async {
        (world.outbox().await.len() == 2).then_some(())
    })
    .await;
    world.crash().await;
    world.platform().set_offline(false);
    world.clock().pass(std::time::Duration::from_secs(5));
    world.start().await.unwrap();
    assert_eq!([anna.hears().await, anna.hears().await], ["one", "two"]);
    world.at_rest().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_send_doubles_that_part_at_most() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([frontdesk_world::platform::Fault::Hang]);
    anna.says("one").await;
    frontdesk_world::wait::until("the part is on its way", || async {
        (world.platform().calls("anna") > 0).then_some(())
    })
    .await;
    anna.says("two").await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["one", "two"]);
    assert_eq!(world.outbox().await[0].attempts, 2);
}

#[tokio::test]
async fn twenty_crashes_in_a_row_lose_and_double_nothing() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    for n in 0..20 {
        anna.says(&format!("message {n}")).await;
        world.crash().await;
        world.start().await.unwrap();
    }
    world.at_rest().await;
    let history = world.history("anna").await;
    assert_eq!(history.len(), 20);
    for row in &history {
        assert!(matches!(row.message.state.name(), "answered" | "dead"), "{row:?}");
    }
    let turns: std::collections::BTreeSet<_> = history.iter().map(|row| row.message.turn).collect();
    assert_eq!(turns.len(), 20, "no two turns for one event");
}

#[tokio::test]
async fn a_message_that_was_committed_and_not_acknowledged_makes_one_turn() {
    let mut world = World::with(plan()).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    world.crash().await;
    // The platform did not get the acknowledgement and delivers the event again.
    world.platform().redeliver(1, "hello", "anna");
    world.start().await.unwrap();
    world.platform().outcome(2).await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["hello"]);
    assert_eq!(anna.sees(), ["hello"]);
}
