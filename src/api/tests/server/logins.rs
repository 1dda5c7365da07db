//! Programs that talk in the name of users, and login links.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::client::{Reply, answer, within};
use crate::harness::TestServer;
use crate::tokens::make;

const TICKET: &str = "/api/tickets";
const LOGIN: &str = "/api/login";

/// A program's request in the name of a user.
fn of(server: &TestServer, token: &str, user: &str, method: Method, path: &str) -> RequestBuilder {
    server.request(method, path).bearer_auth(token).header("x-frontdesk-user", user)
}

async fn says(server: &TestServer, token: &str, user: &str, text: &str) -> Reply {
    answer(of(server, token, user, Method::POST, "/api/chat").json(&json!({"text": text}))).await
}

async fn get(server: &TestServer, token: &str, path: &str) -> Reply {
    answer(server.request(Method::GET, path).bearer_auth(token)).await
}

/// Logs in with a ticket that the holder of a token makes.
async fn log_in(server: &TestServer, token: &str, body: Value) -> Reply {
    let made = answer(server.request(Method::POST, TICKET).bearer_auth(token).json(&body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    redeem(server, &made.body["ticket"]).await
}

async fn redeem(server: &TestServer, ticket: &Value) -> Reply {
    answer(server.request(Method::POST, LOGIN).json(&json!({"ticket": ticket}))).await
}

fn secret(logged_in: &Reply) -> String {
    assert_eq!(logged_in.status, StatusCode::CREATED, "{logged_in:?}");
    logged_in.body["token"].as_str().unwrap().to_owned()
}

fn keys(list: &Reply) -> Vec<&str> {
    list.body["sessions"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_user_of_a_program_has_chats_of_their_own() {
    let server = TestServer::open().await;
    let shop = make(&server, "shop", "app").await;
    let said = says(&server, &shop, "anna@example.org", "hello").await;
    assert_eq!(
        (&said.body["text"], &said.body["session"]),
        (&json!("hello"), &json!("agent:main:web:dm:shop/anna@example.org/main")),
        "{said:?}"
    );
    says(&server, &shop, "ben", "ben's").await;
    let list = answer(of(&server, &shop, "ben", Method::GET, "/api/sessions")).await;
    assert_eq!(keys(&list), ["agent:main:web:dm:shop/ben/main"]);
    let annas = "/api/session/agent:main:web:dm:shop%2Fanna@example.org%2Fmain";
    let own = answer(of(&server, &shop, "anna@example.org", Method::GET, annas)).await;
    assert_eq!(own.status, StatusCode::OK, "{own:?}");
    // "ann" and "anna@example.org/x" are other people, and the second is no user at all.
    for other in ["ben", "ann"] {
        let denied = answer(of(&server, &shop, other, Method::GET, annas)).await;
        assert_eq!(denied.status, StatusCode::NOT_FOUND, "{other}: {denied:?}");
    }
    for wrong in ["", "a/b", "a:b", "a b", "a%2Fb"] {
        let denied = says(&server, &shop, wrong, "x").await;
        assert_eq!((denied.status, denied.code()), (StatusCode::BAD_REQUEST, "bad_user"), "{wrong:?}");
    }
    let nobody = get(&server, &shop, "/api/sessions").await;
    assert_eq!((nobody.status, nobody.code()), (StatusCode::BAD_REQUEST, "bad_user"), "{nobody:?}");
    let twice = of(&server, &shop, "ben", Method::GET, "/api/sessions").header("x-frontdesk-user", "anna");
    assert_eq!(answer(twice).await.code(), "bad_user");
    for path in ["/api/status", "/api/tokens", "/api/audit", "/api/outbox", "/metrics"] {
        let denied = answer(of(&server, &shop, "ben", Method::GET, path)).await;
        assert_eq!(denied.status, StatusCode::FORBIDDEN, "{path}");
    }
    // Whoever is no program names nobody, an admin neither.
    let (anna, admin) = (make(&server, "anna", "chat").await, make(&server, "root", "admin").await);
    for token in [&anna, &admin] {
        let denied = says(&server, token, "ben", "x").await;
        assert_eq!((denied.status, denied.code()), (StatusCode::BAD_REQUEST, "bad_user"), "{denied:?}");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_user_of_a_program_has_limits_of_their_own_and_can_be_blocked() {
    let server = TestServer::with(|_, runtime| {
        runtime.limits.user = frontdesk_runtime::config::Rate { per_minute: 1, burst: 1 };
    })
    .await;
    let shop = make(&server, "shop", "app").await;
    assert_eq!(says(&server, &shop, "anna", "one").await.status, StatusCode::OK);
    let limited = says(&server, &shop, "anna", "two").await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS, "{limited:?}");
    assert_eq!(says(&server, &shop, "ben", "one").await.status, StatusCode::OK);
    let blocked = server.post("/api/access/web:shop%2Fcarl/block", json!({})).await;
    assert_eq!(blocked.status, StatusCode::OK, "{blocked:?}");
    assert_eq!(says(&server, &shop, "carl", "hello").await.status, StatusCode::FORBIDDEN);
    assert_eq!(says(&server, &shop, "dora", "hello").await.status, StatusCode::OK);
    server.post("/api/access/web:shop/block", json!({})).await;
    assert_eq!(
        says(&server, &shop, "emil", "hello").await.status,
        StatusCode::FORBIDDEN,
        "the program is blocked"
    );
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_programs_users_end_with_its_token() {
    let server = TestServer::open().await;
    let shop = make(&server, "shop", "app").await;
    let made = of(&server, &shop, "anna", Method::POST, TICKET).json(&json!({}));
    let ticket = answer(made).await.body["ticket"].clone();
    let browser = secret(&redeem(&server, &ticket).await);
    let mut socket = server
        .connect(&[("authorization", &format!("Bearer {shop}")), ("x-frontdesk-user", "anna")])
        .await
        .unwrap();
    socket.prompt("1", "over the socket").await;
    assert_eq!(socket.receive_type("accepted").await["session"], json!("agent:main:web:dm:shop/anna/main"));
    let mut page = server.socket_of(&browser).await;
    assert_eq!(
        keys(&get(&server, &browser, "/api/sessions").await),
        ["agent:main:web:dm:shop/anna/main"],
        "the browser is anna's"
    );
    assert_eq!(server.delete("/api/tokens/shop").await.status, StatusCode::OK);
    assert_eq!(within(socket.closed()).await, Some(1008));
    assert_eq!(within(page.closed()).await, Some(1008));
    for token in [&shop, &browser] {
        let denied = answer(of(&server, token, "anna", Method::GET, "/api/sessions")).await;
        assert_eq!(denied.status, StatusCode::UNAUTHORIZED, "{denied:?}");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_link_lets_one_browser_in_once() {
    let server = TestServer::open().await;
    let anna = make(&server, "anna", "chat").await;
    let made = answer(server.request(Method::POST, TICKET).bearer_auth(&anna).json(&json!({}))).await;
    let ticket = &made.body["ticket"];
    assert_eq!(made.body["path"], json!(format!("/#ticket={}", ticket.as_str().unwrap())));
    let first = redeem(&server, ticket).await;
    let browser = secret(&first);
    assert_eq!((&first.body["person"], &first.body["scope"]), (&json!("anna"), &json!("chat")));
    let second = redeem(&server, ticket).await;
    assert_eq!((second.status, second.code()), (StatusCode::UNAUTHORIZED, "ticket_used"), "{second:?}");
    let who = get(&server, &browser, LOGIN).await;
    assert_eq!((&who.body["kind"], &who.body["person"]), (&json!("browser"), &json!("anna")), "{who:?}");
    let listed = server.get("/api/tokens").await;
    let listed = listed.body["tokens"].as_array().unwrap();
    let row = listed.iter().find(|one| one["kind"] == "browser").unwrap();
    assert_eq!((&row["holder"], &row["name"]), (&json!("anna"), &first.body["name"]));
    // It has her chats, and logging it out ends nothing of hers.
    let said =
        answer(server.request(Method::POST, "/api/chat").bearer_auth(&browser).json(&json!({"text": "hi"})))
            .await;
    assert_eq!(said.body["session"], json!("agent:main:web:dm:anna/main"));
    let out = answer(server.request(Method::DELETE, LOGIN).bearer_auth(&browser)).await;
    assert_eq!(out.status, StatusCode::OK, "{out:?}");
    assert_eq!(get(&server, &browser, LOGIN).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(get(&server, &anna, "/api/sessions").await.status, StatusCode::OK);
    let next = log_in(&server, &anna, json!({})).await;
    let name = next.body["name"].as_str().unwrap();
    assert_eq!(
        server.delete(&format!("/api/tokens/{name}")).await.status,
        StatusCode::OK,
        "an admin logs it out"
    );
    assert_eq!(get(&server, &secret(&next), LOGIN).await.status, StatusCode::UNAUTHORIZED);
    let not_a_browser = answer(server.request(Method::DELETE, LOGIN).bearer_auth(&anna)).await;
    assert_eq!(not_a_browser.code(), "no_browser");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_are_logged_out_when_the_token_that_let_them_in_changes() {
    let server = TestServer::open().await;
    let anna = make(&server, "anna", "chat").await;
    let browser = secret(&log_in(&server, &anna, json!({"expires_s": 60})).await);
    let late = answer(server.request(Method::POST, TICKET).bearer_auth(&anna).json(&json!({}))).await;
    server.post("/api/tokens/anna/rotate", json!({})).await;
    assert_eq!(get(&server, &browser, LOGIN).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        redeem(&server, &late.body["ticket"]).await.code(),
        "ticket_used",
        "its maker's token is gone"
    );
    let short = server.post("/api/tokens", json!({"name": "short", "scope": "chat", "expires_s": 600})).await;
    let browser = log_in(&server, short.body["token"].as_str().unwrap(), json!({})).await;
    let until = |reply: &Reply| reply.body["expires"].as_str().unwrap().to_owned();
    assert!(until(&browser) <= until(&short), "a browser outlives no token: {browser:?} {short:?}");
    let reader = make(&server, "grafana", "read").await;
    let browser = secret(&log_in(&server, &reader, json!({})).await);
    assert_eq!(get(&server, &browser, "/api/status").await.status, StatusCode::OK);
    let writes =
        answer(server.request(Method::POST, "/api/chat").bearer_auth(&browser).json(&json!({"text": "x"})))
            .await;
    assert_eq!(writes.status, StatusCode::FORBIDDEN, "{writes:?}");
    for wrong in [json!({"expires_s": 0}), json!({"expires_s": 86_401}), json!({"user": "ben"})] {
        let refused = answer(server.request(Method::POST, TICKET).bearer_auth(&reader).json(&wrong)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    }
    let foreign = server
        .request(Method::POST, LOGIN)
        .header("origin", "https://evil.example")
        .json(&json!({"ticket": "x"}));
    assert_eq!(answer(foreign).await.code(), "foreign_origin");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_without_an_id_gets_one() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    for _ in 0..2 {
        socket.send_json(json!({"type": "prompt", "text": "hello"})).await;
        let accepted = socket.receive_type("accepted").await;
        assert!(accepted["id"].as_str().is_some_and(|id| id.len() > 10), "{accepted}");
        assert_eq!(socket.receive_type("done").await["fullText"], json!("hello"));
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_lets_no_other_browser_in() {
    let server = TestServer::open().await;
    let anna = make(&server, "anna", "chat").await;
    let browser = secret(&log_in(&server, &anna, json!({})).await);
    let denied = answer(server.request(Method::POST, TICKET).bearer_auth(&browser).json(&json!({}))).await;
    assert_eq!((denied.status, denied.code()), (StatusCode::FORBIDDEN, "forbidden"), "{denied:?}");
    server.close().await;
}
