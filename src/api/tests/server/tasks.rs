//! Background tasks over HTTP.

use frontdesk_api::{Scope, Token, hash_token};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Reply, answer};
use crate::harness::{ADMIN, MAIN, READER, TestServer};

/// A task whose agent waits for ten minutes.
const LONG: &str = "!wait 600000 late";

/// Waits until a task has ended, and returns it.
async fn ended(server: &TestServer, id: &str) -> Value {
    loop {
        let task = server.get(&format!("/api/tasks/{id}")).await.body;
        if !task["finished"].is_null() {
            return task;
        }
        tokio::task::yield_now().await;
    }
}

async fn submit(server: &TestServer, body: Value) -> Value {
    let reply = server.post("/api/tasks", body).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.body
}

fn refused(reply: &Reply) -> (u16, &str) {
    (reply.status.as_u16(), reply.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_handed_over_and_its_result_fetched() {
    let server = TestServer::open().await;
    let stored = submit(&server, json!({"text": "one two", "title": "Numbers", "time_limit_s": 60})).await;
    assert_eq!(stored["task"], "b1");
    assert_eq!(stored["session"], "agent:main:web:task:1");
    assert_eq!(stored["state"], "queued");
    let task = ended(&server, "b1").await;
    let expected = json!({
        "id": "b1", "state": "succeeded", "attempt": 1, "title": "Numbers", "text": "one two", "agent": "main",
        "owner": "web:admin", "source": "api", "session": "agent:main:web:task:1", "origin": null, "to": null,
        "retry_of": null, "error": null, "asks": [], "delivered": null, "time_limit_s": 60,
        "result": {"text": "one two", "files": []},
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(task[field], *value, "{field}: {task}");
    }
    assert!(task["created"].as_str() <= task["started"].as_str() && task["progress"]["text"].is_null());

    submit(&server, json!({"text": "!fail"})).await;
    let failed = ended(&server, "b2").await;
    assert_eq!((&failed["state"], &failed["result"]), (&json!("failed"), &Value::Null));
    assert_eq!(failed["error"], json!({"code": "agent_failed", "message": "The agent could not do it."}));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_in_a_request_reach_the_agent_of_the_task_and_are_kept_once() {
    let server = TestServer::open().await;
    let kept = || std::fs::read_dir(server.media().join("in")).map_or(0, Iterator::count);
    let notes = json!({"name": "notes.txt", "url": "data:text/plain;base64,aGVsbG8="});
    let body = json!({"text": "read it", "attachments": [notes]});
    for _ in 0..2 {
        let reply = server.post_as("k", "/api/tasks", body.clone()).await;
        assert_eq!((reply.status.as_u16(), &reply.body["task"]), (202, &json!("b1")), "{reply:?}");
    }
    assert_eq!(kept(), 1);
    assert_eq!(ended(&server, "b1").await["state"], "succeeded");
    let files = server.agent.files();
    assert_eq!((files[0].name.as_deref(), files[0].mime.as_deref()), (Some("notes.txt"), Some("text/plain")));
    assert_eq!(std::fs::read_to_string(files[0].got.as_ref().unwrap()).unwrap(), "hello");
    let server = server.restarted().await;
    assert_eq!(server.post_as("k", "/api/tasks", body).await.body["task"], "b1");
    let kept = std::fs::read_dir(server.media().join("in")).unwrap().count();
    assert_eq!(kept, 1, "the repeated request leaves no second file");
    let refused = server.post("/api/tasks", json!({"text": " ", "attachments": [notes]})).await;
    assert_eq!(refused.status, 400);
    let wrong = json!({"text": "x", "attachments": [notes, {"url": "file:///etc/passwd"}]});
    let wrong = server.post("/api/tasks", wrong).await;
    assert!(wrong.body["error"]["message"].as_str().unwrap().starts_with("attachments[1].url"), "{wrong:?}");
    assert_eq!(std::fs::read_dir(server.media().join("in")).unwrap().count(), 1);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_is_sent_to_the_chat_that_is_named() {
    let server = TestServer::open().await;
    submit(&server, json!({"text": "for five", "to": "demo:5"})).await;
    let told = server.platforms[0].wait_for_text("5", "completed").await;
    assert!(told.ends_with("for five"), "{told}");
    std::fs::write(server.media().join("notes.txt"), "notes").unwrap();
    submit(&server, json!({"text": "!media notes.txt my notes", "to": "demo:5"})).await;
    let files = ended(&server, "b2").await["result"]["files"].clone();
    assert_eq!((files.as_array().unwrap().len(), &files[0]["name"]), (1, &json!("notes.txt")), "{files}");
    server.platforms[0].wait_for_text("5", "[notes.txt 5]").await;
    let mut socket = server.socket().await;
    socket.prompt("1", "hello").await;
    socket.receive_type("done").await;
    submit(&server, json!({"text": "for the page", "session": MAIN})).await;
    let task = ended(&server, "b3").await;
    let fields = ["to", "origin", "delivered"].map(|field| task[field].clone());
    assert_eq!(fields, [json!("web:main"), json!(MAIN), json!(true)]);
    let frame = loop {
        let frame = socket.receive().await;
        if frame.to_string().contains("for the page") {
            break frame;
        }
    };
    assert_eq!(frame["session"], MAIN, "{frame}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_cancelled_run_again_and_listed_in_pages() {
    let server = TestServer::open().await;
    submit(&server, json!({"text": LONG})).await;
    let open = server.post("/api/tasks/b1/retry", json!({})).await;
    assert_eq!(refused(&open), (409, "task_open"));
    for _ in 0..2 {
        let cancelled = server.post("/api/tasks/b1/cancel", json!({})).await;
        assert_eq!((cancelled.status.as_u16(), &cancelled.body["state"]), (200, &json!("cancelled")));
        assert_eq!(cancelled.body["error"]["code"], "cancelled");
    }
    submit(&server, json!({"text": "short"})).await;
    ended(&server, "b2").await;
    assert_eq!(refused(&server.post("/api/tasks/b2/cancel", json!({})).await), (409, "task_ended"));
    let again = server.post("/api/background/b2/retry", json!({})).await;
    assert_eq!((again.status.as_u16(), &again.body["retry_of"]), (202, &json!("b2")));
    ended(&server, "b3").await;

    let ids = async |query: &str| {
        let listed = server.get(&format!("/api/tasks{query}")).await.body;
        let ids =
            listed["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>().join(" "), listed["next"].clone())
    };
    assert_eq!(ids("").await, ("b3 b2 b1".to_owned(), Value::Null));
    assert_eq!(ids("?state=cancelled").await.0, "b1");
    assert_eq!(ids("?state=open").await.0, "");
    assert_eq!(ids("?limit=2").await, ("b3 b2".to_owned(), json!("b2")));
    assert_eq!(ids("?cursor=b2").await.0, "b1");
    assert_eq!(ids("?before=b3&limit=1").await, ("b2".to_owned(), json!("b2")));
    assert_eq!(server.get("/api/background").await.body["tasks"][0]["id"], "b3");
    for (path, status) in [("?state=done", 400), ("?cursor=3", 400), ("/b9", 404), ("/x", 400)] {
        assert_eq!(server.get(&format!("/api/tasks{path}")).await.status.as_u16(), status, "{path}");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_is_one_task_also_after_a_restart() {
    let server = TestServer::open().await;
    let body = json!({"text": "once"});
    let first = server.post_as("k", "/api/tasks", body.clone()).await;
    assert_eq!(first.body["task"], "b1");
    assert_eq!(server.post_as("k", "/api/tasks", body.clone()).await.body, first.body);
    assert_eq!(
        refused(&server.post_as("k", "/api/tasks", json!({"text": "other"})).await),
        (409, "conflict")
    );
    ended(&server, "b1").await;
    assert_eq!(server.post_as("r", "/api/tasks/b1/retry", json!({})).await.body["id"], "b2");
    let server = server.restarted().await;
    assert_eq!(server.post_as("k", "/api/tasks", body).await.body["task"], "b1");
    assert_eq!(server.post_as("r", "/api/tasks/b1/retry", json!({})).await.body["id"], "b2");
    let server = server.restarted().await;
    assert_eq!(
        refused(&server.post_as("k", "/api/tasks", json!({"text": "other"})).await),
        (409, "conflict")
    );
    let server = server.restarted().await;
    let retried = server.post_as("k", "/api/tasks/b1/retry", json!({})).await;
    assert_eq!(retried.body["id"], "b3", "it is not the key of a submission");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_answer_is_moved_to_the_background_is_told_the_task() {
    let server = TestServer::open().await;
    let client = server.client();
    // The answer must be under way before it can be moved.
    let moved = async |task: &str| {
        for n in 0.. {
            let reply = client.chat(&format!("{task} {n}"), "/bg").await;
            if reply.body["text"].as_str().unwrap().contains(task) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let why = |task: &str| format!("This goes on in the background as task {task}.");
    let (reply, ()) = tokio::join!(client.chat("1", LONG), moved("b1"));
    let told = (reply.status.as_u16(), reply.code(), reply.body["error"]["message"].as_str().unwrap());
    assert_eq!(told, (409, "moved", &*why("b1")), "{reply:?}");
    assert_eq!(client.chat("1", LONG).await.body, reply.body, "also when it asks again");

    let mut body = json!({"model": "main", "stream": true, "messages": [{"role": "user", "content": LONG}]});
    let ask = |body: &Value| {
        let request = server.request(Method::POST, "/v1/chat/completions").bearer_auth(ADMIN);
        request.header("x-frontdesk-chat", "main").json(body).send()
    };
    let (streamed, ()) = tokio::join!(ask(&body), moved("b2"));
    let streamed = streamed.unwrap().text().await.unwrap();
    assert!(streamed.contains(&why("b2")) && streamed.contains("\"code\":\"moved\""), "{streamed}");
    body["stream"] = false.into();
    let (whole, ()) = tokio::join!(ask(&body), moved("b3"));
    let whole = whole.unwrap();
    assert_eq!(whole.status(), 409);
    assert!(whole.text().await.unwrap().contains(&why("b3")));
    for id in ["b1", "b2", "b3"] {
        assert_eq!(server.post(&format!("/api/tasks/{id}/cancel"), json!({})).await.status, 200);
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_open_tasks_are_refused() {
    let server = TestServer::with(|_, runtime| runtime.tasks.max_open_per_person = 1).await;
    submit(&server, json!({"text": LONG})).await;
    assert_eq!(refused(&server.post("/api/tasks", json!({"text": "more"})).await), (429, "task_limit"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_are_refused_and_name_what_is_wrong() {
    let server = TestServer::open().await;
    for (body, expected) in [
        (json!({}), "missing field `text`"),
        (json!({"text": "  "}), "the text is empty"),
        (json!({"text": "x", "chat": "main"}), "unknown field"),
        (json!({"text": "x", "to": "main"}), "address"),
        (json!({"text": "x", "to": "web:main", "session": MAIN}), "not both"),
        (json!({"text": "x", "to": "signal:5"}), "signal"),
        (json!({"text": "x", "agent": "nobody"}), "there are: main"),
        (json!({"text": "x", "time_limit_s": 0}), "1 to 604800 seconds"),
    ] {
        let reply = server.post("/api/tasks", body).await;
        let message = reply.body["error"]["message"].as_str().unwrap_or_default();
        assert!(reply.status == 400 && message.contains(expected), "{expected}: {reply:?}");
    }
    let unknown = server.post("/api/tasks", json!({"text": "x", "session": "agent:main:web:dm:none"})).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(server.get("/api/tasks").await.body["tasks"], json!([]));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_see_and_change_their_own_tasks_and_admins_all() {
    let server = TestServer::open().await;
    let token = |id: &str, clear, scope| Token { id: id.into(), hash: hash_token(clear), scope };
    let tokens = vec![
        token("admin", ADMIN, Scope::Admin),
        token("reader", READER, Scope::Read),
        token("guest", "guest-token", Scope::Admin),
    ];
    server.tokens.replace(tokens).unwrap();
    let guest = async |method: Method, path: &str, body: Value| {
        answer(server.request(method, path).bearer_auth("guest-token").json(&body)).await
    };
    submit(&server, json!({"text": LONG})).await;
    let own = guest(Method::POST, "/api/tasks", json!({"text": LONG, "to": "web:guest/notes"})).await;
    assert_eq!((own.status.as_u16(), &own.body["task"]), (202, &json!("b2")));
    let of_the_owner = guest(Method::POST, "/api/tasks", json!({"text": "x", "to": "web:main"})).await;
    assert_eq!(refused(&of_the_owner), (403, "denied"));
    let elsewhere = guest(Method::POST, "/api/tasks", json!({"text": "x", "to": "demo:5"})).await;
    assert_eq!(refused(&elsewhere), (403, "denied"));
    let session = json!({"text": "x", "session": "agent:main:demo:dm:5"});
    assert_eq!(refused(&guest(Method::POST, "/api/tasks", session).await), (403, "denied"));
    let listed = guest(Method::GET, "/api/tasks", json!({})).await.body;
    assert_eq!((listed["tasks"].as_array().unwrap().len(), &listed["tasks"][0]["id"]), (1, &json!("b2")));
    assert_eq!(guest(Method::GET, "/api/tasks/b1", json!({})).await.status, 404);
    assert_eq!(guest(Method::POST, "/api/tasks/b1/cancel", json!({})).await.status, 404);
    let by_reader = server.request(Method::POST, "/api/tasks/b1/cancel").bearer_auth(READER).json(&json!({}));
    assert_eq!(answer(by_reader).await.status, 403);
    let read = answer(server.request(Method::GET, "/api/tasks").bearer_auth(READER)).await;
    assert_eq!(read.body["tasks"].as_array().unwrap().len(), 2);
    for id in ["b1", "b2"] {
        assert_eq!(server.post(&format!("/api/tasks/{id}/cancel"), json!({})).await.status, 200);
    }
    for (token, id) in [(ADMIN, "b3"), ("guest-token", "b4")] {
        let request = server.request(Method::POST, "/api/tasks").bearer_auth(token);
        let request = request.header("idempotency-key", "same").json(&json!({"text": "x"}));
        assert_eq!(answer(request).await.body["task"], id, "a key belongs to a token");
    }
    server.close().await;
}
