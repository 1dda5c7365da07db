//! What the page needs of a session: its timeline, what others write in it, and how it is listed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::answer;
use crate::harness::{ADMIN, MAIN, TestServer};

fn shown(item: &Value) -> String {
    let frame = &item["frame"];
    match item["type"].as_str() {
        Some("prompt") => format!("prompt {}", item["text"]),
        Some("frame") => format!("{} {}", frame["type"], frame["fullText"]),
        _ => format!("epoch {} {}", item["epoch"], item["reason"]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_is_read_page_by_page_with_the_markup_of_its_texts() {
    let server = TestServer::open().await;
    server.post_as("1", "/api/chat", json!({"text": "one"})).await;
    server.post_as("2", "/api/chat", json!({"text": "*two*"})).await;
    let path = format!("/api/session/{MAIN}/timeline");
    let (mut all, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = server.get(&format!("{path}{query}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        all.extend(page.body["items"].as_array().unwrap().clone());
        let Some(next) = page.body["next"].as_str() else { break };
        query = format!("?limit=2&before={next}");
    }
    let texts: Vec<String> = all.iter().map(shown).collect();
    assert_eq!(
        texts,
        [
            r#""done" "*two*""#,
            r#"prompt "*two*""#,
            r#""done" "one""#,
            r#"prompt "one""#,
            r#"epoch 1 "first""#
        ]
    );
    let italic = json!([{"type": "paragraph", "children": [{"type": "italic", "children": ["two"]}]}]);
    assert_eq!((&all[0]["frame"]["markup"], all[2]["frame"].get("markup")), (&italic, None));
    assert_eq!(server.get(&format!("{path}?before=m7")).await.status, 400);
    assert_eq!(server.get("/api/session/agent:main:web:dm:nobody/timeline").await.body["items"], json!([]));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_follow_a_session_see_what_others_write() {
    let server = TestServer::open().await;
    let (mut follower, mut writer) = (server.socket().await, server.socket().await);
    for (socket, follow) in [(&mut follower, true), (&mut writer, false)] {
        socket.send_json(json!({"type": "resume", "id": "r", "chat": "main", "follow": follow})).await;
        while socket.receive().await["id"] != "r" {}
    }
    writer.prompt("1", "from the writer").await;
    let seen = follower.receive_type("prompt").await;
    let accepted = writer.receive_type("accepted").await;
    assert_eq!(
        seen,
        json!({"type": "prompt", "id": "1", "text": "from the writer", "message": accepted["message"], "session": MAIN})
    );
    follower.receive_type("done").await;
    writer.receive_type("done").await;
    follower.prompt("2", "from the follower").await;
    let mut frames = Vec::new();
    while frames.last() != Some(&"done".to_owned()) {
        frames.push(follower.receive().await["type"].as_str().unwrap_or_default().to_owned());
    }
    assert!(!frames.contains(&"prompt".to_owned()), "it knows what it has sent: {frames:?}");
    let mut frames = Vec::new();
    while frames.last() != Some(&"done".to_owned()) {
        frames.push(writer.receive().await["type"].as_str().unwrap_or_default().to_owned());
    }
    assert!(!frames.contains(&"prompt".to_owned()), "it does not follow: {frames:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_in_the_middle_of_an_answer_gets_the_text_so_far() {
    let server = TestServer::open().await;
    let mut first = server.socket().await;
    first.prompt("1", "!slow 300 one two three four five six seven eight").await;
    let piece = first.receive_type("delta").await["text"].clone();
    let mut second = server.socket().await;
    second.send_json(json!({"type": "resume", "id": "r", "chat": "main", "follow": true})).await;
    let so_far = second.receive_type("delta").await;
    assert_eq!(so_far["whole"], true);
    assert!(so_far["text"].as_str().unwrap().starts_with(piece.as_str().unwrap()), "{so_far}");
    let mut text = so_far["text"].as_str().unwrap().to_owned();
    let done = loop {
        let frame = second.receive().await;
        match frame["type"].as_str() {
            Some("delta") => text.push_str(frame["text"].as_str().unwrap()),
            Some("done") => break frame,
            _ => {}
        }
    };
    assert_eq!(done["fullText"], text, "no piece is missing, and none came twice");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_can_be_named_and_archived() {
    let server = TestServer::open().await;
    server.post_as("1", "/api/chat", json!({"text": "how it began"})).await;
    let path = format!("/api/session/{MAIN}");
    let change =
        async |body: Value| answer(server.request(Method::PATCH, &path).bearer_auth(ADMIN).json(&body)).await;
    let named = change(json!({"title": " A name "})).await;
    assert_eq!((named.status.as_u16(), &named.body["title"]), (200, &json!("A name")), "{}", named.body);
    assert!(change(json!({"archived": true})).await.body["archived"].is_string());
    let list = server.get("/api/sessions?channel=web&openings=true").await.body;
    let row = &list["sessions"][0];
    assert_eq!((&row["title"], &row["opening"]), (&json!("A name"), &json!("how it began")));
    assert_eq!(change(json!({"title": null})).await.body["title"], Value::Null);
    for wrong in [json!({"title": "x".repeat(201)}), json!({"title": "a\nb"}), json!({"name": "x"})] {
        assert_eq!(change(wrong.clone()).await.status, 400, "{wrong}");
    }
    let nobody = server.request(Method::PATCH, "/api/session/agent:main:web:dm:nobody").bearer_auth(ADMIN);
    assert_eq!(answer(nobody.json(&json!({"archived": true}))).await.status, 404);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agent_does_before_it_answers_is_shown_also_to_those_who_come_later() {
    let server = TestServer::open().await;
    let (mut first, mut second) = (server.socket().await, server.socket().await);
    first.prompt("1", "!step 40 reading").await;
    let message = first.receive_type("accepted").await["message"].clone();
    let shown = json!({
        "type": "progress", "session": MAIN, "message": message, "attempt": 1, "percent": 40, "text": "reading",
    });
    assert_eq!(first.receive_type("progress").await, shown);
    second.send_json(json!({"type": "resume", "id": "r", "chat": "main", "follow": true})).await;
    assert_eq!(second.receive_type("progress").await, shown);
    second.send_json(json!({"type": "abort", "chat": "main"})).await;
    first.receive_type("error").await;
    server.close().await;
}
