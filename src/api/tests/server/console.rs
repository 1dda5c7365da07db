//! What the operator's console reads and changes.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::answer;
use crate::harness::{READER, TestServer};

/// The console's files.
fn paths() -> Vec<String> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/console")).unwrap();
    let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    let paths = names.filter(|name| name != "index.html").map(|name| format!("/console/{name}"));
    paths.chain(["/console".to_owned()]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_loads_nothing_from_other_hosts_and_shows_markup_as_text() {
    let server = TestServer::open().await;
    for path in paths() {
        let reply = answer(server.request(Method::GET, &path)).await;
        assert!(reply.status.is_success(), "{path}");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.headers["cache-control"], "no-cache", "{path}");
        let text = reply.body.as_str().unwrap();
        let foreign = [
            "http://",
            "https://",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ];
        for part in foreign.into_iter().chain(["location.search", "location.href", "style="]) {
            assert!(!text.contains(part), "{path} contains {part}");
        }
    }
    let missing = answer(server.request(Method::GET, "/console/none.js")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charts_count_messages_turns_and_their_cost() {
    let server = TestServer::open().await;
    server.post("/api/chat", json!({"text": "!usage hello"})).await;
    for (range, count, step) in [("hour", 60, 60), ("day", 96, 900)] {
        let charts = server.get(&format!("/api/charts?range={range}")).await.body;
        let points = charts["points"].as_array().unwrap();
        assert_eq!((points.len(), &charts["step_s"]), (count, &json!(step)), "{range}");
        let sum = |field: &str| points.iter().filter_map(|point| point[field].as_u64()).sum::<u64>();
        assert_eq!((sum("messages"), sum("turns"), sum("cost_micro")), (1, 1, 5), "{charts}");
        let busy = points.iter().find(|point| point["turns"] == json!(1)).unwrap();
        assert!(busy["turn_max_ms"].is_u64(), "{busy}");
    }
    let server = server.restarted().await;
    let charts = server.get("/api/charts").await.body;
    let messages =
        charts["points"].as_array().unwrap().iter().map(|point| point["messages"].as_u64().unwrap());
    assert_eq!(messages.sum::<u64>(), 1, "what was measured survives a restart");
    assert_eq!(server.get("/api/charts?range=year").await.status, StatusCode::BAD_REQUEST);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_approved_or_denied_by_its_number() {
    let server = TestServer::open().await;
    server.platforms[0].unknown_sender("7", "Anna").await;
    server.platforms[0].unknown_sender("8", "Eve").await;
    let requests = server.get("/api/pairing").await.body["requests"].clone();
    let decide = async |n: usize, what: &str| {
        server.post(&format!("/api/pairing/requests/{}/{what}", requests[n]["id"]), json!({})).await
    };
    let approved = decide(0, "approve").await;
    assert_eq!(approved.body["approved"]["principal"], json!("demo:7"), "{approved:?}");
    assert_eq!(decide(1, "deny").await.body["denied"]["principal"], json!("demo:8"));
    assert_eq!(decide(1, "approve").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/api/pairing").await.body["requests"], json!([]));
    server.platforms[0].receive("7", "x", "let in").await;
    server.platforms[0].wait_for_text("7", "let in").await;
    let refused = server.request(Method::POST, "/api/pairing/requests/1/approve").bearer_auth(READER);
    assert_eq!(answer(refused.json(&json!({}))).await.status, StatusCode::FORBIDDEN);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_come_by_their_last_message_and_in_pages() {
    let server = TestServer::open().await;
    for chat in ["one", "two", "three", "one"] {
        server.post("/api/chat", json!({"text": "hello", "chat": chat})).await;
    }
    let list = async |query: String| {
        let body = server.get(&format!("/api/sessions?{query}")).await.body;
        let ids =
            body["sessions"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), body["next"].clone())
    };
    let (first, next) = list("order=recent&limit=2".to_owned()).await;
    assert_eq!(first, ["one", "three"]);
    let after = next.as_str().unwrap();
    assert_eq!(list(format!("order=recent&after={after}")).await, (vec!["two".to_owned()], Value::Null));
    assert_eq!(list("order=recent&find=TW".to_owned()).await.0, ["two"]);
    assert_eq!(list("order=recent&channel=demo".to_owned()).await.0, Vec::<String>::new());
    assert_eq!(list("order=recent&agent=other".to_owned()).await.0, Vec::<String>::new());
    assert_eq!(list("busy=true".to_owned()).await.0, Vec::<String>::new());
    assert_eq!(list("limit=2".to_owned()).await.1, json!("agent:main:web:dm:three"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_in_pages_and_are_found_by_their_names() {
    let server = TestServer::open().await;
    for user in ["11", "12", "13"] {
        server.post("/api/access", json!({"platform": "demo", "user": user})).await;
    }
    let list = async |query: &str| server.get(&format!("/api/access?{query}")).await.body;
    let users = |body: &Value| {
        let rows = body["access"].as_array().unwrap().iter();
        rows.map(|row| row["principal"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    let mut page = list("limit=2").await;
    seen.extend(users(&page));
    while let Some(next) = page["next"].as_str() {
        let query = format!("limit=2&after={}", next.replace(' ', "%20").replace(':', "%3A"));
        page = list(&query).await;
        seen.extend(users(&page));
    }
    let whole = list("").await;
    let mut all = users(&whole);
    all.sort();
    assert_eq!(seen, all);
    assert_eq!(users(&list("find=DEMO:12").await), ["demo:12"]);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_are_listed_and_set() {
    let server = TestServer::open().await;
    server.post("/api/chat", json!({"text": "!usage hello"})).await;
    let agents = server.get("/api/budgets?scope=agent").await.body;
    let used = json!({
        "scope": "agent", "subject": "main", "turns": 1, "input_tokens": 10, "output_tokens": 20, "cost_micro": 5,
        "limits": {"turns": null, "tokens": null, "cost_micro": null}, "set": null,
    });
    assert_eq!(agents["budgets"], json!([used]));
    let set = |body: Value| server.post("/api/budgets", body);
    let limited = set(json!({"scope": "person", "subject": "demo:7", "turns": 3})).await;
    assert_eq!(
        (&limited.body["limits"]["turns"], &limited.body["set"]["by"]),
        (&json!(3), &json!("api:admin")),
        "{limited:?}"
    );
    let people = server.get("/api/budgets?scope=person").await.body;
    assert!(
        people["budgets"].as_array().unwrap().iter().any(|row| row["subject"] == json!("demo:7")),
        "{people}"
    );
    let cleared = set(json!({"scope": "person", "subject": "demo:7"})).await;
    assert_eq!((&cleared.body["limits"]["turns"], &cleared.body["set"]), (&json!(null), &json!(null)));
    for wrong in [("agent", "nobody"), ("person", "nobody"), ("planet", "main")] {
        let refused = set(json!({"scope": wrong.0, "subject": wrong.1, "turns": 1})).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_is_searched() {
    let server = TestServer::open().await;
    for user in ["11", "12", "13"] {
        server.post("/api/access", json!({"platform": "demo", "user": user})).await;
    }
    let found = server.get("/api/audit?find=DEMO:12").await.body;
    assert_eq!((found["audit"].as_array().unwrap().len(), &found["next"]), (1, &json!(null)), "{found}");
    let page = server.get("/api/audit?limit=2").await.body;
    let next = page["next"].as_str().unwrap();
    let rest = server.get(&format!("/api/audit?limit=2&before={next}")).await.body;
    assert!(
        rest["audit"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["subject"].as_str().unwrap().contains("demo:11"))
    );
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_in_use_is_shown_to_readers() {
    let server = TestServer::open().await;
    let shown = answer(server.request(Method::GET, "/api/config").bearer_auth(READER)).await;
    assert_eq!(
        (shown.status, shown.body),
        (StatusCode::OK, json!({"config": null})),
        "this server was given none"
    );
    assert_eq!(answer(server.request(Method::GET, "/api/config")).await.status, StatusCode::UNAUTHORIZED);
    server.close().await;
}
