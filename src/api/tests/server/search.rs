//! The search in messages.

use serde_json::json;

use crate::harness::{MAIN, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_words_in_messages_and_answers_page_by_page() {
    let server = TestServer::open().await;
    for (key, chat, text) in
        [("1", "main", "A blue Garden"), ("2", "other", "100% of a garden_gate"), ("3", "main", "nothing")]
    {
        server.post_as(key, "/api/chat", json!({"text": text, "chat": chat})).await;
    }
    server.post_as("4", "/api/chat", json!({"text": "/whoami garden"})).await;
    let found = async |query: &str| {
        let page = server.get(&format!("/api/messages?search={query}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let messages = page.body["messages"].as_array().unwrap().clone();
        let texts: Vec<String> =
            messages.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
        (texts, page.body["next"].as_str().map(str::to_owned), messages)
    };
    let (texts, next, messages) = found("GARDEN").await;
    assert_eq!((texts, next), (vec!["100% of a garden_gate".to_owned(), "A blue Garden".to_owned()], None));
    assert_eq!((&messages[1]["session"], &messages[1]["answer"]), (&json!(MAIN), &json!("A blue Garden")));
    assert_eq!(found("0%25%20o").await.0, ["100% of a garden_gate"], "signs of patterns are words");
    assert_eq!(found("garden_").await.0, ["100% of a garden_gate"]);
    let (first, next, _) = found("garden&limit=1").await;
    let (second, _, _) = found(&format!("garden&limit=1&before={}", next.unwrap())).await;
    assert_eq!((first[0].as_str(), second[0].as_str()), ("100% of a garden_gate", "A blue Garden"));
    for wrong in ["", "%20", "a&before=x", "a&to=b"] {
        assert_eq!(server.get(&format!("/api/messages?search={wrong}")).await.status, 400, "{wrong}");
    }
    server.close().await;
}
