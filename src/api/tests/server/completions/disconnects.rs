//! Clients of the completions that disconnect, repeat a request, or wait while the gateway restarts.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use super::{ask, request, with_tool};
use crate::client::{answer, within};
use crate::harness::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_disconnects_cancels_its_turn() {
    let server = TestServer::open().await;
    for stream in [false, true] {
        let mut body = ask("!wait 60000 late");
        body["stream"] = stream.into();
        let waiting = request(&server, &body).timeout(Duration::from_millis(500)).send();
        if let Ok(response) = waiting.await {
            assert!(response.text().await.is_err(), "the answer does not end in time");
        }
    }
    let ended = async {
        loop {
            let sessions = server.get("/api/sessions").await;
            let mut states = Vec::new();
            for session in sessions.body["sessions"].as_array().unwrap() {
                let key = session["key"].as_str().unwrap().replace('%', "%25").replace(':', "%3A");
                let messages = server.get(&format!("/api/session/{key}/messages")).await;
                states.push(messages.body["messages"][0]["state"].as_str().unwrap().to_owned());
            }
            if states == ["cancelled", "cancelled"] {
                break;
            }
            let clock = server.handle.clock();
            clock.sleep_until(clock.mono() + Duration::from_millis(50)).await;
        }
    };
    within(ended).await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_a_key_to_a_chat_is_answered_though_its_client_disconnects() {
    let server = TestServer::open().await;
    let body = ask("!wait 1500 late");
    let keyed = || request(&server, &body).header("x-frontdesk-chat", "c").header("idempotency-key", "k");
    assert!(keyed().timeout(Duration::from_millis(300)).send().await.is_err());
    let reply = answer(keyed()).await;
    assert_eq!(reply.body["choices"][0]["message"]["content"], "late", "{reply:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_a_key_is_one_turn_however_often_it_is_sent() {
    let server = TestServer::open().await;
    let body = ask("!wait 1500 late");
    let keyed = |body: &Value| request(&server, body).header("idempotency-key", "k");
    assert!(keyed(&body).timeout(Duration::from_millis(300)).send().await.is_err());
    let (one, other) = tokio::join!(answer(keyed(&body)), answer(keyed(&body)));
    assert_eq!(one.body["choices"][0]["message"]["content"], "late", "{one:?}");
    let mut in_a_stream = body.clone();
    in_a_stream["stream"] = true.into();
    let text = within(within(keyed(&in_a_stream).send()).await.unwrap().text()).await.unwrap();
    assert!(text.contains("late") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!((&one.body["id"], &one.body["choices"]), (&other.body["id"], &other.body["choices"]));
    assert_eq!(server.get("/api/status").await.body["totals"]["sessions"], 1);
    let conflict = answer(keyed(&ask("other words"))).await;
    assert_eq!((conflict.status, conflict.code()), (StatusCode::CONFLICT, "conflict"), "{conflict:?}");
    // Keys are each chat's own.
    let named = answer(keyed(&ask("other words")).header("x-frontdesk-chat", "c")).await;
    assert_eq!(named.body["choices"][0]["message"]["content"], "other words");
    server.agent.take_tools();
    let refused = answer(keyed(&with_tool("!call look {}"))).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "unsupported_parameter"));
    server.close().await;
}

/// Waits until an agent works on this many requests.
async fn running(server: &TestServer, turns: u64) {
    within(async {
        while server.store().totals().await.unwrap().running < turns {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_ends_a_request_whose_answer_nobody_could_read_and_answers_one_with_a_key() {
    let server = TestServer::open().await;
    let (plain, keyed) = (ask("!wait 60000 plain"), ask("!wait 2000 keyed"));
    let sent = (request(&server, &plain), request(&server, &keyed).header("idempotency-key", "k"));
    let restarted = async {
        running(&server, 2).await;
        server.restarted().await
    };
    let (plain, first, server) = tokio::join!(answer(sent.0), answer(sent.1), restarted);
    for (reply, what) in [(&plain, "is cancelled"), (&first, "will be answered after the next start")] {
        assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "stopping"), "{reply:?}");
        assert!(reply.body["error"]["message"].as_str().unwrap().contains(what), "{reply:?}");
    }
    let again = answer(request(&server, &keyed).header("idempotency-key", "k")).await;
    assert_eq!(again.body["choices"][0]["message"]["content"], "keyed", "{again:?}");
    assert_eq!(again.headers["x-request-id"], first.body["error"]["about"].as_str().unwrap());
    let id = plain.body["error"]["about"].as_str().unwrap().parse().unwrap();
    let row = server.store().message(id).await.unwrap().unwrap();
    assert_eq!(row.message.state.name(), "cancelled");
    assert_eq!(server.agent.turns(), 1, "only that with the key ran once more");
    server.close().await;
}
