//! Questions to people: asked by an agent, answered once by somebody who may.

mod blocking;
mod hooked;
mod written;

use std::time::Duration;

use frontdesk_core::agent::Capabilities;
use frontdesk_core::ask::{AskAnswer, AskEnd, AskError, AskState, Audience, Question};
use frontdesk_core::delivery::PostKind;
use frontdesk_core::hook::HookPoint;
use frontdesk_core::message::Outcome;
use frontdesk_store::row::{AccessChange, MessageState};
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Posted, Step, TestHook, World, operator, permission, plan};

fn chosen(choice: &str) -> AskAnswer {
    AskAnswer::Choice(choice.to_owned())
}

/// The question in a chat, once it is shown.
async fn question(world: &World, chat: &str) -> Posted {
    let posted = world.platform().shows(chat, 1, |post| post.kind == PostKind::Notice).await.swap_remove(0);
    until("the platform's id of the question is stored", || async {
        let totals = world.handle().store().totals().await.unwrap();
        (totals.outbox == 0).then_some(())
    })
    .await;
    posted
}

/// A world in which anna's message makes the agent ask for permission.
async fn asking(world: &World) -> Posted {
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
    world.user("anna").says("clean up").await;
    question(world, "anna").await
}

/// How the agent's only question has ended.
async fn told(world: &World) -> AskEnd {
    world.agent().told(1).await.swap_remove(0).unwrap()
}

async fn press(world: &World, who: &str, under: &Posted, data: &str) -> Outcome {
    world.platform().outcome_of(message_from(who, data).pressed_under(&under.id)).await
}

async fn press_in_group(world: &World, who: &str, under: &Posted, data: &str) -> Outcome {
    let event = message_from(who, data).pressed_under(&under.id).in_group("-1");
    world.platform().outcome_of(event).await
}

#[tokio::test]
async fn a_pressed_button_answers_the_agent_and_the_message_says_who_chose_what() {
    let world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    assert_eq!((asked.text.as_str(), asked.buttons.len()), ("Delete it?", 2));
    let outcome = press(&world, "anna", &asked, &asked.buttons[0]).await;
    assert_eq!(outcome.private_sentence().as_deref(), Some("Your answer: Allow"));
    let AskEnd::Answered { answer, by } = told(&world).await else { panic!() };
    assert_eq!((answer, by.shown()), (chosen("allow"), "name of anna"));
    let closed =
        world.platform().shows("anna", 1, |post| post.id == asked.id && post.buttons.is_empty()).await;
    assert!(closed[0].text.contains("name of anna") && closed[0].text.contains("Allow"), "{closed:?}");
    world.platform().shows("anna", 1, |post| post.text == "done").await;
    let Outcome::Answered { message, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(world.ended(message).await.message.state, MessageState::Answered);
    world.at_rest().await;
}

#[tokio::test]
async fn another_person_is_refused_privately_and_the_second_press_is_told_who_answered() {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
    world.platform().outcome_of(message_from("anna", "clean up").in_group("-1")).await;
    let asked = question(&world, "-1").await;
    let by_bob = press_in_group(&world, "bob", &asked, "a1:0").await;
    assert!(matches!(by_bob, Outcome::NotAnswered { error: AskError::NotYours, .. }), "{by_bob:?}");
    assert_eq!(by_bob.private_sentence().as_deref(), Some("This question is not for you."));
    world.platform().outcome_of(message_from("bob", "/answer 1 1").in_group("-1")).await;
    let typed = world.platform().shows("-1", 1, |post| post.text.contains("not for you")).await;
    assert_eq!(typed[0].audience.as_deref(), Some("fake:bob"), "where the platform can, only he sees it");
    assert_eq!(world.handle().asks(None).await.unwrap().len(), 1, "it is still open");
    let unknown = press_in_group(&world, "anna", &asked, "a1:7").await;
    assert!(matches!(unknown, Outcome::NotAnswered { error: AskError::UnknownChoice, .. }));
    let missing = press_in_group(&world, "anna", &asked, "a999:0").await;
    assert!(matches!(missing, Outcome::NotAnswered { error: AskError::NoSuchAsk(_), .. }));
    assert!(matches!(press_in_group(&world, "anna", &asked, "a1:0").await, Outcome::Answered { .. }));
    let again = press_in_group(&world, "anna", &asked, "a1:1").await;
    assert_eq!(again.private_sentence().as_deref(), Some("name of anna has answered this question already."));
    let AskEnd::Answered { answer, .. } = told(&world).await else { panic!() };
    assert_eq!(answer, chosen("allow"), "the first answer holds");
    world.at_rest().await;
    assert_eq!(world.platform().chat("-1").len(), 3, "refusals of presses are not shown to the chat");
}

#[tokio::test]
async fn whoever_the_agent_takes_into_its_answer_may_answer_its_questions_at_once() {
    let world = World::with(plan().buttons()).await;
    world.agent().can(Capabilities { steer: true, ..Capabilities::default() });
    let steps = [Step::Ask(permission("Delete it?")), Step::Ask(permission("All of it?")), Step::Say("done")];
    world.agent().will(steps);
    world.platform().outcome_of(message_from("anna", "clean up").in_group("-1")).await;
    let asked = question(&world, "-1").await;
    let by_bob = press_in_group(&world, "bob", &asked, "a1:0").await;
    assert!(matches!(by_bob, Outcome::NotAnswered { error: AskError::NotYours, .. }), "{by_bob:?}");
    world.agent().takes(true);
    world.platform().outcome_of(message_from("bob", "/steer the garden too").in_group("-1")).await;
    let bob = "fake:bob".parse().unwrap();
    until("he is asked too", || async {
        let open = world.handle().asks(None).await.unwrap();
        open[0].names(&bob).then_some(())
    })
    .await;
    assert!(matches!(press_in_group(&world, "bob", &asked, "a1:0").await, Outcome::Answered { .. }));
    let second =
        world.platform().shows("-1", 1, |post| post.text.contains("All of it?")).await.swap_remove(0);
    assert!(matches!(press_in_group(&world, "carl", &second, "a2:0").await, Outcome::NotAnswered { .. }));
    assert!(matches!(press_in_group(&world, "bob", &second, "a2:0").await, Outcome::Answered { .. }));
    world.at_rest().await;
}

#[tokio::test]
async fn a_question_to_admins_is_answered_by_any_admin_and_by_nobody_else() {
    let world = World::with(plan().buttons()).await;
    let question_to_admins = Question { audience: Some(Audience::Admins), ..permission("Delete it?") };
    world.agent().will([Step::Ask(question_to_admins)]);
    world.platform().outcome_of(message_from("anna", "clean up").in_group("-1")).await;
    let asked = question(&world, "-1").await;
    let by_anna = press_in_group(&world, "anna", &asked, "a1:0").await;
    assert!(matches!(by_anna, Outcome::NotAnswered { error: AskError::NotYours, .. }));
    assert!(matches!(press_in_group(&world, "root", &asked, "a1:1").await, Outcome::Answered { .. }));
    assert_eq!(told(&world).await.answer(), Some(&chosen("deny")));
}

#[tokio::test]
async fn a_person_who_lost_access_cannot_answer() {
    let only_listed = |access: &mut frontdesk_core::access::ChannelAccess| {
        access.dm_policy = frontdesk_core::access::DmPolicy::Pairing;
        access.allow.insert("anna".to_owned());
    };
    let world = World::with(plan().buttons().access(only_listed)).await;
    let eve: frontdesk_core::address::Principal = "fake:eve".parse().unwrap();
    let grant = AccessChange::Grant { principal: eve.clone(), scope: frontdesk_store::row::Scope::Dm };
    world.handle().change_access(grant, operator()).await.unwrap();
    let both = Audience::People(vec![eve.clone(), "fake:anna".parse().unwrap()]);
    world.agent().will([Step::Ask(Question { audience: Some(both), ..permission("Delete it?") })]);
    world.user("anna").says("clean up").await;
    let asked = question(&world, "anna").await;
    let revoke = AccessChange::Revoke { principal: eve, scope: None, also: Vec::new(), private: None };
    world.handle().change_access(revoke, operator()).await.unwrap();
    let refused = press(&world, "eve", &asked, "a1:0").await;
    assert!(matches!(refused, Outcome::NotAnswered { error: AskError::NotYours, .. }), "{refused:?}");
    assert!(matches!(press(&world, "anna", &asked, "a1:0").await, Outcome::Answered { .. }));
}

#[tokio::test]
async fn the_default_holds_after_the_deadline_and_the_chat_is_told() {
    let world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    world.asleep(Duration::from_secs(600)).await;
    world.clock().pass(Duration::from_secs(600));
    assert_eq!(told(&world).await, AskEnd::Expired { default: Some(chosen("deny")) });
    let closed =
        world.platform().shows("anna", 1, |post| post.id == asked.id && post.buttons.is_empty()).await;
    assert!(
        closed[0].text.contains("Nobody answered in time") && closed[0].text.contains("Deny"),
        "{closed:?}"
    );
    let late = press(&world, "anna", &asked, "a1:0").await;
    assert_eq!(late.private_sentence().as_deref(), Some("This question has expired."));
    world.at_rest().await;
}

#[tokio::test]
async fn the_clocks_of_the_turn_rest_while_a_question_is_open() {
    let limits = |config: &mut frontdesk_runtime::config::Config| {
        config.turns.progress_timeout_seconds = 20;
        config.turns.hard_limit_seconds = 60;
    };
    let world = World::with(plan().buttons().with(limits)).await;
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Hang]);
    world.user("anna").says("clean up").await;
    let asked = question(&world, "anna").await;
    world.asleep(Duration::from_secs(600)).await;
    world.clock().pass(Duration::from_secs(599));
    world.round_trip().await;
    assert_eq!(world.handle().asks(None).await.unwrap().len(), 1, "the turn still waits");
    press(&world, "anna", &asked, "a1:0").await;
    told(&world).await;
    for _ in 0..4 {
        world.round_trip().await;
        world.clock().pass(Duration::from_secs(5));
    }
    world.platform().shows("anna", 1, |post| post.text.contains("did not respond for too long")).await;
}

#[tokio::test]
async fn stop_withdraws_the_question_of_the_turn() {
    let world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    world.user("anna").says("/stop").await;
    let closed =
        world.platform().shows("anna", 1, |post| post.id == asked.id && post.buttons.is_empty()).await;
    assert!(closed[0].text.contains("withdrawn"), "{closed:?}");
    let late = press(&world, "anna", &asked, "a1:0").await;
    assert_eq!(late.private_sentence().as_deref(), Some("This question was withdrawn."));
    world.at_rest().await;
}

#[tokio::test]
async fn status_lists_the_open_question() {
    let world = World::with(plan().buttons()).await;
    asking(&world).await;
    world.user("anna").says("/status").await;
    let shown = world.platform().shows("anna", 1, |post| post.text.contains("Question 1 waits")).await;
    assert!(
        shown[0].text.contains("/answer 1 N") && shown[0].text.contains(": 1 Allow, 2 Deny."),
        "{shown:?}"
    );
}

#[tokio::test]
async fn a_question_overtakes_the_answer_that_grows() {
    let world = World::with(plan().buttons().edits(1000)).await;
    world.agent().will([
        Step::Say("Let me see. "),
        Step::Pause,
        Step::Ask(permission("Delete it?")),
        Step::Say("Done."),
    ]);
    world.user("anna").says("clean up").await;
    world.platform().shows("anna", 1, |post| post.text.contains("Let me see")).await;
    world.agent().resume();
    let is_question = |post: &Posted| post.kind == PostKind::Notice;
    let asked = world.platform().shows("anna", 1, is_question).await.swap_remove(0);
    assert!(matches!(press(&world, "anna", &asked, "a1:0").await, Outcome::Answered { .. }));
    world.platform().shows("anna", 1, |post| post.text == "Let me see. Done.").await;
    world.at_rest().await;
    assert_eq!(world.platform().chat("anna").len(), 2);
}

#[tokio::test]
async fn a_question_survives_a_crash_and_the_resumed_turn_gets_its_answer() {
    let mut world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    world.crash().await;
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
    world.start().await.unwrap();
    world.agent().begun(2).await;
    assert!(matches!(press(&world, "anna", &asked, "a1:0").await, Outcome::Answered { .. }));
    assert_eq!(told(&world).await.answer(), Some(&chosen("allow")));
    world.platform().shows("anna", 1, |post| post.text == "done").await;
    world.at_rest().await;
    let questions = world.platform().chat("anna").into_iter().filter(|post| post.kind == PostKind::Notice);
    assert_eq!(questions.count(), 1, "it was not asked again");
}

#[tokio::test]
async fn an_answer_that_the_agent_never_got_is_found_by_the_resumed_turn() {
    let mut world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    // The agent is not polled between the press and the crash.
    let event = message_from("anna", "a1:0").pressed_under(&asked.id);
    assert!(matches!(world.platform().outcome_of(event).await, Outcome::Answered { .. }));
    world.crash().await;
    let before = world.agent().turns().len();
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("once more")]);
    world.start().await.unwrap();
    let resumed = async {
        world.agent().begun(before + 1).await;
        let told = world.agent().told(1).await;
        assert!(told.iter().all(|end| end.as_ref().unwrap().answer() == Some(&chosen("allow"))), "{told:?}");
    };
    // The answer may have reached the agent before the crash; the turn is done then.
    tokio::select! {
        () = resumed => {}
        _ = world.platform().shows("anna", 1, |post| post.text == "done") => {}
    }
}

#[tokio::test]
async fn a_resumed_turn_that_asks_something_else_withdraws_the_old_question() {
    let mut world = World::with(plan().buttons()).await;
    let asked = asking(&world).await;
    world.crash().await;
    world.agent().will([Step::Ask(permission("Delete all?")), Step::Say("done")]);
    world.start().await.unwrap();
    let other = world.platform().shows("anna", 1, |post| post.text == "Delete all?").await.swap_remove(0);
    let late = press(&world, "anna", &asked, "a1:0").await;
    assert_eq!(late.private_sentence().as_deref(), Some("This question was withdrawn."));
    assert!(matches!(press(&world, "anna", &other, &other.buttons[0]).await, Outcome::Answered { .. }));
    world.at_rest().await;
}

#[tokio::test]
async fn the_question_of_a_turn_that_does_not_come_back_expires() {
    let mut world = World::with(plan().buttons()).await;
    world.agent().will([Step::Tool("shell"), Step::Ask(permission("Delete it?")), Step::Say("done")]);
    world.user("anna").says("clean up").await;
    let asked = question(&world, "anna").await;
    world.crash().await;
    world.start().await.unwrap();
    let closed =
        world.platform().shows("anna", 1, |post| post.id == asked.id && post.buttons.is_empty()).await;
    assert!(closed[0].text.contains("expired"), "{closed:?}");
    assert_eq!(world.handle().asks(None).await.unwrap(), []);
    world.at_rest().await;
}

#[tokio::test]
async fn a_muted_chat_and_a_chat_that_is_gone_are_not_asked_and_the_default_holds() {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Pause, Step::Ask(permission("Delete it?")), Step::Say("done")]);
    world.user("root").says("clean up").await;
    world.agent().begun(1).await;
    world.user("root").says("/gateway mute").await;
    world.platform().shows("root", 1, |post| post.text.contains("I am silent here")).await;
    world.agent().resume();
    assert_eq!(told(&world).await, AskEnd::Expired { default: Some(chosen("deny")) });
    let gone = frontdesk_core::delivery::SendError::Gone("blocked".into());
    world.platform().answer_all("anna", Some(gone));
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
    world.user("anna").says("clean up").await;
    let told = world.agent().told(2).await;
    assert_eq!(told[1], Ok(AskEnd::Expired { default: Some(chosen("deny")) }));
}

#[tokio::test]
async fn a_question_that_cannot_be_asked_is_refused_to_the_agent() {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Ask(permission(" ")), Step::Say("done")]);
    world.user("anna").says("clean up").await;
    let refused = world.agent().told(1).await.swap_remove(0).unwrap_err();
    assert!(refused.contains("visible"), "{refused}");
    world.platform().shows("anna", 1, |post| post.text == "done").await;
}

#[tokio::test]
async fn the_handle_lists_and_answers_questions_of_all_chats() {
    let world = World::with(plan().buttons()).await;
    asking(&world).await;
    let open = world.handle().asks(Some(&world.key("anna"))).await.unwrap();
    assert_eq!((open.len(), open[0].state()), (1, AskState::Open));
    let cli = frontdesk_core::ask::Answerer { id: "web:main".parse().unwrap(), name: None };
    let by =
        |operator, choice: &str| world.handle().answer_ask(open[0].id, cli.clone(), operator, chosen(choice));
    let refused = by(false, "allow").await.unwrap_err();
    assert!(refused.to_string().contains("not for you"), "{refused}");
    assert!(by(true, "maybe").await.is_err());
    assert_eq!(by(true, "allow").await.unwrap().state(), AskState::Answered);
    assert_eq!(told(&world).await.answer(), Some(&chosen("allow")));
    assert_eq!(world.handle().asks(None).await.unwrap(), []);
}

#[tokio::test]
async fn a_long_question_keeps_its_beginning_when_it_ends() {
    for hooked in [false, true] {
        let hook = TestHook::observes([HookPoint::MessageSending]);
        let world = World::with(if hooked { plan().buttons().hook(hook) } else { plan().buttons() }).await;
        let text = format!("Delete these?\n\n{}end", "file ".repeat(34));
        world.agent().will([Step::Ask(permission(&text)), Step::Say("done")]);
        world.user("anna").says("clean up").await;
        let asked = question(&world, "anna").await;
        assert!(asked.text.ends_with("end"), "one message: {asked:?}");
        press(&world, "anna", &asked, &asked.buttons[0]).await;
        let closed = world.platform().shows("anna", 1, |post| post.id == asked.id && post.edits > 0).await;
        let shown = &closed[0].text;
        assert!(shown.starts_with("Delete these?") && shown.contains("name of anna"), "{shown}");
        assert!(shown.chars().count() > 180, "no more is left out than has to be: {shown}");
        world.at_rest().await;
    }
}

#[tokio::test]
async fn a_question_of_several_messages_keeps_all_but_the_buttons() {
    for hooked in [false, true] {
        let hook = TestHook::observes([HookPoint::MessageSending]);
        let world = World::with(if hooked { plan().buttons().hook(hook) } else { plan().buttons() }).await;
        let text = format!("{}\n\n{}", "first ".repeat(30), "second ".repeat(20));
        world.agent().will([Step::Ask(permission(&text)), Step::Say("done")]);
        world.user("anna").says("clean up").await;
        let shown = world.platform().shows("anna", 2, |post| post.kind == PostKind::Notice).await;
        let buttons: Vec<bool> = shown.iter().map(|post| post.buttons.is_empty()).collect();
        assert_eq!(buttons, [true, false], "the last one has the buttons");
        press(&world, "anna", &shown[1], "a1:0").await;
        let closed = world.platform().shows("anna", 1, |post| post.id == shown[1].id && post.edits > 0).await;
        assert!(
            closed[0].text.starts_with("second") && closed[0].text.contains("name of anna"),
            "{closed:?}"
        );
        world.at_rest().await;
        assert_eq!(world.platform().chat("anna")[0].text, shown[0].text);
    }
}
