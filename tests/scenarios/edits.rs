//! Edits, buttons and reactions.

use frontdesk_core::message::{InputKind, Outcome};
use frontdesk_runtime::config::LateEdits;
use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn an_edit_of_a_waiting_message_takes_its_place() {
    let world = World::new().await;
    let platform = world.platform();
    world.agent().will([Step::Pause]);
    platform.outcome_of(message_from("anna", "first")).await;
    world.agent().begun(1).await;
    platform.outcome_of(message_from("anna", "secnod").named("m2")).await;
    platform.outcome_of(message_from("anna", "third").named("m3")).await;
    let edit = platform.outcome_of(message_from("anna", "second").editing("m2")).await;
    assert_eq!(edit, Outcome::Noted);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["first", "second", "third"]);
}

#[tokio::test]
async fn a_later_edit_is_a_message_of_its_own_and_says_so() {
    let world = World::new().await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "helo").named("m1")).await;
    world.at_rest().await;
    assert!(matches!(
        platform.outcome_of(message_from("anna", "hello").editing("m1")).await,
        Outcome::Accepted { .. }
    ));
    world.at_rest().await;
    let manners: Vec<InputKind> =
        world.agent().turns().iter().map(|turn| turn.prompt[0].input_kind).collect();
    assert_eq!(manners, [InputKind::Message, InputKind::Edit]);
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_no_message() {
    let world = World::new().await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "hello").named("m1")).await;
    world.at_rest().await;
    assert_eq!(platform.outcome_of(message_from("anna", "hello").editing("m1")).await, Outcome::Noted);
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["hello"]);
}

#[tokio::test]
async fn nobody_edits_what_somebody_else_said() {
    let world = World::new().await;
    let platform = world.platform();
    world.agent().will([Step::Pause]);
    platform.outcome_of(message_from("anna", "first").in_group("-1")).await;
    world.agent().begun(1).await;
    platform.outcome_of(message_from("anna", "my words").in_group("-1").named("m2")).await;
    platform.outcome_of(message_from("ben", "his words").in_group("-1").editing("m2")).await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["first", "my words", "his words"]);
}

#[tokio::test]
async fn a_button_is_a_message_with_its_data() {
    let world = World::new().await;
    world.platform().outcome_of(message_from("anna", "yes, do it").pressed_under("out-1")).await;
    world.at_rest().await;
    let turns = world.agent().turns();
    assert_eq!(
        (turns[0].prompt[0].text.as_str(), turns[0].prompt[0].input_kind),
        ("yes, do it", InputKind::Button)
    );
}

#[tokio::test]
async fn a_reaction_is_context_for_the_next_message() {
    let world = World::new().await;
    let platform = world.platform();
    let anna = world.user("anna");
    anna.says("hello").await;
    let answer = anna.next().await;
    // Its id is stored now.
    world.at_rest().await;
    assert_eq!(
        platform.outcome_of(message_from("anna", "❤\u{fe0f}").reacting_to(&answer.id)).await,
        Outcome::Noted
    );
    world.round_trip().await;
    assert_eq!(world.agent().turns().len(), 1, "a mark alone is not answered");
    anna.says("go on").await;
    anna.hears().await;
    let turns = world.agent().turns();
    let context_message = &turns[1].context_messages[0];
    assert_eq!(context_message.input_kind, InputKind::Reaction);
    assert_eq!(context_message.text, "put ❤ to: hello", "however a keyboard writes it");
}

#[tokio::test]
async fn a_message_that_no_agent_can_take_gets_one_notice() {
    let world = World::new().await;
    world.platform().outcome_of(message_from("anna", "").unreadable()).await;
    let prompts = world.user("anna").hears().await;
    assert!(prompts.contains("cannot read this kind of message"), "{prompts}");
    world.platform().outcome_of(message_from("anna", "").unaddressed_in("-1").unreadable()).await;
    world.round_trip().await;
    assert!(world.platform().chat("-1").is_empty());
}

#[tokio::test]
async fn the_first_message_of_a_new_conversation_can_be_edited_while_it_waits() {
    let world = World::new().await;
    let platform = world.platform();
    world.agent().will([Step::Pause]);
    platform.outcome_of(message_from("anna", "first")).await;
    world.agent().begun(1).await;
    platform.outcome_of(message_from("anna", "/new plan A").named("m2")).await;
    platform.outcome_of(message_from("anna", "/new plan B").editing("m2")).await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["first", "plan B"]);
}

#[tokio::test]
async fn a_message_that_was_sent_with_a_command_can_be_edited_while_it_waits() {
    let world = World::new().await;
    let platform = world.platform();
    world.agent().will([Step::Pause]);
    platform.outcome_of(message_from("anna", "first")).await;
    world.agent().begun(1).await;
    platform.outcome_of(message_from("anna", "/queue followup plan A").named("m2")).await;
    world.round_trip().await;
    let edit = platform.outcome_of(message_from("anna", "/queue followup plan B").editing("m2")).await;
    assert_eq!(edit, Outcome::Noted);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["first", "plan B"]);
}

#[tokio::test]
async fn a_later_edit_is_a_note_for_the_next_turn_if_the_configuration_says_so() {
    let world = World::with(plan().with(|config| config.queue.edits = LateEdits::Note)).await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "helo").named("m1")).await;
    world.at_rest().await;
    assert_eq!(platform.outcome_of(message_from("anna", "hello").editing("m1")).await, Outcome::Noted);
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
    platform.outcome_of(message_from("anna", "next")).await;
    world.at_rest().await;
    let note = world.agent().turns()[1].context_messages[0].clone();
    assert_eq!((note.text.as_str(), note.input_kind), ("hello", InputKind::Edit));
}

#[tokio::test]
async fn the_edit_of_a_message_that_is_too_old_is_ignored() {
    let world = World::with(plan().with(|config| config.queue.edit_max_age_minutes = Some(10))).await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "helo").named("m1")).await;
    world.at_rest().await;
    world.clock().pass(std::time::Duration::from_secs(11 * 60));
    assert_eq!(platform.outcome_of(message_from("anna", "hello").editing("m1")).await, Outcome::Noted);
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
}
