//! Accounts that an admin has disconnected.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::answer;
use crate::harness::{READER, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_an_admin_disconnected_is_no_fault() {
    let server = TestServer::open().await;
    server.post("/api/chat", json!({"text": "/gateway stop demo"})).await;
    let mut ready = server.get("/ready").await;
    for _ in 0..200 {
        if ready.body.to_string().contains("stopped by") {
            break;
        }
        ready = server.get("/ready").await;
    }
    assert_eq!(ready.status, 200, "{ready:?}");
    let states: Vec<&Value> =
        ready.body["accounts"].as_array().unwrap().iter().map(|a| &a["state"]).collect();
    assert_eq!(states, [&json!("stopped by web:admin"), &json!("stopped by web:admin"), &json!("ready")]);
    // Without a valid token, only which accounts are ready.
    for token in [None, Some("wrong")] {
        let request = server.request(Method::GET, "/ready");
        let reply = answer(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await;
        let demo = |account: &str| json!({"channel": "demo", "account": account, "ready": false});
        let web = json!({"channel": "web", "account": "default", "ready": true});
        let accounts = json!([demo("default"), demo("work"), web]);
        assert_eq!(reply.body, json!({"ready": true, "accounts": accounts}));
    }
    // With the last account disconnected, nothing is received any more.
    assert_eq!(server.post("/api/channel/web/stop", json!({})).await.status, 200);
    let ready = server.get("/ready").await;
    assert_eq!((ready.status, &ready.body["ready"]), (503.try_into().unwrap(), &json!(false)), "{ready:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnected_web_channel_refuses_prompts_and_can_be_connected_again_over_http() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    let stopped = server.post("/api/channel/web/stop", json!({})).await;
    assert_eq!(stopped.body["accounts"], json!([{"channel": "web", "account": "default"}]), "{stopped:?}");
    let warning = stopped.body["warning"].as_str().unwrap_or_default();
    assert!(warning.contains("only from the machine"), "the platforms have no admin: {stopped:?}");
    for body in
        [json!({"text": "hi"}), json!({"text": "hi", "wait": false}), json!({"text": "hi", "stream": true})]
    {
        let asked = server.post("/api/chat", body).await;
        assert_eq!((asked.status.as_u16(), asked.code()), (503, "channel_stopped"), "{asked:?}");
    }
    socket.prompt("1", "hi").await;
    let error = socket.receive_type("error").await;
    assert_eq!((&error["id"], &error["code"]), (&json!("1"), &json!("channel_stopped")), "{error}");
    assert_eq!(server.get("/api/sessions").await.body["sessions"], json!([]), "nothing was taken");
    let started = server.post("/api/channel/web/start", json!({})).await;
    assert_eq!(started.status, StatusCode::OK, "{started:?}");
    assert_eq!(
        server.post("/api/chat", json!({"text": "hello again"})).await.body["text"],
        json!("hello again")
    );
    let unknown = server.post("/api/channel/fax/start", json!({})).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "not_found"));
    let reader = server.request(Method::POST, "/api/channel/web/stop").bearer_auth(READER);
    assert_eq!(answer(reader.json(&json!({}))).await.status, StatusCode::FORBIDDEN);
    server.close().await;
}
