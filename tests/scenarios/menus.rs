//! `/model`, `/thinking` and `/queue` with buttons.

use frontdesk_core::agent::Capabilities;
use frontdesk_core::message::Outcome;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_world::event::message_from;
use frontdesk_world::{Plan, Posted, World, plan};

/// A gateway whose agent offers models with these names.
async fn offering(plan: Plan, models: impl IntoIterator<Item = String>) -> World {
    let world = World::with(plan).await;
    let models = models.into_iter().collect();
    world.agent().can(Capabilities { models, ..Capabilities::default() });
    world
}

fn some() -> Vec<String> {
    ["small", "large"].map(str::to_owned).to_vec()
}

/// The menu that a command shows.
async fn menu(world: &World, command: &str) -> Posted {
    world.user("anna").says(command).await;
    let mut shown = world.platform().shows("anna", 1, |post| !post.buttons.is_empty()).await;
    shown.swap_remove(0)
}

async fn press(world: &World, who: &str, under: &Posted, choice: usize) -> Outcome {
    let event = message_from(who, &under.buttons[choice]).pressed_under(&under.id);
    world.platform().outcome_of(event).await
}

async fn chosen(world: &World) -> Option<String> {
    world.session("anna").await.options.model
}

#[tokio::test]
async fn a_press_chooses_also_after_a_kill_and_holds_once() {
    let mut world = offering(plan().buttons(), some()).await;
    let shown = menu(&world, "/model").await;
    assert_eq!(
        (shown.text.as_str(), shown.buttons.len()),
        ("Model: as configured for the agent or its role.", 2)
    );
    assert!(matches!(press(&world, "anna", &shown, 1).await, Outcome::Answered { .. }));
    world.crash().await;
    world.start().await.unwrap();
    world.platform().shows("anna", 1, |post| post.text == "Model: large, from the next message on.").await;
    world.platform().shows("anna", 1, |post| post.id == shown.id && post.buttons.is_empty()).await;
    assert_eq!(chosen(&world).await.as_deref(), Some("large"));
    assert!(matches!(press(&world, "anna", &shown, 0).await, Outcome::NotAnswered { .. }), "it has ended");
    world.at_rest().await;
    assert_eq!(chosen(&world).await.as_deref(), Some("large"));
    // Now the choice can be taken back too.
    let shown = menu(&world, "/model").await;
    assert_eq!(shown.buttons.len(), 3);
    press(&world, "anna", &shown, 2).await;
    world.at_rest().await;
    assert_eq!(chosen(&world).await, None);
}

#[tokio::test]
async fn somebody_else_cannot_press() {
    let world = offering(plan().buttons(), some()).await;
    let shown = menu(&world, "/model").await;
    assert!(matches!(press(&world, "eve", &shown, 1).await, Outcome::NotAnswered { .. }));
    world.at_rest().await;
    assert_eq!(chosen(&world).await, None);
    assert_eq!(world.user("anna").sees().len(), 1, "nobody else is told");
}

#[tokio::test]
async fn of_hundreds_of_models_the_first_are_buttons_and_the_others_are_found_by_a_part_of_their_name() {
    let models = || (0..300).map(|n| format!("vendor-{}/model-with-a-long-name-{n:03}", n % 7));
    let world = offering(plan().buttons(), models()).await;
    let shown = menu(&world, "/model").await;
    assert_eq!(shown.buttons.len(), 10);
    assert!(shown.buttons.iter().all(|data| data.len() <= 64), "{:?}", shown.buttons);
    let texts = world.user("anna").sees().join("\n");
    assert!(texts.contains("vendor-3/model-with-a-long-name-010") && texts.contains("…"), "{texts}");
    assert!(texts.contains("A part of a name shows those that have it."), "{texts}");
    world.user("anna").says("/stop").await;
    world.at_rest().await;
    let shown = menu(&world, "/model Name-29").await;
    let texts = world.user("anna").sees().join("\n");
    assert!(texts.contains("There is no model Name-29. These have that in their name."), "{texts}");
    assert_eq!(shown.buttons.len(), 10);
    press(&world, "anna", &shown, 9).await;
    world.at_rest().await;
    assert_eq!(chosen(&world).await.as_deref(), Some("vendor-5/model-with-a-long-name-299"));
}

#[tokio::test]
async fn without_buttons_the_choices_are_a_list() {
    let world = offering(plan(), (0..60).map(|n| format!("m{n}"))).await;
    world.user("anna").says("/model").await;
    world.at_rest().await;
    let texts = world.user("anna").sees().join("\n");
    assert!(texts.contains("Choose with /model and one of:\nm0, m1") && !texts.contains("m50"), "{texts}");
    assert!(texts.contains("There are 10 more: send /model and a part of a name"), "{texts}");
}

#[tokio::test]
async fn a_menu_is_no_question_that_anything_waits_for() {
    let world = offering(plan().buttons(), some()).await;
    let anna = world.user("anna");
    menu(&world, "/model").await;
    for (command, told) in [("/answer", "There are no open questions"), ("/status", "Nothing is running")] {
        let seen = anna.sees().len();
        anna.says(command).await;
        world.at_rest().await;
        let said = anna.sees()[seen..].join("\n");
        assert!(said.contains(told) && !said.contains("Question"), "{said}");
    }
}

#[tokio::test]
async fn a_press_chooses_how_messages_wait() {
    let world = World::with(plan().buttons()).await;
    let shown = menu(&world, "/queue").await;
    let now = "Queue mode: followup. While the agent answers, new messages wait and are answered one by one.";
    assert_eq!((shown.text, shown.buttons.len()), (format!("No message waits here.\n\n{now}"), 4));
    assert!(matches!(
        press(&world, "eve", &menu(&world, "/queue").await, 1).await,
        Outcome::NotAnswered { .. }
    ));
    let shown = world.platform().shows("anna", 2, |post| !post.buttons.is_empty()).await.swap_remove(1);
    press(&world, "anna", &shown, 1).await;
    world.platform().shows("anna", 1, |post| post.text.starts_with("Queue mode: collect.")).await;
    assert_eq!(world.session("anna").await.queue_mode, Some(QueueMode::Collect));
    // Now the choice can be taken back too.
    world.user("anna").says("/queue").await;
    let shown = world.platform().shows("anna", 1, |post| post.buttons.len() == 5).await.swap_remove(0);
    press(&world, "anna", &shown, 4).await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.queue_mode, None);
}
