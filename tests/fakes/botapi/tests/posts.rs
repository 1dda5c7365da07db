//! What a bot posts, and what a test sees of it.

use frontdesk_botapi::{BotApi, Content, Limits, Outcome};
use serde_json::json;

use crate::bot::{Bot, SOON};

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

#[tokio::test]
async fn a_moved_group_is_found_by_its_new_number() {
    let api = BotApi::start().await;
    let bot = Bot::of(&api);
    let group = api.group(-5, "Group");
    let moved = group.migrates(-1005).await;
    let body = json!({"chat_id": -5, "text": "x"});
    let answer = bot.tries("sendMessage", body).await.unwrap();
    assert_eq!(
        (&answer["error_code"], &answer["parameters"]["migrate_to_chat_id"]),
        (&json!(400), &json!(-1005))
    );
    bot.posts(&moved, "found").await;
}

#[tokio::test]
async fn who_cannot_be_written_to_is_said_in_the_servers_words() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let body = || json!({"chat_id": 42, "text": "x"});
    let refused = |text: &str| (403, format!("Forbidden: {text}"));
    assert_eq!(
        bot.is_refused("sendMessage", body()).await,
        refused("bot can't initiate conversation with a user")
    );
    anna.starts().await;
    anna.blocks().await;
    assert_eq!(bot.is_refused("sendMessage", body()).await, refused("bot was blocked by the user"));
    anna.unblocks().await;
    bot.posts(&anna, "x").await;
    anna.deactivates().await;
    assert_eq!(bot.is_refused("sendMessage", body()).await, refused("user is deactivated"));
    let outcomes: Vec<_> =
        api.journal().calls_in(&anna).iter().map(|call| call.outcome == Outcome::Done).collect();
    assert_eq!(outcomes, [false, false, true, false]);
}

#[tokio::test]
async fn a_file_comes_down_as_it_went_up() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    anna.message(&anna).document(Content::of(bytes.clone()).named("a.bin")).text("look").send().await;
    anna.message(&anna).document(Content::claiming(20 * 1024 * 1024 + 1)).send().await;
    let updates = bot.asks("getUpdates", json!({})).await;
    let file = bot.asks("getFile", json!({"file_id": updates[0]["message"]["document"]["file_id"]})).await;
    let path = file["file_path"].as_str().unwrap();
    let url = format!("{}/file/bot{}/{path}", api.url(), frontdesk_botapi::TOKEN);
    let down = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
    assert_eq!(down.bytes().await.unwrap(), bytes);
    let big = json!({"file_id": updates[1]["message"]["document"]["file_id"]});
    assert_eq!(bot.is_refused("getFile", big).await.1, "Bad Request: file is too big");
}

#[tokio::test]
async fn flood_control_counts_and_forgives() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    anna.starts().await;
    api.flood(Limits::real());
    for n in 0..3 {
        bot.posts(&anna, &n.to_string()).await;
    }
    let answer = bot.tries("sendMessage", json!({"chat_id": 42, "text": "x"})).await.unwrap();
    assert_eq!((&answer["error_code"], &answer["parameters"]["retry_after"]), (&json!(429), &json!(3)));
    api.advance(std::time::Duration::from_secs(3));
    bot.posts(&anna, "again").await;
}
