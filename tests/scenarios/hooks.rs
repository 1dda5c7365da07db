//! Hooks, and that a faulty hook does no harm.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::hook::{Hook, HookEvent, HookPoint, HookVerdict};
use frontdesk_world::{Step, World, plan};

type Act = fn(&HookEvent) -> HookVerdict;

/// A hook that is called at every point and acts at one of them.
struct Test {
    at: HookPoint,
    act: Act,
    seen: Arc<Mutex<Vec<HookPoint>>>,
}

const ALL: [HookPoint; 14] = [
    HookPoint::BeforeAgentStart,
    HookPoint::AgentEnd,
    HookPoint::MessageReceived,
    HookPoint::MessageSending,
    HookPoint::MessageSent,
    HookPoint::BeforeToolCall,
    HookPoint::AfterToolCall,
    HookPoint::ToolResultPersist,
    HookPoint::SessionStart,
    HookPoint::SessionEnd,
    HookPoint::BeforeCompaction,
    HookPoint::AfterCompaction,
    HookPoint::GatewayStart,
    HookPoint::GatewayStop,
];

#[async_trait]
impl Hook for Test {
    fn name(&self) -> &str {
        "test"
    }
    fn points(&self) -> &[HookPoint] {
        &ALL
    }
    fn limit(&self) -> Duration {
        Duration::from_secs(2)
    }
    async fn call(&self, event: &HookEvent) -> HookVerdict {
        self.seen.lock().unwrap().push(event.point);
        if event.point == self.at { (self.act)(event) } else { HookVerdict::Pass }
    }
}

fn hook(at: HookPoint, act: Act) -> Test {
    Test { at, act, seen: Arc::default() }
}

#[tokio::test]
async fn a_hook_rewrites_the_text_for_the_agent() {
    let rewrite: Act = |event| HookVerdict::Rewrite(event.text.replace("colour", "color"));
    let world = World::with(plan().hook(hook(HookPoint::MessageReceived, rewrite))).await;
    let anna = world.user("anna");
    let message = anna.says("which colour?").await;
    assert_eq!(anna.hears().await, "which color?");
    assert_eq!(world.message(message).await.message.text, "which color?");
}

#[tokio::test]
async fn a_hook_sees_which_tool_has_ended_and_what_it_returned() {
    static SEEN: Mutex<Option<(Option<String>, String)>> = Mutex::new(None);
    let see: Act = |event| {
        *SEEN.lock().unwrap() = Some((event.tool.clone(), event.text.clone()));
        HookVerdict::Pass
    };
    let mut world = World::with(plan().hook(hook(HookPoint::AfterToolCall, see))).await;
    world.agent().will([Step::Tool("count"), Step::Echo]);
    world.user("anna").says("hello").await;
    world.at_rest().await;
    world.stop().await;
    let seen = SEEN.lock().unwrap().take();
    assert_eq!(seen, Some((Some("count".to_owned()), "result of count".to_owned())));
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
    let spam: Act = |event| match event.text.contains("spam") {
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
    let world = World::with(
        plan()
            .hook(hook(HookPoint::BeforeAgentStart, |_| HookVerdict::Context("it is Monday".to_owned())))
            .hook(hook(HookPoint::MessageSending, |event| HookVerdict::Rewrite(format!("{}!", event.text)))),
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
async fn a_hook_that_panics_or_hangs_is_skipped() {
    let world =
        World::with(plan().hook(hook(HookPoint::MessageReceived, |_| panic!("a fault of the operator's"))))
            .await;
    let anna = world.user("anna");
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello");

    struct Asleep;
    #[async_trait]
    impl Hook for Asleep {
        fn name(&self) -> &str {
            "asleep"
        }
        fn points(&self) -> &[HookPoint] {
            &[HookPoint::MessageReceived]
        }
        fn limit(&self) -> Duration {
            Duration::from_secs(2)
        }
        async fn call(&self, _: &HookEvent) -> HookVerdict {
            std::future::pending().await
        }
    }
    let world = World::with(plan().hook(Asleep)).await;
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
async fn hooks_are_called_at_every_point_that_this_agent_can_reach() {
    let seen: Arc<Mutex<Vec<HookPoint>>> = Arc::default();
    let onlooker = Test { at: HookPoint::GatewayStop, act: |_| HookVerdict::Pass, seen: seen.clone() };
    let mut world = World::with(plan().hook(onlooker)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Tool("count"), Step::Echo]);
    anna.says("hello").await;
    anna.says("/new").await;
    world.at_rest().await;
    world.stop().await;
    let seen = seen.lock().unwrap().clone();
    let reachable = [
        HookPoint::GatewayStart,
        HookPoint::SessionStart,
        HookPoint::MessageReceived,
        HookPoint::BeforeAgentStart,
        HookPoint::BeforeToolCall,
        HookPoint::AfterToolCall,
        HookPoint::MessageSending,
        HookPoint::AgentEnd,
        HookPoint::MessageSent,
        HookPoint::SessionEnd,
        HookPoint::GatewayStop,
    ];
    for point in reachable {
        assert!(seen.contains(&point), "{point:?} was not reached: {seen:?}");
    }
}
