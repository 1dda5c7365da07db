//! Events that arrive over HTTP, signed by Slack.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::{DateTime, Utc};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::config::Secret;
use frontdesk_core::message::Outcome;
use frontdesk_core::port::{Adapter, Busy, Forgery, Stop, Webhook, WebhookOutcome, WebhookRequest};
use frontdesk_fakeslack::{APP, Fault, SECRET, SlackApi, TEAM, TOKEN};
use frontdesk_slack::{Account, Events, SlackAdapter};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::setup::{TestClock, account, adapter, until};

fn signed_with(slack: &SlackApi, secret: &str) -> SlackAdapter {
    adapter(over_http(slack, secret))
}

/// An adapter that takes Slack's requests, with this clock.
pub fn signed(slack: &SlackApi, clock: Arc<TestClock>) -> SlackAdapter {
    let mut account = over_http(slack, SECRET);
    account.settings.missed_messages = 5000;
    SlackAdapter::new(account, clock).unwrap()
}

fn over_http(slack: &SlackApi, secret: &str) -> Account {
    let events = Events::Http { signing_secret: Secret::new(secret) };
    Account { events, ..account(slack) }
}

/// An event of the first workspace as Slack would send it at this time.
pub fn event(at: DateTime<Utc>, event: &Value) -> WebhookRequest {
    let id = format!("Ev{}", event["ts"].as_str().unwrap_or_default());
    let body = json!({
        "type": "event_callback", "team_id": TEAM, "api_app_id": APP, "event_id": id, "event": event,
        "authorizations": [{"team_id": TEAM, "is_bot": true}],
    });
    let (body, time) = (body.to_string(), at.timestamp().to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{time}:{body}").as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-slack-request-timestamp", time),
        ("x-slack-signature", format!("v0={digits}")),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    WebhookRequest { get: false, query: String::new(), headers, body: body.into_bytes() }
}

/// An HTTP server like the gateway's; returns its address.
async fn serve(adapter: &SlackAdapter, tasks: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/slack/default", listener.local_addr().unwrap());
    let router =
        Router::new().route("/webhooks/slack/default", post(deliver)).with_state(adapter.webhook().unwrap());
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn deliver(State(hook): State<Arc<dyn Webhook>>, headers: HeaderMap, body: Bytes) -> Response {
    let named = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    if !hook.admits(&named) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let all = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let (headers, body) = (all.collect(), body.to_vec());
    let request = WebhookRequest { get: false, query: String::new(), headers, body };
    if hook.verify(&request).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match hook.receive(request).await {
        WebhookOutcome::Taken(Some(reply)) => {
            ([(header::CONTENT_TYPE, reply.mime)], reply.body).into_response()
        }
        WebhookOutcome::Taken(None) | WebhookOutcome::Garbage => StatusCode::OK.into_response(),
        WebhookOutcome::Busy => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_proves_itself_and_stores_before_it_acknowledges() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let adapter = signed_with(&slack, SECRET);
    assert!(adapter.profile().max_silence.is_none(), "Slack sends nothing but events");
    let (inbox, stop, mut tasks) = (Arc::new(RecordingInbox::default()), Stop::new(), JoinSet::new());
    let url = serve(&adapter, &mut tasks).await;
    let story = async {
        until(|| inbox.heard() > 0).await;
        slack.act("request_url", json!({"app": APP, "url": url}));
        until(|| slack.look(APP)["proved"] == true).await;
        inbox.refuses(Busy::Full { waiting: 1 });
        let sent = anna.tells("hello & more");
        until(|| inbox.refusals() == 0).await;
        assert!(slack.journal().delivery(sent.number).unwrap().confirmed.is_none(), "acknowledged too early");
        until(|| slack.journal().delivery(sent.number).unwrap().confirmed.is_some()).await;
        assert_eq!(inbox.events().last().unwrap().text, "hello & more");
        inbox.gives(Outcome::Denied);
        anna.commands(&garden.id, "/frontdesk", "new");
        until(|| garden.shows().len() == 1).await;
        assert_eq!(garden.shows()[0].only.as_deref(), Some("U0000ANNA"));
        assert_eq!(inbox.events().last().unwrap().text, "/new");
        stop.cancel();
    };
    let told = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(adapter.run(inbox.clone(), stop.clone()), story).0
    });
    told.await.expect("it happens in time").unwrap();
    assert_eq!(slack.sockets(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_author_is_not_known_yet_waits_while_the_others_go_on() {
    let slack = SlackApi::start().await;
    let (anna, bert) = (slack.person("U0000ANNA", "Anna"), slack.person("U0000BERT", "Bert"));
    let adapter = signed_with(&slack, SECRET);
    let (stop, mut tasks) = (Stop::new(), JoinSet::new());
    let inbox = Arc::new(RecordingInbox::default());
    let url = serve(&adapter, &mut tasks).await;
    let story = async {
        until(|| inbox.heard() > 0).await;
        slack.act("request_url", json!({"app": APP, "url": url}));
        until(|| slack.look(APP)["proved"] == true).await;
        anna.tells("I am known");
        until(|| inbox.events().len() == 1).await;
        slack.fault(Fault::too_many(3).on("users.info").times(1));
        bert.tells("who am I?");
        until(|| slack.journal().calls_of("users.info").len() == 2).await;
        // Slack brings it no more.
        slack.act("forget", json!({}));
        anna.tells("and I go on");
        until(|| inbox.events().len() == 3).await;
        stop.cancel();
    };
    let told = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(adapter.run(inbox.clone(), stop.clone()), story).0
    });
    told.await.expect("it happens in time").unwrap();
    let texts: Vec<String> = inbox.events().into_iter().map(|event| event.text).collect();
    assert_eq!(texts, ["I am known", "and I go on", "who am I?"]);
    let meanwhile = inbox.batches().into_iter().filter(|(ids, _)| !ids.is_empty()).nth(1).unwrap();
    assert!(meanwhile.1.is_none(), "the position passed what waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slack_has_not_signed_is_not_read() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let adapter = signed_with(&slack, "another secret");
    let (inbox, stop, mut tasks) = (Arc::new(RecordingInbox::default()), Stop::new(), JoinSet::new());
    let url = serve(&adapter, &mut tasks).await;
    let story = async {
        until(|| inbox.heard() > 0).await;
        let number = slack.act("request_url", json!({"app": APP, "url": url}))["number"].as_i64().unwrap();
        until(|| slack.journal().delivery(number).unwrap().delivered.len() == 1).await;
        anna.tells("hello");
        slack.advance(Duration::from_secs(400));
        stop.cancel();
    };
    tokio::join!(adapter.run(inbox.clone(), stop.clone()), story).0.unwrap();
    assert_eq!(slack.look(APP)["proved"], false);
    assert!(inbox.events().is_empty());
    let hook = adapter.webhook().unwrap();
    for headers in [vec![], vec![("x-slack-signature", "00"), ("x-slack-request-timestamp", "5")]] {
        let named = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        assert!(!hook.admits(&named));
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = WebhookRequest { get: false, query: String::new(), headers, body: b"{}".to_vec() };
        assert_eq!(hook.verify(&request), Err(Forgery::Forged));
    }
}

#[tokio::test]
async fn a_request_of_slacks_with_a_wrong_time_is_told_apart_from_a_forged_one() {
    let slack = SlackApi::start().await;
    let hook = signed_with(&slack, "8f742231b10e8888abcd99yyyzzz85a5").webhook().unwrap();
    // Signed by Slack's documentation, in 2018.
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
                96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    for (time, outcome) in [("1531420618", Forgery::Stale), ("1531420619", Forgery::Forged)] {
        let headers = [("x-slack-signature", signature), ("x-slack-request-timestamp", time)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let header = |name: &str| Some(headers.iter().find(|(known, _)| known == name)?.1.clone());
        assert!(hook.admits(&header));
        let request =
            WebhookRequest { get: false, query: String::new(), headers: headers.to_vec(), body: body.into() };
        assert_eq!(hook.verify(&request), Err(outcome));
    }
}

#[tokio::test]
async fn a_revoked_token_ends_the_connection_before_anything_is_taken() {
    let slack = SlackApi::start().await;
    slack.act("revoke", json!({"token": TOKEN, "error": "token_revoked"}));
    let adapter = signed_with(&slack, SECRET);
    let ended = adapter.run(Arc::new(RecordingInbox::default()), Stop::new()).await;
    assert!(matches!(ended, Err(frontdesk_core::port::AdapterError::Credentials(_))), "{ended:?}");
}
