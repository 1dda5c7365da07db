//! What goes wrong on request.

use std::time::Duration;

use frontdesk_botapi::{BotApi, Fault, Outcome};
use serde_json::json;

use crate::bot::{Bot, SOON};

async fn started() -> (BotApi, Bot, frontdesk_botapi::User) {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    anna.starts().await;
    (api, bot, anna)
}

fn hello() -> serde_json::Value {
    json!({"chat_id": 42, "text": "hello"})
}

#[tokio::test]
async fn a_lost_answer_leaves_a_message() {
    let (api, bot, anna) = started().await;
    api.fault(Fault::lost().in_chat(&anna).times(1));
    assert_eq!(bot.tries("sendMessage", hello()).await, None);
    let post = api.journal().posts_in(&anna)[0].clone();
    assert_eq!((post.lost, &post.outcome), (true, &Outcome::Done));
    assert_eq!(anna.sees()[1].text, "hello");
    bot.posts(&anna, "hello").await;
    assert_eq!(anna.sees().len(), 3);
}

#[tokio::test]
async fn a_request_that_is_not_heard_leaves_none() {
    let (api, bot, anna) = started().await;
    api.fault(Fault::hangup().times(1));
    assert_eq!(bot.tries("sendMessage", hello()).await, None);
    assert_eq!(anna.sees().len(), 1);
    assert_eq!(api.journal().calls_in(&anna)[0].outcome, Outcome::Unheard);
}

#[tokio::test]
async fn a_late_request_arrives_after_its_sender_is_gone() {
    let (api, bot, anna) = started().await;
    api.fault(Fault::late(200).times(1));
    let asked = tokio::time::timeout(Duration::from_millis(50), bot.tries("sendMessage", hello()));
    assert!(asked.await.is_err());
    assert_eq!(anna.sees().len(), 1);
    api.wait_for_posts(&anna, 1, SOON).await.unwrap();
    assert_eq!(anna.sees()[1].text, "hello");
}

#[tokio::test]
async fn a_deaf_poll_ends_when_all_is_calm() {
    let (api, bot, _) = started().await;
    api.fault(Fault::deaf().times(1));
    let poll = bot.tries("getUpdates", json!({}));
    let calm = async {
        tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await.ok();
        api.calm();
    };
    assert_eq!(tokio::join!(poll, calm).0, None);
    assert_eq!(bot.polls(0, 0).await.len(), 1);
}

#[tokio::test]
async fn updates_come_twice_and_in_the_wrong_order() {
    let (api, bot, anna) = started().await;
    let second = anna.tells("second").await.update_id;
    api.fault(Fault::twice().times(1));
    assert_eq!(bot.polls(0, 0).await, [second - 1, second - 1, second, second]);
    api.fault(Fault::shuffled().times(1));
    assert_eq!(bot.polls(0, 0).await, [second, second - 1]);
    assert_eq!(bot.polls(second + 1, 0).await, [] as [i64; 0]);
    assert!(api.default_bot().hears_again(second));
    assert_eq!(bot.polls(second + 1, 0).await, [second]);
}

#[tokio::test]
async fn a_storm_is_html_and_nothing_is_carried_out() {
    let (api, bot, anna) = started().await;
    api.fault(Fault::status(502));
    let url = format!("{}/bot{}/sendMessage", api.url(), frontdesk_botapi::TOKEN);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(url).json(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().contains("502 Bad Gateway"));
    api.calm();
    bot.posts(&anna, "hello").await;
    assert_eq!(anna.sees().len(), 2);
}

#[tokio::test]
async fn garbage_has_a_number_like_any_update() {
    let (api, bot, _) = started().await;
    let id = api.default_bot().hears_garbage(r#""message":{"message_id":"seven"}"#);
    let updates = bot.asks("getUpdates", json!({"offset": id})).await;
    assert_eq!(updates, json!([{"update_id": id, "message": {"message_id": "seven"}}]));
}
