//! Requests about a conversation that was deleted.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::answer;
use crate::harness::{ADMIN, MAIN, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_conversation_was_deleted_is_refused_and_not_answered_with_nothing() {
    let server = TestServer::open().await;
    let completion = async || {
        let body = json!({"model": "main", "messages": [{"role": "user", "content": "hi"}]});
        let request = server.request(Method::POST, "/v1/chat/completions").bearer_auth(ADMIN).json(&body);
        answer(request.header("x-frontdesk-chat", "main").header("idempotency-key", "v1")).await
    };
    let chat = async |text: &str, wait: bool| {
        server.post_as("k", "/api/chat", json!({"text": text, "wait": wait})).await
    };
    assert_eq!(chat("hello", true).await.body["text"], "hello");
    assert_eq!(completion().await.status, 200);
    assert_eq!(server.delete(&format!("/api/session/{}", MAIN.replace(':', "%3A"))).await.status, 200);
    for (text, wait) in [("hello", true), ("hello", false), ("other", true)] {
        let again = chat(text, wait).await;
        assert_eq!((again.status.as_u16(), again.code()), (409, "erased"), "{again:?}");
        assert_eq!(again.body["error"]["about"], "m1");
        assert!(again.body["error"]["message"].as_str().unwrap().contains("was deleted"), "{again:?}");
    }
    let again = completion().await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "erased"), "{again:?}");
    let mut socket = server.socket().await;
    socket.prompt("k", "hello").await;
    let refused: Value = socket.receive_type("error").await;
    assert_eq!((&refused["code"], &refused["id"]), (&json!("erased"), &json!("k")));
    assert_eq!(server.agent.turns(), 2, "nothing was answered again");
    server.close().await;
}
