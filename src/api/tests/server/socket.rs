//! The WebSocket: handshake, prompts, calls, and resuming after a break.

use std::collections::BTreeMap;

use frontdesk_api::{Scope, Token, hash_token};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Socket, within};
use crate::harness::{ADMIN, MAIN, READER, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_three_ways_to_show_a_token() {
    let server = TestServer::open().await;
    let ready = json!({"type": "ready", "protocol": 1});
    let mut by_header = server.connect(&[("authorization", &format!("Bearer {ADMIN}"))]).await.unwrap();
    assert_eq!(by_header.receive().await, ready);
    let offered = format!("frontdesk.v1, bearer.{ADMIN}");
    let mut by_protocol = server.connect(&[("sec-websocket-protocol", &offered)]).await.unwrap();
    assert_eq!(by_protocol.protocol.as_deref(), Some("frontdesk.v1"));
    assert_eq!(by_protocol.receive().await, ready);
    let lone = format!("bearer.{ADMIN}");
    let mut alone = server.connect(&[("sec-websocket-protocol", &lone)]).await.unwrap();
    assert_eq!(alone.protocol.as_deref(), Some(lone.as_str()));
    assert_eq!(alone.receive().await, ready);
    let mut by_frame = server.connect(&[]).await.unwrap();
    by_frame.send_json(json!({"type": "auth", "token": ADMIN})).await;
    assert_eq!(by_frame.receive().await, ready);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_is_accepted_streamed_and_done() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "!slow 1 one two three").await;
    let accepted = socket.receive().await;
    assert_eq!(
        (&accepted["type"], &accepted["id"], &accepted["session"]),
        (&json!("accepted"), &json!("1"), &json!(MAIN))
    );
    let mut pieces = String::new();
    let done = loop {
        let frame = socket.receive().await;
        match frame["type"].as_str() {
            Some("delta") => {
                assert_eq!((&frame["message"], &frame["attempt"]), (&accepted["message"], &json!(1)));
                pieces.push_str(frame["text"].as_str().unwrap());
            }
            Some("done") => break frame,
            _ => {}
        }
    };
    assert_eq!((&done["fullText"], &done["message"]), (&json!(pieces), &accepted["message"]));
    assert_eq!((&done["session"], &done["seq"]), (&json!(MAIN), &json!(1)));
    socket.send_json(json!({"type": "ping"})).await;
    socket.receive_type("pong").await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_comes_before_its_acknowledgement() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    for n in 0..200 {
        socket.prompt(&n.to_string(), &format!("text {n}")).await;
    }
    let (mut known, mut answers) = (BTreeMap::new(), Vec::new());
    while answers.len() < 200 {
        let frame = socket.receive().await;
        match frame["type"].as_str() {
            Some("accepted") => {
                known.insert(frame["message"].to_string(), frame["id"].as_str().unwrap().to_owned());
            }
            Some("delta" | "done" | "status") => {
                let id =
                    known.get(&frame["message"].to_string()).expect("an answer before its acknowledgement");
                if frame["type"] == "done" {
                    assert_eq!(frame["fullText"], json!(format!("text {id}")));
                    answers.push(id.parse::<u32>().unwrap());
                }
            }
            _ => panic!("{frame}"),
        }
    }
    assert!(answers.is_sorted(), "one chat is answered in order");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_that_comes_again_is_accepted_again_and_another_text_is_a_conflict() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "hello").await;
    let first = socket.receive_type("accepted").await;
    socket.receive_type("done").await;
    drop(socket);
    let mut socket = server.socket().await;
    socket.prompt("1", "hello").await;
    assert_eq!(socket.receive_type("accepted").await, first);
    socket.prompt("1", "other").await;
    let conflict = socket.receive_type("error").await;
    assert_eq!((&conflict["code"], &conflict["id"]), (&json!("conflict"), &json!("1")));
    socket.send_json(json!({"type": "resume", "session": MAIN, "last_seq": 0})).await;
    assert_eq!(socket.receive_type("done").await["message"], first["message"]);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_subscribers_of_a_session_receive_the_same_frames() {
    let server = TestServer::open().await;
    let (mut one, mut two) = (server.socket().await, server.socket_of(READER).await);
    two.send_json(json!({"type": "resume", "id": "r", "chat": "main"})).await;
    assert_eq!(two.receive().await, json!({"id": "r", "result": {"session": MAIN, "seq": 0}}));
    one.prompt("1", "hello").await;
    assert_eq!(one.receive_type("done").await, two.receive_type("done").await);
    server.post("/api/send", json!({"to": "web:main", "text": "from the operator"})).await;
    for socket in [&mut one, &mut two] {
        let message = socket.receive_type("message").await;
        assert_eq!(
            (&message["kind"], &message["text"], &message["seq"]),
            (&json!("send"), &json!("from the operator"), &json!(2))
        );
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_cancels_the_turn_and_reports_it() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "!slow 200 one two three four five six seven eight nine ten").await;
    let accepted = socket.receive_type("accepted").await;
    socket.receive_type("delta").await;
    socket.send_json(json!({"type": "abort", "id": "a", "session": MAIN})).await;
    let (mut stopped, mut ended) = (false, false);
    while !(stopped && ended) {
        let frame = socket.receive().await;
        stopped |= frame["id"] == "a" && frame["result"]["running"] == 1;
        ended |= frame["code"] == "cancelled" && frame["about"] == accepted["message"];
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_do_the_same_as_the_http_paths() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "hello").await;
    // The end of a turn may arrive before its answer.
    let (mut answered, mut ended) = (false, false);
    while !(answered && ended) {
        let frame = socket.receive().await;
        answered |= frame["type"] == "done";
        ended |= frame["type"] == "status";
    }
    socket.send_json(json!({"id": 7, "method": "session.list"})).await;
    let list = socket.receive().await;
    assert_eq!((&list["id"], &list["result"]["sessions"][0]["key"]), (&json!(7), &json!(MAIN)));
    socket.send_json(json!({"id": 8, "method": "session.reset", "params": {"key": MAIN}})).await;
    assert_eq!(socket.receive().await["result"]["epoch"], 2);
    socket.send_json(json!({"id": 9, "method": "session.get", "params": {"key": MAIN}})).await;
    assert_eq!(socket.receive().await["result"]["epoch"], 2);
    socket.send_json(json!({"id": 10, "method": "session.kill", "params": {"key": MAIN}})).await;
    assert_eq!(socket.receive().await["result"], json!({"session": MAIN, "running": 0, "waiting": 0}));
    socket.send_json(json!({"method": "session.sing"})).await;
    assert_eq!(socket.receive().await["code"], "unknown_method");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_frame_gets_an_error_or_closes_the_socket() {
    let server = TestServer::with(|config, _| config.limits.max_frame = 10_000).await;
    let mut socket = server.socket().await;
    for (text, code) in [
        ("{", "bad_json"),
        ("[1]", "bad_json"),
        ("{}", "bad_request"),
        (r#"{"type":"dance"}"#, "unknown_type"),
    ] {
        socket.send_text(text).await;
        assert_eq!(socket.receive().await["code"], code, "{text}");
    }
    socket.stream.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(socket.closed().await, Some(1003));
    let mut socket = server.socket().await;
    // The server may close before it has read everything.
    if socket.stream.send(Message::text("x".repeat(20_000))).await.is_ok() {
        assert!(matches!(socket.closed().await, Some(1009) | None));
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_gateway_closes_its_sockets_with_1001() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    server.stop_server();
    assert_eq!(socket.closed().await, Some(1001));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_token_closes_its_sockets() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    let mut other = server.socket_of(READER).await;
    let reader = Token { id: "reader".into(), hash: hash_token(READER), scope: Scope::Read };
    server.tokens.replace(vec![reader]).unwrap();
    assert_eq!(socket.closed().await, Some(1008));
    other.send_json(json!({"type": "ping"})).await;
    assert_eq!(other.receive().await["type"], "pong", "another token's socket stays");
    assert_eq!(server.get("/api/status").await.status, 401);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_resumes_misses_nothing_and_sees_nothing_twice() {
    const PROMPTS: u64 = 150;
    let server = TestServer::open().await;
    let mut writer = server.socket().await;
    let write = async {
        for n in 1..=PROMPTS {
            writer.prompt(&n.to_string(), &format!("text {n}")).await;
        }
        for _ in 1..=PROMPTS {
            writer.receive_type("done").await;
        }
    };
    let read = async {
        let (mut last, mut visits) = (0, 0);
        while last < PROMPTS {
            let mut socket = server.socket().await;
            socket.send_json(json!({"type": "resume", "session": MAIN, "last_seq": last})).await;
            // Each connection closes after a few frames, while more are being written.
            for _ in 0..7 {
                if last < PROMPTS {
                    let seq = socket.receive_type("done").await["seq"].as_u64().unwrap();
                    assert_eq!(seq, last + 1);
                    last = seq;
                }
            }
            visits += 1;
        }
        visits
    };
    let ((), visits) = tokio::join!(write, read);
    assert!(visits > 10);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_number_that_the_session_never_reached_hides_nothing() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.send_json(json!({"type": "resume", "id": "r", "session": MAIN, "last_seq": 9_999_999})).await;
    assert_eq!(socket.receive().await["result"]["seq"], 0);
    socket.prompt("1", "hello").await;
    assert_eq!(socket.receive_type("done").await["seq"], 1);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_reading_is_disconnected_and_can_resume() {
    let server = TestServer::with(|config, _| config.limits.ws_buffer = 64 * 1024).await;
    let mut slow = server.socket_with_small_buffer().await;
    slow.send_json(json!({"type": "resume", "id": "r", "session": MAIN})).await;
    slow.receive().await;
    let mut writer = server.socket().await;
    // All texts together are more than the kernel buffers for a client.
    let text = "x".repeat(31_000);
    let count: u64 = 180;
    for n in 0..count {
        writer.prompt(&n.to_string(), &text).await;
        writer.receive_type("done").await;
    }
    let mut seen = 0;
    let code = loop {
        match slow.next().await {
            Ok(frame) if frame["type"] == "done" => seen = frame["seq"].as_u64().unwrap(),
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert!(seen < count, "the slow client was not disconnected");
    assert!(matches!(code, Some(1013) | None), "{code:?}");
    let mut back = server.socket().await;
    back.send_json(json!({"type": "resume", "session": MAIN, "last_seq": seen})).await;
    for expected in seen + 1..=count {
        assert_eq!(back.receive_type("done").await["seq"], expected);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_larger_than_the_queue_still_arrives() {
    let server = TestServer::with(|config, runtime| {
        config.limits.ws_buffer = 8 * 1024;
        runtime.queue.max_text = 1 << 20;
    })
    .await;
    let text = "x".repeat(300_000);
    let mut socket = server.socket().await;
    for n in 1..=3 {
        socket.prompt(&n.to_string(), &text).await;
        let done = socket.receive_type("done").await;
        assert_eq!((&done["seq"], done["fullText"].as_str().map(str::len)), (&json!(n), Some(text.len())));
    }
    for stream in [false, true] {
        let reply = server.post("/api/chat", json!({"text": text, "stream": stream})).await;
        let body = reply.body["text"].as_str().or(reply.body.as_str()).unwrap();
        assert!(body.contains(&text), "the answer is not there");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_read_one_session() {
    const READERS: usize = 100;
    let server = TestServer::open().await;
    let mut readers: Vec<Socket> = Vec::new();
    for _ in 0..READERS {
        let mut socket = server.socket().await;
        socket.send_json(json!({"type": "resume", "id": "r", "chat": "main"})).await;
        socket.receive().await;
        readers.push(socket);
    }
    let mut writer = server.socket().await;
    writer.prompt("1", "!long 300").await;
    let done = writer.receive_type("done").await;
    for reader in &mut readers {
        let mut pieces = String::new();
        let frame: Value = loop {
            let frame = reader.receive().await;
            match frame["type"].as_str() {
                Some("delta") => pieces.push_str(frame["text"].as_str().unwrap()),
                Some("done") => break frame,
                _ => {}
            }
        };
        assert_eq!(frame, done);
        assert_eq!(json!(pieces), done["fullText"], "a reader who keeps up misses no piece");
    }
    within(async { drop(readers) }).await;
    server.close().await;
}
