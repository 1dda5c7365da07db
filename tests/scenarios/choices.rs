//! Choices that an agent leaves with a message: the one that a person makes is their next message, and passes the gate like any
//! other.

use std::time::Duration;

use frontdesk_core::ask::{AskEnd, AskError, AskState};
use frontdesk_core::message::{InputKind, Outcome, Refusal};
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_runtime::config::Rate;
use frontdesk_store::row::AskFilter;
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Posted, Step, World, permission, plan};
use serde_json::json;

fn offer(choices: &[&str]) -> Step {
    Step::GatewayTool("send_message", json!({"text": "Which one?", "choices": choices}))
}

/// A world whose agent has answered anna's message, which the platform calls `p1`, with two choices.
async fn offering(plan: Plan) -> (World, Posted) {
    let world = World::with(plan.buttons()).await;
    world.agent().will([offer(&["Red", "Blue"]), Step::Say("done")]);
    world.platform().outcome_of(message_from("anna", "go").named("p1")).await;
    world.at_rest().await;
    let asked = offered(&world).await.swap_remove(0);
    (world, asked)
}

/// The messages with buttons that anna's chat shows.
async fn offered(world: &World) -> Vec<Posted> {
    world.platform().shows("anna", 1, |post| !post.buttons.is_empty()).await
}

async fn press(world: &World, who: &str, under: &Posted, choice: usize) -> Outcome {
    let event = message_from(who, &under.buttons[choice]).named(&under.id).pressed_under(&under.id);
    world.platform().outcome_of(event).await
}

async fn open(world: &World) -> usize {
    let filter = AskFilter { state: Some(AskState::Open), ..AskFilter::default() };
    world.handle().all_asks(filter, 100).await.unwrap().len()
}

#[tokio::test]
async fn a_choice_is_the_next_message_of_the_person_and_counts_once() {
    let (mut world, asked) = offering(plan()).await;
    assert_eq!((asked.text.as_str(), asked.buttons.len()), ("Which one?", 2));
    assert!(matches!(press(&world, "eve", &asked, 1).await, Outcome::NotAnswered { .. }));
    let answer = press(&world, "anna", &asked, 1).await;
    assert!(matches!(&answer, Outcome::Answered { answer, .. } if answer == "Blue"), "{answer:?}");
    // Also if the process dies right after the press.
    world.crash().await;
    world.start().await.unwrap();
    until("the choice is answered", || async { (world.agent().prompts().len() == 2).then_some(()) }).await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["go", "Blue"]);
    let prompt = world.agent().turns().last().unwrap().prompt[0].clone();
    assert_eq!((prompt.from.id.to_string(), prompt.input_kind), ("fake:anna".into(), InputKind::Button));
    let quote = prompt.quote.expect("the agent reads which question it is");
    assert_eq!((quote.text.as_str(), quote.ours), ("Which one?", true));
    let answer = world.platform().chat("anna").pop().unwrap();
    assert_eq!((answer.text.as_str(), answer.reply_to), ("Blue", None), "a press is no message to reply to");
    let late = press(&world, "anna", &asked, 0).await;
    assert!(
        matches!(&late, Outcome::NotAnswered { error: AskError::Closed(AskEnd::Answered { .. }), .. }),
        "{late:?}"
    );
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 2);
    let shown = world.platform().chat("anna").into_iter().find(|post| post.id == asked.id).unwrap();
    assert!(shown.buttons.is_empty() && shown.text.contains("Blue"), "{shown:?}");
}

#[tokio::test]
async fn without_buttons_the_choices_are_a_list_that_is_answered_in_writing() {
    for (text, is_reply) in
        [("/answer 1 2", false), ("/answer blue", false), ("2", true), ("Blue", true), (" BLUE ", true)]
    {
        let world = World::new().await;
        world.agent().will([offer(&["Red", "Blue"]), Step::Say("done")]);
        world.user("anna").says("go").await;
        world.at_rest().await;
        let list = world.platform().chat("anna").swap_remove(0);
        assert!(list.text.contains("1. Red") && list.text.contains("/answer 1 1"), "{}", list.text);
        let answer = match is_reply {
            true => message_from("anna", text).replying_to_bot(&list.id),
            false => message_from("anna", text),
        };
        let outcome = world.platform().outcome_of(answer).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{text}: {outcome:?}");
        world.at_rest().await;
        assert_eq!(world.agent().prompts(), ["go", "Blue"], "{text}");
        assert_eq!(open(&world).await, 0, "{text}");
    }
}

#[tokio::test]
async fn a_late_or_foreign_answer_in_writing_is_told_so_and_words_beside_the_choices_are_a_message() {
    let (world, asked) = offering(plan()).await;
    world.user("anna").says("/answer 1 green").await;
    world.platform().shows("anna", 1, |post| post.text.contains("not one of the choices")).await;
    world.platform().outcome_of(message_from("anna", "green").replying_to_bot(&asked.id)).await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["go", "green"]);
    assert_eq!(open(&world).await, 1, "it still can be answered");
    world.user("eve").says("/answer 1 Red").await;
    world.platform().shows("eve", 1, |post| post.text.contains("not for you")).await;
    press(&world, "anna", &asked, 0).await;
    world.user("anna").says("/answer 1 Blue").await;
    world.platform().shows("anna", 1, |post| post.text.contains("has answered this question already")).await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["go", "green", "Red"]);
}

#[tokio::test]
async fn in_a_group_only_who_was_asked_makes_the_choice() {
    let world = World::with(plan().buttons()).await;
    let says = async |who: &str, text: &str| {
        world.platform().outcome_of(message_from(who, text).in_group("-1")).await;
        world.at_rest().await;
    };
    world.agent().will([offer(&["Red", "Blue"]), Step::Say("done")]);
    says("anna", "go").await;
    says("ben", "/answer 1 Red").await;
    says("ben", "/answer Red").await;
    let chat = world.platform().chat("-1");
    assert!(chat.iter().any(|post| post.text.contains("not for you")), "{chat:?}");
    assert_eq!((world.agent().prompts().len(), open(&world).await), (1, 1));
    let asked = chat.into_iter().find(|post| !post.buttons.is_empty()).unwrap();
    let reply = message_from("ben", "2").in_group("-1").replying_to_bot(&asked.id);
    world.platform().outcome_of(reply).await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts().last().unwrap(), "2", "what ben writes stays what it is");
    assert_eq!(open(&world).await, 1);
    says("anna", "/answer Red").await;
    assert_eq!(world.agent().prompts().last().unwrap(), "Red");
    assert_eq!(open(&world).await, 0);
}

#[tokio::test]
async fn a_press_that_does_not_count_leaves_nothing_also_when_it_comes_too_often() {
    let rate = Rate { per_minute: 1, burst: 2 };
    let (world, asked) = offering(plan().with(|config| config.limits.user = rate)).await;
    for _ in 0..5 {
        let outcome = press(&world, "eve", &asked, 0).await;
        assert!(!matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    }
    world.at_rest().await;
    assert_eq!((world.agent().prompts().len(), open(&world).await), (1, 1));
    assert!(world.platform().chat("eve").is_empty());
}

#[tokio::test]
async fn a_choice_that_is_delivered_again_is_the_same_message() {
    let (world, _) = offering(plan()).await;
    world.agent().will([Step::Pause]);
    world.user("anna").says("long").await;
    world.agent().begun(2).await;
    let event = world.platform().deliver(message_from("anna", "/answer 1 Blue"));
    world.platform().outcome(event).await;
    // Now the question is closed.
    let again = world.platform().redeliver(event, "/answer 1 Blue", "anna");
    let again = world.platform().outcome(again).await;
    assert!(
        matches!(again, Outcome::Duplicate { .. }),
        "the same text, whatever the gate made of it: {again:?}"
    );
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["go", "long", "Blue"]);
}

#[tokio::test]
async fn a_new_conversation_withdraws_the_choices_of_the_old_one() {
    let (world, asked) = offering(plan()).await;
    world.user("anna").says("/new").await;
    world.at_rest().await;
    assert!(matches!(press(&world, "anna", &asked, 0).await, Outcome::NotAnswered { .. }));
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
}

#[tokio::test]
async fn a_choice_after_a_long_silence_begins_a_new_conversation_like_any_message() {
    let (world, asked) = offering(plan().reset_idle(30)).await;
    world.clock().pass(Duration::from_secs(31 * 60));
    press(&world, "anna", &asked, 0).await;
    world.at_rest().await;
    assert_eq!(world.agent().turns()[1].epoch, 2);
    let sees = world.user("anna").sees();
    assert!(sees.iter().any(|text| text.contains("/resume 1")), "{sees:?}");
}

#[tokio::test]
async fn a_choice_counts_against_the_daily_limit_and_stays_open_when_it_is_refused() {
    let (world, asked) = offering(plan().with(|config| config.limits.daily = 1)).await;
    let refused = press(&world, "anna", &asked, 0).await;
    assert!(matches!(refused, Outcome::Refused { reason: Refusal::Quota, .. }), "{refused:?}");
    world.at_rest().await;
    assert_eq!((world.agent().turns().len(), open(&world).await), (1, 1));
    world.clock().pass(Duration::from_secs(23 * 60 * 60));
    assert!(matches!(press(&world, "anna", &asked, 0).await, Outcome::Answered { .. }));
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["go", "Red"]);
}

#[tokio::test]
async fn a_full_queue_refuses_a_choice() {
    let (world, asked) = offering(plan().with(|config| config.queue.per_session = 1)).await;
    world.agent().will([Step::Pause]);
    world.user("anna").says("long").await;
    world.agent().begun(2).await;
    world.user("anna").says("waits").await;
    let refused = press(&world, "anna", &asked, 0).await;
    assert!(matches!(refused, Outcome::Refused { reason: Refusal::SessionFull, .. }), "{refused:?}");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!((world.agent().prompts().len(), open(&world).await), (3, 1));
}

#[tokio::test]
async fn in_a_muted_chat_a_choice_is_no_message_and_stays_open() {
    let (world, asked) = offering(plan()).await;
    let root = world.user("root");
    world.agent().will([offer(&["Yes", "No"]), Step::Say("done")]);
    root.says("go").await;
    world.at_rest().await;
    let shown = world.platform().shows("root", 1, |post| !post.buttons.is_empty()).await.swap_remove(0);
    root.says("/gateway mute 5").await;
    world.at_rest().await;
    let muted = press(&world, "root", &shown, 0).await;
    assert!(matches!(muted, Outcome::NotAnswered { error: AskError::MayNotWrite, .. }), "{muted:?}");
    root.says("/gateway unmute").await;
    world.at_rest().await;
    assert!(matches!(press(&world, "root", &shown, 0).await, Outcome::Answered { .. }));
    assert!(matches!(press(&world, "anna", &asked, 0).await, Outcome::Answered { .. }));
    world.at_rest().await;
    assert_eq!(world.agent().prompts().len(), 4);
}

#[tokio::test]
async fn a_choice_interrupts_the_answer_where_messages_do() {
    let plan = plan().chat("anna", |chat| chat.queue_mode = Some(QueueMode::Interrupt));
    let (world, asked) = offering(plan).await;
    world.agent().will([Step::Say("never ends"), Step::Hang]);
    world.user("anna").says("long").await;
    world.agent().begun(2).await;
    press(&world, "anna", &asked, 1).await;
    world.agent().begun(3).await;
    assert_eq!(world.agent().prompts(), ["go", "long", "Blue"]);
    world.at_rest().await;
}

#[tokio::test]
async fn an_edit_of_an_earlier_message_does_not_change_a_choice_that_waits() {
    let (world, asked) = offering(plan()).await;
    world.agent().will([Step::Pause]);
    world.user("anna").says("long").await;
    world.agent().begun(2).await;
    press(&world, "anna", &asked, 1).await;
    for edited in ["p1", &asked.id] {
        world.platform().outcome_of(message_from("anna", "something else").editing(edited)).await;
    }
    world.agent().resume();
    world.at_rest().await;
    assert!(world.agent().prompts().contains(&"Blue".to_owned()), "{:?}", world.agent().prompts());
}

#[tokio::test]
async fn choices_that_nobody_makes_keep_no_turn_from_asking_and_only_the_newest_stay_open() {
    let world = World::with(plan().buttons()).await;
    for n in 0..10 {
        world.agent().will([offer(&["Red"]), Step::Say("done")]);
        world.user("anna").says(&format!("go {n}")).await;
        world.at_rest().await;
    }
    assert_eq!((open(&world).await, offered(&world).await.len()), (8, 8));
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
    world.user("anna").says("clean up").await;
    let asked = world.platform().shows("anna", 1, |post| post.text == "Delete it?").await.swap_remove(0);
    press(&world, "anna", &asked, 0).await;
    let told = world.agent().told(1).await.swap_remove(0).unwrap();
    assert!(matches!(told, AskEnd::Answered { .. }), "{told:?}");
    world.at_rest().await;
}
