//! Attacks that must fail (spec/guarantees.md, "attacks").

use frontdesk_api::Rate;
use reqwest::Method;
use serde_json::json;

use crate::client::answer;
use crate::harness::{ADMIN, MAIN, READER, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_page_opens_no_socket() {
    let server = TestServer::open().await;
    let bearer = format!("Bearer {ADMIN}");
    for origin in ["https://evil.example", "http://localhost:8080", "null", "http://127.0.0.1", "file://"] {
        let refused = server.refused(&[("authorization", &bearer), ("origin", origin)]).await;
        assert_eq!(refused, 403, "{origin}");
        let request = server.request(Method::POST, "/api/chat").bearer_auth(ADMIN).header("origin", origin);
        let reply = answer(request.body(json!({"text": "hi"}).to_string())).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (403, "foreign_origin"));
    }
    let own = format!("http://{}", server.address);
    assert_eq!(server.refused(&[("authorization", &bearer), ("origin", &own)]).await, 101);
    assert_eq!(server.handle.status().await.unwrap().totals.sessions, 0);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_page_may_open_one() {
    let server = TestServer::with(|config, _| config.origins.push("http://localhost:8080".into())).await;
    let bearer = format!("Bearer {ADMIN}");
    let listed = [("authorization", bearer.as_str()), ("origin", "http://localhost:8080")];
    assert_eq!(server.refused(&listed).await, 101);
    let preflight = server.request(Method::OPTIONS, "/api/chat").header("origin", "http://localhost:8080");
    let reply = answer(preflight).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "http://localhost:8080");
    assert!(!reply.headers.contains_key("access-control-allow-credentials"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebound_host_name_is_refused() {
    let server = TestServer::open().await;
    for host in ["attacker.com", "attacker.com:3847", "localhost.attacker.com"] {
        for path in ["/", "/health", "/api/status", "/ws", "/nothing"] {
            let request = server.request(Method::GET, path).bearer_auth(ADMIN).header("host", host);
            assert_eq!(answer(request).await.status, 421, "{host}{path}");
        }
        assert_eq!(server.refused(&[("host", host)]).await, 421);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_valid_token_is_accepted() {
    let server = TestServer::with(|config, _| config.limits.auth_failures = Rate::default()).await;
    for token in ["", "x", "null", &ADMIN[1..], &format!("{ADMIN}x"), &"x".repeat(10_000)] {
        let reply = answer(server.request(Method::GET, "/api/status").bearer_auth(token)).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, "unauthorized"), "{token:?}");
        let mut socket = server.connect(&[]).await.unwrap();
        socket.send_json(json!({"type": "auth", "token": token})).await;
        assert_eq!(socket.receive().await["code"], "unauthorized");
        assert_eq!(socket.closed().await, Some(1008));
    }
    for first in [json!({"type": "auth", "token": null}), json!({"type": "prompt", "id": "1", "text": "hi"})]
    {
        let mut socket = server.connect(&[]).await.unwrap();
        socket.send_json(first).await;
        assert_eq!(socket.receive().await["code"], "unauthorized");
        assert_eq!(socket.closed().await, Some(1008));
    }
    assert_eq!(server.refused(&[("sec-websocket-protocol", "frontdesk.v1, bearer.x")]).await, 401);
    assert_eq!(server.refused(&[("authorization", "Bearer x")]).await, 401);
    assert_eq!(answer(server.request(Method::GET, "/api/status?token=admin-token")).await.status, 400);
    assert_eq!(server.handle.status().await.unwrap().totals.sessions, 0);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_without_a_token_is_closed_in_time() {
    let server = TestServer::with(|config, _| config.limits.auth_timeout_seconds = 1).await;
    let mut socket = server.connect(&[]).await.unwrap();
    assert_eq!(socket.closed().await, Some(1008));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_token_changes_nothing_whatever_it_claims() {
    let server = TestServer::open().await;
    server.post("/api/chat", json!({"text": "hello"})).await;
    let key = "agent%3Amain%3Aweb%3Adm%3Amain";
    for (method, path) in [
        (Method::POST, "/api/chat".to_owned()),
        (Method::POST, "/api/send".to_owned()),
        (Method::POST, format!("/api/session/{key}/reset")),
        (Method::POST, format!("/api/session/{key}/stop")),
        (Method::DELETE, format!("/api/session/{key}")),
        (Method::POST, "/api/outbox/o1/retry".to_owned()),
        (Method::POST, "/api/outbox/o1/drop".to_owned()),
        (Method::POST, "/api/pairing/ABCD2345/approve".to_owned()),
        (Method::POST, "/api/pairing/ABCD2345/deny".to_owned()),
        (Method::POST, "/api/access".to_owned()),
        (Method::DELETE, "/api/access/demo%3A5".to_owned()),
    ] {
        let request = server.request(method.clone(), &path).bearer_auth(READER).header("x-scopes", "admin");
        let reply =
            answer(request.body(json!({"text": "x", "to": "web:main", "scope": "admin"}).to_string())).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (403, "forbidden"), "{method} {path}");
    }
    for path in ["/api/status", "/api/sessions", "/metrics", &format!("/api/session/{key}/messages")] {
        assert!(answer(server.request(Method::GET, path).bearer_auth(READER)).await.status.is_success());
    }
    let mut socket = server.connect(&[]).await.unwrap();
    socket.send_json(json!({"type": "auth", "token": READER, "role": "admin", "scopes": ["admin"]})).await;
    assert_eq!(socket.receive().await["type"], "ready");
    for frame in [
        json!({"type": "prompt", "id": "1", "text": "x", "role": "admin"}),
        json!({"type": "abort", "session": MAIN}),
        json!({"method": "session.reset", "params": {"key": MAIN}}),
        json!({"method": "session.kill", "params": {"key": MAIN}}),
    ] {
        socket.send_json(frame.clone()).await;
        assert_eq!(socket.receive().await["code"], "forbidden", "{frame}");
    }
    let session = server.get(&format!("/api/session/{key}")).await;
    assert_eq!((&session.body["epoch"], &session.body["waiting"]), (&json!(1), &json!(0)));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tokens_are_rate_limited_and_other_clients_are_not() {
    let server = TestServer::with(|config, _| {
        config.limits.auth_failures = Rate { per_minute: 5, burst: 5 };
        config.trusted_proxies = vec!["127.0.0.1".into()];
    })
    .await;
    let from = |ip: &str, token: &str| {
        answer(server.request(Method::GET, "/api/status").bearer_auth(token).header("x-forwarded-for", ip))
    };
    let mut statuses = Vec::new();
    for n in 0..20 {
        statuses.push(from("192.0.2.1", &format!("wrong-{n}")).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 15);
    let stopped = from("192.0.2.1", "wrong").await;
    assert_eq!(stopped.status, 429);
    assert!(stopped.headers.contains_key("retry-after"));
    assert_eq!(from("192.0.2.1", ADMIN).await.status, 200, "a valid token is always accepted");
    assert_eq!(from("192.0.2.1", "wrong").await.status, 429, "and does not reset the limit for wrong ones");
    assert_eq!(from("192.0.2.2", "wrong").await.status, 401, "a clean address");
    for n in 0..10 {
        from(&format!("2001:db8:0:1::{n:x}"), "wrong").await;
    }
    assert_eq!(from("2001:db8:0:1:ffff::1", "wrong").await.status, 429, "the same /64");
    assert_eq!(from("2001:db8:0:2::1", "wrong").await.status, 401);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_method_does_not_count_as_a_wrong_token() {
    let server =
        TestServer::with(|config, _| config.limits.auth_failures = Rate { per_minute: 1, burst: 1 }).await;
    for _ in 0..20 {
        assert_eq!(answer(server.request(Method::PUT, "/api/chat").bearer_auth("wrong")).await.status, 405);
    }
    assert_eq!(server.get("/api/status").await.status, 200);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_page_gets_no_cors_headers() {
    let server = TestServer::open().await;
    for method in [Method::OPTIONS, Method::GET] {
        for path in ["/api/status", "/health", "/ws", "/nothing"] {
            let request = server
                .request(method.clone(), path)
                .bearer_auth(ADMIN)
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST");
            let reply = answer(request).await;
            assert!(
                reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")),
                "{reply:?}"
            );
            if method == Method::OPTIONS {
                assert_eq!(reply.status, 204);
            }
        }
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_too_large_or_too_slow_are_refused() {
    let server = TestServer::with(|config, _| {
        config.limits.max_body = 100_000;
        config.limits.request_timeout_seconds = 1;
    })
    .await;
    let head = |rest: &str| {
        format!(
            "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\
             Content-Type: application/json\r\n{rest}\r\n"
        )
    };
    let announced = server.raw(head("Content-Length: 1000000000\r\n").as_bytes()).await;
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    assert!(announced.contains("\"code\":\"too_large\""));
    let mut chunked = head("Transfer-Encoding: chunked\r\n").into_bytes();
    for _ in 0..20 {
        chunked.extend_from_slice(b"2710\r\n");
        chunked.extend(std::iter::repeat_n(b'x', 10_000));
        chunked.extend_from_slice(b"\r\n");
    }
    let streamed = server.raw(&chunked).await;
    assert!(streamed.starts_with("HTTP/1.1 413"), "{streamed}");
    let packed = server.raw(head("Content-Encoding: gzip\r\nContent-Length: 3\r\n").as_bytes()).await;
    assert!(packed.starts_with("HTTP/1.1 415"), "{packed}");
    let slow_body = server.raw(head("Content-Length: 50\r\n").as_bytes()).await;
    assert!(slow_body.starts_with("HTTP/1.1 408"), "{slow_body}");
    // hyper closes the connection on a head that does not end.
    let slow_head = server.raw(b"POST /api/chat HTTP/1.1\r\nHost: loc").await;
    assert!(slow_head.is_empty() || slow_head.starts_with("HTTP/1.1 408"), "{slow_head}");
    for deep in ["[".repeat(90_000), format!("{{\"text\":{}1{}}}", "[".repeat(120), "]".repeat(120))] {
        let request = server.request(Method::POST, "/api/chat").bearer_auth(ADMIN).body(deep);
        let request = request.header("content-type", "application/json");
        assert_eq!(answer(request).await.code(), "bad_json");
    }
    let keys: String = (0..8000).map(|n| format!("\"k{n}\":1,")).collect();
    let request = server.request(Method::POST, "/api/chat").bearer_auth(ADMIN);
    let request = request.header("content-type", "application/json");
    assert_eq!(answer(request.body(format!("{{{keys}\"text\":\"x\"}}"))).await.code(), "bad_json");
    let headers = format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let large_head = server.raw(headers.as_bytes()).await;
    assert!(large_head.starts_with("HTTP/1.1 431") || large_head.is_empty(), "{large_head}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_are_refused_until_others_close() {
    let server = TestServer::with(|config, _| config.limits.max_connections = 3).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(server.socket().await);
    }
    let turned_away = server.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(turned_away.starts_with("HTTP/1.1 503"), "{turned_away}");
    drop(sockets);
    let mut tries = 0;
    while !server
        .raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .starts_with("HTTP/1.1 200")
    {
        tries += 1;
        assert!(tries < 1000, "the slots of closed connections are lost");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limited_request_gets_a_retry_time_and_leaves_its_key_unused() {
    let server =
        TestServer::with(|config, _| config.limits.per_token = Rate { per_minute: 60, burst: 3 }).await;
    let body = json!({"text": "hello", "wait": false});
    let mut last = server.post_as("k0", "/api/chat", body.clone()).await;
    let mut n = 0;
    while last.status != 429 {
        n += 1;
        last = server.post_as(&format!("k{n}"), "/api/chat", body.clone()).await;
    }
    assert_eq!(last.code(), "rate_limited");
    assert_eq!(last.headers["retry-after"], "1");
    let status = server.handle.store().session(&MAIN.parse().unwrap()).await.unwrap().unwrap();
    let rows = server.handle.store().history(&status.key, None, None, 100).await.unwrap();
    assert_eq!(rows.len(), n, "a rate-limited request is not stored");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_is_never_rate_limited() {
    let server = TestServer::with(|config, _| {
        config.limits.per_ip = Rate { per_minute: 1, burst: 1 };
        config.limits.per_token = Rate { per_minute: 1, burst: 1 };
    })
    .await;
    server.get("/api/status").await;
    assert_eq!(server.get("/api/status").await.status, 429);
    for path in ["/health", "/ready"] {
        for _ in 0..20 {
            assert_eq!(answer(server.request(Method::GET, path)).await.status, 200, "{path}");
        }
    }
    answer(server.request(Method::GET, "/")).await;
    assert_eq!(answer(server.request(Method::GET, "/")).await.status, 429, "the page is no probe");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_chats_share_a_session() {
    let server = TestServer::open().await;
    let mut keys = std::collections::BTreeSet::new();
    let chats = ["a", "A", "a:b", "a%3Ab", "a%253Ab", "a/b", "main:web", "agent:main:web:dm:a", "ä", "a b"];
    for chat in chats {
        let reply = server.post("/api/chat", json!({"text": "hi", "chat": chat})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        keys.insert(reply.body["session"].as_str().unwrap().to_owned());
    }
    assert_eq!(keys.len(), chats.len());
    for wrong in ["", "a\nb", "a\u{0}b", &"x".repeat(300)] {
        let reply = server.post("/api/chat", json!({"text": "hi", "chat": wrong})).await;
        assert_eq!(reply.code(), "bad_request", "{wrong:?}");
    }
    server.close().await;
}
