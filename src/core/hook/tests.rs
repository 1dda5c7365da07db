//! Names and fields of the events.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::delta::Usage;
use crate::key::SessionKey;

fn key() -> SessionKey {
    "agent:main:web:dm:main".parse().unwrap()
}

fn events() -> Vec<HookEvent> {
    let (session, message, channel) = (key(), "hi".to_owned(), "web".to_owned());
    let (tool, params, result) = ("count".to_owned(), json!({"n": 2}), "3".to_owned());
    let config = Arc::new(json!({"log": {}}));
    let usage = Usage { input: Some(5), ..Usage::default() };
    let messages = [(HookRole::User, "hi"), (HookRole::Assistant, "ho")];
    let messages = messages.map(|(role, text)| HookMessage { role, text: text.to_owned() }).to_vec();
    vec![
        HookEvent::BeforeAgentStart { session: key(), message: message.clone(), config: config.clone() },
        HookEvent::AgentEnd { session: key(), messages, usage: Some(usage) },
        HookEvent::MessageReceived { session: key(), message: message.clone(), channel: channel.clone() },
        HookEvent::MessageSending(HookText {
            session: None,
            message: message.clone(),
            channel: channel.clone(),
            piece: false,
            choices: vec!["Allow".to_owned()],
        }),
        HookEvent::MessageSent { session: Some(session), message, channel, message_id: Some("7".to_owned()) },
        HookEvent::BeforeToolCall { session: key(), tool: tool.clone(), params: params.clone() },
        HookEvent::AfterToolCall { session: key(), tool: tool.clone(), params, result: result.clone() },
        HookEvent::ToolResultPersist { session: key(), tool, result },
        HookEvent::SessionStart { session: key() },
        HookEvent::SessionEnd { session: key() },
        HookEvent::BeforeCompaction { session: key() },
        HookEvent::AfterCompaction { session: key() },
        HookEvent::GatewayStart { config },
        HookEvent::GatewayStop,
    ]
}

#[test]
fn every_point_has_its_name_and_its_fields() {
    let expected = [
        r#"before_agent_start {"config":{"log":{}},"message":"hi","sessionKey":"agent:main:web:dm:main"}"#,
        r#"agent_end {"messages":[{"role":"user","text":"hi"},{"role":"assistant","text":"ho"}],"sessionKey":"agent:main:web:dm:main","usage":{"cache_read":null,"cache_write":null,"context_used":null,"context_window":null,"cost_micro":null,"input":5,"model":null,"output":null}}"#,
        r#"message_received {"channel":"web","message":"hi","sessionKey":"agent:main:web:dm:main"}"#,
        r#"message_sending {"channel":"web","choices":["Allow"],"message":"hi","piece":false,"sessionKey":null}"#,
        r#"message_sent {"channel":"web","message":"hi","messageId":"7","sessionKey":"agent:main:web:dm:main"}"#,
        r#"before_tool_call {"params":{"n":2},"sessionKey":"agent:main:web:dm:main","tool":"count"}"#,
        r#"after_tool_call {"params":{"n":2},"result":"3","sessionKey":"agent:main:web:dm:main","tool":"count"}"#,
        r#"tool_result_persist {"result":"3","sessionKey":"agent:main:web:dm:main","tool":"count"}"#,
        r#"session_start {"sessionKey":"agent:main:web:dm:main"}"#,
        r#"session_end {"sessionKey":"agent:main:web:dm:main"}"#,
        r#"before_compaction {"sessionKey":"agent:main:web:dm:main"}"#,
        r#"after_compaction {"sessionKey":"agent:main:web:dm:main"}"#,
        r#"gateway_start {"config":{"log":{}}}"#,
        r#"gateway_stop {}"#,
    ];
    let shown: Vec<String> =
        events().iter().map(|event| format!("{} {}", event.point().name(), event.to_json())).collect();
    assert_eq!(shown, expected);
    let points: Vec<HookPoint> = events().iter().map(HookEvent::point).collect();
    assert_eq!(points, HookPoint::ALL);
}

#[test]
fn a_point_that_allows_a_change_has_something_to_change() {
    for mut event in events() {
        let point = event.point();
        assert_eq!(event.text_mut().is_some(), point.allows(&HookVerdict::Rewrite(String::new())));
        assert_eq!(event.params_mut().is_some(), point.allows(&HookVerdict::Params(Value::Null)));
        assert!(point.allows(&HookVerdict::Pass));
    }
}
