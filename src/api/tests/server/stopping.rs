//! Early ends: a chat by an abort, the channel by the configuration, the gateway by a signal.

use std::collections::BTreeMap;

use frontdesk_api::Closed;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Socket, within};
use crate::harness::{MAIN, TestServer};

/// Reads until every prompt has ended. Returns the end of each prompt by its id, and the result of the abort.
async fn ends(socket: &mut Socket, prompts: usize) -> (BTreeMap<String, String>, Value) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut ends: BTreeMap<String, String> = BTreeMap::new();
    let mut result = Value::Null;
    while ends.len() < prompts || result.is_null() {
        let frame = socket.receive().await;
        if frame["id"] == "abort" {
            result = frame["result"].clone();
        } else if frame["type"] == "accepted" {
            let (message, id) = (frame["message"].as_str().unwrap(), frame["id"].as_str().unwrap());
            names.insert(message.to_owned(), id.to_owned());
        } else if frame["type"] == "done" || frame["type"] == "error" {
            let end = frame["code"].as_str().unwrap_or("done");
            let one = [frame["about"].clone(), frame["message"].clone()];
            let all = frame["messages"].as_array().map_or(one.as_slice(), Vec::as_slice);
            for id in all.iter().filter_map(|message| names.get(message.as_str()?)) {
                ends.insert(id.clone(), end.to_owned());
            }
        }
    }
    (ends, result)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_cancels_every_earlier_prompt_and_each_gets_its_end() {
    let server = TestServer::open().await;
    for round in 0..10 {
        let mut socket = server.socket().await;
        for n in 0..5 {
            socket.prompt(&format!("{round}-{n}"), "!wait 60000 never").await;
        }
        socket.send_json(json!({"type": "abort", "id": "abort"})).await;
        let (ends, result) = ends(&mut socket, 5).await;
        assert!(ends.values().all(|end| end == "cancelled"), "{ends:?}");
        let count = |name: &str| result[name].as_u64().unwrap();
        assert_eq!(count("running") + count("waiting"), 5, "{result}");
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_answer_keeps_what_was_shown_of_it() {
    let server = TestServer::open().await;
    let (client, mut socket) = (server.client(), server.socket().await);
    let words: Vec<String> = (0..500).map(|n| format!("word{n}")).collect();
    let (prompt, whole) = (format!("!slow 20 {}", words.join(" ")), words.join(" "));
    socket.send_json(json!({"type": "resume", "id": "r", "session": MAIN})).await;
    let stop = async {
        let mut shown = String::new();
        while !shown.contains("word3") {
            shown.push_str(socket.receive_type("delta").await["text"].as_str().unwrap());
        }
        // A command's reply does not wait for the running answer.
        socket.prompt("status", "/status").await;
        let reply = socket.receive_type("done").await;
        assert!(reply["fullText"].as_str().unwrap().contains("The agent is answering."), "{reply}");
        socket.send_json(json!({"type": "abort", "id": "abort"})).await;
        shown
    };
    let (stopped, shown) = tokio::join!(client.chat("1", &prompt), stop);
    assert_eq!((stopped.status, stopped.code()), (StatusCode::CONFLICT, "cancelled"), "{stopped:?}");
    let partial = stopped.body["error"]["text"].as_str().unwrap();
    assert!(partial.starts_with(&shown) && whole.starts_with(partial), "{partial:?} of {shown:?}");
    let path = "/api/session/agent%3Amain%3Aweb%3Adm%3Amain/messages";
    let history = server.get(path).await;
    let message = history.body["messages"].as_array().unwrap();
    let message = message.iter().find(|message| message["text"] == prompt).unwrap();
    assert_eq!((&message["state"], &message["answer"]), (&json!("cancelled"), &json!(partial)));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_finds_the_prompts_before_it_stored() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.prompt("1", "!wait 60000 never").await;
    socket.send_json(json!({"id": "kill", "method": "session.kill", "params": {"key": MAIN}})).await;
    let result = loop {
        let frame = socket.receive().await;
        if frame["id"] == "kill" {
            break frame;
        }
    };
    let count = |name: &str| result["result"][name].as_u64().unwrap_or(0);
    assert_eq!(count("running") + count("waiting"), 1, "{result}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_of_an_empty_chat_cancels_nothing() {
    let server = TestServer::open().await;
    let mut socket = server.socket().await;
    socket.send_json(json!({"type": "abort", "id": "a", "chat": "new"})).await;
    let session = "agent:main:web:dm:new";
    let nothing = json!({"id": "a", "result": {"session": session, "running": 0, "waiting": 0}});
    assert_eq!(socket.receive().await, nothing);
    socket.send_json(json!({"type": "abort", "id": "a", "session": session})).await;
    assert_eq!(socket.receive().await, nothing);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_channel_refuses_prompts_at_once() {
    let server = TestServer::open().await;
    server.shut(Closed::Off);
    let expected = "the web channel is turned off: set channels.web.enabled in the configuration";
    for wait in [true, false] {
        let reply = server.post("/api/chat", json!({"text": "hello", "wait": wait})).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "channel_off"));
        assert_eq!(reply.body["error"]["message"], expected);
    }
    let mut socket = server.socket().await;
    socket.prompt("1", "hello").await;
    let frame = socket.receive().await;
    assert_eq!((&frame["code"], &frame["id"]), (&json!("channel_off"), &json!("1")));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_running_turns_answer_waiting_clients() {
    let server = TestServer::with(|_, runtime| runtime.turns.drain_seconds = 20).await;
    let mut socket = server.socket().await;
    socket.send_json(json!({"type": "resume", "id": "r", "session": MAIN})).await;
    socket.receive().await;
    let client = server.client();
    let (handle, mut late) = (server.handle.clone(), server.socket().await);
    let stop = async {
        within(async { while handle.status().await.unwrap().totals.running < 1 {} }).await;
        server.close().await;
    };
    let during = async {
        while handle.health().degraded.is_empty() {
            tokio::task::yield_now().await;
        }
        let refused = client.chat("new", "too late").await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            "{refused:?}"
        );
        late.prompt("2", "too late").await;
        assert_eq!(late.receive_type("error").await["code"], "stopping");
        assert_eq!(late.closed().await, Some(1001));
    };
    let answered = async {
        assert_eq!(socket.receive_type("done").await["fullText"], "in time");
        assert_eq!(socket.closed().await, Some(1001));
    };
    let (asked, (), (), ()) = tokio::join!(client.chat("1", "!wait 700 in time"), answered, during, stop);
    assert_eq!((asked.status, &asked.body["text"]), (StatusCode::OK, &json!("in time")), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_before_the_answer_says_that_the_message_is_stored() {
    let server = TestServer::with(|_, runtime| runtime.turns.drain_seconds = 0).await;
    let (client, handle) = (server.client(), server.handle.clone());
    let stop = async {
        within(async { while handle.status().await.unwrap().totals.running < 1 {} }).await;
        server.restarted().await
    };
    let (reply, server) = tokio::join!(client.chat("k", "!wait 1000 late"), stop);
    assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "stopping"), "{reply:?}");
    assert_eq!(reply.body["error"]["about"], "m1");
    let sentence = reply.body["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("m1 is accepted") && sentence.contains("after the next start"), "{sentence}");
    assert_eq!(server.client().chat("k", "!wait 1000 late").await.body["text"], "late");
    server.close().await;
}
