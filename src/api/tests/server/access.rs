//! Access and pairing over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Reply, answer};
use crate::harness::{ADMIN, READER, TestServer};

/// A display name with invisible, bidirectional and terminal control characters.
const TRICKY: &str = "Ow\u{200b}ner\u{202e}\u{1b}[2J";

async fn approve(server: &TestServer, code: &str, body: Value) -> Reply {
    server.post(&format!("/api/pairing/{code}/approve"), body).await
}

/// A well-formed code that no request has.
fn wrong(n: usize) -> String {
    format!("ABCDEFG{}", ["2", "3", "4", "5", "6", "7", "8", "9"][n])
}

async fn audit(server: &TestServer) -> Vec<(String, String, String, String, String)> {
    let lines = server.get("/api/audit").await.body["audit"].as_array().unwrap().clone();
    let field = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let entry = |line: &Value| {
        let [by, via, action, subject, outcome] =
            ["by", "via", "action", "subject", "outcome"].map(|name| field(line, name));
        (by, via, action, subject, outcome)
    };
    lines.iter().map(entry).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_sender_is_listed_without_the_code_and_approved_with_it() {
    let server = TestServer::open().await;
    let code = server.platforms[0].unknown_sender("7", TRICKY).await;
    let list = server.get("/api/pairing").await;
    let request = &list.body["requests"][0];
    assert_eq!(
        (&request["platform"], &request["account"], &request["user"]),
        (&json!("demo"), &json!("default"), &json!("7"))
    );
    assert_eq!(request["shown"], json!("Ow\\u{200b}ner\\u{202e}\\u{1b}[2J"));
    assert!(request["asked"].is_string() && request["expires"].is_string() && request["id"].is_number());
    assert!(!list.body.to_string().contains(&code), "{list:?}");
    let approved = approve(&server, &code.to_lowercase(), json!({})).await;
    assert_eq!(approved.status, StatusCode::OK, "{approved:?}");
    assert_eq!(approved.body["approved"]["principal"], json!("demo:7"));
    assert!(!approved.body.to_string().contains(&code));
    assert_eq!(server.get("/api/pairing").await.body["requests"], json!([]));
    server.platforms[0].receive("7", "x", "what I wanted to say").await;
    server.platforms[0].wait_for_text("7", "what I wanted to say").await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_sender_gets_no_access() {
    let server = TestServer::open().await;
    let code = server.platforms[0].unknown_sender("7", "x").await;
    let denied = server.post(&format!("/api/pairing/{code}/deny"), json!({})).await;
    assert_eq!(denied.body["denied"]["user"], json!("7"), "{denied:?}");
    assert_eq!(approve(&server, &code, json!({})).await.code(), "no_such_code");
    assert_eq!(server.get("/api/pairing").await.body["requests"], json!([]));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_works_once_and_on_its_own_account() {
    let server = TestServer::open().await;
    let code = server.platforms[1].unknown_sender("7", "x").await;
    let elsewhere = approve(&server, &code, json!({"platform": "demo"})).await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.code()), (404, "no_such_code"), "{elsewhere:?}");
    let nowhere = approve(&server, &code, json!({"platform": "demo", "account": "other"})).await;
    assert_eq!(nowhere.status, 400, "{nowhere:?}");
    let here = json!({"platform": "demo", "account": "work"});
    let (one, other) =
        tokio::join!(approve(&server, &code, here.clone()), approve(&server, &code, here.clone()));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404], "{one:?} {other:?}");
    let entries = server.get("/api/access").await.body["access"].as_array().unwrap().clone();
    let granted: Vec<&Value> = entries.iter().filter(|entry| entry["source"] == "pairing").collect();
    assert_eq!(granted.len(), 1, "{granted:?}");
    assert_eq!(granted[0]["principal"], json!("demo@work:7"));
    // The same user id on another account is another person.
    assert!(!server.platforms[0].unknown_sender("7", "x").await.is_empty());
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_codes_lock_approval_also_with_a_right_code() {
    let server = TestServer::open().await;
    let code = server.platforms[0].unknown_sender("7", "x").await;
    for n in 0..5 {
        let reply = approve(&server, &wrong(n), json!({})).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (404, "no_such_code"), "{n}: {reply:?}");
        let message = reply.body["error"]["message"].as_str().unwrap();
        let tries = ["4 more", "3 more", "2 more", "one more", "the last try"][n];
        assert!(message.contains(tries) && !message.contains(&wrong(n)), "{message}");
    }
    for code in [wrong(6), code] {
        let reply = approve(&server, &code, json!({})).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (429, "locked"), "{reply:?}");
        let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((3500..=3600).contains(&wait), "{wait}");
    }
    // A grant by user id still works.
    let granted = server.post("/api/access", json!({"platform": "demo", "user": 7})).await;
    assert_eq!(granted.body["new"], json!(true), "{granted:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_code_counts_as_no_try_and_is_not_repeated() {
    let server = TestServer::open().await;
    for typed in ["XYZ", "XYZD2340", "XYZD23456", "%C3%A4YZD2345"] {
        let reply = approve(&server, typed, json!({})).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert!(!reply.body.to_string().contains(typed), "{reply:?}");
    }
    assert_eq!(approve(&server, &wrong(0), json!({"account": "work"})).await.status, 400);
    let first = approve(&server, &wrong(0), json!({})).await;
    assert!(first.body.to_string().contains("4 more"), "{first:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_is_granted_and_revoked_by_user_id() {
    let server = TestServer::open().await;
    for (body, new) in [
        (json!({"platform": "demo", "user": "9"}), true),
        (json!({"platform": "demo", "user": "9"}), false),
        (json!({"platform": "demo", "user": "9", "scope": "group:-4"}), true),
        (json!({"platform": "demo", "account": "work", "user": 9, "scope": "admin"}), true),
    ] {
        let reply = server.post("/api/access", body.clone()).await;
        assert_eq!((reply.status.as_u16(), &reply.body["new"]), (200, &json!(new)), "{body}: {reply:?}");
    }
    server.platforms[0].receive("9", "x", "hear me").await;
    server.platforms[0].wait_for_text("9", "hear me").await;
    let list = server.get("/api/allowlist").await;
    assert_eq!(list.body, server.get("/api/access").await.body);
    let of = |source: &str| {
        let all = list.body["access"].as_array().unwrap().iter();
        let ours = all.filter(|entry| entry["source"] == source);
        ours.map(|entry| (entry["principal"].as_str().unwrap(), entry["scope"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let mut granted = of("api");
    granted.sort_unstable();
    assert_eq!(granted, [("demo:9", "dm"), ("demo:9", "group:-4"), ("demo@work:9", "admin")]);
    assert_eq!(of("config").iter().filter(|(who, _)| *who == "demo:5").count(), 1, "{list:?}");
    let group = server.delete("/api/access/demo%3A9?scope=group%3A-4").await;
    assert_eq!(group.body["grants"], json!(1), "{group:?}");
    let all = server.delete("/api/allowlist/demo%3A9").await;
    assert_eq!(
        (&all.body["grants"], &all.body["running"], &all.body["waiting"]),
        (&json!(1), &json!(0), &json!(0))
    );
    assert_eq!(server.delete("/api/access/demo%3A9").await.body["grants"], json!(0));
    assert!(!server.platforms[0].unknown_sender("9", "x").await.is_empty(), "unknown again");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_without_a_valid_user_is_refused() {
    let server = TestServer::open().await;
    for (body, expected) in [
        (json!({"platform": "demo", "user": "@anna"}), "not an id"),
        (json!({"platform": "demo", "user": ""}), "empty"),
        (json!({"platform": "demo", "user": "*"}), "not an id"),
        (json!({"platform": "fax", "user": "1"}), "no channel fax; the channels are demo, demo@work"),
        (json!({"platform": "demo", "account": "wrok", "user": "1"}), "demo@work"),
        (json!({"platform": "demo", "user": "1", "scope": "root"}), "dm, admin and group:ID"),
        (json!({"platform": "demo", "user": "1", "scope": "group:"}), "group:ID"),
        (json!({"platform": "demo", "user": "1", "role": "admin"}), "role"),
        (json!({"platform": "demo", "user": null}), ""),
    ] {
        let reply = server.post("/api/access", body.clone()).await;
        assert_eq!(reply.status, 400, "{body}: {reply:?}");
        assert!(reply.body["error"]["message"].as_str().unwrap().contains(expected), "{body}: {reply:?}");
    }
    for path in ["/api/access/demo", "/api/access/%20", "/api/access/demo%3A1?scope=x"] {
        assert_eq!(server.delete(path).await.status, 400, "{path}");
    }
    let of_the_file = server.delete("/api/access/demo%3A5").await;
    assert_eq!(of_the_file.status, 400);
    assert!(of_the_file.body.to_string().contains("configuration"), "{of_the_file:?}");
    assert_eq!(audit(&server).await, []);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_names_author_way_action_and_outcome() {
    let server = TestServer::open().await;
    let code = server.platforms[0].unknown_sender("7", "x").await;
    approve(&server, &wrong(0), json!({})).await;
    approve(&server, &code, json!({})).await;
    let as_cli =
        server.request(Method::POST, "/api/access").bearer_auth(ADMIN).header("frontdesk-via", "cli");
    let body = json!({"platform": "demo", "user": "8", "scope": "admin"});
    assert_eq!(answer(as_cli.json(&body)).await.status, 200);
    let claims =
        server.request(Method::POST, "/api/access").bearer_auth(READER).header("frontdesk-via", "cli");
    assert_eq!(answer(claims.json(&body)).await.status, 403);
    let lines = audit(&server).await;
    let short: Vec<(&str, &str, &str, &str)> = lines
        .iter()
        .map(|(by, via, what, _, how)| (by.as_str(), via.as_str(), what.as_str(), how.as_str()))
        .collect();
    assert_eq!(
        short,
        [
            ("cli", "cli", "grant", "done"),
            ("api:admin", "api", "approve", "done"),
            ("api:admin", "api", "approve", "refused:no_such_code"),
        ]
    );
    assert!(
        lines
            .iter()
            .all(|line| !format!("{line:?}").contains(&code) && !format!("{line:?}").contains(&wrong(0)))
    );
    let page = server.get("/api/audit?limit=1").await;
    let id = page.body["audit"][0]["id"].as_i64().unwrap();
    let next = server.get(&format!("/api/audit?limit=1&before={id}")).await;
    assert!(next.body["audit"][0]["id"].as_i64().unwrap() < id);
    assert_eq!(server.get("/api/audit?before=x").await.status, 400);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_gets_the_first_response() {
    let server = TestServer::open().await;
    let code = server.platforms[0].unknown_sender("7", "x").await;
    let path = format!("/api/pairing/{code}/approve");
    let first = server.post_as("k", &path, json!({})).await;
    let again = server.post_as("k", &path, json!({})).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(first.status, 200, "{first:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_token_changes_no_access() {
    let server = TestServer::open().await;
    let code = server.platforms[0].unknown_sender("7", "x").await;
    for path in ["/api/pairing", "/api/access", "/api/allowlist", "/api/audit"] {
        let get = |token: &'static str| answer(server.request(Method::GET, path).bearer_auth(token));
        assert_eq!(get(READER).await.status, 200, "{path}");
        assert_eq!(get("wrong").await.status, 401, "{path}");
        assert_eq!(answer(server.request(Method::GET, path)).await.status, 401, "{path}");
    }
    for (method, path) in [
        (Method::POST, format!("/api/pairing/{code}/approve")),
        (Method::POST, format!("/api/pairing/{code}/deny")),
        (Method::POST, "/api/access".to_owned()),
        (Method::DELETE, "/api/access/demo%3A5".to_owned()),
        (Method::POST, "/api/access/demo%3A5/block".to_owned()),
        (Method::DELETE, "/api/access/demo%3A5/block".to_owned()),
        (Method::POST, "/api/allowlist".to_owned()),
        (Method::DELETE, "/api/allowlist/demo%3A5".to_owned()),
    ] {
        // Too many wrong tokens would be answered with 429.
        let wrong = (!path.ends_with("/block")).then_some((Some("wrong"), 401));
        for (token, status) in [(Some(READER), 403), (None, 401)].into_iter().chain(wrong) {
            let request = server
                .request(method.clone(), &path)
                .body(json!({"platform": "demo", "user": "8"}).to_string());
            let reply = answer(match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            })
            .await;
            assert_eq!(reply.status, status, "{method} {path} {token:?}");
        }
    }
    assert_eq!(audit(&server).await, []);
    assert_eq!(server.get("/api/pairing").await.body["requests"].as_array().unwrap().len(), 1);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_are_for_platforms_that_have_them() {
    let server = TestServer::open().await;
    let blocks = json!([{"type": "divider"}]);
    for (body, why) in [
        (json!({"to": "demo:5", "text": "see", "blocks": blocks}), "demo has no blocks"),
        (json!({"to": "demo:5", "blocks": blocks}), "the text is empty"),
        (json!({"to": "demo:5", "text": " ", "media": "report.txt", "blocks": blocks}), "needs a `text` too"),
    ] {
        let reply = server.post("/api/send", body).await;
        let message = reply.body["error"]["message"].as_str().unwrap_or_default();
        assert!(reply.status == 400 && message.contains(why), "{reply:?}");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_sent_from_the_media_folder_and_from_nowhere_else() {
    let server = TestServer::open().await;
    std::fs::write(server.media().join("report.txt"), "all is well").unwrap();
    std::fs::write(server.media().parent().unwrap().join("secret.txt"), "not this").unwrap();
    let sent = server.post("/api/send", json!({"to": "demo:5", "media": "report.txt", "text": "see"})).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    assert!(server.platforms[0].wait_for_text("5", "[").await.starts_with("[report.txt 11]"));
    for name in
        ["", "../secret.txt", "/etc/passwd", "missing.txt", "a/../../secret.txt", "file:report.txt", ".."]
    {
        let reply = server.post("/api/send", json!({"to": "demo:5", "media": name, "text": "see"})).await;
        assert_eq!(reply.status, 400, "{name:?}: {reply:?}");
    }
    assert_eq!(server.post("/api/send", json!({"to": "demo:5"})).await.status, 400);
    assert_eq!(
        server.post("/api/send", json!({"to": "demo:5", "media": null, "text": " "})).await.status,
        400
    );
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_sessions_and_parts_are_in_the_audit_with_their_author() {
    let server = TestServer::open().await;
    server.post("/api/chat", json!({"text": "a secret word", "chat": "a"})).await;
    let key = "agent:main:web:dm:a";
    let mut socket = server.socket().await;
    for method in ["session.reset", "session.kill"] {
        socket.send_json(json!({"id": method, "method": method, "params": {"key": key}})).await;
        socket.receive().await;
    }
    server.post(&format!("/api/session/{key}/reset"), json!({})).await;
    server.post(&format!("/api/session/{key}/stop"), json!({})).await;
    let from_here = server.request(Method::DELETE, &format!("/api/session/{key}")).bearer_auth(ADMIN);
    answer(from_here.header("frontdesk-via", "cli")).await;
    server.post("/api/send", json!({"to": "web:a", "text": "another secret word"})).await;
    let lines: Vec<[String; 4]> =
        audit(&server).await.into_iter().rev().map(|(by, _, a, s, o)| [by, a, s, o]).collect();
    let shown: Vec<[&str; 4]> = lines.iter().map(|line| line.each_ref().map(String::as_str)).collect();
    let expected = [
        ["api:admin", "session reset", key, "done"],
        ["api:admin", "session stop", key, "unchanged"],
        ["api:admin", "session reset", key, "done"],
        ["api:admin", "session stop", key, "unchanged"],
        ["cli", "session erase", key, "done"],
        ["api:admin", "send", "web:a", "done"],
    ];
    assert_eq!(shown, expected);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_id_is_refused_by_grant_and_by_revoke() {
    let server = TestServer::open().await;
    let granted = server.post("/api/access", json!({"platform": "demo", "user": "@eve"})).await;
    let revoked = server.delete("/api/access/demo%3A@eve").await;
    let revoked =
        if revoked.status == 400 { revoked } else { server.delete("/api/access/demo%3A%2540eve").await };
    assert_eq!((granted.status.as_u16(), revoked.status.as_u16()), (400, 400), "{granted:?} {revoked:?}");
    assert_eq!(granted.body["error"]["message"], json!("@eve: this is not an id"));
    assert_eq!(revoked.body["error"]["message"], granted.body["error"]["message"]);
    let elsewhere = json!({"platform": "demo", "account": "nowhere", "user": "@eve"});
    let elsewhere = server.post("/api/access", elsewhere).await;
    assert_eq!(
        elsewhere.body["error"]["message"], granted.body["error"]["message"],
        "the id is looked at first"
    );
    server.close().await;
}
