//! What a client is shown of an agent's reports besides the text: an answer that begins again, and what it cost.

use serde_json::json;

use crate::harness::{MAIN, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_begins_again_replaces_what_was_shown_of_it() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "!restart one two three").await;
    let (mut shown, mut attempt, mut attempts) = (String::new(), 0, Vec::new());
    let done = loop {
        let frame = socket.receive().await;
        match frame["type"].as_str() {
            Some("delta") => {
                let number = frame["attempt"].as_u64().unwrap();
                // As the page does it.
                if number > attempt {
                    (attempt, shown) = (number, String::new());
                    attempts.push(number);
                }
                shown.push_str(frame["text"].as_str().unwrap());
            }
            Some("done") => break frame,
            _ => {}
        }
    };
    assert_eq!((attempts, shown.as_str()), (vec![1, 2], "one two three"));
    assert_eq!(done["fullText"], json!("one two three"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_a_turn_and_its_session_say_what_it_cost() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "!usage hello").await;
    let status = socket.receive_type("status").await;
    let numbers = json!({
        "input": 10, "output": 20, "cache_read": 3, "cache_write": 4, "cost_micro": 5, "context_used": 30,
        "context_window": 100,
    });
    assert_eq!((&status["model"], &status["usage"]), (&json!("echo"), &numbers));
    let session = server.get(&format!("/api/session/{}", MAIN.replace(':', "%3A"))).await.body;
    let mut whole = numbers;
    whole["model"] = json!("echo");
    assert_eq!(session["usage"], whole);
    assert_eq!(session["options"], json!({"model": null, "thinking": null}));
    assert_eq!((&session["agent"], &session["model"]), (&json!("main"), &json!(null)));
    assert_eq!(
        session["usage_total"],
        json!({"answers": 1, "input": 10, "output": 20, "cache_read": 3, "cache_write": 4, "cost_micro": 5})
    );
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_says_what_waits_in_it_and_how() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "/queue collect").await;
    socket.receive_type("done").await;
    socket.prompt("2", "!wait 60000 x").await;
    socket.receive_type("accepted").await;
    let path = format!("/api/session/{}", MAIN.replace(':', "%3A"));
    while server.get(&path).await.body["running"].is_null() {}
    socket.prompt("3", "later").await;
    let accepted = socket.receive_type("accepted").await;
    let queue = server.get(&path).await.body["queue"].clone();
    assert_eq!((&queue["mode"], &queue["chosen"]), (&json!("collect"), &json!("collect")));
    let waiting = queue["waiting"].as_array().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!((&waiting[0]["message"], &waiting[0]["text"]), (&accepted["message"], &json!("later")));
    server.close().await;
}
