//! A question keeps its conversation waiting: people are told so, and can leave it.

use frontdesk_core::access::DmPolicy;
use frontdesk_core::ask::{AskEnd, AskKind, Question};
use frontdesk_core::delivery::PostKind;
use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_store::row::EpochReason;
use frontdesk_world::{Posted, Step, World, operator, permission, plan};

use super::{asking, chosen, press, question, told};

#[tokio::test]
async fn a_question_outlives_more_kills_of_the_gateway_than_a_turn_may_die() {
    let mut world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    for boot in 2..6 {
        world.crash().await;
        world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
        world.start().await.unwrap();
        world.agent().begun(boot).await;
    }
    assert!(matches!(press(&world, "anna", &asked, "a1:0").await, Outcome::Answered { .. }));
    assert_eq!(told(&world).await.answer(), Some(&chosen("allow")));
    world.platform().shows("anna", 1, |post| post.text == "done").await;
    world.at_rest().await;
}

#[tokio::test]
async fn a_new_conversation_withdraws_the_question_of_the_old_one() {
    for how in ["/new", "/new fresh start", "the operator"] {
        let world = World::with(plan().buttons()).await;
        let asked = asking(&world).await;
        let anna = world.user("anna");
        match how {
            "the operator" => {
                let store = world.store();
                let now = frontdesk_core::port::Clock::wall(world.clock());
                store.reset(&world.key("anna"), EpochReason::Api, &operator(), now).await.unwrap();
            }
            command => drop(anna.says(command).await),
        }
        assert_eq!(told(&world).await, AskEnd::Cancelled, "{how}");
        let is_closed = |post: &Posted| post.id == asked.id && post.buttons.is_empty();
        let closed = world.platform().shows("anna", 1, is_closed).await;
        assert!(closed[0].text.contains("withdrawn"), "{closed:?}");
        if !how.contains("fresh") {
            anna.says("fresh start").await;
        }
        world.at_rest().await;
        assert_eq!(world.agent().prompts(), ["clean up", "fresh start"], "{how}");
    }
}

#[tokio::test]
async fn who_returns_to_an_older_conversation_leaves_the_open_question_too() {
    let world = World::with(plan().buttons()).await;
    let anna = world.user("anna");
    anna.says("/new").await;
    anna.says("/new").await;
    world.at_rest().await;
    let before = world.platform().chat("anna").len();
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
    anna.says("clean up").await;
    world.platform().shows("anna", before + 1, |_| true).await;
    anna.says("/resume 1").await;
    assert_eq!(told(&world).await, AskEnd::Cancelled);
    world.at_rest().await;
}

#[tokio::test]
async fn who_writes_while_a_question_is_open_is_told_once_what_comes_first() {
    let world = World::with(plan().buttons()).await;
    asking(&world).await;
    let anna = world.user("anna");
    for text in ["yes", "hello, anyone?"] {
        anna.says(text).await;
    }
    let is_hint = |post: &Posted| post.kind == PostKind::Notice && post.text.contains("/answer 1 N");
    let hint = world.platform().shows("anna", 1, is_hint).await;
    assert!(hint[0].text.contains("1 Allow, 2 Deny") && hint[0].text.contains("/stop"), "{hint:?}");
    anna.says("/answer 1").await;
    anna.says("/answer 1 1").await;
    world.at_rest().await;
    let hints = world.platform().chat("anna").into_iter().filter(is_hint).count();
    assert_eq!(hints, 1, "one hint for one question");
    assert_eq!(world.agent().prompts(), ["clean up", "yes", "hello, anyone?"]);
}

#[tokio::test]
async fn a_full_queue_names_the_question_that_blocks_it() {
    let world = World::with(plan().buttons().with(|config| config.queue.per_session = 1)).await;
    asking(&world).await;
    let anna = world.user("anna");
    anna.says("waits").await;
    let refused = anna.tries("one too many").await;
    assert!(matches!(refused, Outcome::Refused { reason: Refusal::SessionFull, .. }), "{refused:?}");
    let is_refusal = |post: &Posted| post.text.contains("did not take this one");
    let notice = world.platform().shows("anna", 1, is_refusal).await;
    assert!(notice[0].text.contains("/answer 1 N"), "{notice:?}");
}

#[tokio::test]
async fn the_status_says_that_the_agent_waits_for_a_person() {
    let world = World::with(plan().buttons()).await;
    asking(&world).await;
    world.user("anna").says("/status").await;
    let is_status = |post: &Posted| post.text.starts_with("The agent waits for an answer.");
    world.platform().shows("anna", 1, is_status).await;
    world.platform().shows("anna", 1, |post| post.text.contains("Question 1 waits")).await;
}

#[tokio::test]
async fn who_may_not_write_any_more_is_told_that_and_not_that_others_were_asked() {
    let mut world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    let closed = |plan: frontdesk_world::Plan| plan.access(|access| access.dm_policy = DmPolicy::Disabled);
    world.reload().plan(closed).apply(&mut world).await.unwrap();
    let hers = press(&world, "anna", &asked, "a1:0").await;
    let sentence = hers.private_sentence();
    assert_eq!(
        sentence.as_deref(),
        Some("You may not write here at the moment, so your answer does not count.")
    );
    let other = press(&world, "eve", &asked, "a1:0").await;
    assert_eq!(other.private_sentence().as_deref(), Some("This question is not for you."));
    assert_eq!(world.handle().asks(None).await.unwrap().len(), 1, "it is still open");
}

#[tokio::test]
async fn an_operator_who_answers_for_others_is_called_one() {
    let world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    let by = frontdesk_core::ask::Answerer { id: "web:main".parse().unwrap(), name: None };
    let open = world.handle().asks(None).await.unwrap();
    world.handle().answer_ask(open[0].id, by, true, chosen("allow")).await.unwrap();
    let is_closed = |post: &Posted| post.id == asked.id && post.buttons.is_empty();
    let closed = world.platform().shows("anna", 1, is_closed).await;
    assert!(closed[0].text.contains("An operator") && !closed[0].text.contains("main"), "{closed:?}");
    let late = press(&world, "anna", &asked, "a1:0").await;
    assert_eq!(late.private_sentence().as_deref(), Some("An operator has answered this question already."));
}

#[tokio::test]
async fn how_to_answer_and_who_did_stand_outside_of_a_code_block_that_the_question_leaves_open() {
    let world = World::with(plan().buttons()).await;
    let text = "Run this?\n```sh\nrm -rf /";
    world.agent().will([Step::Ask(Question { kind: AskKind::Input, ..permission(text) }), Step::Say("done")]);
    world.user("anna").says("clean up").await;
    let asked = question(&world, "anna").await;
    // Inside of the code block the marks of Markdown would be shown as they are.
    assert!(asked.text.contains("send /answer 1 TEXT"), "{asked:?}");
    world.user("anna").says("/answer 1 no").await;
    let closed = world.platform().shows("anna", 1, |post| post.id == asked.id && post.edits > 0).await;
    assert!(closed[0].text.ends_with("\n\nname of anna: no"), "{closed:?}");
    world.at_rest().await;
}
