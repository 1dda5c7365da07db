//! A message and its answer.

use frontdesk_core::message::Outcome;
use frontdesk_world::World;
use frontdesk_world::agent::usage;

#[tokio::test]
async fn a_message_reaches_the_agent_and_its_answer_reaches_the_chat() {
    let world = World::new().await;
    let anna = world.user("anna");
    let message = anna.says("hello **there**").await;
    assert_eq!(anna.hears().await, "hello <b>there</b>");
    world.at_rest().await;

    assert_eq!(world.agent().prompts(), ["hello **there**"]);
    let row = world.message(message).await;
    assert_eq!(row.message.state.name(), "answered");
    assert_eq!(row.answer.as_deref(), Some("hello **there**"));
    assert_eq!(row.usage, Some(usage()));
    let outbox = world.outbox().await;
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].state.name(), "sent");
    assert_eq!(outbox[0].platform_message.as_deref(), Some("out-1"), "sent needs the platform's id");
}

#[tokio::test]
async fn the_same_event_twice_makes_one_turn() {
    let world = World::new().await;
    let anna = world.user("anna");
    let number = anna.writes("once");
    let Outcome::Accepted { message, .. } = world.platform().outcome(number).await else { panic!() };
    world.platform().redeliver(number, "once", "anna");
    let again = world.platform().outcome(number + 1).await;
    assert_eq!(again, Outcome::Duplicate { message, session: world.key("anna") });
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["once"]);
}

#[tokio::test]
async fn the_same_event_with_another_text_is_a_conflict_and_changes_nothing() {
    let world = World::new().await;
    let anna = world.user("anna");
    let number = anna.writes("first");
    let Outcome::Accepted { message, .. } = world.platform().outcome(number).await else { panic!() };
    world.platform().redeliver(number, "second", "anna");
    assert_eq!(world.platform().outcome(number + 1).await, Outcome::Conflict { message });
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["first"]);
}

#[tokio::test]
async fn the_same_words_twice_are_two_messages() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("ok").await;
    anna.says("ok").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["ok", "ok"]);
}

#[tokio::test]
async fn two_people_have_two_conversations() {
    let world = World::new().await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    anna.says("I am anna").await;
    ben.says("I am ben").await;
    assert_eq!(anna.hears().await, "I am anna");
    assert_eq!(ben.hears().await, "I am ben");
    world.at_rest().await;
    let sessions: Vec<String> = world.agent().turns().iter().map(|turn| turn.session.to_string()).collect();
    assert!(sessions.contains(&"agent:main:fake:dm:anna".to_owned()));
    assert!(sessions.contains(&"agent:main:fake:dm:ben".to_owned()));
}

#[tokio::test]
async fn an_answer_that_is_too_long_for_one_message_comes_in_parts_and_in_order() {
    let world = World::new().await;
    let anna = world.user("anna");
    let long: Vec<String> = (0..100).map(|n| format!("word{n}")).collect();
    anna.says(&long.join(" ")).await;
    world.at_rest().await;
    let parts = anna.sees();
    assert!(parts.len() > 3, "{} parts", parts.len());
    assert!(parts.iter().all(|part| part.chars().count() <= 200));
    assert_eq!(parts.join(" "), long.join(" "));
}

#[tokio::test]
async fn strangers_in_a_group_that_is_not_served_never_reach_the_agent() {
    let world = World::new().await;
    let served = world.platform().receive("anna", "-1", true, "in the right group");
    let foreign = world.platform().receive("anna", "-2", true, "in a foreign group");
    assert!(matches!(world.platform().outcome(served).await, Outcome::Accepted { .. }));
    assert_eq!(world.platform().outcome(foreign).await, Outcome::Denied);
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["in the right group"]);
}

#[tokio::test]
async fn in_a_group_an_agent_may_choose_to_say_nothing() {
    let world = World::new().await;
    world.agent().will([frontdesk_world::Step::Say("NO_REPLY")]);
    let number = world.platform().receive("anna", "-1", true, "nothing for you");
    world.platform().outcome(number).await;
    world.at_rest().await;
    assert!(world.platform().chat("-1").is_empty());
    // In a private chat this text is a normal answer.
    world.agent().will([frontdesk_world::Step::Say("NO_REPLY")]);
    let anna = world.user("anna");
    anna.says("well?").await;
    assert_eq!(anna.hears().await, "NO_REPLY");
}

#[tokio::test]
async fn an_empty_answer_gets_a_notice() {
    let world = World::new().await;
    world.agent().will([]);
    let anna = world.user("anna");
    anna.says("well?").await;
    assert_eq!(anna.hears().await, "(The agent had nothing to say.)");
}
