//! The OpenAI-compatible front.

use std::time::Duration;

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
        // What is stored is the same for the same key.
        let keyed = || request(&server, &body).header("x-frontdesk-chat", "c").header("idempotency-key", end);
        let (first, again) = (answer(keyed()).await, answer(keyed()).await);
        assert_eq!((first.status, again.status), (StatusCode::BAD_GATEWAY, StatusCode::BAD_GATEWAY));
        assert_eq!(first.body, again.body);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_disconnects_cancels_its_turn() {
    let server = TestServer::open().await;
    for stream in [false, true] {
        let mut body = ask("!wait 60000 late");
        body["stream"] = stream.into();
        let waiting = request(&server, &body).timeout(Duration::from_millis(500)).send();
        if let Ok(response) = waiting.await {
            assert!(response.text().await.is_err(), "the answer does not end in time");
        }
    }
    let ended = async {
        loop {
            let sessions = server.get("/api/sessions").await;
            let mut states = Vec::new();
            for session in sessions.body["sessions"].as_array().unwrap() {
                let key = session["key"].as_str().unwrap().replace('%', "%25").replace(':', "%3A");
                let messages = server.get(&format!("/api/session/{key}/messages")).await;
                states.push(messages.body["messages"][0]["state"].as_str().unwrap().to_owned());
            }
            if states == ["cancelled", "cancelled"] {
                break;
            }
            let clock = server.handle.clock();
            clock.sleep_until(clock.mono() + Duration::from_millis(50)).await;
        }
    };
    within(ended).await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_a_key_to_a_chat_is_answered_though_its_client_disconnects() {
    let server = TestServer::open().await;
    let body = ask("!wait 1500 late");
    let keyed = || request(&server, &body).header("x-frontdesk-chat", "c").header("idempotency-key", "k");
    assert!(keyed().timeout(Duration::from_millis(300)).send().await.is_err());
    let reply = answer(keyed()).await;
    assert_eq!(reply.body["choices"][0]["message"]["content"], "late", "{reply:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_a_key_is_one_turn_however_often_it_is_sent() {
    let server = TestServer::open().await;
    let body = ask("!wait 1500 late");
    let keyed = |body: &Value| request(&server, body).header("idempotency-key", "k");
    assert!(keyed(&body).timeout(Duration::from_millis(300)).send().await.is_err());
    let (one, other) = tokio::join!(answer(keyed(&body)), answer(keyed(&body)));
    assert_eq!(one.body["choices"][0]["message"]["content"], "late", "{one:?}");
    let mut in_a_stream = body.clone();
    in_a_stream["stream"] = true.into();
    let text = within(within(keyed(&in_a_stream).send()).await.unwrap().text()).await.unwrap();
    assert!(text.contains("late") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!((&one.body["id"], &one.body["choices"]), (&other.body["id"], &other.body["choices"]));
    assert_eq!(server.get("/api/status").await.body["totals"]["sessions"], 1);
    let conflict = answer(keyed(&ask("other words"))).await;
    assert_eq!((conflict.status, conflict.code()), (StatusCode::CONFLICT, "conflict"), "{conflict:?}");
    // Keys are each chat's own.
    let named = answer(keyed(&ask("other words")).header("x-frontdesk-chat", "c")).await;
    assert_eq!(named.body["choices"][0]["message"]["content"], "other words");
    server.agent.take_tools();
    let refused = answer(keyed(&with_tool("!call look {}"))).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "unsupported_parameter"));
    server.close().await;
}

/// Waits until an agent works on this many requests.
async fn running(server: &TestServer, turns: u64) {
    within(async {
        while server.store().totals().await.unwrap().running < turns {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_ends_a_request_whose_answer_nobody_could_read_and_answers_one_with_a_key() {
    let server = TestServer::open().await;
    let (plain, keyed) = (ask("!wait 60000 plain"), ask("!wait 2000 keyed"));
    let sent = (request(&server, &plain), request(&server, &keyed).header("idempotency-key", "k"));
    let restarted = async {
        running(&server, 2).await;
        server.restarted().await
    };
    let (plain, first, server) = tokio::join!(answer(sent.0), answer(sent.1), restarted);
    for (reply, what) in [(&plain, "is cancelled"), (&first, "will be answered after the next start")] {
        assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "stopping"), "{reply:?}");
        assert!(reply.body["error"]["message"].as_str().unwrap().contains(what), "{reply:?}");
    }
    let again = answer(request(&server, &keyed).header("idempotency-key", "k")).await;
    assert_eq!(again.body["choices"][0]["message"]["content"], "keyed", "{again:?}");
    assert_eq!(again.headers["x-request-id"], first.body["error"]["about"].as_str().unwrap());
    let id = plain.body["error"]["about"].as_str().unwrap().parse().unwrap();
    let row = server.store().message(id).await.unwrap().unwrap();
    assert_eq!(row.message.state.name(), "cancelled");
    assert_eq!(server.agent.turns(), 1, "only that with the key ran once more");
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
            "messages[1].content: invalid type: integer `5`, expected a text or a list of parts",
        ),
        (
            with(json!({"text": "a"})),
            "messages[1].content: invalid type: map, expected a text or a list of parts",
        ),
        (with(json!([{"type": "text", "text": 5}])), "messages[1].content[0].text: invalid type"),
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

/// A picture of this many bytes as a part of a message.
fn picture(bytes: usize) -> Value {
    use base64::Engine as _;
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.resize(bytes, b'.');
    let url = format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(png));
    json!({"type": "image_url", "image_url": {"url": url}})
}

fn kept_files(server: &TestServer) -> usize {
    std::fs::read_dir(server.media().join("in")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_reach_the_agent_as_files_and_the_same_one_is_kept_once() {
    let server = TestServer::open().await;
    let ask = |parts: Value| json!({"model": "main", "messages": [{"role": "user", "content": parts}]});
    for _ in 0..2 {
        let reply = server.post(PATH, ask(json!([{"type": "text", "text": "look"}, picture(100)]))).await;
        assert_eq!(reply.body["choices"][0]["message"]["content"], "look\n[photo, 100 bytes]", "{reply:?}");
        let files = server.agent.files();
        let [file] = files.as_slice() else { panic!("{files:?}") };
        assert_eq!((file.kind, file.size), (frontdesk_core::message::FileKind::Photo, Some(100)));
        assert!(std::fs::read(file.got.as_ref().unwrap()).unwrap().starts_with(b"\x89PNG"));
        assert_eq!(kept_files(&server), 1);
    }
    let only = server.post(PATH, ask(json!([picture(101), picture(102)]))).await;
    assert_eq!((only.status, server.agent.files().len()), (StatusCode::OK, 2), "no text is needed: {only:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_is_not_taken_leaves_no_file() {
    let server = TestServer::with(|_, runtime| runtime.media.daily_bytes = 150).await;
    let ask = |part: Value| json!({"model": "main", "messages": [{"role": "user", "content": [part]}]});
    let elsewhere = json!({"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}});
    let refused = server.post(PATH, ask(elsewhere)).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "unsupported_parameter"));
    assert_eq!(kept_files(&server), 0);
    // A request that is repeated has its files already.
    let body = ask(picture(100));
    let keyed = || request(&server, &body).header("x-frontdesk-chat", "c").header("idempotency-key", "k");
    let (first, again) = (answer(keyed()).await, answer(keyed()).await);
    assert_eq!((first.status, &first.body["id"]), (StatusCode::OK, &again.body["id"]), "{first:?} {again:?}");
    assert_eq!(kept_files(&server), 1);
    // Beyond a person's daily limit the agent is told, and nothing is kept.
    let beyond = server.post(PATH, ask(picture(101))).await;
    assert_eq!(beyond.status, StatusCode::OK, "{beyond:?}");
    let missing = server.agent.files()[0].got.clone().unwrap_err();
    assert!(missing.contains("as much today"), "{missing}");
    assert_eq!(kept_files(&server), 1);
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
