//! Answers that arrive while the agent is still speaking.

use std::time::Duration;

use frontdesk_core::act::SendError;
use frontdesk_world::platform::Fault;
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn an_answer_grows_in_one_message_and_is_formatted_at_the_end() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("**one** "),
        Step::Pause,
        Step::Say("two "),
        Step::Pause,
        Step::Say("three"),
    ]);
    anna.says("count").await;
    let first = world.platform().shows("anna", 1, |_| true).await;
    assert_eq!(first[0].text, "one", "plain while it is not whole");
    world.clock().pass(Duration::from_millis(800));
    world.agent().go_on();
    world.platform().shows("anna", 1, |message| message.text == "one two").await;
    world.agent().go_on();
    world.platform().shows("anna", 1, |message| message.text == "<b>one</b> two three").await;
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 1, "one message: {:?}", anna.sees());
    assert_eq!(world.outbox().await[0].state, "sent");
}

#[tokio::test]
async fn edits_keep_their_pace() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("a"),
        Step::Pause,
        Step::Say("b"),
        Step::Say("c"),
        Step::Say("d"),
        Step::Pause,
    ]);
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    // No time passes, so no edit may be made, however much is said.
    world.asleep(Duration::from_millis(800)).await;
    world.beat().await;
    assert_eq!(world.platform().chat("anna")[0].edits, 0);
    world.clock().pass(Duration::from_millis(800));
    world.platform().shows("anna", 1, |message| message.text == "abcd").await;
    assert_eq!(world.platform().chat("anna")[0].edits, 1);
    world.agent().go_on();
    world.at_rest().await;
}

#[tokio::test]
async fn a_streamed_answer_that_outgrows_one_message_goes_on_in_the_next() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    let words: Vec<String> = (0..60).map(|n| format!("word{n}")).collect();
    let text = words.join(" ");
    world.agent().will([Step::Echo, Step::Pause]);
    anna.says(&text).await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    world.at_rest().await;
    assert_eq!(anna.sees().join(" "), text);
    assert!(anna.sees().len() > 1);
}

#[tokio::test]
async fn a_stream_that_cannot_be_posted_comes_whole() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Refused("no".to_owned()))]);
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    frontdesk_world::patience::until("the first post was refused", || async {
        world.platform().journal().iter().any(|line| line.starts_with("answered")).then_some(())
    })
    .await;
    world.agent().go_on();
    assert_eq!(anna.hears().await, "one two");
    world.at_rest().await;
}

#[tokio::test]
async fn after_a_crash_the_second_attempt_writes_into_the_same_message() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("first try"), Step::Hang]);
    anna.says("question").await;
    world.platform().shows("anna", 1, |message| message.text == "first try").await;
    // The id must be on disk before the process dies, else the message cannot be found again.
    frontdesk_world::patience::until("the id is stored", || async {
        world.outbox().await[0].platform_message.clone()
    })
    .await;
    world.crash().await;
    world.agent().will([Step::Say("second try")]);
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["second try"]);
    assert!(world.agent().turns()[1].resumed);
}

#[tokio::test]
async fn a_dead_turn_leaves_no_half_answer_that_looks_whole() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("half an ans"), Step::Pause, Step::Fail]);
    anna.says("question").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    world.at_rest().await;
    let sees = anna.sees();
    assert!(sees[0].ends_with("(interrupted, /retry)"), "{sees:?}");
}

#[tokio::test]
async fn typing_is_shown_after_a_moment_and_repeated() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("think").await;
    world.agent().begun(1).await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(399));
    world.beat().await;
    assert_eq!(world.platform().typings(), 0);
    for (pass, typings) in [(Duration::from_millis(1), 1), (Duration::from_secs(4), 2)] {
        world.asleep(pass).await;
        world.clock().pass(pass);
        frontdesk_world::patience::until("typing was shown", || async {
            (world.platform().typings() == typings).then_some(())
        })
        .await;
    }
    world.agent().go_on();
    world.at_rest().await;
}
