//! Messages to one chat and to several over HTTP.

use frontdesk_core::quiet::QuietHours;
use frontdesk_runtime::config::BroadcastList;
use serde_json::{Value, json};

use crate::harness::TestServer;

async fn with_lists() -> TestServer {
    TestServer::with(|_, runtime| {
        let team = ["demo:5", "demo:work:6", "demo:5"].map(str::to_owned).to_vec();
        let gone = ["demo:5", "nowhere:1"].map(str::to_owned).to_vec();
        runtime.broadcast.insert("team".to_owned(), BroadcastList { to: team });
        runtime.broadcast.insert("gone".to_owned(), BroadcastList { to: gone });
    })
    .await
}

async fn outbox(server: &TestServer) -> Vec<Value> {
    server.get("/api/outbox?limit=200").await.body["parts"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_reaches_each_chat_once() {
    let mut server = with_lists().await;
    let body = json!({"list": "team", "text": "Maintenance at nine."});
    let first = server.post_as("k", "/api/broadcast", body.clone()).await;
    assert_eq!(first.status, 202, "{first:?}");
    let chats: Vec<&Value> =
        first.body["queued"].as_array().unwrap().iter().map(|chat| &chat["to"]).collect();
    assert_eq!(chats, ["demo:5", "demo:work:6"]);
    server.platforms[0].wait_for_text("5", "Maintenance").await;
    server.platforms[1].wait_for_text("6", "Maintenance").await;
    server = server.restarted().await;
    let to = json!({"to": ["demo:5", "demo:work:6", "demo:7"], "text": "Maintenance at nine."});
    let again = server.post_as("k", "/api/broadcast", to).await;
    let state = |chat: usize| again.body["queued"][chat]["parts"][0]["state"].clone();
    assert_eq!((again.status.as_u16(), state(0), state(1)), (202, json!("sent"), json!("sent")));
    server.platforms[0].wait_for_text("7", "Maintenance").await;
    assert_eq!(outbox(&server).await.len(), 3);
    let other = server.post_as("k2", "/api/broadcast", json!({"to": ["demo:5"], "text": "Done."})).await;
    assert_eq!(other.status, 202);
    assert_eq!(outbox(&server).await.len(), 4);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_a_message_is_not_that_of_a_broadcast() {
    let server = with_lists().await;
    let message = json!({"to": "demo:5", "text": "Hello."});
    assert_eq!(server.post_as("k", "/api/send", message).await.status, 202);
    let server = server.restarted().await;
    let to = json!({"to": ["demo:5"], "text": "Hello."});
    assert_eq!(server.post_as("k", "/api/broadcast", to).await.status, 202);
    assert_eq!(outbox(&server).await.len(), 2);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_if_a_chat_is_unknown_unless_it_is_to_be_skipped() {
    let server = with_lists().await;
    let refused = server.post("/api/broadcast", json!({"list": "gone", "text": "x"})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "unknown_chats"));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("nowhere:1"), "{refused:?}");
    for wrong in [
        json!({"text": "x"}),
        json!({"to": [], "text": "x"}),
        json!({"to": ["demo:5"], "list": "team", "text": "x"}),
        json!({"to": ["demo"], "text": "x"}),
        json!({"to": ["demo:5"], "text": " "}),
        json!({"list": "unknown", "text": "x"}),
    ] {
        let reply = server.post("/api/broadcast", wrong.clone()).await;
        assert!(matches!(reply.status.as_u16(), 400 | 404), "{wrong}: {reply:?}");
    }
    assert_eq!(outbox(&server).await.len(), 0);
    let skipped = json!({"list": "gone", "text": "x", "skip_unknown": true});
    let sent = server.post("/api/broadcast", skipped).await;
    assert_eq!((sent.status.as_u16(), &sent.body["unknown"]), (202, &json!(["nowhere:1"])));
    server.platforms[0].wait_for_text("5", "x").await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_hours_hold_a_message_that_is_not_urgent() {
    // Every minute of the day but one.
    let server = TestServer::with(|_, runtime| {
        let (from, to) = ("00:01".to_owned(), "00:00".to_owned());
        runtime.delivery.quiet_hours = QuietHours { from, to, timezone: Some("UTC".to_owned()) };
    })
    .await;
    let held = server.post("/api/send", json!({"to": "demo:5", "text": "news"})).await;
    let part = &held.body["parts"][0];
    assert!(part["held_until"].is_string() && part["state"] == "queued", "{held:?}");
    let urgent = server.post("/api/send", json!({"to": "demo:5", "text": "fire", "urgent": true})).await;
    assert!(urgent.body["parts"][0]["held_until"].is_null(), "{urgent:?}");
    server.platforms[0].wait_for_text("5", "fire").await;
    // The page has no quiet hours.
    let page = server.post("/api/send", json!({"to": "web:main", "text": "news"})).await;
    assert_eq!(page.body["parts"][0]["state"], "sent");
    let listed = outbox(&server).await;
    let news = listed.iter().find(|part| part["to"] == "demo:5" && part["text"] == "news").unwrap();
    assert!(news["held_until"].as_str().unwrap().ends_with("T00:00:00.000Z"), "{news}");
    server.close().await;
}
