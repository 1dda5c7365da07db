//! `GET /api/events`: the frames of a session, and what the gateway does.

use futures_util::{Stream, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::client::{answer, within};
use crate::harness::{MAIN, TestServer};
use crate::tokens::make;

/// One event: its id, its name and its data.
type Event = (Option<u64>, String, Value);

/// The events of a path, read with a token.
async fn events(
    server: &TestServer,
    token: Option<&str>,
    path: &str,
    after: Option<u64>,
) -> impl Stream<Item = Event> + Unpin + use<> {
    let mut request = server.request(Method::GET, path);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    } else {
        request = request.bearer_auth(crate::harness::ADMIN);
    }
    if let Some(after) = after {
        request = request.header("last-event-id", after.to_string());
    }
    let reply = within(request.send()).await.unwrap();
    assert_eq!(
        (reply.status(), &reply.headers()["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    let mut text = String::new();
    let chunks = Box::pin(reply.bytes_stream());
    let parsed = chunks.flat_map(move |chunk| {
        text.push_str(std::str::from_utf8(&chunk.unwrap_or_default()).unwrap());
        let mut found = Vec::new();
        while let Some(end) = text.find("\n\n") {
            let one: String = text.drain(..end + 2).collect();
            found.extend(parse(&one));
        }
        futures_util::stream::iter(found)
    });
    Box::pin(parsed)
}

fn parse(text: &str) -> Option<Event> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let data = field("data:")?;
    Some((
        field("id:").map(|id| id.parse().unwrap()),
        field("event:")?.to_owned(),
        serde_json::from_str(data).unwrap(),
    ))
}

async fn next(events: &mut (impl Stream<Item = Event> + Unpin), kind: &str) -> Event {
    loop {
        let one = within(events.next()).await.expect("the stream goes on");
        if one.1 == kind {
            return one;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_followed_and_nothing_is_missing_after_a_break() {
    let server = TestServer::open().await;
    server.post("/api/chat", json!({"text": "before"})).await;
    let path = format!("/api/events?session={MAIN}");
    let mut live = events(&server, None, &path, None).await;
    server.post("/api/chat", json!({"text": "first"})).await;
    let (_, _, said) = next(&mut live, "prompt").await;
    assert_eq!(said["text"], json!("first"));
    let (id, _, done) = next(&mut live, "done").await;
    assert_eq!(done["fullText"], json!("first"));
    drop(live);
    for text in ["second", "third"] {
        server.post("/api/chat", json!({"text": text})).await;
    }
    let mut again = events(&server, None, &path, id).await;
    for text in ["second", "third"] {
        assert_eq!(next(&mut again, "done").await.2["fullText"], json!(text));
    }
    let mut all = events(&server, None, &format!("{path}&after=0"), None).await;
    for text in ["before", "first", "second", "third"] {
        assert_eq!(next(&mut all, "done").await.2["fullText"], json!(text));
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_sees_what_the_gateway_does() {
    let server = TestServer::open().await;
    let mut live = events(&server, None, "/api/events", None).await;
    while next(&mut live, "account").await.2["channel"] != json!("web") {}
    let said = server.post("/api/chat", json!({"text": "a secret"})).await;
    let (_, _, message) = next(&mut live, "message").await;
    assert_eq!(
        (&message["message"], &message["session"], &message["outcome"]),
        (&said.body["message"], &json!(MAIN), &json!("accepted"))
    );
    assert_eq!(next(&mut live, "turn").await.2["state"], json!("running"));
    let (id, _, ended) = next(&mut live, "turn").await;
    assert!(
        ended["state"] == json!("ended")
            && ended["seconds"].is_number()
            && !ended.to_string().contains("secret"),
        "{ended}"
    );
    drop(live);
    server.post("/api/chat", json!({"text": "another"})).await;
    let mut again = events(&server, None, "/api/events", id).await;
    let (next_id, ..) = next(&mut again, "message").await;
    assert_eq!(next_id, id.map(|id| id + 1), "nothing is missing after a break");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_for_those_who_may_see_them_and_end_with_the_token() {
    let server = TestServer::open().await;
    let anna = make(&server, "anna", "chat").await;
    let own = "/api/events?session=agent:main:web:dm:anna%2Fmain";
    for (path, status) in [
        ("/api/events".to_owned(), StatusCode::FORBIDDEN),
        (format!("/api/events?session={MAIN}"), StatusCode::NOT_FOUND),
        ("/api/events?session=nonsense".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        let denied = answer(server.request(Method::GET, &path).bearer_auth(&anna)).await;
        assert_eq!(denied.status, status, "{path}: {denied:?}");
    }
    let wrong = server.request(Method::GET, own).bearer_auth(&anna).header("last-event-id", "x");
    assert_eq!(answer(wrong).await.status, StatusCode::BAD_REQUEST);
    let mut live = events(&server, Some(&anna), own, None).await;
    answer(server.request(Method::POST, "/api/chat").bearer_auth(&anna).json(&json!({"text": "hi"}))).await;
    next(&mut live, "done").await;
    server.delete("/api/tokens/anna").await;
    while within(live.next()).await.is_some() {}
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_blocked_receives_nothing_more() {
    let server = TestServer::open().await;
    server.post("/api/chat", json!({"text": "before"})).await;
    let (watcher, anna) = (make(&server, "watcher", "read").await, make(&server, "anna", "chat").await);
    let mut all = events(&server, Some(&watcher), "/api/events", None).await;
    next(&mut all, "account").await;
    let own = "agent:main:web:dm:anna/main";
    answer(server.request(Method::POST, "/api/chat").bearer_auth(&anna).json(&json!({"text": "hi"}))).await;
    for (name, token, session) in [("watcher", &watcher, MAIN), ("anna", &anna, own)] {
        let path = format!("/api/events?session={}", session.replace('/', "%2F"));
        let mut live = events(&server, Some(token), &path, None).await;
        let mut socket = server.socket_of(token).await;
        socket.send_json(json!({"type": "resume", "id": "r", "session": session, "follow": true})).await;
        while socket.receive().await["id"] != json!("r") {}
        // An admin loses that right first.
        server.delete(&format!("/api/access/web:{name}")).await;
        let blocked = server.post(&format!("/api/access/web:{name}/block"), json!({})).await;
        assert_eq!(blocked.status, StatusCode::OK, "{blocked:?}");
        assert_eq!(within(socket.closed()).await, Some(1008), "{name}");
        while within(live.next()).await.is_some() {}
    }
    while within(all.next()).await.is_some() {}
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_is_not_sent_the_rest_after_its_token_has_ended() {
    let server = TestServer::open().await;
    let text = "x".repeat(500_000);
    for _ in 0..40 {
        server.post("/api/chat", json!({"text": text})).await;
    }
    let reader = make(&server, "reader", "read").await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let head = format!(
        "GET /api/events?session={MAIN}&after=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {reader}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begin = [0; 12];
    within(stream.read_exact(&mut begin)).await.unwrap();
    assert_eq!(server.delete("/api/tokens/reader").await.status, StatusCode::OK);
    let mut rest = Vec::new();
    within(stream.read_to_end(&mut rest)).await.ok();
    // What the system's buffers had taken already.
    assert!(rest.len() < 12_000_000, "{} of 20,000,000 bytes", rest.len());
    server.close().await;
}
