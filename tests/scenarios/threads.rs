//! Threads of a group in which the bot takes part.

use frontdesk_core::message::{Outcome, SenderKind};
use frontdesk_world::event::{TestEvent, message_from};
use frontdesk_world::{World, plan};

fn aside(person: &str, text: &str) -> TestEvent {
    message_from(person, text).unaddressed_in("-1")
}

#[tokio::test]
async fn a_thread_in_which_the_bot_has_answered_needs_no_further_mention() {
    let mut world = World::with(
        plan()
            .chat("-1", |chat| chat.follow_threads = Some(true))
            .access(|access| access.bots = ["robot".to_owned()].into()),
    )
    .await;
    let outcome = async |world: &World, event: TestEvent| world.platform().outcome_of(event).await;
    assert_eq!(outcome(&world, aside("anna", "to ben").in_thread("-1", "9")).await, Outcome::Ignored);
    outcome(&world, message_from("anna", "to the bot").in_thread("-1", "9")).await;
    world.platform().shows("-1", 1, |post| post.text == "to the bot").await;
    world.crash().await;
    world.start().await.unwrap();
    outcome(&world, aside("ben", "and more").in_thread("-1", "9")).await;
    world.platform().shows("-1", 1, |post| post.text == "and more").await;
    for event in [
        aside("anna", "elsewhere").in_thread("-1", "8"),
        aside("anna", "in the channel"),
        aside("robot", "a bot").in_thread("-1", "9").by(SenderKind::Bot),
        message_from("anna", "another group").unaddressed_in("-2").in_thread("-2", "9"),
    ] {
        let outcome = outcome(&world, event).await;
        assert!(matches!(outcome, Outcome::Ignored | Outcome::Denied), "{outcome:?}");
    }
    world.at_rest().await;
    let prompts = world.agent().prompts();
    assert!(prompts.iter().all(|text| ["to the bot", "and more"].contains(&text.as_str())), "{prompts:?}");
}

#[tokio::test]
async fn without_the_key_a_thread_needs_a_mention_for_each_message() {
    let world = World::new().await;
    world.platform().outcome_of(message_from("anna", "to the bot").in_thread("-1", "9")).await;
    world.platform().shows("-1", 1, |post| post.text == "to the bot").await;
    let outcome = world.platform().outcome_of(aside("ben", "and more").in_thread("-1", "9")).await;
    assert_eq!(outcome, Outcome::Ignored);
}
