//! Pauses that a platform asked for, and replies beside an answer that grows.

use std::time::Duration;

use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::profile::Flow;
use frontdesk_world::event::message_from;
use frontdesk_world::platform::Fault;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, plan};

use crate::growing::{EVERY, in_pieces, next_edit};

/// The platform answers a reply to a person with a pause of one minute.
async fn pause_told_to(world: &World, name: &str, scope: Bucket) {
    let after = Some(Duration::from_secs(60));
    let later = SendError::Later { after, scope, detail: "429".into() };
    world.platform().answer_all(name, Some(later));
    world.user(name).says("/whoami").await;
    until("the pause was asked for", || async { (world.platform().calls(name) == 1).then_some(()) }).await;
}

#[tokio::test]
async fn a_command_is_answered_while_an_answer_grows() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["one ", "two ", "three"]));
    anna.says("count").await;
    world.platform().shows("anna", 1, |_| true).await;
    anna.says("/whoami").await;
    // The reply arrives before any time passes.
    let shown = world.platform().shows("anna", 2, |_| true).await;
    assert!(shown[1].text.contains("anna"), "{shown:?}");
    world.agent().resume();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |shown| shown.text == "one two").await;
    anna.says("/status").await;
    world.platform().shows("anna", 3, |_| true).await;
    world.agent().resume();
    next_edit(&world).await;
    world.agent().resume();
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!((sees[0].as_str(), sees.len()), ("one two three", 3), "{sees:?}");
}

#[tokio::test]
async fn a_first_post_that_fails_keeps_no_reply_waiting() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Refused("no".into()))]);
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    until("the first post was refused", || async { (world.platform().count("answered") == 1).then_some(()) })
        .await;
    anna.says("/whoami").await;
    assert!(anna.hears().await.contains("anna"));
    world.agent().resume();
    assert_eq!(anna.hears().await, "one two");
    world.at_rest().await;
}

#[tokio::test]
async fn an_answer_that_grows_survives_a_crash_beside_a_reply() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("first try"), Step::Hang]);
    anna.says("question").await;
    world.platform().shows("anna", 1, |_| true).await;
    until("the id is stored", || async { world.outbox().await[0].platform_message.clone() }).await;
    anna.says("/whoami").await;
    world.platform().shows("anna", 2, |_| true).await;
    world.crash().await;
    world.agent().will([Step::Say("second try")]);
    world.start().await.unwrap();
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!((sees[0].as_str(), sees.len()), ("second try", 2), "{sees:?}");
}

#[tokio::test]
async fn an_answer_that_is_complete_at_once_waits_out_the_pause_of_its_first_post() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    let after = Some(Duration::from_secs(5));
    let later = SendError::Later { after, scope: Bucket::Chat, detail: "429".into() };
    world.platform().answer_all("anna", Some(later));
    anna.says("hello").await;
    until("the platform was asked", || async { (world.platform().calls("anna") > 0).then_some(()) }).await;
    for _ in 0..4 {
        world.round_trip().await;
        world.clock().pass(Duration::from_secs(1));
    }
    world.round_trip().await;
    assert_eq!(
        world.platform().calls("anna"),
        1,
        "the next call is not made before the time that the platform asked for"
    );
    world.platform().answer_all("anna", None);
    world.clock().pass(Duration::from_secs(1));
    assert_eq!(anna.hears().await, "hello");
    world.at_rest().await;
}

#[tokio::test]
async fn a_pause_of_the_account_applies_to_edits_drafts_and_typing_in_every_chat() {
    let flows = [Flow::Edits { every: EVERY }, Flow::Draft { every: EVERY }, Flow::Whole];
    for flow in flows {
        let world = World::with(plan().flow(flow)).await;
        world.agent().will(in_pieces(&["one ", "two ", "three ", "four ", "five"]));
        world.user("anna").says("count").await;
        world.agent().begun(1).await;
        let begun = usize::from(flow != Flow::Whole);
        until("it has begun", || async { (world.platform().calls("anna") == begun).then_some(()) }).await;
        pause_told_to(&world, "ben", Bucket::Account).await;
        for n in 0..3 {
            world.agent().resume();
            world.clock().pass(Duration::from_secs(9));
            // This message goes through the gateway up to the point where its reply would be sent.
            world.user(&format!("carol{n}")).says("/whoami").await;
        }
        assert_eq!(world.platform().calls("anna"), begun, "{flow:?}");
    }
}

#[tokio::test]
async fn a_pause_of_a_chat_applies_to_edits_in_all_its_topics() {
    let world = World::with(plan().edits(800)).await;
    world.agent().will(in_pieces(&["one ", "two ", "three ", "four ", "five"]));
    world.platform().outcome_of(message_from("anna", "count").in_topic("-1", "6")).await;
    until("it has begun", || async { (world.platform().calls("-1") == 1).then_some(()) }).await;
    let after = Some(Duration::from_secs(60));
    let later = SendError::Later { after, scope: Bucket::Chat, detail: "429".into() };
    world.platform().answer_all("-1", Some(later));
    world.platform().outcome_of(message_from("ben", "/whoami").in_topic("-1", "5")).await;
    until("the pause was asked for", || async { (world.platform().calls("-1") == 2).then_some(()) }).await;
    for _ in 0..3 {
        world.agent().resume();
        next_edit(&world).await;
    }
    assert_eq!(world.platform().calls("-1"), 2);
}
