//! Notices that a message waits, with a button that drops it.

use frontdesk_core::ask::AskError;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Outcome;
use frontdesk_core::notice::Notice;
use frontdesk_world::event::{TestEvent, message_from};
use frontdesk_world::wait::until;
use frontdesk_world::{Posted, Step, World, permission, plan};

fn in_group(person: &str, text: &str) -> TestEvent {
    message_from(person, text).in_group("-1")
}

/// A group whose agent answers ben and takes in nothing; anna's message waits, and she is told so.
async fn busy() -> (World, MessageId, Posted) {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.platform().outcome_of(in_group("ben", "runs")).await;
    world.agent().begun(1).await;
    let Outcome::Accepted { message, .. } =
        world.platform().outcome_of(in_group("anna", "/steer faster")).await
    else {
        panic!("it is accepted")
    };
    let told = world.platform().shows("-1", 1, |post| !post.buttons.is_empty()).await.swap_remove(0);
    assert_eq!((told.text.clone(), told.buttons.len()), (Notice::FollowsUp.text(), 1));
    until("the platform's id of the notice is stored", || async {
        (world.store().totals().await.unwrap().outbox == 0).then_some(())
    })
    .await;
    (world, message, told)
}

async fn press(world: &World, who: &str, under: &Posted) -> Outcome {
    let event = in_group(who, &under.buttons[0]).pressed_under(&under.id);
    world.platform().outcome_of(event).await
}

async fn loses_its_button(world: &World, told: &Posted) -> String {
    let shown = world.platform().shows("-1", 1, |post| post.id == told.id && post.buttons.is_empty()).await;
    shown[0].text.clone()
}

#[tokio::test]
async fn its_sender_drops_a_message_with_the_button_once_and_also_after_a_kill() {
    let (mut world, message, told) = busy().await;
    let foreign = press(&world, "ben", &told).await;
    assert!(matches!(foreign, Outcome::NotAnswered { error: AskError::NotYours, .. }), "{foreign:?}");
    assert!(matches!(press(&world, "anna", &told).await, Outcome::Answered { .. }));
    world.crash().await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.start().await.unwrap();
    world.platform().shows("-1", 1, |post| post.text == "Dropped faster.").await;
    assert_eq!(
        loses_its_button(&world, &told).await,
        format!("{}\n\nname of anna: Drop it", Notice::FollowsUp.text())
    );
    let again = press(&world, "anna", &told).await;
    assert!(matches!(again, Outcome::NotAnswered { error: AskError::Closed(_), .. }), "{again:?}");
    world.agent().begun(2).await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.message(message).await.message.state.name(), "cancelled");
    assert_eq!(world.agent().prompts(), ["runs", "runs"]);
    let dropped = world.platform().chat("-1").into_iter().filter(|post| post.text.starts_with("Dropped"));
    assert_eq!(dropped.count(), 1);
    let audits = world.handle().audits(None, 10).await.unwrap();
    let drops: Vec<_> = audits.iter().filter(|entry| entry.action == "queue drop").collect();
    assert_eq!((drops.len(), drops[0].by.as_str(), drops[0].outcome.as_str()), (1, "fake:anna", "done"));
}

#[tokio::test]
async fn an_admin_drops_the_message_of_somebody_else() {
    let (world, message, told) = busy().await;
    assert!(matches!(press(&world, "root", &told).await, Outcome::Answered { .. }));
    world.platform().shows("-1", 1, |post| post.text == "Dropped faster.").await;
    assert_eq!(world.message(message).await.message.state.name(), "cancelled");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs"]);
}

#[tokio::test]
async fn the_button_goes_when_the_message_is_answered_and_a_late_press_is_told_so() {
    let (world, message, told) = busy().await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.agent().resume();
    world.agent().begun(2).await;
    assert_eq!(loses_its_button(&world, &told).await, Notice::FollowsUp.text());
    let late = press(&world, "anna", &told).await;
    let Outcome::NotAnswered { error, .. } = late else { panic!("{late:?}") };
    assert_eq!(
        error.in_chat(),
        "This message does not wait any more: its answer has begun, or it was dropped."
    );
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.message(message).await.message.state.name(), "answered");
    assert_eq!(world.agent().prompts(), ["runs", "faster"]);
}

#[tokio::test]
async fn the_button_goes_when_the_message_is_dropped_in_writing_and_a_late_press_is_told_so() {
    let (world, message, told) = busy().await;
    world.platform().outcome_of(in_group("anna", &format!("/queue drop {message}"))).await;
    world.platform().shows("-1", 1, |post| post.text == "Dropped faster.").await;
    assert_eq!(
        loses_its_button(&world, &told).await,
        format!("{}\n\nIt is not answered: it was stopped or dropped.", Notice::FollowsUp.text())
    );
    let late = press(&world, "anna", &told).await;
    assert!(matches!(late, Outcome::NotAnswered { error: AskError::NotWaiting, .. }), "{late:?}");
}

#[tokio::test]
async fn the_button_goes_when_everything_that_waits_is_dropped() {
    let (world, _, told) = busy().await;
    world.platform().outcome_of(in_group("anna", "/queue clear")).await;
    assert_eq!(
        loses_its_button(&world, &told).await,
        format!("{}\n\nIt is not answered: it was stopped or dropped.", Notice::FollowsUp.text())
    );
    let late = press(&world, "anna", &told).await;
    assert!(matches!(late, Outcome::NotAnswered { error: AskError::NotWaiting, .. }), "{late:?}");
}

#[tokio::test]
async fn a_message_behind_a_question_is_dropped_with_the_button() {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
    let anna = world.user("anna");
    anna.says("clean up").await;
    world.platform().shows("anna", 1, |post| post.text.contains("Delete it?")).await;
    let waits = anna.says("and then this").await;
    let behind =
        |post: &Posted| post.text.contains("Your message comes after that.") && !post.buttons.is_empty();
    let told = world.platform().shows("anna", 1, behind).await.swap_remove(0);
    let pressed = message_from("anna", &told.buttons[0]).pressed_under(&told.id);
    assert!(matches!(world.platform().outcome_of(pressed).await, Outcome::Answered { .. }));
    world.platform().shows("anna", 1, |post| post.text == "Dropped and then this.").await;
    assert_eq!(world.message(waits).await.message.state.name(), "cancelled");
    // The question itself still waits.
    assert_eq!(world.handle().asks(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_waits_behind_a_question_is_told_what_they_can_stop() {
    for (who, told) in [
        ("anna", "/stop ends the question and drops your messages that wait."),
        ("bob", "/stop drops your messages that wait."),
    ] {
        let world = World::with(plan().buttons()).await;
        world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
        world.platform().outcome_of(in_group("anna", "clean up")).await;
        world.platform().shows("-1", 1, |post| post.text.contains("Delete it?")).await;
        world.platform().outcome_of(in_group(who, "and then this")).await;
        let behind = |post: &Posted| post.text.contains(&format!("Your message comes after that. {told}"));
        world.platform().shows("-1", 1, behind).await;
        world.platform().outcome_of(in_group(who, "/stop")).await;
        let is_ended = who == "anna";
        let reply = if is_ended { "Stopped the answer and dropped 1" } else { "Dropped 1" };
        world.platform().shows("-1", 1, |post| post.text.starts_with(reply)).await;
        assert_eq!(world.handle().asks(None).await.unwrap().len(), usize::from(!is_ended), "as it was told");
    }
}
