//! Slack passes the conformance suite of the kit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_conformance::TestPlatform;
use frontdesk_core::address::Address;
use frontdesk_core::port::Adapter;
use frontdesk_fakeslack::{Person, SlackApi};

use crate::setup::{account, adapter, to, until};

/// The person's id.
const ANNA: &str = "U0000ANNA";

struct Slack {
    slack: SlackApi,
    anna: Person,
    chat: String,
}

#[async_trait]
impl TestPlatform for Slack {
    /// After a restart a message is written when the new connection listens: Slack promises no order of what it delivers
    /// again.
    fn adapter(&self) -> Arc<dyn Adapter> {
        for _ in 0..300 {
            if self.slack.sockets() == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Arc::new(adapter(account(&self.slack)))
    }

    async fn writes(&self, text: &str) {
        until(|| self.slack.sockets() > 0).await;
        self.anna.tells(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    }

    async fn writes_as_code(&self, text: &str) -> bool {
        until(|| self.slack.sockets() > 0).await;
        self.anna.tells(&format!("`{text}`"));
        true
    }

    async fn presses(&self, message: &str, button: &str) -> bool {
        self.anna.presses(&self.chat, message, button);
        true
    }

    fn person(&self) -> String {
        ANNA.to_owned()
    }

    fn chat(&self) -> Address {
        to(&format!("slack:{}", self.chat))
    }

    fn missing_chat(&self) -> Address {
        to("slack:C0MISSING")
    }

    fn shown_texts(&self) -> Vec<String> {
        self.anna.sees().into_iter().map(|message| message.text).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_keeps_the_ports_promises() {
    let slack = SlackApi::start().await;
    let anna = slack.person(ANNA, "Anna");
    let chat = anna.tells("first").channel;
    slack.act("forget", serde_json::json!({}));
    let shared = slack.shared().clone();
    // What was refused comes again after a minute, and after five.
    let mut hours = tokio::task::JoinSet::new();
    hours.spawn(async move {
        loop {
            frontdesk_fakeslack::pause(Duration::from_millis(500)).await;
            shared.clock.advance(Duration::from_secs(31));
        }
    });
    frontdesk_conformance::check(&Slack { slack, anna, chat }).await;
}
