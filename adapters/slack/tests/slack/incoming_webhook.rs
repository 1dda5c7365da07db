//! An account that only sends, by an incoming webhook.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::config::Secret;
use frontdesk_core::delivery::{Delivery, Post, SendError};
use frontdesk_core::port::{Adapter, Stop};
use frontdesk_fakeslack::{Fault, SlackApi};
use frontdesk_slack::incoming_webhook::{IncomingWebhook, WebhookAdapter};
use serde_json::json;

use crate::setup::{account, post, says, to, until};

fn adapter(slack: &SlackApi, url: &str) -> WebhookAdapter {
    let settings = account(slack).settings;
    let account = IncomingWebhook { name: "alerts".to_owned(), url: Secret::new(url), settings };
    WebhookAdapter::new(account).unwrap()
}

#[tokio::test]
async fn a_webhook_posts_to_its_channel_and_notifies_nobody() {
    let slack = SlackApi::start().await;
    let garden = slack.channel("C0GARDEN", "garden", &[]);
    let url = slack.act("webhook", json!({"channel": garden.id}))["url"].as_str().unwrap().to_owned();
    let adapter = adapter(&slack, &url);
    let chat = to("slack:alerts:webhook");
    let part = adapter.profile().render("**hi** <!channel> @channel").remove(0);
    let receipt = adapter.deliver(&chat, Delivery::Post(Post { part, ..post("") })).await.unwrap();
    assert!(receipt.message.is_some());
    let shown = garden.shows();
    assert_eq!((shown.len(), shown[0].text.as_str()), (1, "*hi* <!channel> @channel"));
    assert!(shown[0].mentions.is_empty());
    for (kind, is_shown) in [("divider", true), ("nonsense", false)] {
        let blocks = adapter.profile().native.unwrap()(&json!([{"type": kind}])).unwrap();
        let sent = adapter.deliver(&chat, Delivery::Post(Post { native: Some(blocks), ..post("-") })).await;
        let is_refused =
            matches!(&sent, Err(SendError::Refused(why)) if why.to_string().contains("invalid_blocks"));
        assert_eq!((sent.is_ok(), is_refused), (is_shown, !is_shown), "{sent:?}");
    }
    assert_eq!(garden.shows()[1].message["blocks"][0]["type"], "divider");
    let elsewhere = adapter.deliver(&to("slack:alerts:C0GARDEN"), says("x")).await;
    assert!(matches!(elsewhere, Err(SendError::Gone(_))), "{elsewhere:?}");
    let thread = adapter.deliver(&to("slack:alerts:webhook:topic:1767225600.000200"), says("x")).await;
    assert!(matches!(thread, Err(SendError::Gone(_))), "{thread:?}");
    let edit = adapter.deliver(&chat, Delivery::Edit { target: "webhook".into(), post: post("x") }).await;
    assert!(matches!(edit, Err(SendError::Refused(_))), "{edit:?}");
}

#[tokio::test]
async fn its_failures_are_told_apart_and_none_contains_the_address() {
    let slack = SlackApi::start().await;
    let garden = slack.channel("C0GARDEN", "garden", &[]);
    let url = slack.act("webhook", json!({"channel": garden.id}))["url"].as_str().unwrap().to_owned();
    let adapter = adapter(&slack, &url);
    let send = async || adapter.deliver(&to("slack:alerts:webhook"), says("hello")).await.unwrap_err();
    let on = |fault: Fault| slack.fault(fault.on("webhook").times(1));
    on(Fault::too_many(9));
    assert!(
        matches!(send().await, SendError::Later { after: Some(after), .. } if after == Duration::from_secs(9))
    );
    on(Fault::status(502));
    assert!(matches!(send().await, SendError::Unknown(_)));
    on(Fault::lost());
    let lost = send().await;
    let secret = url.rsplit('/').next().unwrap();
    assert!(matches!(&lost, SendError::Unknown(why) if !why.to_string().contains(secret)), "{lost}");
    // A proxy in between may repeat the path alone.
    let path = url.strip_prefix(&slack.url()).unwrap();
    on(Fault::refuse(404, &format!("no {path}")));
    let refused = send().await;
    assert!(
        matches!(&refused, SendError::Refused(why) if why.to_string().contains("404") && !why.to_string().contains(secret)),
        "{refused}"
    );
    let gone = self::adapter(&slack, &format!("{}/services/T1/B1/removed", slack.url()));
    let gone = gone.deliver(&to("slack:alerts:webhook"), says("hello")).await.unwrap_err();
    assert!(matches!(&gone, SendError::Credentials(why) if why.to_string().contains("no_service")), "{gone}");
    slack.cut().await;
    let offline = send().await;
    assert!(matches!(&offline, SendError::Offline(_)), "{offline}");
    assert_eq!(garden.shows().len(), 1, "only the one whose answer was lost");
}

#[tokio::test]
async fn it_is_connected_although_nothing_arrives() {
    let slack = SlackApi::start().await;
    let adapter = adapter(&slack, &format!("{}/services/T1/B1/x", slack.url()));
    let (inbox, stop) = (Arc::new(RecordingInbox::default()), Stop::new());
    let story = async {
        until(|| inbox.heard() > 0).await;
        stop.cancel();
    };
    tokio::join!(adapter.run(inbox.clone(), stop.clone()), story).0.unwrap();
}
