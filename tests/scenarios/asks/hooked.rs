//! What hooks see of a question, and what they make of it.

use frontdesk_core::ask::AskEnd;
use frontdesk_core::hook::{HookEvent, HookPoint, HookVerdict};
use frontdesk_world::{Step, TestHook, World, permission, plan};

use super::{asking, chosen, press, told};

#[tokio::test]
async fn hooks_see_a_question_and_one_that_they_drop_ends_with_its_default() {
    let hook = TestHook::at([HookPoint::MessageSending], |event| {
        let text = event.clone().text_mut().unwrap().clone();
        Ok(match text.contains("secret") {
            true => HookVerdict::Drop("no".to_owned()),
            false => HookVerdict::Rewrite(text.replace("Delete", "Remove")),
        })
    });
    let world = World::with(plan().buttons().hook(hook)).await;
    let asked = asking(&world).await;
    assert!(asked.text.contains("Remove it?"), "{}", asked.text);
    press(&world, "anna", &asked, "a1:0").await;
    assert!(matches!(told(&world).await, AskEnd::Answered { .. }));
    world.at_rest().await;
    world.agent().will([Step::Ask(permission("Tell the secret?")), Step::Say("done")]);
    world.user("anna").says("and now").await;
    let ended = world.agent().told(2).await.swap_remove(1).unwrap();
    assert!(matches!(ended, AskEnd::Expired { .. }), "{ended:?}");
    world.at_rest().await;
}

#[tokio::test]
async fn a_question_is_stored_as_hooks_made_it_without_the_numbered_list() {
    let hook = TestHook::at([HookPoint::MessageSending], |event| {
        Ok(HookVerdict::Rewrite(event.clone().text_mut().unwrap().replace("Delete", "Remove")))
    });
    let seen = hook.seen();
    let world = World::with(plan().hook(hook)).await;
    let asked = asking(&world).await;
    assert!(
        asked.text.starts_with("Remove it?\n\n1. ") && asked.text.contains("/answer 1 1"),
        "{}",
        asked.text
    );
    assert_eq!(seen.texts()[0], "Delete it?");
    assert_eq!(world.handle().asks(None).await.unwrap()[0].text, "Remove it?");
    world.user("anna").says("/answer 1 2").await;
    let closed = world.platform().shows("anna", 1, |post| post.id == asked.id && post.edits > 0).await;
    assert!(closed[0].text.starts_with("Remove it?") && !closed[0].text.contains("/answer"), "{closed:?}");
    world.at_rest().await;
}

/// A hook that gives a question these labels.
fn labels(labels: &'static [&'static str]) -> TestHook {
    TestHook::at([HookPoint::MessageSending], |event| {
        let HookEvent::MessageSending(text) = event else { return Ok(HookVerdict::Pass) };
        let choices = labels.iter().map(|label| (*label).to_owned()).collect();
        Ok(match text.choices.is_empty() {
            true => HookVerdict::Pass,
            false => HookVerdict::Question { text: text.message.clone(), choices },
        })
    })
    .fails_closed()
}

#[tokio::test]
async fn hooks_see_the_labels_of_the_choices_and_change_them() {
    let hook = labels(&["Go on", "Leave it"]);
    let seen = hook.seen();
    let world = World::with(plan().hook(hook)).await;
    let asked = asking(&world).await;
    let HookEvent::MessageSending(question) = &seen.events()[0] else { panic!() };
    assert_eq!(question.choices, ["Allow", "Deny"]);
    assert!(asked.text.contains("2. Leave it") || asked.text.contains("2. `Leave it`"), "{}", asked.text);
    world.user("anna").says("/answer 1 leave it").await;
    assert_eq!(told(&world).await.answer(), Some(&chosen("deny")), "the agent gets the id");
    let closed = world.platform().shows("anna", 1, |post| post.id == asked.id && post.edits > 0).await;
    assert!(closed[0].text.contains("Leave it"), "{closed:?}");
    world.at_rest().await;
}

#[tokio::test]
async fn a_hook_that_loses_a_choice_has_failed() {
    for wrong in [&["Go on"][..], &["Go on", "two\nlines"], &["Go on", "\u{200b}"]] {
        let world = World::with(plan().hook(labels(wrong))).await;
        world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
        world.user("anna").says("clean up").await;
        let ended = told(&world).await;
        assert_eq!(ended, AskEnd::Expired { default: Some(chosen("deny")) }, "{wrong:?}");
        world.at_rest().await;
    }
}
