//! `getUpdates`.

use std::time::Duration;

use crate::{BotApi, Way};
use serde_json::json;

use super::bot::Bot;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn the_journal_tells_what_was_delivered_and_what_was_confirmed() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let one = anna.tells("one").await;
    let two = anna.tells("two").await;
    assert_eq!(two.update_id, one.update_id + 1);
    assert_eq!(bot.polls(0, 0).await, [one.update_id, two.update_id]);
    assert_eq!(api.journal().unconfirmed(), 2);
    assert_eq!(bot.polls(two.update_id, 0).await, [two.update_id]);
    let delivery = api.journal().delivery(one.update_id).cloned().unwrap();
    assert_eq!((delivery.delivered.len(), delivery.chat), (1, 42));
    assert_eq!(delivery.delivered[0].1, Way::Poll);
    assert!(delivery.confirmed >= Some(delivery.arrived));
    assert_eq!(api.journal().delivery(two.update_id).unwrap().confirmed, None);
    assert_eq!((api.journal().unconfirmed(), api.default_bot().pending()), (1, 1));
}

#[tokio::test]
async fn after_a_silent_week_an_old_offset_confirms_nothing() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let before = anna.tells("before").await.update_id;
    assert_eq!(bot.polls(before + 1, 0).await, [] as [i64; 0]);
    api.advance(8 * DAY);
    let after = anna.tells("after").await.update_id;
    assert_ne!(after, before + 1);
    assert!(after < before, "with this seed the number goes back");
    // The bot asks for what comes after its last one, and gets the same again and again.
    assert_eq!(bot.polls(before + 1, 0).await, [after]);
    assert_eq!(bot.polls(before + 1, 0).await, [after]);
    assert_eq!(bot.polls(after + 1, 0).await, [] as [i64; 0]);
}

#[tokio::test]
async fn a_bot_in_a_hurry_is_slowed_down_if_that_is_wanted() {
    let api = BotApi::start().await;
    api.paced(true);
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    anna.tells("one").await;
    anna.tells("two").await;
    assert_eq!(bot.polls(7, 0).await.len(), 2);
    assert_eq!(bot.polls(7, 0).await.len(), 1, "the same offset at once");
}

#[tokio::test]
async fn a_button_is_old_sooner_than_a_message() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let hello = anna.tells("hello").await;
    let keyboard = json!({"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]});
    let asked = bot.asks("sendMessage", json!({"chat_id": 42, "text": "?", "reply_markup": keyboard})).await;
    let pressed = anna.presses(&anna, asked["message_id"].as_i64().unwrap(), "Yes").await;
    assert_eq!(bot.polls(0, 0).await, [hello.update_id, pressed.update_id]);
    api.advance(Duration::from_secs(151));
    assert_eq!(bot.polls(0, 0).await, [hello.update_id]);
}

#[tokio::test]
async fn two_bots_have_two_queues() {
    let api = BotApi::start().await;
    let other = api.bot("7:other", 7, "other_bot");
    let anna = api.user(42, "Anna");
    let group = api.group(-5, "Both");
    anna.tells("to the first").await;
    anna.message(&anna).to_bot(&other).text("to the second").send().await;
    anna.says(&group, "to both").await;
    let texts = |updates: serde_json::Value| -> Vec<String> {
        let all = updates.as_array().unwrap().iter().map(|update| update["message"]["text"].clone());
        all.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let first = Bot::of(&api).asks("getUpdates", json!({})).await;
    let second = Bot::with_token(&api, "7:other").asks("getUpdates", json!({})).await;
    assert_eq!(texts(first), ["to the first", "to both"]);
    assert_eq!(texts(second), ["to the second", "to both"]);
}
