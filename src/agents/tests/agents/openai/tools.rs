//! A model that calls the gateway's tools.

use std::sync::Arc;

use frontdesk_agents::openai;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::port::Turn;
use frontdesk_core::tool::{ClientCall, ClientTool, ClientTools, ToolChoice};
use frontdesk_fakemodel::Script;
use serde_json::{Value, json};

use super::Fixture;
use crate::noting_tools::Noting;
use crate::sandbox::turn;

fn with_tools(text: &str) -> (Turn, Arc<Noting>) {
    let tools = Arc::new(Noting::default());
    (Turn { tools: tools.clone(), ..turn(1, text) }, tools)
}

/// Adds a call to a stream, in the usual fragments.
fn calling(script: Script, n: u32, tool: &str, arguments: &str) -> Script {
    let piece = |call: Value| json!({"choices": [{"delta": {"content": null, "tool_calls": [call]}}]});
    let (one, other) = arguments.split_at(arguments.len() / 2);
    script
        .event(&piece(json!({"index": n, "id": format!("call_{n}"), "type": "function",
                             "function": {"name": tool, "arguments": ""}})))
        .event(&piece(json!({"index": n, "function": {"arguments": one}})))
        .event(&piece(json!({"index": n, "function": {"arguments": other}})))
}

/// A whole reply that calls one tool.
fn call(tool: &str, arguments: &str) -> Script {
    calling(Script::saying(&[]), 0, tool, arguments).finish("tool_calls").usage(100, 10).done()
}

#[tokio::test]
async fn the_results_of_calls_go_back_to_the_model() {
    let fixture = Fixture::new().await;
    let first = calling(Script::saying(&["Let me see."]), 0, "send_message", r#"{"text":"wörk"}"#);
    let first = calling(first, 1, "no_such_tool", "{}");
    fixture.model.will(first.finish("tool_calls").usage(100, 10).done());
    fixture.model.will(Script::answer(&["It is ", "done."]));
    let (turn, tools) = with_tools("go");
    let reported = fixture.run(turn).await;
    assert_eq!(reported.answer(), "Let me see.\n\nIt is done.");
    let called =
        [("send_message".to_owned(), json!({"text": "wörk"})), ("no_such_tool".to_owned(), json!({}))];
    assert_eq!(tools.calls(), called);
    let usage = reported.usage.as_ref().unwrap();
    assert_eq!((usage.input, usage.output, usage.context_used), (Some(200), Some(30), Some(120)));
    let offered = &fixture.model.requests()[0]["tools"];
    assert_eq!(
        (&offered[0]["type"], &offered[0]["function"]["name"]),
        (&json!("function"), &json!("send_message"))
    );
    let messages = fixture.messages();
    let [.., user, calls, sent, failed] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((&user["role"], &calls["content"]), (&json!("user"), &json!("Let me see.")));
    assert_eq!(
        calls["tool_calls"][0],
        json!({"id": "call_0", "type": "function",
        "function": {"name": "send_message", "arguments": r#"{"text":"wörk"}"#}})
    );
    assert_eq!(*sent, json!({"role": "tool", "tool_call_id": "call_0", "content": "It is on its way."}));
    assert_eq!(
        *failed,
        json!({"role": "tool", "tool_call_id": "call_1", "content": "error: there is no such tool"})
    );
}

#[tokio::test]
async fn arguments_that_cannot_be_read_are_an_error_for_the_model() {
    let fixture = Fixture::new().await;
    for wrong in [r#"{"text":"half"#, "[1]", "text"] {
        fixture.model.will(call("send_message", wrong));
    }
    fixture.model.will(Script::answer(&["sorry"]));
    let (turn, tools) = with_tools("go");
    assert_eq!(fixture.run(turn).await.answer(), "sorry");
    assert_eq!(tools.calls(), []);
    let results: Vec<_> =
        fixture.messages().into_iter().filter(|message| message["role"] == "tool").collect();
    assert_eq!(results.len(), 3);
    assert!(
        results.iter().all(|result| result["content"].as_str().unwrap().starts_with("error: the arguments "))
    );
}

#[tokio::test]
async fn calls_of_a_reply_that_breaks_off_are_not_carried_out() {
    let called = || calling(Script::saying(&[]), 0, "send_message", r#"{"text":"x"}"#);
    for broken in [called(), called().cut()] {
        let fixture = Fixture::new().await;
        fixture.model.will(broken);
        fixture.model.will(called().finish("stop").done());
        fixture.model.will(Script::answer(&["done"]));
        let (turn, tools) = with_tools("go");
        assert_eq!(fixture.run(turn).await.answer(), "done");
        assert_eq!(tools.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_model_that_calls_tools_without_end_is_brought_to_one() {
    let fixture = Fixture::new().await;
    fixture.model.usually(call("send_message", r#"{"text":"again"}"#));
    let (turn, tools) = with_tools("go");
    assert_eq!(fixture.run(turn).await.ended(), ("", AnswerEnd::TooManyCalls));
    let requests = fixture.model.requests();
    assert_eq!((requests.len(), tools.calls().len()), (25, 24));
    assert_eq!((&requests[23]["tool_choice"], &requests[24]["tool_choice"]), (&Value::Null, &json!("none")));
}

#[tokio::test]
async fn after_a_call_the_model_need_not_say_anything() {
    let fixture = Fixture::new().await;
    fixture.model.will(call("send_message", r#"{"text":"all of it"}"#));
    fixture.model.will(Script::answer(&[]));
    let (turn, _) = with_tools("go");
    assert_eq!(fixture.run(turn).await.answer(), "");
    assert_eq!(fixture.model.requests().len(), 2);
}

#[tokio::test]
async fn a_model_that_takes_no_tools_is_asked_without_them() {
    let fixture = Fixture::new().await;
    let refusal =
        json!({"message": "registry.ollama.ai/library/gemma3 does not support tools", "type": "api_error"});
    fixture.model.will(Script::refusal(400, &refusal));
    for _ in 0..2 {
        assert_eq!(fixture.run(with_tools("hi").0).await.answer(), "hello there");
    }
    let offered: Vec<bool> =
        fixture.model.requests().iter().map(|request| request["tools"].is_array()).collect();
    assert_eq!(offered, [true, false, false]);
    let without = Fixture::with(|config| openai::Config { tools: false, ..config }).await;
    without.run(with_tools("hi").0).await.answer();
    assert!(without.model.requests()[0].get("tools").is_none());
}

/// A turn whose client offers tools of these names.
fn with_client(names: &[&str], choice: ToolChoice) -> (Turn, Arc<Noting>) {
    let tool = |name: &&str| ClientTool {
        name: (*name).to_owned(),
        description: "Of the client".to_owned(),
        parameters: json!({"type": "object"}),
        strict: true,
    };
    let of_client = ClientTools { tools: names.iter().map(tool).collect(), choice };
    let tools = Arc::new(Noting { of_client, ..Noting::default() });
    (Turn { tools: tools.clone(), ..turn(1, "go") }, tools)
}

#[tokio::test]
async fn a_call_of_a_clients_tool_ends_the_answer_and_is_handed_over() {
    let fixture = Fixture::new().await;
    let reply = calling(Script::saying(&["Let me look."]), 0, "look", r#"{"at":"sky"}"#);
    // A call of ours beside it is not carried out: its result could not be told.
    let reply = calling(reply, 1, "send_message", r#"{"text":"a"}"#);
    fixture.model.will(reply.finish("tool_calls").usage(100, 10).done());
    let (turn, tools) = with_client(&["look", "send_message_2"], ToolChoice::Auto);
    let reported = fixture.run(turn).await;
    assert_eq!(reported.answer(), "Let me look.");
    let call = ClientCall { id: "call_0".into(), name: "look".into(), arguments: r#"{"at":"sky"}"#.into() };
    assert_eq!(*tools.handed_over.lock().unwrap(), [call]);
    assert_eq!(tools.calls(), []);
    let request = &fixture.model.requests()[0];
    let names: Vec<&Value> =
        request["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
    assert_eq!(names, [&json!("send_message"), &json!("look"), &json!("send_message_2")]);
    assert_eq!(
        (&request["tools"][1]["function"]["strict"], &request["tool_choice"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn a_client_may_take_a_name_of_ours_and_ask_for_a_call() {
    let fixture = Fixture::new().await;
    fixture.model.will(call("send_message", ""));
    let (turn, tools) = with_client(&["send_message"], ToolChoice::Named("send_message".into()));
    fixture.run(turn).await;
    assert_eq!(tools.calls(), [], "the client's own");
    assert_eq!(tools.handed_over.lock().unwrap()[0].arguments, "{}");
    let request = &fixture.model.requests()[0];
    assert_eq!(request["tools"].as_array().unwrap().len(), 1);
    assert_eq!(request["tools"][0]["function"]["description"], "Of the client");
    let named = json!({"type": "function", "function": {"name": "send_message"}});
    assert_eq!(request["tool_choice"], named);
}

#[tokio::test]
async fn a_call_that_a_client_demands_is_one_of_its_own_tools() {
    let fixture = Fixture::new().await;
    for choice in [ToolChoice::Required, ToolChoice::Named("look".into())] {
        fixture.model.will(call("look", ""));
        let (turn, tools) = with_client(&["look", "hear"], choice.clone());
        fixture.run(turn).await;
        assert_eq!(tools.handed_over.lock().unwrap()[0].name, "look");
        let request = fixture.model.requests().pop().unwrap();
        let offered = request["tools"].as_array().unwrap();
        let names: Vec<&Value> = offered.iter().map(|tool| &tool["function"]["name"]).collect();
        assert_eq!(
            names,
            [&json!("look"), &json!("hear")],
            "{choice:?}: the model may not call ours instead"
        );
    }
    assert_eq!(fixture.model.requests()[0]["tool_choice"], "required");
}

#[tokio::test]
async fn a_model_that_takes_no_tools_fails_where_a_client_counts_on_them() {
    let fixture = Fixture::new().await;
    let refusal = json!({"message": "fake does not support tools"});
    fixture.model.will(Script::refusal(400, &refusal));
    let (turn, _) = with_client(&["look"], ToolChoice::Auto);
    let error = fixture.run(turn).await.error();
    assert!(error.contains("does not support tools"), "{error}");
    assert_eq!(fixture.model.requests().len(), 1);
}
