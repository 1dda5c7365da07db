//! Events of other programs that become messages of a conversation.

use std::sync::Arc;

use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Outcome;
use frontdesk_core::prompt;
use frontdesk_runtime::config::Sharing;
use frontdesk_runtime::{EventRequest, EventStored, EventTarget, GatewayError};
use frontdesk_world::event::message_from;
use frontdesk_world::{ScriptedAgent, World, plan};

use crate::tasks::sees;

/// What becomes of an event for a session, in Anna's name.
async fn input(world: &World, hook: &str, session: &SessionKey) -> Result<Outcome, GatewayError> {
    let event = EventRequest {
        hook: hook.to_owned(),
        key: "1".to_owned(),
        text: format!("/new {hook} is red"),
        owner: "fake:anna".parse().unwrap(),
        target: EventTarget::Session(session.clone()),
    };
    match world.handle().event(event).await? {
        EventStored::Input(outcome) => Ok(outcome),
        other => panic!("{other:?}"),
    }
}

/// A group whose topic has a conversation, and its session.
async fn with_a_topic() -> (World, SessionKey) {
    let other = Arc::new(ScriptedAgent::default());
    let world = World::with(plan().agent("other", &other)).await;
    world.platform().outcome_of(message_from("anna", "hello").in_topic("-1", "7")).await;
    world.at_rest().await;
    let session = world.agent().turns()[0].session.clone();
    (world, session)
}

#[tokio::test]
async fn an_event_is_answered_where_its_conversation_is_by_its_agent_without_naming_the_bot() {
    let (mut world, session) = with_a_topic().await;
    world.stop().await;
    world.change_plan(|plan| plan.chat("-1", |chat| chat.agent = Some("other".to_owned())));
    world.start().await.unwrap();
    let outcome = input(&world, "build", &session).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    world.at_rest().await;
    let turn = world.agent().turns().pop().unwrap();
    assert_eq!((&turn.session, prompt::text(&turn).as_str()), (&session, "/new build is red"));
    assert_eq!(world.outbox().await.pop().unwrap().address.as_str(), "fake:-1:topic:7");
}

#[tokio::test]
async fn the_key_of_an_event_belongs_to_its_endpoint() {
    let (world, session) = with_a_topic().await;
    let mut messages = Vec::new();
    for hook in ["build", "deploy", "build"] {
        match input(&world, hook, &session).await.unwrap() {
            Outcome::Accepted { message, .. } | Outcome::Duplicate { message, .. } => messages.push(message),
            other => panic!("{other:?}"),
        }
    }
    assert!(messages[0] != messages[1] && messages[0] == messages[2], "{messages:?}");
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 3);
}

#[tokio::test]
async fn sessions_of_background_work_and_of_single_people_take_no_events() {
    let (mut world, session) = with_a_topic().await;
    let anna = world.user("anna");
    anna.says("/bg work").await;
    sees(&anna, "completed").await;
    let task = "agent:main:fake:task:1".parse().unwrap();
    let refused = input(&world, "build", &task).await.unwrap_err().to_string();
    assert!(refused.contains("a session of the kind task takes no events"), "{refused}");
    world.stop().await;
    world.change_plan(|plan| plan.chat("-1", |chat| chat.sessions = Some(Sharing::Person)));
    world.start().await.unwrap();
    let refused = input(&world, "build", &session).await.unwrap_err().to_string();
    assert!(refused.contains("each person has a session of their own"), "{refused}");
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 2);
}
