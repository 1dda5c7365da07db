//! What a test in Rust does with the server, and what no SDK shows.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{APP, APP_TOKEN, BOT, Fault, SlackApi, TOKEN};

const SOON: Duration = Duration::from_secs(10);

async fn call(slack: &SlackApi, token: &str, method: &str, body: Value) -> Option<Value> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}{method}", slack.api_url())).bearer_auth(token).json(&body);
    request.send().await.ok()?.json().await.ok()
}

#[tokio::test]
async fn a_test_waits_for_an_answer_and_reads_it() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let asked = anna.says(&garden.id, &format!("<@{BOT}> hello"));
    let body = json!({"channel": garden.id, "thread_ts": asked.ts, "text": "hello to you"});
    assert_eq!(call(&slack, TOKEN, "chat.postMessage", body).await.unwrap()["ok"], true);
    let posts = slack.wait_for_posts("C0GARDEN".to_owned(), 1, SOON).await.unwrap();
    assert_eq!((posts[0].text(), posts[0].thread.as_deref()), ("hello to you", Some(asked.ts.as_str())));
    assert_eq!(garden.shows()[0].mentions, [BOT]);
    assert_eq!(garden.shows()[1].thread, Some(asked.ts));
}

#[tokio::test]
async fn a_post_whose_answer_is_lost_is_in_the_journal_and_in_the_channel() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    slack.fault(Fault::lost().on("chat.postMessage").times(1));
    let body = json!({"channel": anna.id, "text": "once"});
    assert_eq!(call(&slack, TOKEN, "chat.postMessage", body).await, None);
    assert_eq!(anna.sees()[0].text, "once");
    assert!(slack.journal().calls_of("chat.postMessage")[0].lost);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_a_cut_closes_it() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let opened = call(&slack, APP_TOKEN, "apps.connections.open", json!({})).await.unwrap();
    let url = opened["url"].as_str().unwrap();
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    assert!(tokio_tungstenite::connect_async(url).await.is_err(), "the ticket is used");
    let sent = anna.tells("hello");
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let Some(Ok(message)) = socket.next().await else { panic!("the socket ended") };
        let Ok(frame) = serde_json::from_str::<Value>(message.to_text().unwrap()) else { continue };
        if let Some(id) = frame["envelope_id"].as_str() {
            let acknowledgement = json!({"envelope_id": id}).to_string();
            socket.send(Message::text(acknowledgement)).await.unwrap();
        }
        kinds.push(frame["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, ["hello", "events_api"]);
    let is_confirmed = |journal: &crate::Journal| journal.delivery(sent.number).unwrap().confirmed.is_some();
    slack.wait_for(is_confirmed, SOON).await.unwrap();
    slack.cut().await;
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(SOON, end).await.expect("the socket ends");
    assert_eq!(slack.shared().state().look(APP)["sockets"], 0);
}
