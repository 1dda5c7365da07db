//! What agents do with messages of their chat by tools: they edit, react and pin, and ask an admin.

use std::time::Duration;

use frontdesk_core::delivery::SendError;
use frontdesk_core::id::{ChatMessageId, OutId};
use frontdesk_core::message::Outcome;
use frontdesk_runtime::Lifecycle;
use frontdesk_store::row::OutboxState;
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Posted, Step, World, operator, plan};
use serde_json::{Value, json};

fn call(tool: &'static str, params: Value) -> Step {
    Step::GatewayTool(tool, params)
}

fn change(params: Value) -> Step {
    call("message", params)
}

/// Anna sends a message that the platform calls `p1`, and the turn that answers it has this script.
async fn turn(world: &World, script: impl IntoIterator<Item = Step>) {
    world.agent().will(script.into_iter().chain([Step::Say("done")]));
    world.platform().outcome_of(message_from("anna", "go").named("p1")).await;
    world.at_rest().await;
}

fn results(world: &World) -> Vec<String> {
    world.agent().results().into_iter().map(|result| result.unwrap_or_else(|why| why)).collect()
}

async fn press(world: &World, who: &str, under: &Posted, choice: usize) -> Outcome {
    let event = message_from(who, &under.buttons[choice]).pressed_under(&under.id);
    world.platform().outcome_of(event).await
}

/// The message with buttons that a chat shows.
async fn offered(world: &World, chat: &str) -> Posted {
    world.platform().shows(chat, 1, |post| !post.buttons.is_empty()).await.swap_remove(0)
}

#[tokio::test]
async fn an_agent_edits_its_message_and_reacts_to_and_pins_those_of_the_chat() {
    let world = World::new().await;
    let script = [
        call("send_message", json!({"text": "draft", "replyTo": "m1"})),
        // The platform's id of the message is not known yet.
        change(json!({"action": "edit", "messageId": "o1", "text": "final"})),
        change(json!({"action": "react", "emoji": "❤\u{fe0f}"})),
        change(json!({"action": "pin", "messageId": "o1"})),
        change(json!({"action": "react", "messageId": "m1", "emoji": ""})),
    ];
    turn(&world, script).await;
    assert_eq!(results(&world)[0], "It is on its way. Its id is o1.");
    assert_eq!(world.user("anna").sees(), ["final", "done"]);
    assert_eq!(world.platform().chat("anna")[0].reply_to.as_deref(), Some("p1"));
    let journal = world.platform().journal();
    let done: Vec<&str> =
        journal.iter().map(String::as_str).filter(|line| !line.starts_with("post")).collect();
    assert_eq!(
        done,
        ["edit anna out-1 final", "reacted ❤ anna p1", "pinned anna out-1", "reacted nothing anna p1"]
    );
}

#[tokio::test]
async fn an_agent_deletes_an_earlier_answer_that_the_status_names() {
    let world = World::new().await;
    turn(&world, []).await;
    let script = [call("session_status", json!({})), change(json!({"action": "delete", "messageId": "o1"}))];
    turn(&world, script).await;
    let status: Value = serde_json::from_str(&results(&world)[0]).unwrap();
    assert_eq!(status["last_answer"]["messages"], json!(["o1"]));
    assert_eq!(world.user("anna").sees(), ["done"]);
    assert!(world.platform().journal().contains(&"delete anna out-1".to_owned()));
}

#[tokio::test]
async fn a_reply_names_the_message_that_it_is_for() {
    let world = World::new().await;
    turn(&world, []).await;
    world.platform().outcome_of(message_from("anna", "why?").replying_to_bot("out-1")).await;
    world.at_rest().await;
    let quoted = world.agent().turns().last().unwrap().prompt[0].quoted;
    assert_eq!(quoted, Some(ChatMessageId::Sent(OutId(1))));
}

#[tokio::test]
async fn what_cannot_be_done_with_a_message_is_an_error_for_the_agent() {
    let world = World::with(plan().buttons()).await;
    world.user("ben").says("hello").await;
    world.user("anna").says("/whoami").await;
    world.at_rest().await;
    let cases = [
        (json!({"action": "edit", "messageId": "m3", "text": "x"}), "only a message that you have sent"),
        (json!({"action": "delete", "messageId": "m3"}), "only a message that you have sent"),
        // The gateway's own reply, and a message of another chat.
        (json!({"action": "delete", "messageId": "o2"}), "only a message that you have sent"),
        (
            json!({"action": "react", "messageId": "o1", "emoji": "👍"}),
            "no such message in this conversation",
        ),
        (json!({"action": "pin", "messageId": "m1"}), "no such message in this conversation"),
        (
            json!({"action": "react", "messageId": "o99", "emoji": "👍"}),
            "no such message in this conversation",
        ),
        (json!({"action": "react", "messageId": "out-1", "emoji": "👍"}), "is not the id of a message"),
        (json!({"action": "react"}), "emoji is missing"),
        (json!({"action": "react", "emoji": "x".repeat(20)}), "this is no reaction"),
        (json!({"action": "edit", "text": "x"}), "messageId is missing"),
        (json!({"action": "delete"}), "messageId is missing"),
        (json!({"action": "edit", "messageId": "o2", "text": " "}), "there is nothing to show"),
        (json!({"action": "edit", "messageId": "o2", "text": "x".repeat(300)}), "too long for one message"),
        (json!({"action": "archive", "messageId": "o2"}), "unknown variant"),
        (json!({"action": "pin", "chat": "ben"}), "unknown field"),
    ];
    turn(&world, cases.iter().map(|(params, _)| change(params.clone()))).await;
    for ((params, why), result) in cases.iter().zip(results(&world)) {
        assert!(result.contains(why), "{params}: {result}");
    }
    assert!(world.platform().journal().iter().all(|line| line.starts_with("post")));
}

#[tokio::test]
async fn an_edit_that_the_platform_refuses_is_no_new_message_and_the_agent_is_told() {
    let world = World::new().await;
    let refused = SendError::Refused("message can't be edited".into());
    world.platform().refuse_edits(refused);
    let script = [
        call("send_message", json!({"text": "draft"})),
        change(json!({"action": "edit", "messageId": "o1", "text": "final"})),
    ];
    turn(&world, script).await;
    assert_eq!(results(&world)[1], "this could not be done: refused: message can't be edited");
    assert_eq!(world.user("anna").sees(), ["draft", "done"], "and no notice that something is missing");
    assert_eq!((world.platform().count("edit"), world.platform().count("delete")), (1, 0));
    // An operator sees why, and may have it tried again.
    let dead = world.outbox().await.into_iter().find(|row| row.state == OutboxState::Dead).unwrap();
    assert_eq!(dead.error.as_deref(), Some("refused: message can't be edited"));
    world.handle().retry_part(dead.post.out, &operator()).await.unwrap();
    world.at_rest().await;
    assert_eq!((world.platform().count("edit"), world.user("anna").sees().len()), (2, 2));
}

#[tokio::test]
async fn what_the_platform_refuses_leaves_nothing_in_the_chat_and_the_agent_is_told() {
    let world = World::new().await;
    world.platform().refuse_deletes();
    let script = [
        call("send_message", json!({"text": "draft"})),
        change(json!({"action": "react", "emoji": "🧦"})),
        change(json!({"action": "delete", "messageId": "o1"})),
        change(json!({"action": "pin", "messageId": "o1"})),
    ];
    turn(&world, script).await;
    let told = results(&world);
    assert!(told[1].starts_with("this could not be done: refused: "), "{}", told[1]);
    assert!(told[2].starts_with("this could not be done: refused: "), "{}", told[2]);
    assert_eq!(told[3], "Done.");
    assert_eq!(world.user("anna").sees(), ["draft", "done"]);
    assert_eq!(world.platform().count("reacted"), 1, "it is not tried again");
}

#[tokio::test]
async fn a_call_does_not_wait_for_a_platform_that_does_not_answer() {
    let world = World::new().await;
    world.platform().set_offline(true);
    world.agent().will([change(json!({"action": "react", "emoji": "👍"})), Step::Say("done")]);
    world.platform().outcome_of(message_from("anna", "go").named("p1")).await;
    until("the reaction waits", || async { (!world.outbox().await.is_empty()).then_some(()) }).await;
    until("the call returns", || async {
        world.clock().pass(Duration::from_secs(1));
        (!world.agent().results().is_empty()).then_some(())
    })
    .await;
    assert_eq!(results(&world), ["It is on its way. The platform may still refuse it."]);
}

#[tokio::test]
async fn the_gateway_is_restarted_or_reloaded_once_an_admin_confirms_it() {
    for (action, wanted) in [("restart", Lifecycle::Restart), ("reload", Lifecycle::Reload)] {
        let world = World::with(plan().buttons()).await;
        let lifecycle = world.handle().lifecycle();
        for who in ["root", "anna"] {
            world.agent().will([call("gateway", json!({ "action": action })), Step::Say("done")]);
            world.user(who).says("go").await;
            world.at_rest().await;
        }
        assert_eq!(results(&world)[1], "only an admin may have this done, in a private chat");
        assert_eq!(*lifecycle.borrow(), None, "not before it is confirmed");
        let asked = offered(&world, "root").await;
        assert!(asked.text.contains(&format!("/gateway {action}")), "{}", asked.text);
        assert!(matches!(press(&world, "anna", &asked, 0).await, Outcome::NotAnswered { .. }));
        assert!(matches!(press(&world, "root", &asked, 0).await, Outcome::Answered { .. }));
        until("it is carried out", || async { (*lifecycle.borrow() == Some(wanted)).then_some(()) }).await;
        let audit = world.handle().audits(None, 100).await.unwrap();
        let entry = audit.iter().find(|entry| entry.action == format!("gateway {action}")).unwrap();
        assert_eq!(entry.by, "fake:root");
    }
}

#[tokio::test]
async fn a_gateway_that_is_a_part_of_a_program_says_that_it_does_not_restart_itself() {
    let world = World::with(plan().embedded().buttons()).await;
    world.agent().will([call("gateway", json!({"action": "restart"})), Step::Say("done")]);
    world.user("root").says("go").await;
    world.at_rest().await;
    assert!(results(&world)[0].contains("part of another program"), "{:?}", results(&world));
    assert_eq!(world.user("root").sees(), ["done"], "nobody is asked to confirm it");
}
