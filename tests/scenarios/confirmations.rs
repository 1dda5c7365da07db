//! Admin requests that are confirmed by a button.

use frontdesk_core::message::Outcome;
use frontdesk_world::event::message_from;
use frontdesk_world::{Posted, World, plan};

/// The reply to an admin's request, which asks for a confirmation.
async fn asked(world: &World, request: &str) -> Posted {
    world.user("root").says(request).await;
    world.platform().shows("root", 1, |post| !post.buttons.is_empty()).await.swap_remove(0)
}

async fn press(world: &World, who: &str, under: &Posted, choice: usize) -> Outcome {
    let event = message_from(who, &under.buttons[choice]).pressed_under(&under.id);
    world.platform().outcome_of(event).await
}

#[tokio::test]
async fn the_confirmation_of_a_stop_is_valid_after_a_restart_and_once() {
    let mut world = World::with(plan().buttons()).await;
    let question = asked(&world, "/gateway stop").await;
    assert!(question.text.contains("/gateway stop confirm"), "it can also be typed: {}", question.text);
    world.crash().await;
    world.start().await.unwrap();
    assert!(matches!(press(&world, "eve", &question, 0).await, Outcome::NotAnswered { .. }));
    assert!(matches!(press(&world, "root", &question, 0).await, Outcome::Answered { .. }));
    world.platform().shows("root", 1, |post| post.text.starts_with("Stopping.")).await;
    assert!(matches!(press(&world, "root", &question, 0).await, Outcome::NotAnswered { .. }));
    let audit = world.handle().audits(None, 100).await.unwrap();
    let stops = audit.iter().filter(|entry| entry.action == "gateway stop");
    let outcomes: Vec<&str> = stops.map(|entry| entry.outcome.as_str()).collect();
    assert_eq!(outcomes, ["done", "refused:not_confirmed"]);
}

#[tokio::test]
async fn a_confirmed_command_runs_after_a_crash_that_came_right_after_the_press() {
    let mut world = World::with(plan().buttons()).await;
    let question = asked(&world, "/gateway stop fake").await;
    assert!(matches!(press(&world, "root", &question, 0).await, Outcome::Answered { .. }));
    world.crash().await;
    world.start().await.unwrap();
    world.platform().shows("root", 1, |post| post.text.contains("is stopped")).await;
}

#[tokio::test]
async fn a_cancelled_confirmation_and_one_whose_admin_was_stopped_do_nothing() {
    let world = World::with(plan().buttons()).await;
    let question = asked(&world, "/gateway stop").await;
    assert!(matches!(press(&world, "root", &question, 1).await, Outcome::Answered { .. }));
    world.platform().shows("root", 1, |post| post.id == question.id && post.buttons.is_empty()).await;
    let second = asked(&world, "/gateway stop").await;
    world.user("root").says("/stop").await;
    world.platform().shows("root", 1, |post| post.id == second.id && post.buttons.is_empty()).await;
    assert!(matches!(press(&world, "root", &second, 0).await, Outcome::NotAnswered { .. }));
    world.at_rest().await;
    assert!(!world.user("root").sees().iter().any(|text| text.starts_with("Stopping.")));
}

#[tokio::test]
async fn a_stop_does_not_reach_the_process_that_is_started_after_it() {
    let mut world = World::with(plan().buttons()).await;
    let question = asked(&world, "/gateway stop").await;
    assert!(matches!(press(&world, "root", &question, 0).await, Outcome::Answered { .. }));
    world.crash().await;
    world.start().await.unwrap();
    // The first process may have begun to stop before it was killed.
    let is_reply =
        |text: &str| text.contains("started again since you asked") || text.starts_with("Stopping");
    world.platform().shows("root", 1, |post| is_reply(&post.text)).await;
    world.at_rest().await;
    assert_eq!(*world.handle().lifecycle().borrow(), None);
}

#[tokio::test]
async fn an_admin_who_was_removed_while_the_gateway_was_down_confirms_nothing() {
    let mut world = World::with(plan().buttons()).await;
    let question = asked(&world, "/gateway stop").await;
    world.crash().await;
    world.change_plan(|plan| plan.access(|access| access.admins.clear()));
    world.start().await.unwrap();
    assert!(matches!(press(&world, "root", &question, 0).await, Outcome::NotAnswered { .. }));
    world.at_rest().await;
    assert!(!world.user("root").sees().iter().any(|text| text.contains("Your answer")));
}
