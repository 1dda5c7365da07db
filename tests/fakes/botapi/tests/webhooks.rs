//! Webhooks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{BotApi, Way};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::bot::{Bot, SOON};

#[derive(Default)]
struct Hook {
    failures: usize,
    received: Vec<String>,
    answer: Value,
}

type Shared = Arc<Mutex<Hook>>;

async fn hear(
    State(hook): State<Shared>,
    headers: HeaderMap,
    Json(update): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let mut hook = hook.lock().unwrap();
    assert_eq!(headers["x-telegram-bot-api-secret-token"], "secret");
    if hook.failures > 0 {
        hook.failures -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Value::Null));
    }
    hook.received.push(update["message"]["text"].as_str().unwrap().to_owned());
    (StatusCode::OK, Json(hook.answer.clone()))
}

async fn hook(failures: usize, answer: Value) -> (Shared, String, JoinSet<()>) {
    let hook = Arc::new(Mutex::new(Hook { failures, answer, ..Hook::default() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(hear)).with_state(hook.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (hook, url, tasks)
}

#[tokio::test]
async fn updates_that_a_webhook_refused_are_delivered_again_in_order() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let (hook, url, _tasks) = hook(3, Value::Null).await;
    bot.asks("setWebhook", json!({"url": url, "secret_token": "secret"})).await;
    let one = anna.tells("one").await;
    anna.tells("two").await;
    api.wait_for(|journal| journal.delivery(one.update_id).unwrap().delivered.len() >= 2, SOON)
        .await
        .unwrap();
    let info = bot.asks("getWebhookInfo", json!({})).await;
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 503 Service Unavailable");
    assert_eq!(info["pending_update_count"], 2);
    // Two seconds, and four, pass.
    for _ in 0..100 {
        if api.journal().unconfirmed() == 0 {
            break;
        }
        api.advance(Duration::from_secs(1));
        tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>()).await.ok();
    }
    assert_eq!(hook.lock().unwrap().received, ["one", "two"]);
    let delivery = api.journal().delivery(one.update_id).cloned().unwrap();
    assert_eq!(delivery.delivered.len(), 4);
    assert!(delivery.delivered.iter().all(|(_, way)| *way == Way::Webhook));
}

#[tokio::test]
async fn waiting_updates_survive_a_switch_between_polling_and_webhook() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let polled = anna.tells("polled").await.update_id;
    let (hook, url, _tasks) = hook(0, Value::Null).await;
    assert_eq!(bot.polls(0, 0).await, [polled]);
    bot.asks("setWebhook", json!({"url": url, "secret_token": "secret"})).await;
    api.wait_for(|journal| journal.unconfirmed() == 0, SOON).await.unwrap();
    assert_eq!(hook.lock().unwrap().received, ["polled"], "it was never confirmed");
    assert_eq!(bot.is_refused("getUpdates", json!({})).await.0, 409);
    bot.asks("deleteWebhook", json!({})).await;
    let later = anna.tells("later").await.update_id;
    assert_eq!(bot.polls(0, 0).await, [later]);
}

#[tokio::test]
async fn the_same_webhook_set_again_gets_no_update_twice() {
    let api = BotApi::start().await;
    let (bot, anna) = (Bot::of(&api), api.user(42, "Anna"));
    let (hook, url, _tasks) = hook(0, Value::Null).await;
    for _ in 0..3 {
        bot.asks("setWebhook", json!({"url": url, "secret_token": "secret"})).await;
    }
    let sent = anna.tells("hello").await;
    api.wait_for(|journal| journal.unconfirmed() == 0, SOON).await.unwrap();
    assert_eq!(api.journal().delivery(sent.update_id).unwrap().delivered.len(), 1);
    assert_eq!(hook.lock().unwrap().received, ["hello"]);
}
