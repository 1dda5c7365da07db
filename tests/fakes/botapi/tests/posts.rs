//! What a bot posts, and what a test sees of it.

use crate::BotApi;
use serde_json::json;

use super::bot::{Bot, SOON};

#[tokio::test]
async fn a_test_waits_for_an_answer_and_reads_it() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    anna.starts().await;
    let answer = async {
        bot.polls(0, 5).await;
        let body = json!({"chat_id": 42, "text": "<b>hello</b> &amp; welcome", "parse_mode": "HTML"});
        bot.asks("sendMessage", body).await
    };
    let (posts, posted) = tokio::join!(api.wait_for_posts(&anna, 1, SOON), answer);
    let post = &posts.unwrap()[0];
    assert_eq!((post.text(), post.message), ("<b>hello</b> &amp; welcome", posted["message_id"].as_i64()));
    assert_eq!(anna.sees()[1].text, "hello & welcome");
    bot.asks("editMessageText", json!({"chat_id": 42, "message_id": post.message, "text": "bye"})).await;
    assert_eq!((anna.sees()[1].text.as_str(), anna.sees()[1].edited), ("bye", true));
    bot.asks("deleteMessage", json!({"chat_id": 42, "message_id": post.message})).await;
    assert_eq!(anna.sees().len(), 1);
    let methods: Vec<_> = api.journal().calls_in(&anna).iter().map(|call| call.method.clone()).collect();
    assert_eq!(methods, ["sendMessage", "editMessageText", "deleteMessage"]);
}

#[tokio::test]
async fn a_topic_is_a_place_of_its_own() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let forum = api.forum(-1001, "Forum");
    let plans = forum.topic(&anna, "Plans").await;
    anna.says(&plans, "in the topic").await;
    anna.says(&forum, "in general").await;
    let body = json!({"chat_id": -1001, "text": "to the topic", "message_thread_id": plans.thread});
    bot.asks("sendMessage", body).await;
    let threads: Vec<_> = forum.shows().into_iter().map(|shown| (shown.text, shown.thread)).collect();
    let plan = plans.thread;
    assert_eq!(
        threads,
        [
            (String::new(), plan),
            ("in the topic".to_owned(), plan),
            ("in general".to_owned(), None),
            ("to the topic".to_owned(), plan)
        ]
    );
    assert_eq!(api.journal().posts_in(&forum)[0].thread, plan);
}

#[tokio::test]
async fn a_reply_in_a_supergroup_has_a_thread_and_no_topic() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let group = api.supergroup(-1001, "Group");
    let first = anna.says(&group, "first").await;
    anna.message(&group).text("reply").reply_to(first.message_id).send().await;
    let updates = bot.asks("getUpdates", json!({})).await;
    let reply = &updates[1]["message"];
    assert_eq!(reply["message_thread_id"], first.message_id);
    assert_eq!(reply["is_topic_message"], json!(null));
    assert_eq!(reply["reply_to_message"]["text"], "first");
}
