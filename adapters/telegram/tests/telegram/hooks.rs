//! Updates that arrive by webhook.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use frontdesk_botapi::{BotApi, Way};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::config::Secret;
use frontdesk_core::port::{Adapter, Busy, Forgery, Webhook, WebhookOutcome, WebhookRequest};
use frontdesk_telegram::{Account, TelegramAdapter, WebhookAccess};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::setup::{TestClock, account, adapter, asks_back, running, texts, undecodable, until};

const SECRET: &str = "hook-secret_1";

/// An HTTP server like the gateway's, whose webhook is set later.
struct WebHub {
    listener: TcpListener,
    url: String,
}

impl WebHub {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/telegram", listener.local_addr().unwrap());
        Self { listener, url }
    }

    fn account(&self, api: &BotApi) -> Account {
        let webhook = WebhookAccess { public_url: self.url.clone(), secret: Secret::new(SECRET) };
        Account { webhook: Some(webhook), ..account(api) }
    }

    fn opens(self, adapter: &TelegramAdapter) -> JoinSet<()> {
        let router =
            Router::new().route("/hooks/telegram", post(deliver)).with_state(adapter.webhook().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(self.listener, router).await.unwrap() });
        tasks
    }
}

async fn deliver(State(hook): State<Arc<dyn Webhook>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    if !hook.admits(&header) {
        return StatusCode::UNAUTHORIZED;
    }
    let request = request(header("x-telegram-bot-api-secret-token"), &body);
    if hook.verify(&request).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    match hook.receive(request).await {
        WebhookOutcome::Taken(_) | WebhookOutcome::Garbage => StatusCode::OK,
        WebhookOutcome::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn request(secret: Option<String>, body: &[u8]) -> WebhookRequest {
    let headers = secret.map(|secret| ("x-telegram-bot-api-secret-token".to_owned(), secret));
    WebhookRequest {
        get: false,
        query: String::new(),
        headers: headers.into_iter().collect(),
        body: body.to_vec(),
    }
}

#[tokio::test]
async fn a_delivery_is_answered_after_it_was_taken() {
    let (api, hub) = (BotApi::start().await, WebHub::new().await);
    let anna = api.user(1001, "Anna");
    let telegram = adapter(hub.account(&api));
    let _tasks = hub.opens(&telegram);
    let inbox = Arc::new(RecordingInbox::default());
    inbox.refuses(Busy::Storage("disk full".into()));
    let one = anna.tells("one").await.update_id;
    running(&telegram, &inbox, async {
        // The server delivers it again after a pause.
        while api.journal().unconfirmed() > 0 {
            api.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anna.tells("two").await;
        until(|| api.journal().unconfirmed() == 0).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["one", "two"]);
    assert_eq!(inbox.batches()[0], (vec![one.to_string()], None), "no cursor moves");
    let deliveries = api.journal().delivery(one).unwrap().delivered.clone();
    assert!(deliveries.len() >= 2 && deliveries.iter().all(|(_, way)| *way == Way::Webhook));
}

#[tokio::test]
async fn a_button_that_was_pressed_is_answered_here_too() {
    let (api, hub) = (BotApi::start().await, WebHub::new().await);
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let telegram = adapter(hub.account(&api));
    let _tasks = hub.opens(&telegram);
    let inbox = Arc::new(RecordingInbox::default());
    let message = asks_back(&api, 1001).await;
    running(&telegram, &inbox, async {
        until(|| inbox.heard() > 0).await;
        anna.presses(&anna, message, "yes").await;
        until(|| !api.journal().calls_of("answerCallbackQuery").is_empty()).await;
    })
    .await;
    assert_eq!(texts(&inbox).last().map(String::as_str), Some("yes"));
}

#[tokio::test]
async fn a_request_without_the_secret_is_rejected() {
    let (api, hub) = (BotApi::start().await, WebHub::new().await);
    let telegram = adapter(hub.account(&api));
    let hook = telegram.webhook().unwrap();
    let inbox = Arc::new(RecordingInbox::default());
    let update = br#"{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":1001,"type":"private"},"from":{"id":1001,"is_bot":false,"first_name":"Anna"},"text":"forged"}}"#;
    running(&telegram, &inbox, async {
        until(|| inbox.heard() > 0).await;
        for secret in [None, Some(""), Some("hook-secret_"), Some("hook-secret_12"), Some("HOOK-SECRET_1")] {
            let secret = secret.map(str::to_owned);
            assert!(!hook.admits(&|_: &str| secret.clone()), "{secret:?}");
            assert_eq!(hook.verify(&request(secret, update)), Err(Forgery::Forged));
        }
        assert!(inbox.events().is_empty());
        assert_eq!(hook.receive(request(Some(SECRET.into()), update)).await, WebhookOutcome::Taken(None));
    })
    .await;
    assert_eq!(texts(&inbox), ["forged"]);
    let late = hook.receive(request(Some(SECRET.into()), update)).await;
    assert_eq!(late, WebhookOutcome::Busy, "nobody is there to take it");
}

#[tokio::test]
async fn an_unreadable_delivery_is_kept_and_acknowledged() {
    let (api, hub) = (BotApi::start().await, WebHub::new().await);
    let telegram = adapter(hub.account(&api));
    let hook = telegram.webhook().unwrap();
    let inbox = Arc::new(RecordingInbox::default());
    let bodies: [&[u8]; 4] =
        [b"\xff{", b"{}", b"", br#"{"update_id":9223372036854775807,"message":{"message_id":"x"}}"#];
    running(&telegram, &inbox, async {
        until(|| inbox.heard() > 0).await;
        for body in bodies {
            assert_eq!(hook.receive(request(Some(SECRET.into()), body)).await, WebhookOutcome::Taken(None));
        }
        inbox.refuses(Busy::Stopping);
        assert_eq!(hook.receive(request(Some(SECRET.into()), b"[]")).await, WebhookOutcome::Busy);
        let (get, none) = (true, b"".as_slice());
        let asked = WebhookRequest { get, ..request(Some(SECRET.into()), none) };
        assert_eq!(hook.receive(asked).await, WebhookOutcome::Garbage, "Telegram only posts");
    })
    .await;
    let kept: Vec<usize> = inbox.events().iter().map(|event| undecodable(event).body.len()).collect();
    assert_eq!(kept, ["\u{fffd}{".len(), 2, 0, bodies[3].len()]);
    assert_eq!(inbox.events()[3].id, i64::MAX.to_string());
}

#[test]
fn a_webhook_without_a_secret_is_refused_at_the_start() {
    let mut account = Account::new("default", "123456:TEST-token");
    account.webhook =
        Some(WebhookAccess { public_url: "https://bot.example.org".into(), secret: Secret::default() });
    let refused = TelegramAdapter::new(account, TestClock::new()).map(drop);
    assert!(refused.is_err_and(|error| error.path == "webhook.secret"));
}

#[tokio::test]
async fn a_switch_between_polling_and_webhook_loses_and_doubles_no_update() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    let inbox = Arc::new(RecordingInbox::default());
    let mut sent = Vec::new();
    for round in 0..3 {
        let word = |n: i32| format!("{round}.{n}");
        anna.tells(&word(1)).await;
        running(&adapter(account(&api)), &inbox, async {
            anna.tells(&word(2)).await;
            until(|| texts(&inbox).contains(&word(2))).await;
        })
        .await;
        // One update that may be stored but is not acknowledged, and one that is new.
        anna.tells(&word(3)).await;
        let hub = WebHub::new().await;
        let telegram = adapter(hub.account(&api));
        let _tasks = hub.opens(&telegram);
        running(&telegram, &inbox, async {
            anna.tells(&word(4)).await;
            until(|| texts(&inbox).contains(&word(4))).await;
        })
        .await;
        sent.extend((1..5).map(word));
    }
    running(&adapter(account(&api)), &inbox, async { until(|| api.journal().unconfirmed() == 0).await })
        .await;
    assert_eq!(texts(&inbox), sent);
}

#[tokio::test]
async fn an_account_whose_webhook_cannot_be_reached_is_not_ready() {
    let (api, hub) = (BotApi::start().await, WebHub::new().await);
    let anna = api.user(1001, "Anna");
    let telegram = adapter(hub.account(&api));
    drop(hub);
    let inbox = Arc::new(RecordingInbox::default());
    running(&telegram, &inbox, async {
        until(|| inbox.heard() >= 2).await;
        anna.tells("not deliverable").await;
        let mut polls = Vec::new();
        for _ in 0..6 {
            api.advance(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(500)).await;
            polls.push(inbox.heard());
        }
        assert!(polls[5] - polls[1] <= 1, "{polls:?}");
    })
    .await;
}

#[tokio::test]
async fn a_removed_webhook_is_set_again() {
    let (api, hub) = (BotApi::start().await, WebHub::new().await);
    let anna = api.user(1001, "Anna");
    let telegram = adapter(hub.account(&api));
    let _tasks = hub.opens(&telegram);
    let inbox = Arc::new(RecordingInbox::default());
    running(&telegram, &inbox, async {
        until(|| inbox.heard() > 0).await;
        let url = format!("{}/bot{}/deleteWebhook", api.url(), frontdesk_botapi::TOKEN);
        let plain = reqwest::Client::builder().no_proxy().build().unwrap();
        assert!(plain.post(url).send().await.unwrap().status().is_success());
        anna.tells("hello").await;
        until(|| api.journal().unconfirmed() == 0).await;
    })
    .await;
    assert_eq!(texts(&inbox), ["hello"]);
}
