//! Platforms that bring their events by themselves.

use std::sync::Arc;

use frontdesk_api::Rate;
use reqwest::Method;

use crate::harness::{ADMIN, Reply, TestServer, answer};
use crate::pigeon::{Loft, RING};

const PATH: &str = "/webhooks/pigeon/default";

async fn brought(server: &TestServer, ring: Option<&str>, body: &str) -> Reply {
    let request = server.request(Method::POST, PATH).body(body.to_owned());
    answer(match ring {
        Some(ring) => request.header("x-pigeon-ring", ring),
        None => request,
    })
    .await
}

async fn with_loft() -> (TestServer, Arc<Loft>) {
    let loft = Arc::new(Loft::default());
    (TestServer::with_webhook(loft.clone(), |_, _| {}).await, loft)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_without_the_platforms_proof_nothing_is_read() {
    let (server, loft) = with_loft().await;
    for ring in [None, Some(""), Some("the-ring"), Some("THE-RING-OF-THE-PIGEON"), Some(ADMIN)] {
        let reply = brought(&server, ring, "hello").await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "unauthorized"), "{ring:?}");
    }
    // The refusal does not wait for the body.
    let head = format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
    let refused = server.raw(head.as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(loft.taken.lock().unwrap().is_empty(), "its body was looked at");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_forges_too_often_is_told_to_wait_and_the_platform_is_not() {
    let (server, _) = with_loft().await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(brought(&server, Some("wrong"), "hello").await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(brought(&server, Some(RING), "hello").await.status, 200);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_platform_brings_reaches_its_adapter_as_it_is() {
    let (server, loft) = with_loft().await;
    let request = server.request(Method::POST, &format!("{PATH}?a=%20b")).header("X-Pigeon-Ring", RING);
    assert_eq!(answer(request.body("{\"coo\": 1}  ")).await.status, 200);
    let request = server.request(Method::GET, &format!("{PATH}?challenge=1")).header("x-pigeon-ring", RING);
    assert_eq!(answer(request).await.status, 200);
    server.close().await;
    let taken = loft.taken.lock().unwrap();
    let [post, get] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!(
        (post.get, post.query.as_str(), post.body.as_slice()),
        (false, "a=%20b", b"{\"coo\": 1}  ".as_slice())
    );
    assert_eq!(post.header("x-pigeon-ring"), Some(RING));
    assert_eq!((get.get, get.query.as_str()), (true, "challenge=1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_outcome_has_its_answer() {
    let (server, _) = with_loft().await;
    for (body, status) in
        [("hello", 200), ("garbage", 200), ("slow", 200), ("forged", 401), ("busy", 503), ("panic", 503)]
    {
        let reply = brought(&server, Some(RING), body).await;
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        assert_eq!(reply.headers.contains_key("retry-after"), status == 503, "{body}");
    }
    let reply = brought(&server, Some(RING), "reply").await;
    assert_eq!(
        (reply.body.as_str(), reply.headers["content-type"].to_str().unwrap()),
        (Some("coo"), "text/plain")
    );
    assert_eq!(server.get("/api/status").await.status, 200, "the house stands");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_no_platform_comes_to_is_none() {
    let (server, _) = with_loft().await;
    for path in
        ["/webhooks/pigeon/other", "/webhooks/web/default", "/webhooks/pigeon", "/webhooks/pigeon/default/x"]
    {
        let request = server.request(Method::POST, path).header("x-pigeon-ring", RING);
        assert_eq!(answer(request.body("hello")).await.status, 404, "{path}");
    }
    for method in [Method::PUT, Method::DELETE] {
        let request = server.request(method, PATH).header("x-pigeon-ring", RING);
        assert_eq!(answer(request).await.status, 405);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_comes_under_the_public_name_and_within_the_limits() {
    let loft = Arc::new(Loft::default());
    let server = TestServer::with_webhook(loft.clone(), |config, _| {
        config.public_url = Some("https://frontdesk.example.org".into());
        config.limits.max_body = 1000;
        config.limits.per_token = Rate { per_minute: 60, burst: 5 };
    })
    .await;
    let from = |host: &str, body: String| {
        let request = server.request(Method::POST, PATH).header("host", host).header("x-pigeon-ring", RING);
        answer(request.body(body))
    };
    assert_eq!(from("frontdesk.example.org", "hello".into()).await.status, 200);
    assert_eq!(from("evil.example", "hello".into()).await.status, 421);
    assert_eq!(from("frontdesk.example.org", "x".repeat(2000)).await.status, 413);
    let mut last = 200;
    for _ in 0..10 {
        last = from("frontdesk.example.org", "hello".into()).await.status.as_u16();
    }
    assert_eq!(last, 429);
    assert!(loft.taken.lock().unwrap().len() < 8);
    server.close().await;
}
