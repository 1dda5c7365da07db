//! Telegram passes the conformance suite of the kit.

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_botapi::{BotApi, User};
use frontdesk_conformance::TestPlatform;
use frontdesk_core::address::Address;
use frontdesk_core::port::Adapter;

use crate::setup::{account, adapter, to};

/// The person's number.
const ANNA: i64 = 42;

struct Telegram {
    api: BotApi,
    anna: User,
}

#[async_trait]
impl TestPlatform for Telegram {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::new(adapter(account(&self.api)))
    }

    async fn writes(&self, text: &str) {
        self.anna.tells(text).await;
    }

    async fn writes_as_code(&self, text: &str) -> bool {
        self.anna.message(&self.anna).html(&format!("<code>{text}</code>")).send().await;
        true
    }

    async fn presses(&self, message: &str, button: &str) -> bool {
        self.anna.presses(&self.anna, message.parse().unwrap(), button).await;
        true
    }

    fn person(&self) -> String {
        ANNA.to_string()
    }

    fn chat(&self) -> Address {
        to(&format!("telegram:{ANNA}"))
    }

    fn missing_chat(&self) -> Address {
        to("telegram:987654321")
    }

    fn shown_texts(&self) -> Vec<String> {
        self.anna.sees().into_iter().map(|message| message.text).collect()
    }
}

#[tokio::test]
async fn telegram_keeps_the_ports_promises() {
    let api = BotApi::start().await;
    let anna = api.user(ANNA, "Anna");
    frontdesk_conformance::check(&Telegram { api, anna }).await;
}
