//! Two chats of the page that share one conversation.

use serde_json::{Value, json};

use crate::client::Socket;
use crate::harness::TestServer;

/// Writes in a chat and returns the frame of the reply.
async fn reply(socket: &mut Socket, id: &str, chat: &str, text: &str) -> Value {
    socket.send_json(json!({"type": "prompt", "id": id, "chat": chat, "text": text})).await;
    socket.receive_type("done").await
}

/// The word that follows some words of a text.
fn after<'t>(text: &'t str, words: &str) -> &'t str {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no {words:?}: {text}"));
    rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_that_joins_another_one_sees_the_answers_in_its_session() {
    let server = TestServer::open().await;
    let (mut one, mut two) = (server.socket().await, server.socket().await);
    let shown = reply(&mut one, "1", "one", "/link").await;
    let code = after(shown["fullText"].as_str().unwrap(), "`/link ").to_owned();
    assert_eq!(code.len(), 8, "the page shows the code itself: {shown}");
    two.send_json(json!({"type": "prompt", "id": "1", "chat": "two", "text": format!("/link {code}")})).await;
    let asked = two.receive_type("ask").await;
    let request = after(asked["text"].as_str().unwrap(), "/link confirm ").to_owned();
    let also = one.receive_type("ask").await;
    assert_eq!(after(also["text"].as_str().unwrap(), "/link confirm "), request);
    reply(&mut two, "2", "two", &format!("/link confirm {request}")).await;
    let joined = reply(&mut one, "2", "one", &format!("/link confirm {request}")).await;
    assert!(joined["fullText"].as_str().unwrap().contains("share one conversation now"), "{joined}");
    let answer = reply(&mut two, "3", "two", "hello").await;
    assert_eq!(answer["session"], "agent:main:web:dm:one", "{answer}");
    let outbox =
        server.store().history(&"agent:main:web:dm:two".parse().unwrap(), None, None, 9).await.unwrap();
    assert!(outbox.iter().all(|row| !row.message.text.contains(&code)), "the code is stored nowhere");
    let parted = reply(&mut two, "4", "two", "/link off").await;
    assert!(parted["fullText"].as_str().unwrap().contains("separate again"), "{parted}");
    assert_eq!(reply(&mut two, "5", "two", "alone").await["session"], "agent:main:web:dm:two");
}
