//! The gateway's tools, as agents call them during a turn.

use std::time::Duration;

use frontdesk_core::delivery::PostKind;
use frontdesk_core::hook::{HookEvent, HookPoint, HookVerdict};
use frontdesk_world::event::message_from;
use frontdesk_world::platform::Fault;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, TestHook, World, plan};
use serde_json::{Value, json};

use crate::files::made;

/// A call of a tool in the script of a turn.
fn call(tool: &'static str, params: Value) -> Step {
    Step::GatewayTool(tool, params)
}

fn send(text: &str) -> Step {
    call("send_message", json!({ "text": text }))
}

/// The only result of the agent's calls, as JSON.
fn result(world: &World) -> Value {
    let results = world.agent().results();
    let [Ok(result)] = results.as_slice() else { panic!("{results:?}") };
    serde_json::from_str(result).unwrap()
}

/// Why the only call failed.
fn refusal(world: &World) -> String {
    let results = world.agent().results();
    let [Err(why)] = results.as_slice() else { panic!("{results:?}") };
    why.clone()
}

/// Lets somebody send one message, whose turn calls a tool.
async fn calls(world: &World, who: &str, tool: &'static str, params: Value) {
    world.agent().will([call(tool, params), Step::Say("done")]);
    world.user(who).says("go").await;
    world.at_rest().await;
}

#[tokio::test]
async fn a_message_and_a_file_go_to_the_chat_before_the_answer() {
    let world = World::with(plan().files_up_to(Some(1_000_000))).await;
    let anna = world.user("anna");
    made(&world, "chart.png", b"png");
    let media = json!({"path": "chart.png", "caption": "May", "type": "document"});
    world.agent().will([
        send("this takes a while"),
        call("send_media", media),
        Step::Pause,
        Step::Say("done"),
    ]);
    anna.says("go").await;
    let first = anna.next().await;
    assert_eq!((first.text.as_str(), first.kind), ("this takes a while", PostKind::Send));
    let file = anna.next().await;
    let shown = file.file.unwrap();
    assert_eq!((file.text.as_str(), shown.bytes.as_slice()), ("May", b"png".as_slice()));
    assert_eq!(shown.kind, frontdesk_core::message::FileKind::Document);
    world.agent().resume();
    assert_eq!(anna.hears().await, "done");
    world.at_rest().await;
    assert!(world.agent().results().iter().all(Result::is_ok), "{:?}", world.agent().results());
    let audits = world.handle().audits(None, 10).await.unwrap();
    assert_eq!((audits[0].by.as_str(), audits[0].via.as_str()), ("agent:main:fake:dm:anna", "agent"));
}

#[tokio::test]
async fn an_agent_that_has_sent_a_message_need_not_answer() {
    let world = World::new().await;
    world.agent().will([send("all of it")]);
    let message = world.user("anna").says("go").await;
    assert_eq!(world.ended(message).await.message.state.name(), "answered");
    world.at_rest().await;
    assert_eq!(world.user("anna").sees(), ["all of it"]);
    world.agent().will([call("session_status", json!({}))]);
    world.user("ben").says("go").await;
    assert_eq!(world.user("ben").hears().await, "(The agent had nothing to say.)");
}

#[tokio::test]
async fn a_message_goes_to_the_chat_of_the_turn_and_to_no_other() {
    let world = World::new().await;
    world.agent().will([send("for the group"), Step::Say("done")]);
    world.platform().outcome_of(message_from("anna", "go").in_group("-1")).await;
    world.at_rest().await;
    assert_eq!(world.platform().chat("-1")[0].text, "for the group");
    for elsewhere in [json!({"text": "x", "to": "fake:ben"}), json!({"text": "x", "chat": "ben"})] {
        world.agent().will([call("send_message", elsewhere), Step::Say("done")]);
        world.user("anna").says("go").await;
        world.at_rest().await;
    }
    assert_eq!((world.user("anna").sees(), world.user("ben").sees().len()), (vec!["done".into(); 2], 0));
    let refused = &world.agent().results()[1..];
    assert!(refused.iter().all(|result| result.as_ref().is_err_and(|why| why.contains("unknown field"))));
}

#[tokio::test]
async fn what_cannot_be_sent_is_an_error_for_the_agent() {
    let world = World::with(plan().files_up_to(Some(1_000_000))).await;
    std::fs::write(world.home().join("token"), b"secret").unwrap();
    let path = |path: &str| json!({ "path": path });
    let cases = [
        ("send_message", json!({"text": " \u{200b} "}), "nothing to send"),
        ("send_message", json!({"text": "x".repeat(40_000)}), "longer than 32768 bytes"),
        ("send_message", json!({"text": "x".repeat(70_000)}), "larger than 65536 bytes"),
        ("send_message", json!({"txt": "x"}), "unknown field"),
        ("send_message", json!([]), "the parameters are wrong"),
        ("send_message", Value::Null, "missing field `text`"),
        ("send_media", path("../token"), "media folder"),
        ("send_media", path(world.home().join("token").to_str().unwrap()), "media folder"),
        ("send_media", path("none.png"), "no such file"),
        ("send_media", json!({"path": "a.pdf", "type": "photo"}), "its name is not that of a photo"),
        ("send_media", json!({"path": "a.pdf", "type": "voice"}), "unknown variant"),
        ("send_message", json!({"text": "x", "replyTo": "m99"}), "there is no such message"),
        ("send_message", json!({"text": "x", "choices": ["a", "A"]}), "differs from the others"),
        ("send_elsewhere", json!({}), "there is no tool of this name; there are send_message, "),
    ];
    for (tool, params, _) in cases.clone() {
        calls(&world, "anna", tool, params).await;
    }
    for ((tool, _, expected), result) in cases.iter().zip(world.agent().results()) {
        let why = result.unwrap_err();
        assert!(why.contains(expected), "{tool}: {why}");
    }
    assert_eq!(world.user("anna").sees(), vec!["done"; cases.len()]);
}

#[tokio::test]
async fn hooks_change_or_refuse_a_call_and_see_its_result() {
    let rewrite = |event: &HookEvent| match event {
        HookEvent::BeforeToolCall { params, .. } if params["text"] == "no" => {
            HookVerdict::Drop("not now".into())
        }
        HookEvent::BeforeToolCall { .. } => HookVerdict::Params(json!({"text": "rewritten"})),
        _ => HookVerdict::Pass,
    };
    let hook =
        TestHook::at([HookPoint::BeforeToolCall, HookPoint::AfterToolCall], move |event| Ok(rewrite(event)));
    let seen = hook.seen();
    let mut world = World::with(plan().hook(hook)).await;
    world.agent().will([send("hello"), send("no"), Step::Say("done")]);
    world.user("anna").says("go").await;
    world.at_rest().await;
    assert_eq!(world.user("anna").sees(), ["rewritten", "done"]);
    assert_eq!(world.agent().results()[1], Err("not now".to_owned()));
    world.stop().await;
    let after: Vec<_> =
        seen.events().into_iter().filter(|event| event.point() == HookPoint::AfterToolCall).collect();
    let [HookEvent::AfterToolCall { tool, params, result, .. }] = after.as_slice() else {
        panic!("{after:?}")
    };
    assert_eq!(
        (tool.as_str(), params, result.as_str()),
        ("send_message", &json!({"text": "rewritten"}), "It is on its way. Its id is o1.")
    );
}

#[tokio::test]
async fn a_text_that_hooks_withhold_is_an_error_for_the_agent() {
    let drop = |event: &HookEvent| match event.clone().text_mut().is_some_and(|text| text.contains("secret"))
    {
        true => HookVerdict::Drop("no".into()),
        false => HookVerdict::Pass,
    };
    let world =
        World::with(plan().hook(TestHook::at([HookPoint::MessageSending], move |event| Ok(drop(event)))))
            .await;
    calls(&world, "anna", "send_message", json!({"text": "the secret"})).await;
    assert_eq!(world.user("anna").sees(), ["done"]);
    assert!(refusal(&world).contains("a rule of the operator"));
}

#[tokio::test]
async fn a_turn_that_has_sent_a_message_is_not_run_again_after_a_kill() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    // The platform never gets the first request: the process dies in the middle of it.
    world.platform().fails([Fault::Hang]);
    world.agent().will([send("working on it"), Step::Hang]);
    anna.says("go").await;
    until("the message is on its way", || async { (world.platform().calls("anna") > 0).then_some(()) }).await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
    let [sent, interrupted] = anna.sees().try_into().unwrap();
    assert!(sent == "working on it" && interrupted.contains("/retry"), "{interrupted}");
}

#[tokio::test]
async fn a_turn_that_is_killed_before_its_message_is_approved_sends_it_once() {
    let hook = TestHook::at([HookPoint::BeforeToolCall], |_| Ok(HookVerdict::Pass));
    let seen = hook.seen();
    seen.hangs(true);
    let mut world = World::with(plan().hook(hook)).await;
    let anna = world.user("anna");
    for _ in 0..2 {
        world.agent().will([send("working on it"), Step::Say("done")]);
    }
    anna.says("go").await;
    until("the hook is asked", || async { (!seen.events().is_empty()).then_some(()) }).await;
    world.crash().await;
    seen.hangs(false);
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!((world.agent().turns().len(), anna.sees()), (2, vec!["working on it".into(), "done".into()]));
}

#[tokio::test]
async fn a_turn_that_has_only_read_is_run_again_after_a_kill() {
    let mut world = World::new().await;
    let reads = ["session_status", "gateway_status", "gateway_sessions", "gateway_background_tasks", "cron"];
    let script = reads.into_iter().map(|tool| call(tool, json!({})));
    world.agent().will(script.chain([Step::Hang]));
    world.user("anna").says("go").await;
    until("the tools were called", || async { (world.agent().results().len() == reads.len()).then_some(()) })
        .await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!((world.agent().turns().len(), world.user("anna").sees()), (2, vec!["go".into()]));
    assert!(world.agent().results().iter().all(Result::is_ok), "{:?}", world.agent().results());
}

#[tokio::test]
async fn a_stopped_answer_sends_nothing_more() {
    let hook = TestHook::at([HookPoint::MessageSending], |_| Ok(HookVerdict::Pass));
    let seen = hook.seen();
    let world = World::with(plan().hook(hook)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("go").await;
    world.agent().begun(1).await;
    // A program of the agent calls the tool by itself, and the text waits for its hook when the answer is stopped.
    seen.hangs(true);
    let (handle, session) = (world.handle().clone(), world.key("anna"));
    let program =
        async move { handle.call_tool(&session, "send_message", json!({"text": "too late"})).await };
    let stop = async {
        until("the hook has the text", || async { (!seen.texts().is_empty()).then_some(()) }).await;
        seen.hangs(false);
        anna.says("/stop").await;
        until("the turn has ended", || async {
            (world.session("anna").await.running.is_none()).then_some(())
        })
        .await;
        world.clock().pass(Duration::from_secs(2));
    };
    let (sent, ()) = tokio::join!(program, stop);
    assert!(sent.is_err(), "{sent:?}");
    world.at_rest().await;
    assert!(!anna.sees().contains(&"too late".to_owned()), "{:?}", anna.sees());
}

#[tokio::test]
async fn tools_work_only_while_an_answer_is_under_way() {
    let world = World::new().await;
    let anna = world.user("anna");
    let key = world.key("anna");
    let program = || world.handle().call_tool(&key, "session_status", Value::Null);
    let idle = "no answer is under way in this conversation, and tools work only during one";
    assert_eq!(program().await.unwrap_err().0, idle);
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("hello").await;
    world.agent().begun(1).await;
    assert!(program().await.is_ok());
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(program().await.unwrap_err().0, idle);
}

#[tokio::test]
async fn a_conversation_that_is_being_compacted_has_no_tools() {
    let world = World::new().await;
    world.agent().can(frontdesk_core::agent::Capabilities { compact: true, ..Default::default() });
    world.agent().compacts_later(true);
    let anna = world.user("anna");
    anna.says("hello").await;
    anna.hears().await;
    anna.says("/compact").await;
    until("the compaction has begun", || async { (!world.agent().compactions().is_empty()).then_some(()) })
        .await;
    let called = world.handle().call_tool(&world.key("anna"), "session_status", Value::Null).await;
    assert_eq!(called.unwrap_err().0, "the answer has ended");
}

#[tokio::test]
async fn an_agent_that_sends_in_a_loop_is_stopped() {
    let world = World::new().await;
    world.agent().will((0..60).map(|n| send(&format!("message {n}"))).chain([Step::Say("done")]));
    world.user("anna").says("go").await;
    world.at_rest().await;
    assert_eq!(world.user("anna").sees().len(), 51);
    assert_eq!(world.agent().results()[59], Err("this answer has made too many tool calls".to_owned()));
}

#[tokio::test]
async fn the_status_of_a_conversation_tells_what_its_last_answer_cost() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    anna.hears().await;
    calls(&world, "anna", "session_status", json!({})).await;
    let status = result(&world);
    assert_eq!((&status["session"], &status["conversation"]), (&json!("agent:main:fake:dm:anna"), &json!(1)));
    let spent = json!({"model": "scripted", "input_tokens": 1, "output_tokens": 2, "cost_micro": 5,
                       "context_tokens": 6, "context_window": 7, "messages": ["o1"]});
    assert_eq!(status["last_answer"], spent);
}

#[tokio::test]
async fn other_chats_are_seen_only_in_an_admins_private_chat() {
    let secret = |world: &World| world.agent().results().last().unwrap().clone().unwrap();
    let world = World::new().await;
    world.user("ben").says("hello").await;
    world.at_rest().await;
    for tool in ["gateway_sessions", "gateway_status"] {
        calls(&world, "anna", tool, json!({})).await;
        let seen = secret(&world);
        assert!(!seen.contains("ben") && !seen.contains("messages_waiting"), "{tool}: {seen}");
        world.agent().will([call(tool, json!({})), Step::Say("done")]);
        world.platform().outcome_of(message_from("root", "go").in_group("-1")).await;
        world.at_rest().await;
        let seen = secret(&world);
        assert!(!seen.contains("ben") && !seen.contains("messages_waiting"), "{tool}, in a group: {seen}");
    }
    calls(&world, "root", "gateway_sessions", json!({})).await;
    assert!(secret(&world).contains("agent:main:fake:dm:ben"));
    calls(&world, "root", "gateway_status", json!({})).await;
    assert!(secret(&world).contains("messages_waiting"));
}

#[tokio::test]
async fn no_tool_lets_anybody_in() {
    let world =
        World::with(plan().access(|access| access.dm_policy = frontdesk_core::access::DmPolicy::Pairing))
            .await;
    world.user("eve").tries("let me in").await;
    for action in ["approve", "generate", "deny"] {
        calls(&world, "root", "gateway_pairing", json!({ "action": action })).await;
        let why = world.agent().results().last().unwrap().clone().unwrap_err();
        assert!(why.contains("/gateway pair CODE"), "{why}");
    }
    calls(&world, "root", "gateway_pairing", json!({"action": "list"})).await;
    let listed = world.agent().results().last().unwrap().clone().unwrap();
    assert!(listed.contains("fake:eve"), "{listed}");
    assert!(world.handle().access().entries.iter().all(|entry| entry.principal.id() != "eve"));
}

#[tokio::test]
async fn only_an_admin_sees_who_asks_for_access() {
    let world = World::new().await;
    calls(&world, "anna", "gateway_pairing", json!({"action": "list"})).await;
    assert!(refusal(&world).contains("only an admin"));
}
