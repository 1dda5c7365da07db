//! Named tokens: what each scope may do, and that a token ends at once.

use frontdesk_api::hash_token;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Reply, answer, within};
use crate::harness::{MAIN, TestServer};

/// Makes a token and returns its secret.
pub async fn make(server: &TestServer, name: &str, scope: &str) -> String {
    let made = server.post("/api/tokens", json!({"name": name, "scope": scope})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    made.body["token"].as_str().unwrap().to_owned()
}

async fn get(server: &TestServer, token: &str, path: &str) -> Reply {
    answer(server.request(Method::GET, path).bearer_auth(token)).await
}

async fn post(server: &TestServer, token: &str, path: &str, body: Value) -> Reply {
    answer(server.request(Method::POST, path).bearer_auth(token).json(&body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_chats_has_chats_of_its_own_and_sees_no_others() {
    let server = TestServer::open().await;
    let (anna, ben) = (make(&server, "anna", "chat").await, make(&server, "ben", "chat").await);
    server.post("/api/chat", json!({"text": "the owner's"})).await;
    let said = post(&server, &anna, "/api/chat", json!({"text": "hello"})).await;
    assert_eq!(
        (&said.body["text"], &said.body["session"]),
        (&json!("hello"), &json!("agent:main:web:dm:anna/main"))
    );
    post(&server, &ben, "/api/chat", json!({"text": "ben's", "chat": "work"})).await;
    // Another token of the same beginning is another person.
    let annabel = make(&server, "anna.b", "chat").await;
    post(&server, &annabel, "/api/chat", json!({"text": "annabel's"})).await;

    let keys = |list: &Reply| -> Vec<String> {
        let sessions = list.body["sessions"].as_array().unwrap();
        sessions.iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&get(&server, &anna, "/api/sessions").await), ["agent:main:web:dm:anna/main"]);
    assert_eq!(keys(&get(&server, &ben, "/api/sessions").await), ["agent:main:web:dm:ben/work"]);
    assert_eq!(keys(&server.get("/api/sessions").await).len(), 4);
    let own = "agent:main:web:dm:anna%2Fmain";
    for path in ["", "/messages", "/timeline"] {
        let seen = get(&server, &anna, &format!("/api/session/{own}{path}")).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}: {seen:?}");
        for other in [
            MAIN,
            "agent:main:web:dm:ben%2Fwork",
            "agent:main:web:dm:anna.b%2Fmain",
            "agent:main:telegram:dm:1",
        ] {
            let denied = get(&server, &anna, &format!("/api/session/{other}{path}")).await;
            assert_eq!(
                (denied.status, denied.code()),
                (StatusCode::NOT_FOUND, "not_found"),
                "{other}{path}: {denied:?}"
            );
        }
    }
    let id = said.body["message"].as_str().unwrap();
    let message = get(&server, &anna, &format!("/api/messages/{id}")).await;
    assert_eq!((&message.body["state"], &message.body["answer"]), (&json!("answered"), &json!("hello")));
    for (token, id) in [(&ben, id), (&anna, "m1"), (&anna, "m99")] {
        let denied = get(&server, token, &format!("/api/messages/{id}")).await;
        assert_eq!(denied.body["error"]["message"], json!(format!("there is no message {id}")), "{denied:?}");
    }
    for verb in ["reset", "stop"] {
        assert_eq!(
            post(&server, &anna, &format!("/api/session/{own}/{verb}"), json!({})).await.status,
            StatusCode::OK
        );
        let denied = post(&server, &anna, &format!("/api/session/{MAIN}/{verb}"), json!({})).await;
        assert_eq!(denied.status, StatusCode::NOT_FOUND, "{denied:?}");
    }
    for path in [
        "/api/status",
        "/api/audit",
        "/api/tokens",
        "/api/outbox",
        "/api/access",
        "/api/pairing",
        "/metrics",
        "/api/dead-letters",
    ] {
        assert_eq!(get(&server, &anna, path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let makes = json!({"name": "eve", "scope": "admin"});
    assert_eq!(post(&server, &anna, "/api/tokens", makes).await.status, StatusCode::FORBIDDEN);
    let sends = json!({"to": "demo:7", "text": "x"});
    assert_eq!(post(&server, &anna, "/api/send", sends).await.status, StatusCode::FORBIDDEN);
    let erased =
        answer(server.request(Method::DELETE, &format!("/api/session/{own}")).bearer_auth(&anna)).await;
    assert_eq!(erased.status, StatusCode::FORBIDDEN, "only admins delete conversations for good");
    assert_eq!(get(&server, &anna, "/api/asks").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(get(&server, &anna, &format!("/api/asks?session={own}")).await.status, StatusCode::OK);
    assert_eq!(get(&server, &anna, &format!("/api/asks?session={MAIN}")).await.status, StatusCode::NOT_FOUND);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn background_work_of_a_token_for_chats_goes_to_its_own_chats() {
    let server = TestServer::open().await;
    let anna = make(&server, "anna", "chat").await;
    post(&server, &anna, "/api/chat", json!({"text": "hello"})).await;
    server.post("/api/chat", json!({"text": "the owner's"})).await;
    let tasks = |place: Value| {
        let mut task = json!({"text": "work"});
        task.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        post(&server, &anna, "/api/tasks", task)
    };
    for own in [json!({"session": "agent:main:web:dm:anna/main"}), json!({"to": "web:anna/other"}), json!({})]
    {
        let taken = tasks(own.clone()).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{own}: {taken:?}");
    }
    for other in [
        json!({"session": MAIN}),
        json!({"to": "web:main"}),
        json!({"to": "web:ben/main"}),
        json!({"to": "web:annabel"}),
    ] {
        let denied = tasks(other.clone()).await;
        assert!(
            [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&denied.status),
            "{other}: {denied:?}"
        );
    }
    let job = json!({"task": "work", "schedule": {"kind": "every", "expr": "1h"}, "delivery": {"mode": "announce", "to": "web:main"}});
    assert_eq!(post(&server, &anna, "/api/cron/jobs", job).await.status, StatusCode::FORBIDDEN);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_of_a_token_for_chats_stays_in_its_chats() {
    let server = TestServer::open().await;
    let anna = make(&server, "anna", "chat").await;
    server.post("/api/chat", json!({"text": "the owner's"})).await;
    let mut socket = server.socket_of(&anna).await;
    socket.prompt("1", "hello").await;
    assert_eq!(socket.receive_type("accepted").await["session"], json!("agent:main:web:dm:anna/main"));
    socket.receive_type("done").await;
    for frame in [
        json!({"id": "2", "type": "resume", "session": MAIN, "last_seq": 0}),
        json!({"id": "2", "type": "abort", "session": MAIN}),
        json!({"id": "2", "method": "session.get", "params": {"key": MAIN}}),
        json!({"id": "2", "method": "session.kill", "params": {"key": MAIN}}),
        json!({"id": "2", "method": "session.reset", "params": {"key": MAIN}}),
    ] {
        socket.send_json(frame.clone()).await;
        let denied = socket.receive_type("error").await;
        assert_eq!(denied["code"], json!("not_found"), "{frame}: {denied}");
    }
    socket.send_json(json!({"id": "3", "method": "config.reload", "params": {}})).await;
    assert_eq!(socket.receive_type("error").await["code"], json!("forbidden"));
    // By name a chat is always one of its own.
    socket.send_json(json!({"id": "4", "type": "resume", "chat": "main", "last_seq": 0})).await;
    let done = socket.receive_type("done").await;
    assert_eq!(
        (&done["fullText"], &done["session"]),
        (&json!("hello"), &json!("agent:main:web:dm:anna/main"))
    );
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_reading_changes_nothing_and_one_for_everything_is_named_in_the_audit() {
    let server = TestServer::open().await;
    let (reader, laptop) = (make(&server, "grafana", "read").await, make(&server, "laptop", "admin").await);
    for path in ["/api/status", "/api/sessions", "/api/audit", "/api/access", "/api/tokens", "/metrics"] {
        assert_eq!(get(&server, &reader, path).await.status, StatusCode::OK, "{path}");
    }
    for (path, body) in [
        ("/api/chat", json!({"text": "x"})),
        ("/api/access", json!({"platform": "demo", "user": "9"})),
        ("/api/tokens", json!({"name": "x", "scope": "admin"})),
    ] {
        assert_eq!(post(&server, &reader, path, body).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let granted = post(&server, &laptop, "/api/access", json!({"platform": "demo", "user": "9"})).await;
    assert_eq!(granted.status, StatusCode::OK, "{granted:?}");
    let audit = server.get("/api/audit").await.body["audit"].clone();
    assert_eq!((&audit[0]["by"], &audit[0]["action"]), (&json!("api:laptop"), &json!("grant")));
    let said = post(&server, &laptop, "/api/chat", json!({"text": "x"})).await;
    assert_eq!(said.body["session"], json!(MAIN), "an admin sees what the owner sees");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_replaced_or_revoked_ends_at_once() {
    let server = TestServer::open().await;
    let first = make(&server, "anna", "chat").await;
    let mut socket = server.socket_of(&first).await;
    let rotated = server.post("/api/tokens/anna/rotate", json!({})).await;
    let second = rotated.body["token"].as_str().unwrap().to_owned();
    assert_eq!(within(socket.closed()).await, Some(1008));
    assert_eq!(get(&server, &first, "/api/sessions").await.status, StatusCode::UNAUTHORIZED);
    let mut socket = server.socket_of(&second).await;
    socket.prompt("1", "!slow 2000 one two three").await;
    socket.receive_type("delta").await;
    let revoked = server.delete("/api/tokens/anna").await;
    assert_eq!(
        (&revoked.body["revoked"], &revoked.body["running"]),
        (&json!("anna"), &json!(1)),
        "{revoked:?}"
    );
    assert_eq!(within(socket.closed()).await, Some(1008));
    assert_eq!(get(&server, &second, "/api/sessions").await.status, StatusCode::UNAUTHORIZED);
    let again = server.post("/api/tokens", json!({"name": "anna", "scope": "chat"})).await;
    assert!(
        again.status == StatusCode::BAD_REQUEST && again.body.to_string().contains("never used again"),
        "{again:?}"
    );
    let listed = server.get("/api/tokens").await;
    let states: Vec<_> =
        listed.body["tokens"].as_array().unwrap().iter().map(|one| (&one["name"], &one["state"])).collect();
    assert_eq!(states, [(&json!("anna"), &json!("revoked"))]);
    for secret in [&first, &second] {
        assert!(!listed.body.to_string().contains(secret.as_str()));
        let stored = server.store().tokens().await.unwrap();
        assert!(
            stored.iter().all(|row| row.hash != [0; 32]) && !format!("{stored:?}").contains(secret.as_str())
        );
    }
    assert_ne!(hash_token(&first), hash_token(&second));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_expires() {
    let server = TestServer::open().await;
    let made = server.post("/api/tokens", json!({"name": "short", "scope": "chat", "expires_s": 1})).await;
    let secret = made.body["token"].as_str().unwrap();
    assert!(made.body["expires"].is_string(), "{made:?}");
    let refused =
        async { while get(&server, secret, "/api/sessions").await.status != StatusCode::UNAUTHORIZED {} };
    within(refused).await;
    let listed = server.get("/api/tokens").await;
    assert_eq!(listed.body["tokens"][0]["state"], json!("expired"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_about_tokens_say_what_is_wrong() {
    let server = TestServer::open().await;
    for (body, expected) in [
        (json!({"name": "A B", "scope": "chat"}), "a token's name has"),
        (json!({"name": "a/b", "scope": "chat"}), "a token's name has"),
        (json!({"name": "x", "scope": "everything"}), "there are chat, app, read, admin"),
        (json!({"name": "main", "scope": "admin"}), "the token in the home folder"),
        (json!({"name": "x", "scope": "chat", "expires_s": 0}), "at least 1 second"),
        (json!({"name": "x", "scope": "chat", "expires_s": u64::MAX}), "beyond the calendar"),
    ] {
        let refused = server.post("/api/tokens", body.clone()).await;
        assert!(
            refused.status == StatusCode::BAD_REQUEST && refused.body.to_string().contains(expected),
            "{body}: {refused:?}"
        );
    }
    assert_eq!(server.post("/api/tokens/nobody/rotate", json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.delete("/api/tokens/nobody").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.delete("/api/tokens/main").await.status, StatusCode::BAD_REQUEST);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_chats_has_uploads_of_its_own_and_finds_only_its_own_messages() {
    let server = TestServer::open().await;
    let (anna, ben) = (make(&server, "anna", "chat").await, make(&server, "ben", "chat").await);
    let upload = server.request(Method::POST, "/api/files?name=a.txt").bearer_auth(&anna).body("for anna");
    let file = answer(upload).await.body["file"].clone();
    let named = json!({"text": "paint it blue", "files": [file]});
    assert_eq!(post(&server, &ben, "/api/chat", named.clone()).await.code(), "unknown_file");
    server.post("/api/chat", json!({"text": "blue for the owner"})).await;
    post(&server, &ben, "/api/chat", json!({"text": "blue for ben"})).await;
    assert_eq!(post(&server, &anna, "/api/chat", named).await.status, StatusCode::OK);
    let found = async |token: &str| -> Vec<String> {
        let page = get(&server, token, "/api/messages?search=blue").await;
        let messages = page.body["messages"].as_array().unwrap().clone();
        messages.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found(&anna).await, ["paint it blue"]);
    assert_eq!(found(&ben).await, ["blue for ben"]);
    let own = "agent:main:web:dm:anna%2Fmain";
    let timeline = get(&server, &anna, &format!("/api/session/{own}/timeline")).await;
    let items = timeline.body["items"].as_array().unwrap();
    let message =
        items.iter().find(|item| item["type"] == "prompt").unwrap()["message"].as_str().unwrap().to_owned();
    let path = format!("/api/session/{own}/files/{message}.0");
    assert_eq!(get(&server, &anna, &path).await.body, json!("for anna"));
    let denied = get(&server, &ben, &path).await;
    assert_eq!((denied.status, denied.code()), (StatusCode::NOT_FOUND, "not_found"));
    server.close().await;
}
