//! Tools that a client of the completions offers.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{PATH, ask, request, with_tool};
use crate::client::{answer, within};
use crate::harness::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_a_clients_tool_ends_the_answer() {
    let server = TestServer::open().await;
    server.agent.take_tools();
    let whole = server.post(PATH, with_tool(r#"!call look {"at":"sky"}"#)).await;
    let choice = &whole.body["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let call = &choice["message"]["tool_calls"][1];
    let expected = json!({"id": "call_2", "type": "function", "function": {"name": "look", "arguments": r#"{"at":"sky"}"#}});
    assert_eq!(call, &expected, "{whole:?}");
    let offered = server.agent.offered();
    assert_eq!((&*offered.tools[0].name, &*offered.tools[0].description), ("look", "Looks"));
    // In a stream, and only one call if the client wants it so.
    let mut body = with_tool("!call look {}");
    body["stream"] = true.into();
    body["parallel_tool_calls"] = false.into();
    let text = within(within(request(&server, &body).send()).await.unwrap().text()).await.unwrap();
    let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    let chunks: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap_or(data.into())).collect();
    let [.., calls, end, done] = chunks.as_slice() else { panic!("{chunks:?}") };
    let calls = calls["choices"][0]["delta"]["tool_calls"].as_array().unwrap();
    assert_eq!((calls.len(), &calls[0]["index"], &calls[0]["id"]), (1, &json!(0), &json!("call_1")));
    assert_eq!((&end["choices"][0]["finish_reason"], done), (&json!("tool_calls"), &json!("[DONE]")));
    // An answer without a call is a normal one, and the next request has no tools.
    let plain = server.post(PATH, with_tool("hello")).await;
    assert_eq!(plain.body["choices"][0]["finish_reason"], "stop", "{plain:?}");
    let without = server.post(PATH, ask("!call look {}")).await;
    assert_eq!(without.body["choices"][0]["finish_reason"], "stop", "nobody could carry it out: {without:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fallback_that_calls_no_tools_is_named() {
    let server = TestServer::open().await;
    for (has_fallback, why) in [
        (false, "tools: the agent main calls its own tools and none of a client"),
        (
            true,
            "tools: the agent main takes none, because helper may answer in its place and calls no tools of a client",
        ),
    ] {
        if has_fallback {
            server.agent.has_fallback();
        }
        let reply = server.post(PATH, with_tool("hello")).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, "unsupported_parameter"));
        assert_eq!(reply.body["error"]["message"], why);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_that_goes_on_without_the_client_takes_no_tools() {
    let server = TestServer::open().await;
    server.agent.take_tools();
    let body = with_tool("hello");
    let reply = answer(request(&server, &body).header("x-frontdesk-chat", "main")).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, "unsupported_parameter"), "{reply:?}");
    server.close().await;
}
