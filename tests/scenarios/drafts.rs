//! Answers that are shown as drafts.

use std::time::Duration;

use frontdesk_core::access::{ChannelAccess, DmPolicy};
use frontdesk_core::address::Principal;
use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::profile::Flow;
use frontdesk_store::row::{AccessChange, Scope};
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, operator, plan};

#[tokio::test]
async fn a_draft_grows_in_private_and_the_answer_is_a_message() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Draft { every })).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("**one** "), Step::Pause, Step::Say("two"), Step::Pause]);
    anna.says("count").await;
    until("the draft is shown", || async { (world.platform().drafts("anna").len() == 1).then_some(()) })
        .await;
    assert!(anna.sees().is_empty() && world.outbox().await.is_empty(), "a draft is no message and no row");
    world.agent().resume();
    world.asleep(every).await;
    world.clock().pass(every);
    until("it has grown", || async { (world.platform().drafts("anna").len() == 2).then_some(()) }).await;
    world.agent().resume();
    assert_eq!(anna.hears().await, "<b>one</b> two");
    world.at_rest().await;
    let drafts = world.platform().drafts("anna");
    assert_eq!([drafts[0].1.as_str(), drafts[1].1.as_str()], ["one", "one two"]);
    assert!(drafts[0].0 == drafts[1].0 && drafts[0].0 != 0, "one draft: {drafts:?}");
    assert_eq!(anna.sees().len(), 1);
}

#[tokio::test]
async fn an_answer_whose_drafts_are_refused_is_sent_whole() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Draft { every })).await;
    let anna = world.user("anna");
    world.platform().refuse_drafts();
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    world.agent().begun(1).await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(400));
    until("typing was shown", || async { (world.platform().typings() == 1).then_some(()) }).await;
    world.agent().resume();
    assert_eq!(anna.hears().await, "one two");
    world.at_rest().await;
}

#[tokio::test]
async fn in_a_group_there_are_edits_in_place_of_drafts() {
    let world = World::with(plan().flow(Flow::Draft { every: Duration::from_millis(800) })).await;
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    world.platform().outcome_of(message_from("anna", "count").in_group("-1")).await;
    world.platform().shows("-1", 1, |message| message.text == "one").await;
    world.agent().resume();
    world.platform().shows("-1", 1, |message| message.text == "one two").await;
    world.at_rest().await;
    assert!(world.platform().drafts("-1").is_empty());
    assert_eq!(world.platform().chat("-1").len(), 1);
}

#[tokio::test]
async fn a_draft_that_is_too_fast_waits_as_long_as_the_platform_says() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Draft { every })).await;
    let anna = world.user("anna");
    let after = Some(Duration::from_secs(3));
    world.platform().slow_down_drafts(SendError::Later { after, scope: Bucket::Chat, detail: "".into() });
    world.agent().will([Step::Say("one"), Step::Pause]);
    anna.says("count").await;
    world.asleep(Duration::from_secs(3)).await;
    world.clock().pass(Duration::from_millis(2900));
    world.round_trip().await;
    let platform = world.platform();
    assert!(
        platform.drafts("anna").is_empty() && platform.typings() == 0,
        "typing would be too fast as well"
    );
    world.clock().pass(Duration::from_millis(100));
    until("the draft is shown", || async { (world.platform().drafts("anna").len() == 1).then_some(()) })
        .await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["one"]);
}

/// Shows a draft of the first step and lets the turn go on with the second, which ends it.
async fn drafted(world: &World, ends: Step) {
    world.agent().will([Step::Say("**one** two"), Step::Pause, ends]);
    world.user("anna").says("count").await;
    until("the draft is shown", || async { (world.platform().drafts("anna").len() == 1).then_some(()) })
        .await;
    world.agent().resume();
}

#[tokio::test]
async fn what_a_draft_has_shown_stays_after_a_stop() {
    let world = World::with(plan().flow(Flow::Draft { every: Duration::from_millis(800) })).await;
    let anna = world.user("anna");
    drafted(&world, Step::Hang).await;
    anna.says("/stop").await;
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!(sees.len(), 2, "{sees:?}");
    for text in ["<b>one</b> two\n\n(stopped)", "Stopped the answer."] {
        assert!(sees.contains(&text.to_owned()), "{sees:?}");
    }
    // An answer of which nobody has seen anything leaves nothing.
    world.agent().will([Step::Hang]);
    anna.says("again").await;
    world.agent().begun(2).await;
    anna.says("/stop").await;
    world.at_rest().await;
    assert_eq!(anna.sees()[2..], ["Stopped the answer."]);
}

#[tokio::test]
async fn who_has_lost_access_gets_nothing_of_a_draft() {
    let only_granted = |access: &mut ChannelAccess| {
        access.dm_policy = DmPolicy::Pairing;
        access.allow.insert("probe1".to_owned());
    };
    let flow = Flow::Draft { every: Duration::from_millis(800) };
    let world = World::with(plan().flow(flow).access(only_granted)).await;
    let anna: Principal = "fake:anna".parse().unwrap();
    let grant = AccessChange::Grant { principal: anna.clone(), scope: Scope::Dm };
    world.handle().change_access(grant, operator()).await.unwrap();
    drafted(&world, Step::Hang).await;
    let revoke = AccessChange::Revoke { principal: anna, scope: None, also: Vec::new(), private: None };
    world.handle().change_access(revoke, operator()).await.unwrap();
    world.round_trip().await;
    world.at_rest().await;
    let sees = world.user("anna").sees();
    assert!(!sees.iter().any(|text| text.contains("two")), "{sees:?}");
    // Nor does anything wait to be sent.
    let waiting = world.outbox().await;
    assert!(!waiting.iter().any(|row| format!("{row:?}").contains("two")), "{waiting:?}");
}

#[tokio::test]
async fn what_a_draft_has_shown_stays_after_a_failure() {
    let world = World::with(plan().flow(Flow::Draft { every: Duration::from_millis(800) })).await;
    drafted(&world, Step::Fail).await;
    world.at_rest().await;
    assert_eq!(
        world.user("anna").sees(),
        ["<b>one</b> two\n\n(interrupted, /retry)", "The agent could not answer. Send /retry to try again."]
    );
}
