//! Scheduled jobs over HTTP and the WebSocket.

use frontdesk_api::{Scope, Token, hash_token};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Reply, answer};
use crate::harness::{ADMIN, READER, TestServer};

const JOBS: &str = "/api/cron/jobs";

fn hourly(id: &str) -> Value {
    json!({
        "id": id, "task": format!("do {id}"), "delivery": "silent",
        "schedule": {"kind": "cron", "expr": "0 9 * * 1-5", "timezone": "Europe/Berlin"},
    })
}

fn refused(reply: &Reply) -> (u16, &str) {
    (reply.status.as_u16(), reply.code())
}

async fn change(server: &TestServer, method: Method, path: &str, token: &str, body: Value) -> Reply {
    let request = server.request(method, path).bearer_auth(token).json(&body);
    answer(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_made_looked_at_run_and_removed() {
    let server = TestServer::open().await;
    let made = server.post(JOBS, hourly("report")).await;
    assert_eq!(made.status, 201, "{made:?}");
    let expected = json!({
        "id": "report", "title": "do report", "task": "do report", "agent": "main", "source": "api",
        "owner": "web:admin", "state": "active", "reason": null, "failures": 0, "last": null,
        "schedule": {"kind": "cron", "expr": "0 9 * * 1-5", "timezone": "Europe/Berlin"},
        "delivery": {"mode": "silent", "to": null, "url": null}, "missed": "run_once", "overlap": "skip",
        "jitter_s": 0, "retries": 0, "resume_context": false, "session": "agent:main:web:job:report",
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(made.body[field], *value, "{field}: {}", made.body);
    }
    let upcoming = made.body["upcoming"].as_array().unwrap().clone();
    assert_eq!((upcoming.len(), &upcoming[0]), (5, &made.body["next"]));

    let run = server.post(&format!("{JOBS}/report/run"), json!({})).await;
    assert_eq!((run.status.as_u16(), &run.body["run"]), (202, &json!("r1")));
    let ended = loop {
        let runs = server.get(&format!("{JOBS}/report/runs")).await.body;
        if runs["runs"][0]["state"] == "succeeded" {
            break runs["runs"][0].clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        (&ended["id"], &ended["manual"], &ended["text"]),
        (&json!("r1"), &json!(true), &json!("do report"))
    );
    assert_eq!(server.get(&format!("{JOBS}/report/runs/r1")).await.body["text"], "do report");
    assert_eq!(server.get(&format!("{JOBS}/report/runs/r2")).await.status, 404);
    let job = server.get(&format!("{JOBS}/report")).await.body;
    assert_eq!((&job["last"]["run"], &job["last"]["state"]), (&json!("r1"), &json!("succeeded")));

    let path = format!("{JOBS}/report");
    let later = json!({"schedule": {"kind": "every", "expr": "2h"}, "retries": 3});
    let changed = change(&server, Method::PATCH, &path, ADMIN, later).await.body;
    assert_eq!(
        (&changed["schedule"]["expr"], &changed["retries"], &changed["task"]),
        (&json!("2h"), &json!(3), &json!("do report"))
    );
    let removed = change(&server, Method::DELETE, &path, ADMIN, json!({})).await;
    assert_eq!((removed.status.as_u16(), &removed.body["removed"]), (200, &json!("report")));
    assert_eq!(refused(&server.get(&path).await), (404, "unknown_job"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_jobs_are_refused_and_say_why() {
    let server = TestServer::open().await;
    server.post(JOBS, hourly("report")).await;
    assert_eq!(refused(&server.post(JOBS, hourly("report")).await), (409, "job_exists"));
    let mut over = hourly("once");
    over["schedule"] = json!({"kind": "at", "expr": "2020-01-01T00:00:00Z"});
    assert_eq!(refused(&server.post(JOBS, over).await), (400, "bad_request"));
    for (field, value) in
        [("delivery", json!("email")), ("colour", json!("red")), ("schedule", json!({"kind": "often"}))]
    {
        let mut wrong = hourly("wrong");
        wrong[field] = value;
        let reply = server.post(JOBS, wrong).await;
        assert_eq!(refused(&reply), (400, "bad_json"), "{reply:?}");
        let message = reply.body["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(field), "{reply:?}");
    }
    for (path, code) in [("/nothing", "unknown_job"), ("/nothing/runs", "unknown_job")] {
        assert_eq!(refused(&server.get(&format!("{JOBS}{path}")).await), (404, code), "{path}");
    }
    for path in ["?state=odd", "?cursor=a%20b", "/a%20b", "/report/runs?cursor=5"] {
        assert_eq!(server.get(&format!("{JOBS}{path}")).await.status, 400, "{path}");
    }
    server.post(JOBS, hourly("second")).await;
    for (job, status) in [("report", 200), ("report", 200), ("second", 409)] {
        let reply = server.post_as("same", &format!("{JOBS}/{job}/pause"), json!({})).await;
        assert_eq!(reply.status, status, "a key belongs to a path: {reply:?}");
    }
    assert_eq!(server.post(&format!("{JOBS}/report/resume"), json!({})).await.status, 200);
    let active = server.post(&format!("{JOBS}/report/resume"), json!({})).await;
    assert_eq!(refused(&active), (409, "not_now"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_see_and_change_only_their_own_jobs() {
    let server = TestServer::open().await;
    let person = "a-person-token";
    let token = |id: &str, clear: &str, scope| Token { id: id.into(), hash: hash_token(clear), scope };
    let tokens = vec![
        token("admin", ADMIN, Scope::Admin),
        token("reader", READER, Scope::Read),
        token("person", person, Scope::Admin),
    ];
    server.tokens.replace(tokens).unwrap();
    server.post(JOBS, hourly("theirs")).await;
    assert_eq!(change(&server, Method::POST, JOBS, person, hourly("mine")).await.status, 201);
    let mut elsewhere = hourly("spy");
    elsewhere["delivery"] = json!({"mode": "announce", "to": "demo:5"});
    assert_eq!(
        refused(&change(&server, Method::POST, JOBS, person, elsewhere.clone()).await),
        (403, "denied")
    );
    assert_eq!(server.post(JOBS, elsewhere).await.status, 201, "an operator may");
    for (method, path) in [
        (Method::POST, "/theirs/run"),
        (Method::POST, "/theirs/pause"),
        (Method::PATCH, "/theirs"),
        (Method::DELETE, "/theirs"),
    ] {
        let reply = change(&server, method, &format!("{JOBS}{path}"), person, json!({})).await;
        assert_eq!(refused(&reply), (404, "unknown_job"), "{path}");
    }
    let listed = answer(server.request(Method::GET, JOBS).bearer_auth(person)).await.body;
    let ids: Vec<&str> =
        listed["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["mine"]);
    for (token, id) in [(ADMIN, "keyed-by-admin"), (person, "keyed-by-person")] {
        let request = server.request(Method::POST, JOBS).bearer_auth(token);
        let made = answer(request.header("idempotency-key", "same").json(&hourly(id))).await;
        assert_eq!((made.status.as_u16(), &made.body["id"]), (201, &json!(id)), "a key belongs to a token");
    }
    let reader = change(&server, Method::POST, &format!("{JOBS}/mine/pause"), READER, json!({})).await;
    assert_eq!(reader.status, 403);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_run_and_paused_by_calls() {
    let server = TestServer::open().await;
    server.post(JOBS, hourly("report")).await;
    let mut socket = server.socket().await;
    let mut called = async |method: &str, params: Value| {
        socket.send_json(json!({"id": 1, "method": method, "params": params})).await;
        socket.receive().await
    };
    assert_eq!(called("cron.list", Value::Null).await["result"]["jobs"][0]["id"], "report");
    assert_eq!(called("cron.pause", json!({"id": "report"})).await["result"]["state"], "paused");
    assert_eq!(called("cron.run", json!({"id": "report"})).await["result"]["run"], "r1");
    assert_eq!(called("cron.resume", json!({"id": "report"})).await["result"]["state"], "active");
    server.close().await;
}
