//! The OpenAI-compatible front.

mod client_tools;
mod disconnects;
mod images;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::client::{Reply, answer, within};
use crate::harness::{ADMIN, MAIN, READER, TestServer};

const PATH: &str = "/v1/chat/completions";

fn ask(text: &str) -> Value {
    json!({"model": "main", "messages": [{"role": "user", "content": text}]})
}

fn request(server: &TestServer, body: &Value) -> RequestBuilder {
    server.request(Method::POST, PATH).bearer_auth(ADMIN).json(body)
}

/// The objects of a streamed response; the last one is the text `[DONE]` if it ended normally.
async fn streamed(server: &TestServer, text: &str) -> Vec<Value> {
    let mut body = ask(text);
    body["stream"] = true.into();
    body["stream_options"] = json!({"include_usage": true});
    let response = within(request(server, &body).send()).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    let text = within(response.text()).await.unwrap();
    let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or(data.into())).collect()
}

fn content(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completion_is_the_answer_of_the_agent() {
    let server = TestServer::open().await;
    let reply = server.post(PATH, ask("!usage hello")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let choice = &reply.body["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!("hello"), &json!("stop")));
    assert_eq!((&reply.body["object"], &reply.body["model"]), (&json!("chat.completion"), &json!("main")));
    let usage = &reply.body["usage"];
    let total = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!((usage["total_tokens"].as_u64(), total > 0), (Some(total), true));
    let id = reply.headers["x-request-id"].to_str().unwrap();
    assert_eq!(reply.body["id"], format!("chatcmpl-{id}"));
    let sessions = server.get("/api/sessions").await;
    let key = sessions.body["sessions"][0]["key"].as_str().unwrap();
    assert!(key.starts_with("agent:main:web:dm:v1-"), "a conversation of its own: {sessions:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_chat_gets_only_the_last_message_and_is_the_chat_of_the_page() {
    let server = TestServer::open().await;
    let conversation = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]);
    let body = json!({"model": "main", "messages": conversation});
    let whole = server.post(PATH, body.clone()).await;
    let said = "Be brief.\n\nThe conversation so far:\n\nUser: one\n\nAssistant: two\n\nUser: three";
    assert_eq!(whole.body["choices"][0]["message"]["content"], said);
    let named = || request(&server, &body).header("x-frontdesk-chat", "main").header("idempotency-key", "k");
    let first: Reply = answer(named()).await;
    assert_eq!(first.body["choices"][0]["message"]["content"], "three");
    let again = answer(named()).await;
    assert_eq!(again.body["id"], first.body["id"], "the same key is the same message");
    let session = server.get(&format!("/api/session/{}", MAIN.replace(':', "%3A"))).await;
    assert_eq!(session.status, StatusCode::OK, "{session:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_a_chat_is_text_for_the_agent_and_never_a_command() {
    let server = TestServer::open().await;
    for text in
        ["/gateway status", "/new", "/new other", "/answer 1 x", "/unknown", "//help", "/gateway restart"]
    {
        let reply = server.post(PATH, ask(text)).await;
        assert_eq!(reply.body["choices"][0]["message"]["content"], text, "{reply:?}");
    }
    let chunks = streamed(&server, "/status").await;
    assert_eq!(content(&chunks), "/status");
    for text in ["hello", "/help"] {
        let mut body = ask(text);
        let system = json!({"role": "system", "content": "/stop"});
        body["messages"].as_array_mut().unwrap().insert(0, system);
        let reply = server.post(PATH, body).await;
        assert_eq!(reply.body["choices"][0]["message"]["content"], format!("/stop\n\n{text}"), "{reply:?}");
    }
    let named = request(&server, &ask("/whoami")).header("x-frontdesk-chat", "main");
    let reply = answer(named).await;
    let shown = reply.body["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(shown.contains("web:"), "a command in a named chat: {shown}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_completion_ends_with_a_reason_its_usage_and_done() {
    let server = TestServer::open().await;
    let words = "one two three four ".repeat(20);
    let chunks = streamed(&server, &format!("!slow 20 {words}")).await;
    assert_eq!(content(&chunks), words);
    assert!(chunks.len() > 4, "in pieces: {chunks:?}");
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks.last(), Some(&json!("[DONE]")));
    let chunks = streamed(&server, "!usage hello").await;
    let usage = &chunks[chunks.len() - 2];
    assert_eq!((&usage["choices"], usage["usage"]["total_tokens"].is_u64()), (&json!([]), true), "{usage}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_the_agent_is_an_error_and_never_a_normal_end() {
    let server = TestServer::open().await;
    let reply = server.post(PATH, ask("!fail")).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::BAD_GATEWAY, "agent_failed"), "{reply:?}");
    assert_eq!(reply.body["error"]["type"], "server_error");
    assert_eq!(reply.headers["x-should-retry"], "false", "a repetition would be a second turn");
    let chunks = streamed(&server, "!fail").await;
    assert_eq!(chunks.last().unwrap()["error"]["code"], "agent_failed", "{chunks:?}");
    assert!(!chunks.contains(&json!("[DONE]")));
    // What was shown of an answer cannot be taken back.
    let chunks = streamed(&server, "!restart other words").await;
    assert_eq!(chunks.last().unwrap()["error"]["code"], "answer_restarted", "{chunks:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_short_says_so_in_its_reason_and_has_no_remark() {
    let server = TestServer::open().await;
    let code = "see:\n```\nlet a = 1;\nlet";
    for (end, reason) in [
        ("length", "length"),
        ("too_long", "length"),
        ("cut_off", "length"),
        ("content_filter", "content_filter"),
    ] {
        for text in ["one two", code] {
            let asked = format!("!ends {end} {text}");
            let reply = server.post(PATH, ask(&asked)).await;
            let choice = &reply.body["choices"][0];
            let said = (&choice["message"]["content"], &choice["finish_reason"]);
            assert_eq!(said, (&json!(text), &json!(reason)), "{reply:?}");
            let chunks = streamed(&server, &asked).await;
            let [.., last, done] = chunks.as_slice() else { panic!("{chunks:?}") };
            assert_eq!((content(&chunks).as_str(), done), (text, &json!("[DONE]")), "{chunks:?}");
            assert_eq!(last["choices"][0]["finish_reason"], reason, "{chunks:?}");
        }
    }
    // People read why: on the page, and in the history.
    let chat = server.post("/api/chat", json!({"text": "!ends length one"})).await;
    assert_eq!(chat.body["text"], "one\n\n(The answer reached the model's maximum length and ends here.)");
    let messages = server.get(&format!("/api/session/{}/messages", MAIN.replace(':', "%3A"))).await;
    assert_eq!(messages.body["messages"][0]["answer_end"], "length", "{messages:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_broke_off_is_an_error_also_when_it_is_asked_for_again() {
    let server = TestServer::open().await;
    for end in ["broken_off", "error_reported", "too_many_calls"] {
        let body = ask(&format!("!ends {end} half of it"));
        let reply = server.post(PATH, body.clone()).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_GATEWAY, "agent_failed"), "{reply:?}");
        assert_eq!(reply.body["error"]["text"], "half of it", "{reply:?}");
        assert_eq!(reply.headers["x-should-retry"], "false");
        let chunks = streamed(&server, &format!("!ends {end} half of it")).await;
        assert_eq!(content(&chunks), "half of it");
        let [.., last] = chunks.as_slice() else { panic!("{chunks:?}") };
        assert_eq!(last["error"]["code"], "agent_failed", "{chunks:?}");
        assert!(!chunks.iter().any(|chunk| chunk["choices"][0]["finish_reason"].is_string()), "{chunks:?}");
        // A repetition with the same key gets the stored error.
        let keyed = || request(&server, &body).header("x-frontdesk-chat", "c").header("idempotency-key", end);
        let (first, again) = (answer(keyed()).await, answer(keyed()).await);
        assert_eq!((first.status, again.status), (StatusCode::BAD_GATEWAY, StatusCode::BAD_GATEWAY));
        assert_eq!(first.body, again.body);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_models_are_the_agents() {
    let server = TestServer::open().await;
    let models = answer(server.request(Method::GET, "/v1/models").bearer_auth(READER)).await;
    assert_eq!((&models.body["object"], &models.body["data"][0]["id"]), (&json!("list"), &json!("main")));
    assert_eq!(server.get("/v1/models/main").await.body["object"], "model");
    for reply in [
        server.get("/v1/models/gpt-4").await,
        server.post(PATH, json!({"model": "gpt-4", "messages": [{"role": "user", "content": "a"}]})).await,
    ] {
        assert_eq!((reply.status, reply.code()), (StatusCode::NOT_FOUND, "model_not_found"), "{reply:?}");
        assert!(reply.body["error"]["message"].as_str().unwrap().contains("main"), "{reply:?}");
    }
    assert_eq!(server.get("/api/status").await.body["totals"]["sessions"], 0);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_and_callers_are_refused_before_anything_is_stored() {
    let server = TestServer::open().await;
    let of_a_reader = server.request(Method::POST, PATH).bearer_auth(READER).json(&ask("a"));
    assert_eq!(answer(of_a_reader).await.status, StatusCode::FORBIDDEN);
    let without = server.request(Method::POST, PATH).json(&ask("a"));
    assert_eq!(answer(without).await.status, StatusCode::UNAUTHORIZED);
    let mut tools = ask("a");
    tools["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    for (body, code) in [
        (json!({"model": "main"}), "bad_json"),
        (json!({"model": "main", "messages": []}), "bad_request"),
        (ask(" "), "bad_request"),
        (tools, "unsupported_parameter"),
    ] {
        let reply = server.post(PATH, body).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, code), "{reply:?}");
        assert_eq!(reply.body["error"]["type"], "invalid_request_error");
    }
    let with = |content: Value| json!({"model": "main", "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": content}]});
    for (body, what) in [
        (
            with(json!(5)),
            "messages[1].content: the number `5` stands where a text or a list of parts is expected",
        ),
        (
            with(json!({"text": "a"})),
            "messages[1].content: an object stands where a text or a list of parts is expected",
        ),
        (
            with(json!([{"type": "text", "text": 5}])),
            "messages[1].content[0].text: the number `5` stands where a text is expected",
        ),
        (with(json!([{"text": "a"}])), "messages[1].content[0]: missing field `type`"),
        (
            with(json!([{"type": "text"}])),
            "messages[1].content[0]: a part of the type `text` must have a `text`",
        ),
    ] {
        let reply = server.post(PATH, body).await;
        let message = reply.body["error"]["message"].as_str().unwrap();
        assert!(reply.status == StatusCode::BAD_REQUEST && message.contains(what), "{message}");
    }
    assert_eq!(server.get("/api/status").await.body["totals"]["sessions"], 0);
    server.close().await;
}

/// A request with a tool `look`.
fn with_tool(text: &str) -> Value {
    let mut body = ask(text);
    let schema = json!({"type": "object", "properties": {"at": {"type": "string"}}});
    let function = json!({"name": "look", "description": "Looks", "parameters": schema});
    body["tools"] = json!([{"type": "function", "function": function}]);
    body
}
