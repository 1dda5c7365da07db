//! Posts of bots, as a test sees them.

use std::time::Duration;

use serde_json::{Value, json};

use super::socket::SOON;
use crate::{BOT, Discord, Fault, Id, Outcome, TOKEN};

/// Sends a request as a bot; nothing comes back if the connection broke.
async fn asks(discord: &Discord, method: reqwest::Method, path: &str, body: Value) -> Option<(u16, Value)> {
    let http = reqwest::Client::builder().no_proxy().user_agent("DiscordBot (test, 1)").build().unwrap();
    let request = http.request(method, format!("{}/api/v10/{path}", discord.url()));
    let answer = request.header("authorization", format!("Bot {TOKEN}")).json(&body).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.unwrap_or_default()))
}

async fn posts(discord: &Discord, channel: Id, text: &str) -> Option<(u16, Value)> {
    asks(discord, reqwest::Method::POST, &format!("channels/{channel}/messages"), json!({"content": text}))
        .await
}

#[tokio::test]
async fn a_post_is_in_the_channel_and_in_the_journal() {
    let discord = Discord::start().await;
    let ann = discord.user(7, "Ann");
    let garden = discord.channel(discord.guild(9, "Garden", &ann), 5, 0, "general");
    let hello = ann.says(garden, "hello");
    let (status, message) = posts(&discord, garden, "hello to you").await.unwrap();
    assert_eq!(status, 200);
    let made = discord.wait_for_posts(garden, 1, SOON).await.unwrap();
    assert_eq!((made[0].text(), made[0].bot), ("hello to you", BOT));
    assert_eq!(made[0].message, Id::read(&message["id"]));
    let shown: Vec<(Id, String)> =
        discord.shows(garden).into_iter().map(|shown| (shown.author, shown.content)).collect();
    assert_eq!(shown, [(ann.id, "hello".to_owned()), (BOT, "hello to you".to_owned())]);
    assert!(hello.message_id < made[0].message.unwrap());
}

#[tokio::test]
async fn faults_strike_by_channel_and_operation() {
    let discord = Discord::start().await;
    let sent = discord.user(7, "Ann").tells("hello");
    let channel = sent.channel_id;
    discord.fault(Fault::too_many(2).on("create_message").in_chat(channel).times(1));
    let (status, body) = posts(&discord, channel, "one").await.unwrap();
    assert_eq!((status, body["retry_after"].as_f64()), (429, Some(2.0)));
    discord.fault(Fault::lost().on("create_message").times(1));
    assert_eq!(posts(&discord, channel, "two").await, None);
    assert_eq!(posts(&discord, channel, "three").await.unwrap().0, 200);
    let texts: Vec<String> = discord.shows(channel).into_iter().map(|shown| shown.content).collect();
    assert_eq!(texts, ["hello", "two", "three"]);
    let calls = discord.journal().calls_in(channel);
    let ends: Vec<(bool, bool)> =
        calls.iter().map(|call| (call.outcome == Outcome::Done, call.lost)).collect();
    assert_eq!(ends, [(false, false), (true, true), (true, false)]);
}

#[tokio::test]
async fn a_late_request_arrives_after_its_sender_is_gone() {
    let discord = Discord::start().await;
    let channel = discord.user(7, "Ann").tells("hello").channel_id;
    discord.fault(Fault::late(200).times(1));
    let asked = tokio::time::timeout(Duration::from_millis(50), posts(&discord, channel, "late"));
    assert!(asked.await.is_err());
    assert_eq!(discord.shows(channel).len(), 1);
    discord.wait_for_posts(channel, 1, SOON).await.unwrap();
    assert_eq!(discord.shows(channel)[1].content, "late");
}

#[tokio::test]
async fn ids_are_taken_as_numbers_and_paths_decoded() {
    let discord = Discord::start().await;
    discord.user(7, "Ann");
    let (_, dm) = asks(&discord, reqwest::Method::POST, "users/%40me/channels", json!({"recipient_id": 7}))
        .await
        .unwrap();
    assert_eq!((&dm["type"], &dm["recipients"][0]["id"]), (&json!(1), &json!("7")));
    let again = asks(&discord, reqwest::Method::POST, "users/@me/channels", json!({"recipient_id": "7"}))
        .await
        .unwrap();
    assert_eq!(again.1["id"], dm["id"]);
}
