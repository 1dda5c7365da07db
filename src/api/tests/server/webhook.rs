//! Webhooks: platforms that send their events over HTTP.

use std::sync::Arc;

use frontdesk_api::Rate;
use reqwest::Method;

use crate::client::{Reply, answer};
use crate::harness::{ADMIN, TestServer};
use crate::platform::{DemoWebhook, SECRET};

const PATH: &str = "/webhooks/demo/default";

async fn brought(server: &TestServer, secret: Option<&str>, body: &str) -> Reply {
    let request = server.request(Method::POST, PATH).body(body.to_owned());
    answer(match secret {
        Some(secret) => request.header("x-demo-secret", secret),
        None => request,
    })
    .await
}

async fn open_with_webhook() -> (TestServer, Arc<DemoWebhook>) {
    let webhook = Arc::new(DemoWebhook::default());
    (TestServer::with_webhook(webhook.clone(), |_, _| {}).await, webhook)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_without_the_secret_is_not_read() {
    let (server, webhook) = open_with_webhook().await;
    for secret in [None, Some(""), Some("the-secret"), Some("THE-SECRET-OF-THE-PLATFORM"), Some(ADMIN)] {
        let reply = brought(&server, secret, "hello").await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "unauthorized"), "{secret:?}");
    }
    // The refusal does not wait for the body.
    let head = format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
    let refused = server.raw(head.as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(webhook.taken.lock().unwrap().is_empty(), "its body was read");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_webhooks_are_rate_limited_and_the_platform_is_not() {
    let (server, _) = open_with_webhook().await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(brought(&server, Some("wrong"), "hello").await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(brought(&server, Some(SECRET), "hello").await.status, 200);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_request_reaches_its_adapter_unchanged() {
    let (server, webhook) = open_with_webhook().await;
    let request = server.request(Method::POST, &format!("{PATH}?a=%20b")).header("X-Demo-Secret", SECRET);
    assert_eq!(answer(request.body("{\"a\": 1}  ")).await.status, 200);
    let request = server.request(Method::GET, &format!("{PATH}?challenge=1")).header("x-demo-secret", SECRET);
    assert_eq!(answer(request).await.status, 200);
    server.close().await;
    let taken = webhook.taken.lock().unwrap();
    let [post, get] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!(
        (post.get, post.query.as_str(), post.body.as_slice()),
        (false, "a=%20b", b"{\"a\": 1}  ".as_slice())
    );
    assert_eq!(post.header("x-demo-secret"), Some(SECRET));
    assert_eq!((get.get, get.query.as_str()), (true, "challenge=1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_webhook_outcome_has_its_response() {
    let (server, _) = open_with_webhook().await;
    for (body, status) in [("hello", 200), ("garbage", 200), ("slow", 200), ("busy", 503), ("panic", 503)] {
        let reply = brought(&server, Some(SECRET), body).await;
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        assert_eq!(reply.headers.contains_key("retry-after"), status == 503, "{body}");
    }
    let reply = brought(&server, Some(SECRET), "reply").await;
    assert_eq!(
        (reply.body.as_str(), reply.headers["content-type"].to_str().unwrap()),
        (Some("pong"), "text/plain")
    );
    assert_eq!(server.get("/api/status").await.status, 200, "the server still works");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_request_is_checked_before_its_adapter_reads_it() {
    let webhook = Arc::new(DemoWebhook { is_signed: true, ..DemoWebhook::default() });
    let server = TestServer::with_webhook(webhook.clone(), |_, _| {}).await;
    for (secret, body, status, code) in [
        (None, "hello", 401, "unauthorized"),
        (Some("wrong"), "hello", 401, "unauthorized"),
        (Some(SECRET), "forged", 401, "unauthorized"),
        (Some(SECRET), "stale", 401, "stale"),
    ] {
        let reply = brought(&server, secret, body).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{secret:?} {body}");
    }
    assert!(webhook.taken.lock().unwrap().is_empty());
    assert_eq!(brought(&server, Some(SECRET), "hello").await.status, 200);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_webhook_path_is_not_found() {
    let (server, _) = open_with_webhook().await;
    for path in
        ["/webhooks/demo/other", "/webhooks/web/default", "/webhooks/demo", "/webhooks/demo/default/x"]
    {
        let request = server.request(Method::POST, path).header("x-demo-secret", SECRET);
        assert_eq!(answer(request.body("hello")).await.status, 404, "{path}");
    }
    for method in [Method::PUT, Method::DELETE] {
        let request = server.request(method, PATH).header("x-demo-secret", SECRET);
        assert_eq!(answer(request).await.status, 405);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_work_under_the_public_host_and_within_the_limits() {
    let webhook = Arc::new(DemoWebhook::default());
    let server = TestServer::with_webhook(webhook.clone(), |config, _| {
        config.public_url = Some("https://frontdesk.example.org".into());
        config.limits.max_body = 1000;
        config.limits.per_token = Rate { per_minute: 60, burst: 5 };
    })
    .await;
    let from = |host: &str, body: String| {
        let request = server.request(Method::POST, PATH).header("host", host).header("x-demo-secret", SECRET);
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
    assert!(webhook.taken.lock().unwrap().len() < 8);
    server.close().await;
}
