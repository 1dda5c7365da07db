//! The tools of agents at `/mcp`.

use frontdesk_api::{Rate, Scope, Token, hash_token};
use frontdesk_core::tool::ToolEndpoint;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Reply, answer, within};
use crate::harness::{ADMIN, MAIN, TestServer};

/// The other chat of the tests.
const WORK: &str = "agent:main:web:dm:work";

/// Lets a turn of a chat begin that does not end, and returns where it finds its tools.
async fn begun(server: &TestServer, chat: &str, session: &str) -> ToolEndpoint {
    let prompt = json!({"text": "!wait 500000 x", "chat": chat, "wait": false});
    let accepted = server.post("/api/chat", prompt).await;
    assert_eq!((accepted.status, &accepted.body["session"]), (StatusCode::ACCEPTED, &json!(session)));
    within(async {
        loop {
            if let Some(endpoint) = server.agent.endpoint(session) {
                return endpoint;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// Sends a message of the protocol.
async fn sent(server: &TestServer, token: &str, method: &str, params: Value) -> Reply {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request = server.request(Method::POST, "/mcp").bearer_auth(token);
    answer(request.header("accept", "application/json, text/event-stream").json(&message)).await
}

async fn called(server: &TestServer, token: &str, tool: &str, arguments: Value) -> Value {
    let reply = sent(server, token, "tools/call", json!({"name": tool, "arguments": arguments})).await;
    assert_eq!(
        (reply.status, &reply.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    reply.body["result"].clone()
}

#[tokio::test]
async fn an_agent_lists_and_calls_its_tools() {
    let server = TestServer::open().await;
    let ToolEndpoint { url, token } = begun(&server, "main", MAIN).await;
    assert_eq!(url, format!("http://{}/mcp", server.address));
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let hello = sent(&server, &token, "initialize", hello).await;
    assert_eq!(hello.body["result"]["serverInfo"]["name"], "frontdesk");
    let listed = sent(&server, &token, "tools/list", json!({})).await;
    let names: Vec<_> =
        listed.body["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert!(
        names.contains(&&json!("send_message")) && names.contains(&&json!("session_status")),
        "{names:?}"
    );
    let result = called(&server, &token, "send_message", json!({"text": "by the tool"})).await;
    assert_eq!(
        (&result["isError"], &result["content"][0]["text"]),
        (&json!(false), &json!("It is on its way. Its id is o1."))
    );
    let outbox = server.get("/api/outbox").await.body;
    assert_eq!(outbox["parts"][0]["text"], "by the tool", "{outbox}");
    let result = called(&server, &token, "send_message", json!({"to": "demo:5", "text": "x"})).await;
    assert_eq!(result["isError"], true);
    server.close().await;
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_named_in_a_few_harmless_characters() {
    let server = TestServer::open().await;
    let ToolEndpoint { token, .. } = begun(&server, "main", MAIN).await;
    let method = format!("tools/\n\u{202e}{}", "x".repeat(10_000));
    let reply = sent(&server, &token, &method, json!({})).await;
    let error = &reply.body["error"];
    let message = error["message"].as_str().unwrap_or_default();
    assert_eq!(error["code"], -32601, "{error}");
    assert!(message.starts_with("tools/ x") && message.chars().count() < 200, "{message:?}");
    server.close().await;
}

#[tokio::test]
async fn a_choice_of_a_tool_is_made_by_its_person_over_http_and_is_their_next_message() {
    let server = TestServer::open().await;
    let admin_of = |id: &str, clear| Token { id: id.into(), hash: hash_token(clear), scope: Scope::Admin };
    server.tokens.replace(vec![admin_of("admin", ADMIN), admin_of("guest", "guest-token")]).unwrap();
    let ToolEndpoint { token, .. } = begun(&server, "main", MAIN).await;
    called(&server, &token, "send_message", json!({"text": "Which one?", "choices": ["3", "Blue"]})).await;
    let code = async |token: &str, choice: Value| {
        let request = server.request(Method::POST, "/api/asks/a1").bearer_auth(token).json(&choice);
        let reply = answer(request).await;
        (reply.status.as_u16(), reply.body["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code(ADMIN, json!({"choice": "9"})).await, (400, "unknown_choice".to_owned()));
    assert_eq!(code(ADMIN, json!({"text": "green"})).await, (400, "unknown_choice".to_owned()));
    assert_eq!(code("guest-token", json!({"choice": "1"})).await, (403, "not_yours".to_owned()));
    let made = server.post("/api/asks/a1", json!({"choice": "1"})).await;
    let fields = ["state", "choice", "by"].map(|field| made.body[field].as_str().unwrap_or_default());
    assert_eq!((made.status.as_u16(), fields), (200, ["answered", "1", "web:admin"]));
    assert_eq!(code(ADMIN, json!({"choice": "2"})).await, (409, "ask_closed".to_owned()));
    let said = server.get(&format!("/api/session/{MAIN}/messages")).await.body["messages"].clone();
    let said: Vec<_> = said.as_array().unwrap().iter().map(|message| &message["text"]).collect();
    assert_eq!(said, [&json!("3"), &json!("!wait 500000 x")], "the newest first");
    server.close().await;
}

#[tokio::test]
async fn a_token_calls_for_its_own_session_alone() {
    let server = TestServer::open().await;
    let main = begun(&server, "main", MAIN).await;
    let work = begun(&server, "work", WORK).await;
    for (endpoint, session) in [(&main, MAIN), (&work, WORK)] {
        let result = called(&server, &endpoint.token, "session_status", json!({})).await;
        let status: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(status["session"], session);
    }
    let halves =
        |endpoint: &ToolEndpoint| endpoint.token.split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let ((session, _), (_, code)) = (halves(&work).unwrap(), halves(&main).unwrap());
    let forged = sent(&server, &format!("{session}.{code}"), "tools/list", json!({})).await;
    assert_eq!((forged.status, forged.code()), (StatusCode::UNAUTHORIZED, "unauthorized"));
    server.close().await;
}

#[tokio::test]
async fn an_agents_token_and_an_admins_token_open_different_doors() {
    let server = TestServer::open().await;
    let ToolEndpoint { token, .. } = begun(&server, "main", MAIN).await;
    assert_eq!(sent(&server, ADMIN, "tools/list", json!({})).await.status, StatusCode::UNAUTHORIZED);
    let unnamed = answer(server.request(Method::POST, "/mcp").json(&json!({}))).await;
    assert_eq!(unnamed.status, StatusCode::UNAUTHORIZED);
    for path in ["/api/status", "/api/sessions"] {
        let reply = answer(server.request(Method::GET, path).bearer_auth(&token)).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    server.close().await;
}

#[tokio::test]
async fn what_is_no_message_gets_the_error_of_the_protocol() {
    let server = TestServer::open().await;
    let ToolEndpoint { token, .. } = begun(&server, "main", MAIN).await;
    let call = |arguments: Value| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "session_status", "arguments": arguments}});
    for (body, status, code, id) in [
        ("{\"jsonrpc\": \"2.0\", ".to_owned(), 400, -32700, Value::Null),
        (json!([call(json!({}))]).to_string(), 400, -32600, Value::Null),
        (json!({"id": 1, "method": "tools/list"}).to_string(), 400, -32600, json!(1)),
        (call(json!([])).to_string(), 200, -32602, json!(1)),
        (json!({"jsonrpc": "2.0", "id": 1, "method": "tools/gone"}).to_string(), 200, -32601, json!(1)),
    ] {
        let request = server.request(Method::POST, "/mcp").bearer_auth(&token);
        let request = request.header("accept", "application/json, text/event-stream");
        let reply = answer(request.header("content-type", "application/json").body(body.clone())).await;
        let (error, jsonrpc) = (&reply.body["error"], &reply.body["jsonrpc"]);
        assert_eq!((reply.status.as_u16(), &error["code"]), (status, &json!(code)), "{body}: {reply:?}");
        assert_eq!((jsonrpc, &reply.body["id"]), (&json!("2.0"), &id), "{body}: {reply:?}");
        assert!(error["message"].is_string());
    }
    assert_eq!(called(&server, &token, "session_status", Value::Null).await["isError"], false);
    server.close().await;
}

#[tokio::test]
async fn requests_to_the_tools_are_checked_like_all_others() {
    let server = TestServer::open().await;
    let ToolEndpoint { token, .. } = begun(&server, "main", MAIN).await;
    let request = |method| server.request(method, "/mcp").bearer_auth(&token);
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let foreign = answer(request(Method::POST).header("origin", "https://evil.example").json(&message)).await;
    assert_eq!((foreign.status, foreign.code()), (StatusCode::FORBIDDEN, "foreign_origin"));
    let text = answer(request(Method::POST).body(message.to_string())).await;
    assert_eq!(text.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = answer(request(Method::POST).json(&json!({"x": "x".repeat(2_000_000)}))).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(answer(request(method)).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    server.close().await;
}

#[tokio::test]
async fn wrong_tokens_of_agents_count_as_failures_and_each_session_has_a_rate_of_its_own() {
    let server = TestServer::with(|config, _| {
        config.limits.auth_failures = Rate { per_minute: 1, burst: 3 };
        config.limits.per_token = Rate { per_minute: 1, burst: 3 };
    })
    .await;
    let main = begun(&server, "main", MAIN).await;
    let work = begun(&server, "work", WORK).await;
    for expected in [401, 401, 401, 429] {
        assert_eq!(sent(&server, "wrong", "tools/list", json!({})).await.status.as_u16(), expected);
    }
    for expected in [200, 200, 200, 429] {
        let reply = sent(&server, &main.token, "tools/list", json!({})).await;
        assert_eq!(
            reply.status.as_u16(),
            expected,
            "the right token is accepted from this address all the same"
        );
    }
    assert_eq!(sent(&server, &work.token, "tools/list", json!({})).await.status, StatusCode::OK);
    server.close().await;
}
