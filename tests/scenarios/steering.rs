//! Messages for the answer under way.

use frontdesk_core::agent::{Capabilities, STEER_TIMEOUT};
use frontdesk_core::hook::{HookEvent, HookPoint};
use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_world::wait::until;
use frontdesk_world::{Step, TestHook, World, plan};

/// A world whose agent is answering, and can be steered if `steer` is set.
async fn answering(steer: bool) -> World {
    let world = World::new().await;
    world.agent().can(Capabilities { steer, ..Capabilities::default() });
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    world.user("anna").says("count").await;
    world.agent().begun(1).await;
    world
}

#[tokio::test]
async fn a_steered_message_reaches_the_running_turn_with_its_author() {
    let world = answering(true).await;
    let anna = world.user("anna");
    world.agent().takes(true);
    let steered = anna.says("/steer  only *up* to two ").await;
    until("the agent has it", || async { (world.agent().steered().len() == 1).then_some(()) }).await;
    world.round_trip().await;
    world.agent().resume();
    assert_eq!(anna.hears().await, "one two");
    world.at_rest().await;
    let (turn, prompt) = world.agent().steered().remove(0);
    assert_eq!((turn, prompt.text.as_str()), (world.agent().turns()[0].id, "only *up* to two"));
    assert_eq!((prompt.message, prompt.from.id.to_string()), (steered, "fake:anna".to_owned()));
    let row = world.message(steered).await;
    assert_eq!((row.message.turn, row.message.state.name()), (Some(turn), "answered"));
    assert_eq!(world.agent().turns().len(), 1, "it has no turn of its own");
    assert_eq!(anna.sees(), ["one two"], "and nothing else is said about it");
}

#[tokio::test]
async fn hooks_see_a_steered_message_among_those_of_its_turn() {
    let onlooker = TestHook::observes([HookPoint::AgentEnd]);
    let seen = onlooker.seen();
    let mut world = World::with(plan().hook(onlooker)).await;
    world.agent().can(Capabilities { steer: true, ..Capabilities::default() });
    world.agent().will([Step::Say("one"), Step::Pause]);
    let anna = world.user("anna");
    anna.says("count").await;
    world.agent().begun(1).await;
    world.agent().takes(true);
    anna.says("/steer faster").await;
    until("the agent has it", || async { (world.agent().steered().len() == 1).then_some(()) }).await;
    world.agent().resume();
    world.at_rest().await;
    world.stop().await;
    let HookEvent::AgentEnd { messages, .. } = seen.events().remove(0) else { panic!("another point") };
    let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["count", "faster", "one"]);
}

#[tokio::test]
async fn a_message_that_the_agent_does_not_take_is_answered_next_and_its_sender_is_told() {
    const TOLD: &str = "The agent cannot take this in while it answers. It answers it next.";
    for steer in [true, false] {
        let world = answering(steer).await;
        let anna = world.user("anna");
        world.agent().takes(false);
        anna.says("/steer faster").await;
        assert_eq!(anna.hears().await, TOLD);
        assert_eq!(world.agent().steered().len(), usize::from(steer));
        world.agent().resume();
        assert_eq!(anna.hears().await, "one two");
        assert_eq!(anna.hears().await, "faster", "its own turn");
        world.at_rest().await;
    }
}

#[tokio::test]
async fn a_message_without_a_decision_at_the_end_of_the_answer_is_answered_next() {
    let world = answering(true).await;
    let anna = world.user("anna");
    anna.says("/steer faster").await;
    until("the agent has it", || async { (world.agent().steered().len() == 1).then_some(()) }).await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["count", "faster"]);
}

#[tokio::test]
async fn a_message_that_the_agent_takes_late_is_answered_once() {
    for taken in [true, false] {
        let world = answering(true).await;
        let anna = world.user("anna");
        let late = anna.says("/steer faster").await;
        until("the agent has it", || async { (world.agent().steered().len() == 1).then_some(()) }).await;
        world.clock().pass(STEER_TIMEOUT);
        assert_eq!(anna.hears().await, "The agent cannot take this in while it answers. It answers it next.");
        world.agent().takes(taken);
        if taken {
            let bound = || async { world.message(late).await.message.turn.map(drop) };
            until("it belongs to the answer", bound).await;
        }
        world.agent().resume();
        assert_eq!(anna.hears().await, "one two");
        world.at_rest().await;
        let prompts: &[&str] = if taken { &["count"] } else { &["count", "faster"] };
        assert_eq!(world.agent().prompts(), prompts);
        assert_eq!(world.message(late).await.message.state.name(), "answered");
    }
}

#[tokio::test]
async fn without_an_answer_under_way_it_is_a_message_like_any_other() {
    let world = World::new().await;
    let anna = world.user("anna");
    let message = anna.says("/steer hello").await;
    assert_eq!(anna.hears().await, "hello");
    world.at_rest().await;
    assert_eq!(world.agent().turns()[0].prompt[0].message, message);
    assert_eq!(anna.sees(), ["hello"]);
    anna.says("/steer").await;
    assert!(anna.hears().await.contains("/steer TEXT"));
}

#[tokio::test]
async fn a_steered_message_is_among_the_prompts_when_the_turn_runs_again() {
    let mut world = answering(true).await;
    let anna = world.user("anna");
    world.agent().takes(true);
    anna.says("/steer faster").await;
    until("the agent has it", || async { (world.agent().steered().len() == 1).then_some(()) }).await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    let turns = world.agent().turns();
    let texts: Vec<&str> = turns[1].prompt.iter().map(|prompt| prompt.text.as_str()).collect();
    assert_eq!((turns.len(), texts), (2, vec!["count", "faster"]));
}

#[tokio::test]
async fn stop_ends_the_answer_with_what_it_was_steered_by() {
    let world = answering(true).await;
    let anna = world.user("anna");
    world.agent().takes(true);
    let steered = anna.says("/steer faster").await;
    until("the agent has it", || async { (world.agent().steered().len() == 1).then_some(()) }).await;
    anna.says("/stop").await;
    assert_eq!(world.ended(steered).await.message.state.name(), "cancelled");
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
}

#[tokio::test]
async fn what_a_message_may_not_do_steering_may_not_do_either() {
    let world = World::with(plan().with(|config| {
        config.queue.per_session = 1;
        config.limits.daily = 3;
    }))
    .await;
    let root = world.user("root");
    world.agent().will([Step::Say("one"), Step::Pause]);
    root.says("count").await;
    world.agent().begun(1).await;
    root.says("next").await;
    let full = root.tries("/steer faster").await;
    assert!(matches!(full, Outcome::Refused { reason: Refusal::SessionFull, .. }), "{full:?}");
    world.agent().resume();
    world.at_rest().await;
    root.says("/compact").await;
    world.at_rest().await;
    let over = root.tries("/steer faster").await;
    assert!(matches!(over, Outcome::Refused { reason: Refusal::Quota, .. }), "{over:?}");
    root.says("/gateway mute").await;
    world.at_rest().await;
    assert_eq!(root.tries("/steer faster").await, Outcome::Ignored);
}
