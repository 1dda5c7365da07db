//! Questions to people, over HTTP and the WebSocket. The question of these tests is the confirmation of `/gateway stop`.

use frontdesk_api::{Scope, Token, hash_token};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Socket, answer};
use crate::harness::{ADMIN, MAIN, READER, TestServer};

const ASKED: &str = "/gateway stop web";

/// Asks a question in the main chat and returns its frame.
async fn ask(socket: &mut Socket, id: &str) -> Value {
    socket.prompt(id, ASKED).await;
    socket.receive_type("ask").await
}

async fn answers(socket: &mut Socket, ask: &Value, choice: &str) {
    socket.send_json(json!({"type": "answer", "id": 7, "ask": ask["ask"], "choice": choice})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_and_its_end_are_stored_frames_of_every_client() {
    let server = TestServer::open().await;
    let (mut one, mut two) = (server.socket().await, server.socket_of(READER).await);
    two.send_json(json!({"type": "resume", "id": "r", "chat": "main"})).await;
    two.receive().await;
    let ask = ask(&mut one, "1").await;
    assert_eq!((&ask["ask"], &ask["session"], &ask["kind"]), (&json!("a1"), &json!(MAIN), &json!("confirm")));
    assert_eq!((&ask["seq"], &ask["reply"], &ask["may_answer"]), (&json!(1), &json!(true), &json!(true)));
    assert_eq!(ask["choices"][0], json!({"id": "confirm", "label": "Stop it", "style": "danger"}));
    assert!(ask["deadline"].as_str().unwrap().ends_with('Z') && ask["message"] == "m1", "{ask}");
    let shown = two.receive_type("ask").await;
    assert_eq!((&shown["ask"], &shown["may_answer"]), (&json!("a1"), &json!(false)), "it may only read");

    answers(&mut one, &ask, "cancel").await;
    let closed = one.receive_type("ask_closed").await;
    let end = json!({"state": "answered", "choice": "cancel", "by": "web:admin"});
    for (field, value) in end.as_object().unwrap() {
        assert_eq!(closed[field], *value, "{closed}");
    }
    assert_eq!(two.receive_type("ask_closed").await["seq"], 2);
    let mut late = server.socket_of(READER).await;
    late.send_json(json!({"type": "resume", "id": "r", "session": MAIN, "last_seq": 0})).await;
    assert_eq!(late.receive().await, shown, "a client that was away is shown the question");
    let stored = late.receive().await;
    assert_eq!((&stored["type"], &stored["state"]), (&json!("ask_closed"), &json!("answered")));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_count_is_an_error_with_its_code() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    let ask = ask(&mut socket, "1").await;
    let mut refused = async |frame: Value| {
        socket.send_json(frame).await;
        let error = socket.receive_type("error").await;
        (error["id"].clone(), error["code"].as_str().unwrap().to_owned())
    };
    let frame = |ask: &str, more: Value| {
        let mut frame = json!({"type": "answer", "id": 7, "ask": ask});
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        frame
    };
    for (wrong, code) in [
        (frame("a1", json!({"choice": "perhaps"})), "unknown_choice"),
        (frame("a1", json!({"text": "perhaps"})), "unknown_choice"),
        (frame("a9", json!({"choice": "cancel"})), "no_such_ask"),
        (frame("9", json!({"choice": "cancel"})), "bad_request"),
        (frame("a1", json!({})), "bad_request"),
        (frame("a1", json!({"choice": "cancel", "text": "1"})), "bad_request"),
        (json!({"type": "answer", "id": 7, "choice": "cancel"}), "bad_request"),
    ] {
        assert_eq!(refused(wrong.clone()).await, (json!(7), code.to_owned()), "{wrong}");
    }
    answers(&mut socket, &ask, "cancel").await;
    socket.receive_type("ask_closed").await;
    answers(&mut socket, &ask, "confirm").await;
    let error = socket.receive_type("error").await;
    assert_eq!((&error["id"], &error["code"]), (&json!(7), &json!("ask_closed")));
    let mut reader = server.socket_of(READER).await;
    answers(&mut reader, &ask, "cancel").await;
    assert_eq!(reader.receive_type("error").await["code"], "forbidden");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_is_not_asked_may_not_answer() {
    let server = TestServer::open().await;
    let token = |id: &str, clear| Token { id: id.into(), hash: hash_token(clear), scope: Scope::Admin };
    server.tokens.replace(vec![token("admin", ADMIN), token("guest", "guest-token")]).unwrap();
    let (mut admin, mut guest) = (server.socket().await, server.socket_of("guest-token").await);
    guest.prompt("1", "hello").await;
    guest.receive_type("done").await;
    let asked = ask(&mut admin, "1").await;
    assert_eq!(guest.receive_type("ask").await["may_answer"], false);
    answers(&mut guest, &asked, "confirm").await;
    assert_eq!(guest.receive_type("error").await["code"], "not_yours");
    let path = "/api/asks/a1";
    let request = server.request(Method::POST, path).bearer_auth("guest-token");
    let refused = answer(request.json(&json!({"choice": "confirm"}))).await;
    assert_eq!((refused.status.as_u16(), &refused.body["error"]["code"]), (403, &json!("not_yours")));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_listed_and_answered_over_http_once() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    assert_eq!(server.get("/api/asks").await.body["asks"], json!([]));
    ask(&mut socket, "1").await;
    let open = server.get("/api/asks").await.body["asks"][0].clone();
    assert_eq!(
        (&open["id"], &open["state"], &open["to"]),
        (&json!("a1"), &json!("open"), &json!("web:main"))
    );
    assert_eq!((&open["may_answer"], &open["audience"]), (&json!(true), &json!(["web:admin"])));
    assert_eq!(server.get("/api/status").await.body["totals"]["asks"], 1);
    let wrong = server.post("/api/asks/a1", json!({"text": "3"})).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["error"]["code"]), (400, &json!("unknown_choice")));
    assert_eq!(server.post("/api/asks/a9", json!({"text": "1"})).await.status, 404);

    let answered = server.post_as("k", "/api/asks/a1", json!({"text": "2"})).await;
    assert_eq!(answered.status, 200);
    let fields = ["state", "choice", "by"].map(|field| answered.body[field].as_str().unwrap());
    assert_eq!(fields, ["answered", "cancel", "web:admin"], "the second choice");
    let again = server.post_as("k", "/api/asks/a1", json!({"text": "2"})).await;
    assert_eq!((again.status, again.body), (answered.status, answered.body), "the same request");
    let late = server.post("/api/asks/a1", json!({"choice": "confirm"})).await;
    assert_eq!((late.status.as_u16(), &late.body["error"]["code"]), (409, &json!("ask_closed")));
    assert_eq!(socket.receive_type("ask_closed").await["choice"], "cancel");

    ask(&mut socket, "2").await;
    let ids = async |query: &str| {
        let listed = server.get(&format!("/api/asks{query}")).await.body;
        let ids = listed["asks"].as_array().unwrap().iter().map(|ask| ask["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("").await, "a2");
    assert_eq!(ids("?state=answered").await, "a1");
    assert_eq!(ids(&format!("?state=all&session={MAIN}")).await, "a2 a1", "the newest first");
    assert_eq!(ids("?state=all&before=a2").await, "a1");
    assert_eq!(ids("?state=all&session=agent:main:web:dm:other").await, "");
    assert_eq!(server.get("/api/asks?state=done").await.status, 400);
    assert_eq!(server.get("/api/asks?state=all&limit=1").await.body["next"], "a2");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_the_reply_ends_a_request_that_waits_for_it() {
    let server = TestServer::open().await;
    let reply = server.post_as("k", "/api/chat", json!({"text": ASKED})).await;
    let text = reply.body["text"].as_str().unwrap().to_owned();
    assert!(text.contains("/gateway stop web confirm"), "{text}");
    let again = server.post_as("k", "/api/chat", json!({"text": ASKED})).await;
    assert_eq!(again.body["text"], json!(text));
    server.close().await;
}
