//! Requests that are nearly right are refused instead of read as something else.

use serde_json::json;

use crate::harness::{MAIN, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_out_of_range_is_refused_and_not_replaced() {
    let server = TestServer::open().await;
    let lists = ["audit", "outbox", "dead-letters", "sessions", "tasks", "cron/jobs", "asks"];
    for list in lists {
        for (limit, status) in [(0, 400), (1, 200), (200, 200), (201, 400)] {
            let reply = server.get(&format!("/api/{list}?limit={limit}")).await;
            assert_eq!(reply.status.as_u16(), status, "{list} with {limit}: {}", reply.body);
        }
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_fields_takes_no_fields() {
    let server = TestServer::open().await;
    assert_eq!(server.post("/api/chat", json!({"text": "hi"})).await.status, 200);
    let path = format!("/api/session/{MAIN}/stop");
    for wrong in [json!({"all": true}), json!([]), json!(null), json!("x")] {
        let refused = server.post(&path, wrong.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, "bad_json"), "{wrong}");
    }
    assert_eq!(server.post(&path, json!({})).await.status, 200);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_has_printable_characters_only() {
    let server = TestServer::open().await;
    for (key, status) in [("a b", 202), ("a\tb", 400), ("~", 202)] {
        let reply = server.post_as(key, "/api/chat", json!({"text": "hi", "wait": false})).await;
        assert_eq!(reply.status.as_u16(), status, "{key:?}: {}", reply.body);
    }
    server.close().await;
}
