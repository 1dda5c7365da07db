//! A configuration that is applied while the gateway runs.

mod access;
mod accounts;
mod agents;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_runtime::ReloadError;
use frontdesk_runtime::config::Rate;
use frontdesk_world::event::message_from;
use frontdesk_world::{ScriptedAgent, Step, World, plan};

use crate::growing::{EVERY, in_pieces, next_edit};

#[tokio::test]
async fn the_rules_of_a_group_change_while_an_answer_grows_on_another_account() {
    let mut world = World::with(plan().edits(800)).await;
    let work = world.platform().another_account("work");
    world.reload().account(&work).apply(&mut world).await.unwrap();
    let bea = world.user_of(&work, "bea");
    world.agent().will(in_pieces(&["Once upon ", "a time ", "there was a reload."]));
    bea.says("tell me").await;
    work.shows("bea", 1, |message| message.text.contains("Once upon")).await;
    let unaddressed = |text: &str| message_from("anna", text).unaddressed_in("-1");
    let before = world.platform().outcome_of(unaddressed("between us")).await;
    assert!(!matches!(before, Outcome::Accepted { .. }), "{before:?}");

    world
        .reload()
        .plan(|plan| plan.chat("-1", |chat| chat.require_mention = Some(false)))
        .apply(&mut world)
        .await
        .unwrap();

    let after = world.platform().outcome_of(unaddressed("to everybody")).await;
    assert!(matches!(after, Outcome::Accepted { .. }), "{after:?}");
    world.platform().shows("-1", 1, |message| message.text == "to everybody").await;
    world.agent().resume();
    next_edit(&world).await;
    world.agent().resume();
    next_edit(&world).await;
    world.agent().resume();
    world.at_rest().await;
    let told = work.chat("bea");
    assert_eq!(told.len(), 1, "one message that has grown: {told:?}");
    assert_eq!(told[0].text, "Once upon a time there was a reload.");
    assert_eq!((world.platform().connections(), work.connections()), (1, 1));
    assert!(EVERY > Duration::ZERO && told[0].edits > 0);
}

#[tokio::test]
async fn resets_and_sizes_hold_for_the_next_message() {
    let mut world = World::with(plan()).await;
    let anna = world.user("anna");
    anna.says("first").await;
    anna.hears().await;
    world.clock().pass(Duration::from_secs(3600));
    anna.says("an hour later").await;
    anna.hears().await;
    assert_eq!(world.session("anna").await.epoch, 1);
    let next = world.reload().plan(|plan| plan.reset_idle(30).with(|config| config.queue.max_text = 10));
    next.apply(&mut world).await.unwrap();
    world.clock().pass(Duration::from_secs(3600));
    anna.says("again").await;
    assert_eq!(world.session("anna").await.epoch, 2);
    let long = anna.tries("more than ten letters").await;
    assert!(matches!(long, Outcome::Refused { reason: Refusal::TooLong, .. }), "{long:?}");
    world.at_rest().await;
}

#[tokio::test]
async fn what_was_counted_for_a_limit_stays_counted() {
    let limited =
        |user: Rate| move |plan: frontdesk_world::Plan| plan.with(|config| config.limits.user = user);
    let mut world = World::with(limited(Rate { per_minute: 1, burst: 2 })(plan())).await;
    let anna = world.user("anna");
    anna.says("one").await;
    anna.says("two").await;
    world.reload().plan(|plan| plan.reset_idle(30)).apply(&mut world).await.unwrap();
    let third = anna.tries("three").await;
    assert!(matches!(third, Outcome::Refused { reason: Refusal::RateLimited, .. }), "{third:?}");
    world.reload().plan(limited(Rate { per_minute: 600, burst: 9 })).apply(&mut world).await.unwrap();
    anna.says("four").await;
    world.at_rest().await;
}

#[tokio::test]
async fn a_replaced_agent_ends_its_turn_and_the_next_turn_is_for_the_new_one() {
    let mut world = World::with(plan()).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.agent().will([Step::Say("from the old one"), Step::Pause]);
    anna.says("long work").await;
    world.agent().begun(1).await;
    let new = Arc::new(ScriptedAgent::default());
    new.will([Step::Say("from the new one")]);
    world.reload().agent(&new).apply(&mut world).await.unwrap();
    ben.says("hello").await;
    assert_eq!(ben.hears().await, "from the new one");
    assert!(!world.agent().is_stopped(), "a turn still runs on it");
    world.agent().resume();
    assert_eq!(anna.hears().await, "from the old one");
    world.agent().stopped().await;
    assert!(!new.is_stopped());
    world.at_rest().await;
}

#[tokio::test]
async fn a_wrong_configuration_changes_nothing_and_a_stopping_gateway_takes_none() {
    let mut world = World::with(plan()).await;
    let anna = world.user("anna");
    let wrong = world.reload().plan(|plan| {
        plan.reset_daily(4, "Nowhere/City").chat("-1", |chat| {
            chat.require_mention = Some(false);
        })
    });
    let refused = wrong.apply(&mut world).await.unwrap_err();
    assert!(
        matches!(&refused, ReloadError::Config(error) if error.to_string().contains("Nowhere/City")),
        "{refused}"
    );
    let unaddressed = message_from("anna", "between us").unaddressed_in("-1");
    assert!(!matches!(world.platform().outcome_of(unaddressed).await, Outcome::Accepted { .. }));
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello");
    let (next, handle) = (world.reload(), world.handle().clone());
    world.stop().await;
    let late = next.give_to(&handle).await.unwrap_err();
    assert!(matches!(late, ReloadError::Stopping), "{late}");
}
