//! Background tasks over a WebSocket: calls, the frames of their states, and how far they are.

use serde_json::{Value, json};

use crate::client::Socket;
use crate::harness::{MAIN, READER, TestServer};

/// Calls a method and returns the frame that answers it.
async fn call(socket: &mut Socket, method: &str, params: Value) -> Value {
    socket.send_json(json!({"id": method, "method": method, "params": params})).await;
    loop {
        let frame = socket.receive().await;
        if frame["id"] == method {
            return frame;
        }
    }
}

/// The frames of a task until it has ended, as `state attempt`, with their numbers.
async fn states(socket: &mut Socket, task: &str) -> (Vec<String>, Vec<u64>) {
    let (mut states, mut numbers) = (Vec::new(), Vec::new());
    loop {
        let frame = socket.receive_type("task").await;
        assert_eq!((&frame["task"], &frame["session"]), (&json!(task), &json!(MAIN)), "{frame}");
        let state = frame["state"].as_str().unwrap();
        states.push(format!("{state} {}", frame["attempt"]));
        numbers.push(frame["seq"].as_u64().unwrap());
        if !["queued", "running", "waiting"].contains(&state) {
            return (states, numbers);
        }
    }
}

/// A server, and a client that follows the default chat.
async fn followed() -> (TestServer, Socket) {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "hello").await;
    socket.receive_type("done").await;
    (server, socket)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_of_a_task_is_a_stored_frame_of_its_chat() {
    let (server, mut socket) = followed().await;
    let before = server.store().session(&MAIN.parse().unwrap()).await.unwrap().unwrap().seq;
    let params = json!({"text": "one two", "title": "Numbers", "session": MAIN, "idempotency_key": "k"});
    let submitted = call(&mut socket, "task.submit", params.clone()).await;
    assert_eq!(submitted["result"]["task"], "b1", "{submitted}");
    // The frame of the first state may have come before the answer to the call.
    let mut other = server.socket().await;
    let again = call(&mut other, "task.submit", params).await;
    assert_eq!(again["result"]["task"], "b1", "the same request is the same task");
    loop {
        let task = server.get("/api/tasks/b1").await.body;
        if !task["finished"].is_null() {
            assert_eq!(task["source"], "ws");
            break;
        }
        tokio::task::yield_now().await;
    }
    let resume = json!({"type": "resume", "id": "r", "session": MAIN, "last_seq": before});
    other.send_json(resume.clone()).await;
    let (seen, numbers) = states(&mut other, "b1").await;
    assert_eq!(seen, ["queued 0", "running 1", "succeeded 1"]);
    assert!(numbers.is_sorted() && numbers[0] == before + 1, "{before} {numbers:?}");
    let result = other.receive_type("message").await;
    assert!(result["text"].as_str().unwrap().ends_with("one two") && result["kind"] == "result", "{result}");

    let failed = call(&mut socket, "task.submit", json!({"text": "!fail", "session": MAIN})).await;
    assert_eq!(failed["result"]["task"], "b2");
    let error = loop {
        let frame = socket.receive_type("task").await;
        if frame["task"] == "b2" && frame["state"] == "failed" {
            break frame["error"].clone();
        }
    };
    assert_eq!(error, json!({"code": "agent_failed", "message": "The agent could not do it."}));
    let server = server.restarted().await;
    let mut later = server.socket().await;
    later.send_json(resume).await;
    assert_eq!(states(&mut later, "b1").await.0, seen, "also after a restart");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_progress_is_shown_at_once_and_to_those_who_come_later() {
    let (server, mut socket) = followed().await;
    let work = json!({"text": "!step 40 reading", "session": MAIN});
    assert_eq!(call(&mut socket, "task.submit", work).await["result"]["task"], "b1");
    let expected = json!({
        "type": "progress", "task": "b1", "session": MAIN, "attempt": 1, "percent": 40, "text": "reading",
    });
    assert_eq!(socket.receive_type("progress").await, expected);
    let mut later = server.socket().await;
    later.send_json(json!({"type": "resume", "id": "r", "session": MAIN, "last_seq": 1})).await;
    assert_eq!(later.receive_type("progress").await, expected);
    let row = call(&mut socket, "task.get", json!({"task": "b1"})).await["result"].clone();
    assert_eq!(row["progress"], json!({"percent": 40, "text": "reading"}));
    let listed = call(&mut socket, "task.list", json!({"state": "open"})).await;
    assert_eq!(listed["result"]["tasks"][0]["id"], "b1");
    let cancelled = call(&mut socket, "task.cancel", json!({"task": "b1"})).await;
    assert_eq!(cancelled["result"]["state"], "cancelled", "{cancelled}");
    assert_eq!(call(&mut socket, "task.list", json!({"state": "open"})).await["result"]["tasks"], json!([]));
    let again = call(&mut socket, "task.retry", json!({"task": "b1"})).await;
    assert_eq!(again["result"]["retry_of"], "b1", "{again}");
    call(&mut socket, "task.cancel", json!({"task": "b2"})).await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_calls_are_refused_and_a_reader_only_reads() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    for (method, params, code) in [
        ("task.submit", json!({"text": " "}), "bad_request"),
        ("task.submit", json!({"text": "x", "chat": "main"}), "bad_request"),
        ("task.submit", json!({"text": "x", "idempotency_key": ""}), "bad_request"),
        ("task.submit", json!({"text": "x", "idempotency_key": 5}), "bad_request"),
        ("task.submit", json!([]), "bad_request"),
        ("task.get", json!({"task": "b9"}), "not_found"),
        ("task.get", json!({}), "bad_request"),
        ("task.cancel", json!({"task": "9"}), "bad_request"),
        ("task.retry", json!({"task": "b9"}), "not_found"),
        ("task.list", json!({"state": "none"}), "bad_request"),
    ] {
        let refused = call(&mut socket, method, params.clone()).await;
        assert_eq!(refused["code"], code, "{method} {params}: {refused}");
    }
    let mut reader = server.socket_of(READER).await;
    for method in ["task.submit", "task.cancel", "task.retry"] {
        let refused = call(&mut reader, method, json!({"task": "b1", "text": "x"})).await;
        assert_eq!(refused["code"], "forbidden", "{method}");
    }
    assert_eq!(call(&mut reader, "task.list", Value::Null).await["result"]["tasks"], json!([]));
    server.close().await;
}
