//! Clients that were written for other gateways.

use serde_json::{Value, json};

use crate::client::{Socket, within};
use crate::harness::{ADMIN, MAIN, TestServer};

async fn socket(server: &TestServer, protocol: &str) -> Socket {
    let bearer = format!("bearer.{ADMIN}, {protocol}");
    within(server.connect(&[("sec-websocket-protocol", &bearer)])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kobold_frames_are_understood_and_answered() {
    let server = TestServer::open().await;
    let mut socket = socket(&server, "kobold.v0").await;
    let connected = socket.receive_type("connected").await;
    assert!(connected["data"]["clientId"].as_str().is_some_and(|id| !id.is_empty()), "{connected}");
    socket.send_json(json!({"type": "ping"})).await;
    assert!(
        socket.receive_type("pong").await["data"]["time"]
            .as_i64()
            .is_some_and(|time| time > 1_000_000_000_000)
    );
    for id in [json!("one"), json!(2)] {
        socket.send_json(json!({"type": "prompt", "id": id, "data": {"message": "hello"}})).await;
        let response = socket.receive_type("response").await;
        let told = if id.is_number() { json!(id.to_string()) } else { id };
        assert_eq!(
            (&response["id"], &response["data"]["text"], &response["data"]["session"]),
            (&told, &json!("hello"), &json!(MAIN))
        );
    }
    socket.send_json(json!({"type": "prompt", "data": {"message": "without an id"}})).await;
    assert_eq!(socket.receive_type("response").await["data"]["text"], json!("without an id"));
    let background = json!({"type": "background", "id": "b", "data": {"sessionId": MAIN, "command": "dig"}});
    socket.send_json(background).await;
    let started = socket.receive_type("background_started").await;
    assert!(started["id"] == "b" && started["data"]["task"].is_string(), "{started}");
    for wrong in [
        r#"{"type":"prompt","data":"text"}"#,
        r#"{"type":"prompt"}"#,
        "[1]",
        "\"x\"",
        "{",
        r#"{"type":"nothing"}"#,
    ] {
        socket.send_text(wrong).await;
        let error = socket.receive_type("error").await;
        assert!(error["data"]["error"].is_string(), "{wrong}: {error}");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_alone_are_a_dialect_as_well() {
    let server = TestServer::open().await;
    let mut socket = socket(&server, "pi-gateway.v0").await;
    socket.send_json(json!({"method": "session.list", "params": {}})).await;
    let first: Value = socket.receive().await;
    assert!(first["result"]["sessions"].is_array(), "nothing comes before the first reply: {first}");
    assert_eq!(server.get("/api/status").await.body["clients"], json!(1));
    server.close().await;
}
