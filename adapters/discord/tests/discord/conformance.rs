//! Discord passes the conformance suite of the kit.

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_conformance::TestPlatform;
use frontdesk_core::address::Address;
use frontdesk_core::port::Adapter;
use frontdesk_fakediscord::BOT;
use serde_json::json;

use crate::setup::{Garden, to};

struct Platform {
    garden: Garden,
    /// The private channel.
    channel: String,
}

#[async_trait]
impl TestPlatform for Platform {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::new(self.garden.adapter())
    }

    /// What is written before a bot has ever been connected is not kept for it.
    async fn writes(&self, text: &str) {
        self.garden.connected().await;
        self.garden.ann.tells(text);
    }

    /// Discord's text is its Markdown, so text formatted as code arrives with its signs.
    async fn writes_as_code(&self, _: &str) -> bool {
        false
    }

    async fn presses(&self, message: &str, button: &str) -> bool {
        let press = json!({"user": 7, "channel": self.channel, "message": message, "button": button});
        self.garden.discord.act("press", press);
        true
    }

    fn person(&self) -> String {
        "7".to_owned()
    }

    fn chat(&self) -> Address {
        to(&format!("discord:{}", self.channel))
    }

    fn missing_chat(&self) -> Address {
        to("discord:987654321")
    }

    fn shown_texts(&self) -> Vec<String> {
        let shown = self.garden.discord.shows(self.channel.parse().unwrap()).into_iter();
        shown.filter(|shown| shown.author == BOT).map(|shown| shown.content).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_keeps_the_ports_promises() {
    let garden = Garden::new().await;
    let channel = garden.discord.act("dm", json!({"user": 7}))["channel_id"].as_str().unwrap().to_owned();
    frontdesk_conformance::check(&Platform { garden, channel }).await;
}
