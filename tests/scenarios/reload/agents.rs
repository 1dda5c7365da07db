//! Agents that a reload removes.

use std::sync::Arc;

use frontdesk_core::ask::AskEnd;
use frontdesk_core::notice::Failure;
use frontdesk_world::{ScriptedAgent, Step, World, permission, plan};

#[tokio::test]
async fn what_waits_for_a_removed_agent_is_told_once_and_a_retry_gives_just_that_to_the_present_one() {
    let mut world = World::with(plan()).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    anna.says("before").await;
    ben.says("only this").await;
    world.at_rest().await;
    world.agent().will([Step::Say("to its end"), Step::Pause]);
    anna.says("runs").await;
    world.agent().begun(3).await;
    anna.says("waits").await;
    anna.says("waits too").await;
    let load = world.handle().agent_load("main").await.unwrap();
    assert_eq!((load.waiting, load.running), (2, 1));

    let new = Arc::new(ScriptedAgent::default());
    world.reload().agent_named("second", &new).apply(&mut world).await.unwrap();
    anna.says("to the new one").await;
    new.begun(1).await;
    world.agent().resume();
    world.at_rest().await;
    let gone = Failure::AgentGone.sentence();
    let seen = anna.sees();
    assert_eq!(seen.iter().filter(|text| *text == gone).count(), 1, "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some(gone), "{seen:?}");
    assert!(seen.contains(&"to its end".to_owned()), "{seen:?}");

    let texts = |agent: &ScriptedAgent| -> Vec<String> {
        let turn = agent.turns().pop().unwrap();
        turn.prompt.into_iter().map(|prompt| prompt.text).collect()
    };
    for attempt in 2..4 {
        anna.says("/retry").await;
        new.begun(attempt).await;
        assert_eq!(texts(&new), ["waits", "waits too"], "also when it is retried again");
        world.at_rest().await;
    }
    assert_eq!(new.turns().pop().unwrap().session.agent(), "second");
    anna.says("next").await;
    world.at_rest().await;
    anna.says("/retry").await;
    new.begun(5).await;
    assert_eq!(texts(&new), ["next"], "what came later comes first");
    ben.says("/retry").await;
    world.at_rest().await;
    assert_eq!(ben.sees().last().unwrap(), "There is no message to answer again in this conversation.");
}

#[tokio::test]
async fn a_new_conversation_leaves_behind_what_waited_for_a_removed_agent() {
    let mut world = World::with(plan()).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Say("late")]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    anna.says("waits").await;
    let new = Arc::new(ScriptedAgent::default());
    world.reload().agent_named("second", &new).apply(&mut world).await.unwrap();
    world.agent().resume();
    world.at_rest().await;
    world.clock().pass(std::time::Duration::from_secs(1));
    anna.says("hello").await;
    anna.says("/new").await;
    anna.says("/retry").await;
    world.at_rest().await;
    assert_eq!(anna.sees().last().unwrap(), "There is no message to answer again in this conversation.");
}

#[tokio::test]
async fn what_a_removed_agent_still_does_is_shown_answered_and_stopped_from_its_chat() {
    let mut world = World::with(plan().buttons()).await;
    let anna = world.user("anna");
    world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done"), Step::Hang]);
    anna.says("clean up").await;
    world.platform().shows("anna", 1, |post| post.text == "Delete it?").await;
    let new = Arc::new(ScriptedAgent::default());
    world.reload().agent_named("second", &new).apply(&mut world).await.unwrap();

    anna.says("/status").await;
    for line in ["The agent waits for an answer.", "Question 1 waits"] {
        world.platform().shows("anna", 1, |post| post.text.starts_with(line)).await;
    }
    anna.says("/answer Allow").await;
    let told = world.agent().told(1).await.swap_remove(0);
    assert!(matches!(told, Ok(AskEnd::Answered { .. })), "{told:?}");

    anna.says("/stop").await;
    world.platform().shows("anna", 1, |post| post.text == "Stopped the answer.").await;
    anna.says("hello").await;
    world.at_rest().await;
    assert_eq!(anna.sees().last().unwrap(), "hello", "the new agent answers");
}
