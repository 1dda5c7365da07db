//! The journal at the size of a load test.

use std::time::Duration;

use crate::BotApi;
use serde_json::json;

use super::bot::Bot;

const MANY: i64 = 5_000;

#[tokio::test]
async fn thousands_of_messages_go_through_in_moments() {
    let api = BotApi::start().await;
    let bot = Bot::of(&api);
    let people: Vec<_> = (1..=50).map(|id| api.user(id, "Somebody")).collect();
    let work = async {
        for n in 0..MANY {
            people[usize::try_from(n % 50).unwrap()].tells(&format!("message {n}")).await;
        }
        let (mut offset, mut received) = (0, 0);
        while received < MANY {
            let updates = bot.asks("getUpdates", json!({"offset": offset, "timeout": 5})).await;
            let updates = updates.as_array().unwrap();
            received += i64::try_from(updates.len()).unwrap();
            offset = updates.last().unwrap()["update_id"].as_i64().unwrap() + 1;
        }
        bot.polls(offset, 0).await;
        received
    };
    // The limit is generous, but a scan of everything for each request would exceed it.
    let received = tokio::time::timeout(Duration::from_secs(30), work).await.expect("in time");
    assert_eq!((received, api.journal().unconfirmed()), (MANY, 0));
    assert_eq!(people[0].sees().len(), 100);
}
