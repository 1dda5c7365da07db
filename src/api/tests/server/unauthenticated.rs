//! Clients without a token use bounded resources and do not disturb authenticated ones.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_api::Rate;
use futures_util::SinkExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{answer, within};
use crate::harness::{ADMIN, TestServer};
use crate::platform::{DemoWebhook, SECRET};

/// A connection without a token that has sent these bytes.
async fn connect_and_send(server: &TestServer, sends: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(sends).await.unwrap();
    stream
}

/// Everything that arrives until the connection is closed.
async fn rest(stream: &mut TcpStream) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = within(stream.read(&mut buffer)).await {
        all.extend_from_slice(&buffer[..n]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_is_read_before_a_token_or_secret() {
    let webhook = Arc::new(DemoWebhook::default());
    // If the server waited for the body, it would answer 408 after a minute.
    let server =
        TestServer::with_webhook(webhook.clone(), |config, _| config.limits.request_timeout_seconds = 60)
            .await;
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/page/main.js", 200),
        ("GET", "/page/no.js", 404),
        ("GET", "/health", 200),
        ("GET", "/ready", 200),
        ("GET", "/ws", 400),
        ("GET", "/nothing", 404),
        ("GET", "/api/status", 401),
        ("POST", "/api/chat", 401),
        ("POST", "/api/send", 401),
        ("DELETE", "/api/session/x", 401),
        ("POST", "/webhooks/demo/default", 401),
        ("GET", "/webhooks/demo/default", 401),
        ("OPTIONS", "/api/chat", 204),
    ] {
        for framing in ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n");
            let mut stream = connect_and_send(&server, head.as_bytes()).await;
            let mut begin = [0; 12];
            within(stream.read_exact(&mut begin)).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&begin), format!("HTTP/1.1 {status}"), "{method} {path}");
        }
    }
    assert!(webhook.taken.lock().unwrap().is_empty());
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_bodies_share_bounded_memory_and_later_ones_are_read_in_turn() {
    let server = TestServer::with(|config, _| {
        config.limits.max_body = 16 * 1024 * 1024;
        config.limits.request_timeout_seconds = 60;
    })
    .await;
    // The server sends 100 Continue when it reads a body. The budget of all bodies is two of these.
    let head = format!(
        "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\
         Content-Type: application/json\r\nContent-Length: 16000000\r\nExpect: 100-continue\r\n\r\n"
    );
    let mut slow = Vec::new();
    for _ in 0..8 {
        slow.push(connect_and_send(&server, head.as_bytes()).await);
        server.get("/api/status").await;
    }
    let mut begun = Vec::new();
    for (n, stream) in slow.iter().enumerate() {
        let mut word = [0; 12];
        if stream.try_read(&mut word).is_ok() {
            assert_eq!(&word, b"HTTP/1.1 100");
            begun.push(n);
        }
    }
    assert_eq!(begun, [0, 1], "bodies are read in turn, as memory allows");
    // The first one leaves, so the third is read.
    drop(slow.remove(0));
    let mut word = [0; 12];
    within(slow[1].read_exact(&mut word)).await.unwrap();
    assert_eq!(&word, b"HTTP/1.1 100");
    drop(slow);
    assert_eq!(server.post("/api/chat", json!({"text": "hello"})).await.body["text"], "hello");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_strangers_that_never_come_leave_the_memory_of_others_alone() {
    let webhook = Arc::new(DemoWebhook { is_signed: true, ..DemoWebhook::default() });
    let server = TestServer::with_webhook(webhook, |config, _| {
        config.limits.per_ip = Rate { per_minute: 0, burst: 0 };
    })
    .await;
    let head = |path: &str, length: usize| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Demo-Secret: a signature\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut slow = Vec::new();
    for _ in 0..40 {
        slow.push(connect_and_send(&server, head("/webhooks/demo/default", 1_000_000).as_bytes()).await);
        slow.push(connect_and_send(&server, head("/api/login", 1_000).as_bytes()).await);
    }
    let large = server.raw(head("/api/login", 1_000_000).as_bytes()).await;
    assert!(large.starts_with("HTTP/1.1 413"), "{large}");
    let asked = server.post("/api/chat", json!({"text": "hello"}));
    assert_eq!(within(asked).await.status, 200, "the owner does not wait for them");
    // Their address has no more than its share, in which something small has a place.
    let of_platform = |body: String| {
        let request = server.request(Method::POST, "/webhooks/demo/default").header("x-demo-secret", SECRET);
        answer(request.body(body))
    };
    assert_eq!(of_platform("x".repeat(900_000)).await.status, 429);
    assert_eq!(of_platform("hello".to_owned()).await.status, 200);
    drop(slow);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_signature_is_no_sign_of_the_platform() {
    let webhook = Arc::new(DemoWebhook { is_signed: true, ..DemoWebhook::default() });
    let server = TestServer::with_webhook(webhook, |config, _| {
        config.limits.max_connections = 20;
        config.limits.per_ip = Rate { per_minute: 0, burst: 0 };
        config.limits.per_token = Rate { per_minute: 60, burst: 5 };
        config.limits.auth_failures = Rate { per_minute: 1, burst: 10 };
    })
    .await;
    let forged = "POST /webhooks/demo/default HTTP/1.1\r\nHost: localhost\r\nX-Demo-Secret: forged\r\n\
                  Content-Length: 5\r\n\r\nhello";
    let (mut open, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let mut stream = connect_and_send(&server, forged.as_bytes()).await;
        let mut begin = [0; 12];
        // It may be closed already, in favour of a newer one.
        if within(stream.read_exact(&mut begin)).await.is_ok() {
            answers.push(String::from_utf8_lossy(&begin[9..]).into_owned());
        }
        open.push(stream);
    }
    assert_eq!(answers[..11], [vec!["401"; 10], vec!["429"]].concat(), "failures of an address are counted");
    let genuine = || {
        let request = server.request(Method::POST, "/webhooks/demo/default").header("x-demo-secret", SECRET);
        answer(request.body("hello"))
    };
    for _ in 0..4 {
        assert_eq!(server.get("/api/status").await.status, 200, "there is a place for those with a token");
        assert_eq!(genuine().await.status, 200, "the platform's own limit is not used up");
    }
    let mut last = 200;
    for _ in 0..8 {
        last = genuine().await.status.as_u16();
    }
    assert_eq!(last, 429, "the platform has a limit, too");
    drop(open);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_reads_little_before_its_token() {
    let server = TestServer::open().await;
    let mut socket = server.connect(&[]).await.unwrap();
    socket.stream.send(Message::text("x".repeat(60_000))).await.unwrap();
    assert_eq!(socket.closed().await, Some(1009), "the close code names the reason");
    let mut many = server.connect(&[]).await.unwrap();
    let mut sent = 0;
    while sent < 1000 && many.stream.send(Message::Ping(vec![0; 120].into())).await.is_ok() {
        sent += 1;
    }
    assert!(matches!(many.closed().await, Some(1008 | 1009) | None), "pings are bytes too");
    let mut socket = server.connect(&[]).await.unwrap();
    let text = "x".repeat(200_000);
    // The token and the prompt arrive together; nothing of the prompt may be lost.
    socket.stream.feed(Message::text(json!({"type": "auth", "token": ADMIN}).to_string())).await.unwrap();
    let prompt = json!({"type": "prompt", "id": "1", "text": text}).to_string();
    socket.stream.send(Message::text(prompt)).await.unwrap();
    assert_eq!(socket.receive_type("done").await["fullText"], json!(text));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_idle_connections_without_a_token_are_closed_and_others_are_not() {
    let server = TestServer::with(|config, _| {
        config.limits.auth_timeout_seconds = 1;
        config.limits.request_timeout_seconds = 3600;
    })
    .await;
    let mut known = connect_and_send(&server, b"").await;
    let status =
        format!("GET /api/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n");
    known.write_all(status.as_bytes()).await.unwrap();
    let mut slow = Vec::new();
    for sends in
        ["", "GET /health HTTP/1.1\r\nHost: loc", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", "\r\n"]
    {
        slow.push(connect_and_send(&server, sends.as_bytes()).await);
    }
    for stream in &mut slow {
        rest(stream).await;
    }
    // Asks again on the same connection, after the timeout of connections without a token.
    known.write_all(status.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(rest(&mut known).await.matches("HTTP/1.1 200").count(), 2);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_without_a_token_make_way_for_authenticated_ones() {
    let server = TestServer::with(|config, _| config.limits.max_connections = 40).await;
    let mut heads = Vec::new();
    for _ in 0..100 {
        heads.push(connect_and_send(&server, b"POST /api/chat HTTP/1.1\r\nHost: loc").await);
    }
    let mut sockets = Vec::new();
    for _ in 0..30 {
        // The oldest connections are closed while newer ones arrive.
        sockets.push(server.connect(&[]).await.unwrap());
        assert_eq!(server.post("/api/chat", json!({"text": "hello"})).await.body["text"], "hello");
    }
    let mut socket = server.socket().await;
    for _ in 0..100 {
        heads.push(connect_and_send(&server, b"GET / HTTP/1.1\r\nHost: loc").await);
    }
    socket.prompt("1", "still here").await;
    assert_eq!(
        socket.receive_type("done").await["fullText"],
        "still here",
        "an authenticated client is never disconnected"
    );
    drop(heads);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_valid_token_has_a_rate_limit_of_its_own() {
    let webhook = Arc::new(DemoWebhook::default());
    let server = TestServer::with_webhook(webhook, |config, _| {
        config.limits.per_ip = Rate { per_minute: 1, burst: 1 };
        config.limits.auth_failures = Rate { per_minute: 1, burst: 1 };
    })
    .await;
    let webhook = |secret: &str| {
        let request = server.request(Method::POST, "/webhooks/demo/default").header("x-demo-secret", secret);
        answer(request.body("hello"))
    };
    for n in 0..20 {
        let page = server.request(Method::GET, "/").header("sec-fetch-site", "cross-site");
        answer(page.header("origin", "https://evil.example")).await;
        let posts = server.request(Method::POST, "/api/chat").header("origin", "https://evil.example");
        assert_eq!(answer(posts).await.status, 403);
        answer(server.request(Method::GET, "/api/status")).await;
        answer(server.request(Method::GET, "/api/status").bearer_auth(format!("wrong-{n}"))).await;
        webhook("wrong").await;
    }
    assert_eq!(answer(server.request(Method::GET, "/api/status")).await.status, 429);
    assert_eq!(server.get("/api/status").await.status, 200);
    assert_eq!(server.post("/api/chat", json!({"text": "hello"})).await.status, 200);
    assert_eq!(webhook(SECRET).await.status, 200);
    let mut by_frame = server.connect(&[]).await.unwrap();
    by_frame.send_json(json!({"type": "auth", "token": ADMIN})).await;
    assert_eq!(by_frame.receive().await["type"], "ready");
    server.socket().await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_page_uses_up_only_its_own_rate_limit() {
    let server = TestServer::with(|config, _| config.limits.per_ip = Rate { per_minute: 2, burst: 2 }).await;
    let elsewhere = || {
        let request = server.request(Method::GET, "/").header("sec-fetch-site", "cross-site");
        answer(request.header("sec-fetch-mode", "no-cors"))
    };
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(elsewhere().await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 429, 429]);
    let typed = server.request(Method::GET, "/").header("sec-fetch-site", "none");
    assert_eq!(answer(typed).await.status, 200, "a person at that address can still open the page");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_origin_is_one_short_row_of_the_audit() {
    let server = TestServer::open().await;
    let refused = async |origin: String| {
        let request = server.request(Method::POST, "/api/chat").header("origin", origin);
        assert_eq!(answer(request).await.code(), "foreign_origin");
    };
    for _ in 0..5 {
        refused(format!("https://evil.example/{}", "x".repeat(8000))).await;
    }
    let rows = async || {
        let rows = server.get("/api/audit").await.body["audit"].as_array().unwrap().clone();
        rows.into_iter().filter(|row| row["action"] == "refused_origin").collect::<Vec<Value>>()
    };
    let first = rows().await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0]["outcome"], "refused:foreign_origin");
    assert!(first[0]["subject"].as_str().unwrap().starts_with("https://evil.example/x"));
    assert!(first[0]["subject"].as_str().unwrap().len() < 100, "{first:?}");
    for n in 0..50 {
        refused(format!("https://evil-{n}.example")).await;
    }
    assert_eq!(rows().await.len(), 12, "the number of rows is bounded");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_a_url_is_refused_on_every_path() {
    let server = TestServer::open().await;
    for path in ["/", "/ws", "/health", "/ready", "/api/status", "/api/chat", "/nothing", "/webhooks/a/b"] {
        for query in ["token=x", "access_token=x", "Api-Key=x", "x=admin-token", "x=%61dmin-token", "auth"] {
            for method in [Method::GET, Method::POST, Method::OPTIONS] {
                let request = server.request(method.clone(), &format!("{path}?{query}")).bearer_auth(ADMIN);
                let reply = answer(request.header("host", "evil.example")).await;
                assert_eq!(
                    (reply.status.as_u16(), reply.code()),
                    (400, "token_in_url"),
                    "{method} {path}?{query}"
                );
                assert!(!reply.body.to_string().contains("admin-token"));
            }
        }
    }
    let by_url = format!(
        "GET /ws?token={ADMIN} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut socket = connect_and_send(&server, by_url.as_bytes()).await;
    let mut begin = [0; 12];
    within(socket.read_exact(&mut begin)).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 400");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_needs_a_json_content_type() {
    let webhook = Arc::new(DemoWebhook::default());
    let server = TestServer::with_webhook(webhook, |_, _| {}).await;
    server.post("/api/chat", json!({"text": "hello"})).await;
    let reset = "/api/session/agent%3Amain%3Aweb%3Adm%3Amain/reset";
    let post = |path: &str, kind: Option<&str>, body: &str| {
        let request = server.request(Method::POST, path).bearer_auth(ADMIN).body(body.to_owned());
        answer(match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        })
    };
    for kind in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/json; charset=utf-16"),
        Some("application/jsonp"),
        Some("text/plain; application/json"),
    ] {
        for (path, body) in [("/api/chat", "{\"text\":\"hi\"}"), (reset, ""), (reset, "{}")] {
            let reply = post(path, kind, body).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (415, "unsupported_media_type"),
                "{kind:?} {path}"
            );
        }
    }
    for kind in ["application/json", "Application/JSON;charset=UTF-8", "application/json; charset=\"utf-8\""]
    {
        assert_eq!(post("/api/chat", Some(kind), "{\"text\":\"hi\"}").await.status, 200, "{kind}");
        assert_eq!(post(reset, Some(kind), "").await.status, 200, "{kind}");
    }
    let brought = server.request(Method::POST, "/webhooks/demo/default").header("x-demo-secret", SECRET);
    assert_eq!(answer(brought.body("hello")).await.status, 200, "webhooks may have any content type");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_disconnected() {
    let server = TestServer::with(|config, runtime| {
        config.limits.auth_timeout_seconds = 1;
        runtime.queue.per_session = 10_000;
    })
    .await;
    // The client requests the page over and over and reads nothing: the kernel's buffers fill up, and the connection is
    // closed.
    let mut slow = connect_and_send(&server, b"").await;
    let request = b"GET /page/main.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let flood = async { while slow.write_all(request).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), flood).await.expect("the connection was never closed");
    assert_eq!(server.get("/api/status").await.status, 200);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_frame_closes_the_socket_after_earlier_prompts_are_acknowledged() {
    for (frame, code, close) in [
        (Message::binary(vec![1, 2, 3]), "unreadable_frame", 1003),
        (Message::text("x".repeat(200_000)), "too_large", 1009),
    ] {
        let server = TestServer::with(|config, _| config.limits.max_frame = 10_000).await;
        let mut socket = server.socket().await;
        for n in 0..20 {
            let prompt = json!({"type": "prompt", "id": n.to_string(), "text": "!wait 60000 x"});
            socket.stream.feed(Message::text(prompt.to_string())).await.unwrap();
        }
        socket.stream.send(frame).await.unwrap();
        let (mut accepted, mut error) = (0, Value::Null);
        let end = loop {
            match socket.next().await {
                Ok(frame) if frame["type"] == "accepted" => accepted += 1,
                Ok(frame) if frame["type"] == "error" => error = frame,
                Ok(_) => {}
                Err(end) => break end,
            }
        };
        assert_eq!((accepted, error["code"].as_str()), (20, Some(code)), "{error}");
        assert_eq!(end, Some(close));
        server.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_an_unread_body_still_gets_the_error() {
    let server = TestServer::open().await;
    for (path, headers, status) in [
        ("/api/chat", "Authorization: Bearer wrong\r\n", 401),
        ("/api/chat", "Authorization: Bearer admin-token\r\n", 415),
        ("/api/chat?token=x", "", 400),
        ("/nothing", "", 404),
    ] {
        let length = 60_000;
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n");
        let mut stream = connect_and_send(&server, head.as_bytes()).await;
        let body = vec![b'x'; length];
        stream.write_all(&body).await.unwrap();
        let response = rest(&mut stream).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {response:?}");
    }
    server.close().await;
}
