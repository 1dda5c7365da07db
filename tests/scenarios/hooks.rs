//! Hooks, and that a faulty hook does no harm.

use std::time::Duration;

use frontdesk_core::hook::{HookError, HookEvent, HookPoint, HookVerdict, MAX_PARAMS};
use frontdesk_world::{Step, TestHook, World, operator, plan};

/// A hook that decides by a function at one point.
fn hook(at: HookPoint, act: fn(&HookEvent) -> HookVerdict) -> TestHook {
    TestHook::at([at], move |event| Ok(act(event)))
}

fn text(event: &HookEvent) -> String {
    event.clone().text_mut().cloned().unwrap()
}

#[tokio::test]
async fn a_hook_rewrites_the_text_for_the_agent() {
    let rewrite = |event: &HookEvent| HookVerdict::Rewrite(text(event).replace("colour", "color"));
    let world = World::with(plan().hook(hook(HookPoint::MessageReceived, rewrite))).await;
    let anna = world.user("anna");
    let message = anna.says("which colour?").await;
    assert_eq!(anna.hears().await, "which color?");
    assert_eq!(world.message(message).await.message.text, "which color?");
}

#[tokio::test]
async fn a_hook_sees_which_tool_has_ended_and_what_it_returned() {
    let onlooker = TestHook::observes([HookPoint::AfterToolCall]);
    let seen = onlooker.seen();
    let mut world = World::with(plan().hook(onlooker)).await;
    world.agent().will([Step::Tool("count"), Step::Echo]);
    world.user("anna").says("hello").await;
    world.at_rest().await;
    world.stop().await;
    let HookEvent::AfterToolCall { tool, result, .. } = seen.events().remove(0) else { panic!("no tool") };
    assert_eq!((tool.as_str(), result.as_str()), ("count", "result of count"));
}

#[tokio::test]
async fn a_call_that_is_too_large_to_check_is_denied_and_large_parameters_are_not_repeated() {
    let onlooker = TestHook::observes([HookPoint::BeforeToolCall, HookPoint::AfterToolCall]);
    let seen = onlooker.seen();
    let mut world = World::with(plan().hook(onlooker)).await;
    world.agent().will([Step::LargeTool(MAX_PARAMS), Step::LargeTool(MAX_PARAMS / 2), Step::Tool("small")]);
    world.user("anna").says("hello").await;
    world.at_rest().await;
    world.stop().await;
    let denied = world.agent().denied();
    assert!(denied.len() == 1 && denied[0].contains("1 MB"), "{denied:?}");
    let kept = seen.events().into_iter().filter_map(|event| match event {
        HookEvent::AfterToolCall { tool, params, .. } => Some((tool, params.is_null())),
        _ => None,
    });
    let large = ("large".to_owned(), true);
    assert_eq!(kept.collect::<Vec<_>>(), [large.clone(), large, ("small".to_owned(), false)]);
    assert_eq!(world.agent().tools().len(), 2, "the second call was checked as a whole");
}

#[tokio::test]
async fn a_hook_drops_a_message_and_the_row_says_so() {
    let world =
        World::with(plan().hook(hook(HookPoint::MessageReceived, |_| HookVerdict::Drop("spam".to_owned()))))
            .await;
    let anna = world.user("anna");
    let message = anna.says("buy now").await;
    let row = world.ended(message).await;
    assert_eq!(
        (row.message.state.name(), row.message.reason.map(|reason| reason.to_string()).as_deref()),
        ("refused", Some("hook"))
    );
    world.at_rest().await;
    assert!(world.agent().turns().is_empty());
}

#[tokio::test]
async fn a_message_that_a_hook_drops_takes_no_other_with_it() {
    let spam = |event: &HookEvent| match text(event).contains("spam") {
        true => HookVerdict::Drop("spam".to_owned()),
        false => HookVerdict::Pass,
    };
    let world = World::with(plan().collect(1000).hook(hook(HookPoint::MessageReceived, spam))).await;
    let anna = world.user("anna");
    let (good, bad, more) = (anna.says("one").await, anna.says("spam").await, anna.says("two").await);
    world.clock().pass(Duration::from_secs(1));
    assert_eq!(anna.hears().await, "one\ntwo");
    world.at_rest().await;
    for (message, state) in [(good, "answered"), (bad, "refused"), (more, "answered")] {
        assert_eq!(world.message(message).await.message.state.name(), state);
    }
}

#[tokio::test]
async fn a_hook_answers_in_the_agents_place() {
    let world = World::with(
        plan().hook(hook(HookPoint::MessageReceived, |_| HookVerdict::Answer("closed today".to_owned()))),
    )
    .await;
    let anna = world.user("anna");
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "closed today");
    assert!(world.agent().turns().is_empty());
}

#[tokio::test]
async fn a_hook_adds_context_and_rewrites_answers() {
    let louder = |event: &HookEvent| HookVerdict::Rewrite(format!("{}!", text(event)));
    let world = World::with(
        plan()
            .hook(hook(HookPoint::BeforeAgentStart, |_| HookVerdict::Context("it is Monday".to_owned())))
            .hook(hook(HookPoint::MessageSending, louder)),
    )
    .await;
    let anna = world.user("anna");
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello!");
    assert_eq!(world.agent().turns()[0].context, ["it is Monday"]);
}

#[tokio::test]
async fn a_hook_changes_a_tools_parameters_or_denies_it() {
    let world = World::with(
        plan().hook(hook(HookPoint::BeforeToolCall, |_| HookVerdict::Params(serde_json::json!({ "n": 2 })))),
    )
    .await;
    world.agent().will([Step::Tool("count"), Step::Echo]);
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    assert_eq!(world.agent().tools()[0].2, serde_json::json!({ "n": 2 }));

    let world = World::with(
        plan().hook(hook(HookPoint::BeforeToolCall, |_| HookVerdict::Drop("not today".to_owned()))),
    )
    .await;
    world.agent().will([Step::Tool("count"), Step::Echo]);
    world.user("anna").says("hello").await;
    world.at_rest().await;
    assert!(world.agent().tools().is_empty());
    assert_eq!(world.agent().denied(), ["not today"]);
}

#[tokio::test]
async fn a_hook_that_panics_hangs_or_reports_an_error_is_skipped() {
    type Call = fn(&HookEvent) -> Result<HookVerdict, HookError>;
    let faulty: [Call; 2] =
        [|_| panic!("a fault of the operator's"), |_| Err(HookError("no connection".to_owned()))];
    for fault in faulty {
        let world = World::with(plan().hook(TestHook::at([HookPoint::MessageReceived], fault))).await;
        let anna = world.user("anna");
        anna.says("hello").await;
        assert_eq!(anna.hears().await, "hello");
    }
    let asleep = TestHook::observes([HookPoint::MessageReceived]);
    asleep.seen().hangs(true);
    let world = World::with(plan().hook(asleep)).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    frontdesk_world::wait::until("the answer comes after the limit", || async {
        world.clock().pass(Duration::from_millis(500));
        (!anna.sees().is_empty()).then_some(())
    })
    .await;
    assert_eq!(anna.hears().await, "hello");
}

#[tokio::test]
async fn a_hook_that_fails_closed_refuses_the_message_and_denies_the_tool() {
    let broken = |at| TestHook::at([at], |_| Err(HookError("no connection".to_owned()))).fails_closed();
    let world = World::with(plan().hook(broken(HookPoint::MessageReceived))).await;
    let message = world.user("anna").says("hello").await;
    assert_eq!(world.ended(message).await.message.state.name(), "refused");
    assert!(world.agent().turns().is_empty());

    let world = World::with(plan().hook(broken(HookPoint::BeforeToolCall))).await;
    world.agent().will([Step::Tool("count"), Step::Echo]);
    world.user("anna").says("hello").await;
    world.at_rest().await;
    assert!(world.agent().tools().is_empty());
}

#[tokio::test]
async fn each_hook_sees_what_the_one_before_it_changed_and_none_is_asked_after_a_drop() {
    let add = |more: &'static str| {
        TestHook::at([HookPoint::MessageReceived], move |event| {
            Ok(HookVerdict::Rewrite(format!("{}{more}", text(event))))
        })
    };
    let last = TestHook::at([HookPoint::MessageReceived], |event| {
        Ok(if text(event).starts_with("no") { HookVerdict::Drop("no".to_owned()) } else { HookVerdict::Pass })
    });
    let after = TestHook::observes([HookPoint::MessageReceived]);
    let seen = after.seen();
    let world = World::with(plan().hook(add("b")).hook(add("c")).hook(last).hook(after)).await;
    let anna = world.user("anna");
    anna.says("a").await;
    assert_eq!(anna.hears().await, "abc");
    anna.says("no").await;
    world.at_rest().await;
    assert_eq!(seen.texts(), ["abc"]);
}

#[tokio::test]
async fn a_verdict_that_a_point_does_not_allow_changes_nothing() {
    let verdicts = [
        HookVerdict::Rewrite("changed".to_owned()),
        HookVerdict::Params(serde_json::json!({ "n": 9 })),
        HookVerdict::Drop("no".to_owned()),
        HookVerdict::Answer("instead".to_owned()),
        HookVerdict::Context("and more".to_owned()),
    ];
    for verdict in verdicts {
        let always = verdict.clone();
        let mut plan = plan();
        for point in HookPoint::ALL.into_iter().filter(|point| !point.allows(&verdict)) {
            let always = always.clone();
            plan = plan.hook(TestHook::at([point], move |_| Ok(always.clone())));
        }
        let mut world = World::with(plan).await;
        world.agent().will([Step::Tool("count"), Step::Echo]);
        let anna = world.user("anna");
        anna.says("hello").await;
        assert_eq!(anna.hears().await, "hello", "{verdict:?}");
        assert_eq!(world.agent().tools()[0].2, serde_json::json!({ "n": 1 }), "{verdict:?}");
        assert!(world.agent().turns()[0].context.is_empty(), "{verdict:?}");
        world.stop().await;
    }
}

#[tokio::test]
async fn every_point_that_this_agent_reaches_is_given_its_fields() {
    let onlooker = TestHook::observes(HookPoint::ALL);
    let seen = onlooker.seen();
    let mut world = World::with(plan().hook(onlooker)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Tool("count"), Step::Echo]);
    anna.says("hello").await;
    world.at_rest().await;
    anna.says("/new").await;
    world.at_rest().await;
    world.stop().await;
    let shown = seen.shown();
    let key = "agent:main:fake:dm:anna";
    let usage = r#"{"cache_read":3,"cache_write":4,"context_used":6,"context_window":7,"cost_micro":5,"input":1,"model":"scripted","output":2}"#;
    let expected = [
        r#"gateway_start {"config":{"gateway":{"port":3847}}}"#.to_owned(),
        format!(r#"session_start {{"sessionKey":"{key}"}}"#),
        format!(r#"message_received {{"channel":"fake","message":"hello","sessionKey":"{key}"}}"#),
        format!(
            r#"before_agent_start {{"config":{{"gateway":{{"port":3847}}}},"message":"hello","sessionKey":"{key}"}}"#
        ),
        format!(r#"before_tool_call {{"params":{{"n":1}},"sessionKey":"{key}","tool":"count"}}"#),
        format!(r#"tool_result_persist {{"result":"result of count","sessionKey":"{key}","tool":"count"}}"#),
        format!(
            r#"after_tool_call {{"params":{{"n":1}},"result":"result of count","sessionKey":"{key}","tool":"count"}}"#
        ),
        format!(
            r#"message_sending {{"channel":"fake","choices":[],"message":"hello","piece":false,"sessionKey":"{key}"}}"#
        ),
        format!(
            r#"agent_end {{"messages":[{{"role":"user","text":"hello"}},{{"role":"assistant","text":"hello"}}],"sessionKey":"{key}","usage":{usage}}}"#
        ),
        format!(
            r#"message_sent {{"channel":"fake","message":"hello","messageId":"out-1","sessionKey":"{key}"}}"#
        ),
        format!(r#"session_end {{"sessionKey":"{key}"}}"#),
        "gateway_stop {}".to_owned(),
    ];
    for line in &expected {
        assert!(shown.contains(line), "{line} was not among {shown:#?}");
    }
}

#[tokio::test]
async fn a_reset_an_erasure_and_a_return_to_an_older_epoch_end_the_conversation() {
    let onlooker = TestHook::observes([HookPoint::SessionStart, HookPoint::SessionEnd]);
    let seen = onlooker.seen();
    let mut world = World::with(plan().hook(onlooker)).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    anna.says("/new").await;
    anna.says("/resume 1").await;
    world.at_rest().await;
    world.handle().reset(&world.key("anna"), &operator()).await.unwrap();
    world.handle().erase(&world.key("anna"), &operator()).await.unwrap();
    world.stop().await;
    let change = [HookPoint::SessionEnd, HookPoint::SessionStart];
    let expected: Vec<HookPoint> =
        [HookPoint::SessionStart].into_iter().chain([change; 4].into_iter().flatten()).collect();
    assert_eq!(seen.points(), expected);
}

#[tokio::test]
async fn a_tools_result_that_a_hook_rewrites_reaches_the_hooks_after_the_call_and_not_the_agent() {
    let redact = |event: &HookEvent| HookVerdict::Rewrite(text(event).replace("count", "***"));
    let onlooker = TestHook::observes([HookPoint::AfterToolCall]);
    let seen = onlooker.seen();
    let mut world = World::with(plan().hook(hook(HookPoint::ToolResultPersist, redact)).hook(onlooker)).await;
    world.agent().will([Step::Tool("count"), Step::Echo]);
    let anna = world.user("anna");
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello");
    world.stop().await;
    let HookEvent::AfterToolCall { result, .. } = seen.events().remove(0) else { panic!("no tool") };
    assert_eq!(result, "result of ***");
}

#[tokio::test]
async fn a_stopped_turn_ends_for_hooks_too() {
    let onlooker = TestHook::observes([HookPoint::AgentEnd]);
    let seen = onlooker.seen();
    let mut world = World::with(plan().hook(onlooker)).await;
    world.agent().will([Step::Say("half"), Step::Hang]);
    let anna = world.user("anna");
    anna.says("hello").await;
    world.agent().begun(1).await;
    anna.says("/stop").await;
    world.at_rest().await;
    world.stop().await;
    assert_eq!(seen.points(), [HookPoint::AgentEnd]);
}
