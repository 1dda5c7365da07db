//! Answers that are shown while the agent is still writing them.

use std::time::Duration;

use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::profile::Flow;
use frontdesk_world::event::message_from;
use frontdesk_world::platform::Fault;
use frontdesk_world::wait::until;
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
    world.agent().resume();
    world.platform().shows("anna", 1, |message| message.text == "one two").await;
    world.agent().resume();
    world.platform().shows("anna", 1, |message| message.text == "<b>one</b> two three").await;
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 1, "one message: {:?}", anna.sees());
    assert_eq!(world.outbox().await[0].state.name(), "sent");
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
    world.agent().resume();
    // No time passes, so no edit may be made, however much text arrives.
    world.asleep(Duration::from_millis(800)).await;
    world.round_trip().await;
    assert_eq!(world.platform().chat("anna")[0].edits, 0);
    world.clock().pass(Duration::from_millis(800));
    world.platform().shows("anna", 1, |message| message.text == "abcd").await;
    assert_eq!(world.platform().chat("anna")[0].edits, 1);
    world.agent().resume();
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
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.sees().join(" "), text);
    assert!(anna.sees().len() > 1);
}

#[tokio::test]
async fn a_stream_that_cannot_be_posted_comes_whole() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Refused("no".into()))]);
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    frontdesk_world::wait::until("the first post was refused", || async {
        world.platform().journal().iter().any(|line| line.starts_with("answered")).then_some(())
    })
    .await;
    world.agent().resume();
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
    // The id must be stored before the process dies, or the message cannot be found again.
    frontdesk_world::wait::until("the id is stored", || async {
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
    world.agent().resume();
    world.at_rest().await;
    let sees = anna.sees();
    assert!(sees[0].ends_with("(interrupted, /retry)"), "{sees:?}");
}

#[tokio::test]
async fn a_beginning_whose_response_was_lost_is_not_shown_twice() {
    let busy = || SendError::Later { after: None, scope: Bucket::Chat, detail: "busy".into() };
    for (is_busy, last, sees) in [
        (false, Step::Fail, "half an answer\n\n(interrupted, /retry)"),
        (true, Step::Fail, "half an answer\n\n(interrupted, /retry)"),
        (false, Step::Say(" and the rest"), "half an answer and the rest"),
    ] {
        let world = World::with(plan().edits(800).keys()).await;
        let anna = world.user("anna");
        world.platform().fails([Fault::LostAnswer]);
        world.agent().will([Step::Say("half an answer"), Step::Pause, last]);
        anna.says("question").await;
        world.platform().shows("anna", 1, |_| true).await;
        world.round_trip().await;
        if is_busy {
            world.platform().fails([Fault::Answer(busy())]);
            world.clock().pass(Duration::from_millis(1100));
            until("the post is tried again", || async {
                world.platform().journal().iter().any(|line| line.contains("answered anna")).then_some(())
            })
            .await;
        }
        world.agent().resume();
        world.at_rest().await;
        let seen = anna.sees();
        let showing = seen.iter().filter(|text| text.contains("half an answer")).count();
        assert!(showing == 1 && seen[0] == sees, "{is_busy}: {seen:?}");
    }
}

#[tokio::test]
async fn a_stop_leaves_the_paragraphs_that_were_shown_and_ends_what_is_live() {
    let world = World::with(plan().flow(Flow::Blocks { every: Duration::from_millis(800) })).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("first\n\nsec"), Step::Hang]);
    anna.says("go").await;
    world.platform().shows("anna", 1, |message| message.text == "first").await;
    anna.says("/stop").await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["first\n\n(stopped)", "Stopped the answer."]);
    let world = World::with(plan().flow(Flow::Live)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("one\ntwo"), Step::Hang]);
    let message = anna.says("go").await;
    until("it is shown", || async { (!world.platform().deltas("anna").is_empty()).then_some(()) }).await;
    let deltas = world.platform().deltas("anna");
    anna.says("/stop").await;
    world.at_rest().await;
    assert_eq!(world.platform().deltas("anna"), deltas, "nothing is taken back");
    assert!(world.message(message).await.answer.is_some_and(|kept| kept == "one\ntwo"));
}

#[tokio::test]
async fn blocks_show_whole_paragraphs_alone() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Blocks { every })).await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("first\n\nsec"),
        Step::Pause,
        Step::Say("ond\n\n```\ncode\n\nmore"),
        Step::Pause,
        Step::Say("\n```"),
    ]);
    anna.says("go").await;
    let shown = world.platform().shows("anna", 1, |_| true).await;
    assert_eq!(shown[0].text, "first");
    world.agent().resume();
    world.asleep(every).await;
    world.clock().pass(every);
    world.platform().shows("anna", 1, |message| message.text == "first\n\nsecond").await;
    world.clock().pass(every);
    world.round_trip().await;
    assert_eq!(world.platform().chat("anna")[0].edits, 1, "code that is not whole is not shown");
    world.agent().resume();
    world.platform().shows("anna", 1, |message| message.text.contains("more")).await;
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 1);
}

#[tokio::test]
async fn an_answer_that_may_become_silent_is_not_shown_while_it_grows() {
    let world = World::with(plan().edits(800)).await;
    world.agent().will([Step::Say("NO_"), Step::Pause, Step::Say("REPLY"), Step::Pause]);
    world.platform().outcome_of(message_from("anna", "hm").in_group("-1")).await;
    world.agent().begun(1).await;
    for _ in 0..2 {
        world.round_trip().await;
        world.clock().pass(Duration::from_millis(300));
        world.agent().resume();
    }
    world.at_rest().await;
    assert!(world.platform().chat("-1").is_empty());
    // A text that only begins like the silence mark is shown as soon as it differs.
    world.agent().will([Step::Say("NO_"), Step::Say("WAY"), Step::Pause]);
    world.platform().outcome_of(message_from("anna", "hm").in_group("-1")).await;
    world.platform().shows("-1", 1, |message| message.text == "NO_WAY").await;
    world.agent().resume();
    world.at_rest().await;
}

#[tokio::test]
async fn a_final_text_that_is_shown_already_is_not_sent_again() {
    let world = World::with(plan().edits(500)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("Let me see."), Step::Pause]);
    anna.says("hello").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.asleep(std::time::Duration::from_secs(120)).await;
    world.agent().resume();
    world.at_rest().await;
    let edits = world.platform().journal().iter().filter(|line| line.starts_with("edit")).count();
    assert_eq!((anna.sees(), edits), (vec!["Let me see.".to_owned()], 0));
    let part = world.outbox().await.remove(0);
    assert_eq!((part.state.name(), part.platform_message.is_some()), ("sent", true));
}
