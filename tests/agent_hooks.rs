//! The hooks for tools and compactions are called for every kind of agent that has them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk::core::hook::{Hook, HookError, HookEvent, HookPoint, HookVerdict};
use frontdesk::{Gateway, Running};
use frontdesk_fakemodel::{FakeModel, Script};
use serde_json::{Value, json};

const POINTS: [HookPoint; 5] = [
    HookPoint::BeforeToolCall,
    HookPoint::AfterToolCall,
    HookPoint::ToolResultPersist,
    HookPoint::BeforeCompaction,
    HookPoint::AfterCompaction,
];

/// Calls one tool of its own for each prompt, and compacts when it is asked to.
const PROGRAM: &str = r#"
    while read -r line; do
        case "$line" in
            *'"type":"prompt"'*) echo '{"type":"tool_start","id":"1","name":"mail","params":{}}';;
            *'"type":"tool_ok"'*) echo '{"type":"tool_end","id":"1","result":"sent"}'; echo '{"type":"done","text":"ok"}';;
            *'"type":"compact"'*) echo '{"type":"compacted","summary":"short"}'; echo '{"type":"done"}';;
        esac
    done"#;

/// Speaks as pi does in RPC mode.
const PI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/agents/tests/agents/pi_fake.mjs");

/// Notes the points at which it is called, with the tool.
struct Notes(Arc<Mutex<BTreeSet<String>>>);

#[async_trait]
impl Hook for Notes {
    fn name(&self) -> &str {
        "notes"
    }
    fn points(&self) -> &[HookPoint] {
        &POINTS
    }
    fn limit(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn fails_closed(&self) -> bool {
        false
    }
    fn takes_pieces(&self) -> bool {
        false
    }
    async fn call(&self, event: &HookEvent) -> Result<HookVerdict, HookError> {
        let tool = match event {
            HookEvent::BeforeToolCall { tool, .. }
            | HookEvent::AfterToolCall { tool, .. }
            | HookEvent::ToolResultPersist { tool, .. } => format!(" {tool}"),
            _ => String::new(),
        };
        self.0.lock().unwrap().insert(format!("{:?}{tool}", event.point()));
        Ok(HookVerdict::Pass)
    }
}

async fn say(gateway: &Running, text: &str) -> Value {
    let request = reqwest::Client::new()
        .post(format!("{}/api/chat", gateway.url()))
        .bearer_auth(gateway.token().0.expose())
        .json(&json!({ "text": text }));
    request.send().await.unwrap().json().await.unwrap()
}

/// What hooks are called for while an agent of this kind answers these messages.
async fn called(agent: &str, messages: &[&str]) -> BTreeSet<String> {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("frontdesk.toml");
    std::fs::write(&file, format!("[gateway]\nport = 0\n[agents.main]\n{agent}")).unwrap();
    let called = Arc::<Mutex<BTreeSet<String>>>::default();
    let start = Gateway::builder().home(home.path().join("home")).config_file(&file);
    let gateway = start.hook(Arc::new(Notes(called.clone()))).start().await.unwrap();
    for message in messages {
        let answer = say(&gateway, message).await;
        assert!(answer["text"].is_string(), "{message}: {answer}");
    }
    gateway.stop().await;
    let called = called.lock().unwrap();
    called.clone()
}

/// The calls for these tools and for a compaction.
fn expected(tools: &[&str]) -> BTreeSet<String> {
    let of = |tool: &&str| {
        let tool = (*tool).to_owned();
        POINTS[..3].iter().map(move |point| format!("{point:?} {tool}"))
    };
    tools.iter().flat_map(of).chain(POINTS[3..].iter().map(|point| format!("{point:?}"))).collect()
}

#[tokio::test]
async fn a_program_reports_its_tools_and_its_compaction() {
    let agent = format!(
        "kind = \"command\"\nmode = \"lasting\"\ncompact = true\ncommand = [\"sh\", \"-c\", '''{PROGRAM}''']\n"
    );
    assert_eq!(called(&agent, &["hello", "/compact"]).await, expected(&["mail"]));
}

#[tokio::test]
async fn pi_reports_its_tools_and_those_of_the_gateway() {
    let agent = format!(
        "kind = \"pi\"\nprovider = \"fake\"\nmodel = \"fake-1\"\ncommand = [\"node\", \"{PI}\"]\n\
         approvals = {{ \"*\" = \"allow\" }}\npool = {{ min = 0 }}\n"
    );
    let messages = ["tool", "gateway session_status tool+call", "/compact"];
    assert_eq!(called(&agent, &messages).await, expected(&["bash", "session_status"]));
}

#[tokio::test]
async fn a_model_calls_tools_of_the_gateway_and_is_asked_for_a_summary() {
    let model = FakeModel::start().await.unwrap();
    let call = json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c1", "type": "function",
                      "function": {"name": "session_status", "arguments": "{}"}}]}}]});
    model.will(Script::saying(&[]).event(&call).finish("tool_calls").usage(100, 10).done());
    model.will(Script::answer(&["done"]));
    model.will(Script::answer(&["a summary"]));
    let agent =
        format!("kind = \"openai\"\nbase_url = \"{}\"\nmodel = \"m\"\napi_key = \"k\"\n", model.url());
    assert_eq!(called(&agent, &["hello", "/compact"]).await, expected(&["session_status"]));
}
