//! Answers in writing: as a reply to the question, or with `/answer`.

use frontdesk_core::access::{GroupAccess, Members};
use frontdesk_core::ask::{AskAnswer, AskKind, Audience, Question};
use frontdesk_core::message::Outcome;
use frontdesk_store::row::{AccessChange, Scope};
use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World, operator, permission, plan};

use super::{asking, chosen, press, question, told};

fn input(text: &str) -> Question {
    Question { kind: AskKind::Input, ..permission(text) }
}

#[tokio::test]
async fn without_buttons_the_choices_are_a_list_that_a_reply_or_a_command_answers() {
    for by_reply in [true, false] {
        let world = World::new().await;
        let asked = asking(&world).await;
        assert!(asked.text.contains("1. ") && asked.text.contains("/answer 1 1"), "{}", asked.text);
        match by_reply {
            true => {
                let reply = message_from("anna", "2").replying_to_bot(&asked.id);
                world.platform().outcome_of(reply).await;
            }
            false => {
                world.user("anna").says("/answer a1 deny").await;
            }
        }
        assert_eq!(told(&world).await.answer(), Some(&chosen("deny")));
        world.platform().shows("anna", 1, |post| post.text.contains("Your answer: ")).await;
        world.at_rest().await;
        assert_eq!(world.agent().prompts(), ["clean up"], "an answer is no message for the agent");
    }
}

#[tokio::test]
async fn a_reply_that_is_no_answer_is_a_message_for_the_agent() {
    let world = World::new().await;
    let asked = asking(&world).await;
    let reply = message_from("anna", "why?").replying_to_bot(&asked.id);
    assert!(matches!(world.platform().outcome_of(reply).await, Outcome::Accepted { .. }));
    assert_eq!(world.session("anna").await.waiting, 1);
    world.user("anna").says("/answer 1 1").await;
    world.agent().begun(2).await;
    assert_eq!(world.agent().prompts(), ["clean up", "why?"]);
}

#[tokio::test]
async fn free_text_is_asked_for_and_given_by_a_reply() {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Ask(input("Which branch?")), Step::Say("done")]);
    world.user("anna").says("release").await;
    let asked = question(&world, "anna").await;
    assert!(asked.text.contains("Reply to this message"), "{}", asked.text);
    let reply = message_from("anna", "main, please").replying_to_bot(&asked.id);
    world.platform().outcome_of(reply).await;
    assert_eq!(told(&world).await.answer(), Some(&AskAnswer::Text("main, please".to_owned())));
    world.at_rest().await;
}

#[tokio::test]
async fn without_a_number_the_only_question_is_answered() {
    for (written, choice) in [("/answer 2", "deny"), ("/answer Allow", "allow")] {
        let world = World::with(plan().buttons()).await;
        asking(&world).await;
        world.user("anna").says(written).await;
        assert_eq!(told(&world).await.answer(), Some(&chosen(choice)), "{written}");
        world.at_rest().await;
    }
}

#[tokio::test]
async fn an_answer_without_a_number_is_asked_about_where_it_is_not_clear() {
    let world = World::with(plan().buttons()).await;
    let anna = world.user("anna");
    anna.says("/answer 2").await;
    world.platform().shows("anna", 1, |post| post.text.contains("There are no open questions for you")).await;
    asking(&world).await;
    // It may be the number of the question, without an answer.
    anna.says("/answer 1").await;
    world.platform().shows("anna", 1, |post| post.text.starts_with("Question 1 waits")).await;
    anna.says("/answer perhaps").await;
    world.platform().shows("anna", 1, |post| post.text.contains("not one of the choices")).await;
    let ask = |text: &str| {
        let audience = Some(Audience::People(vec!["fake:anna".parse().unwrap()]));
        Step::Ask(Question { audience, ..permission(text) })
    };
    world.agent().will([ask("In the group?"), Step::Say("done")]);
    world.platform().outcome_of(message_from("anna", "clean up").in_group("-1")).await;
    world.platform().shows("-1", 1, |post| post.text == "In the group?").await;
    world.platform().outcome_of(message_from("anna", "/answer 1").in_group("-1")).await;
    let in_group = world.agent().told(1).await.swap_remove(0).unwrap();
    assert_eq!(in_group.answer(), Some(&chosen("allow")), "the other one is asked elsewhere");
}

#[tokio::test]
async fn an_answer_that_nobody_can_see_is_refused() {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Ask(input("Which branch?")), Step::Say("done")]);
    world.user("anna").says("release").await;
    let asked = question(&world, "anna").await;
    let blank = "\u{200b}\u{2060}";
    let reply = message_from("anna", blank).replying_to_bot(&asked.id);
    world.platform().outcome_of(reply).await;
    world.platform().shows("anna", 1, |post| post.text.contains("Your answer is empty")).await;
    world.user("anna").says(&format!("/answer 1 {blank}")).await;
    world.platform().shows("anna", 2, |post| post.text.contains("Your answer is empty")).await;
    world.user("anna").says("/answer main").await;
    assert_eq!(told(&world).await.answer(), Some(&AskAnswer::Text("main".to_owned())));
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["release"]);
}

#[tokio::test]
async fn a_person_who_may_not_write_in_the_chat_any_more_cannot_answer_from_another_one() {
    let closed = |access: &mut frontdesk_core::access::ChannelAccess| {
        let people = ["anna".to_owned()].into();
        let group = GroupAccess {
            closed: true,
            members: Members { people, ..Members::default() },
            ..GroupAccess::default()
        };
        access.groups.insert("-2".to_owned(), group);
    };
    let world = World::with(plan().buttons().access(closed)).await;
    let eve: frontdesk_core::address::Principal = "fake:eve".parse().unwrap();
    let scope = Scope::Group("-2".to_owned());
    let grant = AccessChange::Grant { principal: eve.clone(), scope: scope.clone() };
    world.handle().change_access(grant, operator()).await.unwrap();
    let both = Audience::People(vec![eve.clone(), "fake:anna".parse().unwrap()]);
    world.agent().will([Step::Ask(Question { audience: Some(both), ..permission("Delete it?") })]);
    world.platform().outcome_of(message_from("anna", "clean up").in_group("-2")).await;
    let asked = question(&world, "-2").await;
    let revoke = AccessChange::Revoke { principal: eve, scope: Some(scope), also: Vec::new(), private: None };
    world.handle().change_access(revoke, operator()).await.unwrap();
    world.user("eve").says("/answer 1 1").await;
    world.platform().shows("eve", 1, |post| post.text.contains("not for you")).await;
    let elsewhere = press(&world, "eve", &asked, "a1:0").await;
    assert!(matches!(elsewhere, Outcome::NotAnswered { .. }), "{elsewhere:?}");
    world.user("anna").says("/answer 1 1").await;
    assert_eq!(told(&world).await.answer(), Some(&chosen("allow")), "she may write there, from wherever");
}
