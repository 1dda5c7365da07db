//! What goes wrong on request.

use std::time::Duration;

use crate::{BotApi, Fault};
use serde_json::json;

use super::bot::{Bot, SOON};

async fn started() -> (BotApi, Bot, crate::User) {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    anna.starts().await;
    (api, bot, anna)
}

fn hello() -> serde_json::Value {
    json!({"chat_id": 42, "text": "hello"})
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
async fn a_poll_without_an_answer_ends_when_the_faults_are_cleared() {
    let (api, bot, _) = started().await;
    api.fault(Fault::silent().times(1));
    let poll = bot.tries("getUpdates", json!({}));
    let calm = async {
        tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await.ok();
        api.clear_faults();
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
