//! The network cut and restored.

use crate::BotApi;
use serde_json::json;

use super::bot::{Bot, SOON};

#[tokio::test]
async fn a_cut_closes_every_connection_and_forgets_nothing() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let hello = anna.tells("hello").await;
    bot.polls(hello.update_id + 1, 0).await;
    let poll = bot.tries("getUpdates", json!({"timeout": 20}));
    let cut = async {
        api.wait_for(|journal| journal.polls() == 2, SOON).await.unwrap();
        api.cut().await;
        anna.tells("meanwhile").await
    };
    let (polled, meanwhile) = tokio::join!(poll, cut);
    assert_eq!(polled, None);
    assert_eq!(bot.tries("getMe", json!({})).await, None, "nobody listens");
    api.restore().await.unwrap();
    assert_eq!(bot.polls(0, 0).await, [meanwhile.update_id]);
}

#[tokio::test]
async fn a_server_can_die_and_come_back_on_its_port() {
    let port = {
        let api = BotApi::start().await;
        assert_eq!(Bot::of(&api).asks("getMe", json!({})).await["username"], "frontdesk_bot");
        let port = api.port();
        api.cut().await;
        port
    };
    let again = BotApi::start_on(port).await.unwrap();
    assert_eq!(again.port(), port);
    assert_eq!(Bot::of(&again).polls(0, 0).await, [] as [i64; 0]);
}
