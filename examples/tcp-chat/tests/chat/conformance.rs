//! Runs the conformance suite against the TCP chat.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk::clock::SystemClock;
use frontdesk_conformance::TestPlatform;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::config::Secret;
use frontdesk_core::port::Adapter;
use tcp_chat::{CHANNEL, Settings, TcpChat};

use crate::person::{Person, secret};

pub fn settings(listen: &str) -> Settings {
    let login = |name: &str| (name.to_owned(), Secret::new(secret(name)));
    Settings {
        id: AccountId::default_of(CHANNEL),
        listen: listen.to_owned(),
        logins: BTreeMap::from([login("anna"), login("bert")]),
        patience: Duration::from_secs(1),
    }
}

/// An address of this machine that nobody uses.
pub fn free_address() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().to_string()
}

struct Chat {
    address: String,
    anna: Person,
}

#[async_trait]
impl TestPlatform for Chat {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::new(TcpChat::new(settings(&self.address), Arc::new(SystemClock::new())))
    }

    async fn writes(&self, text: &str) {
        self.anna.says("bot", text).await;
    }

    async fn writes_as_code(&self, _: &str) -> bool {
        false
    }

    async fn presses(&self, message: &str, button: &str) -> bool {
        self.anna.presses("bot", message, button).await;
        true
    }

    fn person(&self) -> String {
        "anna".to_owned()
    }

    fn chat(&self) -> Address {
        Address::new(CHANNEL, None, "anna", None).unwrap()
    }

    fn missing_chat(&self) -> Address {
        Address::new(CHANNEL, None, "nobody", None).unwrap()
    }

    fn shown_texts(&self) -> Vec<String> {
        self.anna.texts("bot")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tcp_chat_passes_the_conformance_suite() {
    let address = free_address();
    let anna = Person::at(&address, "anna");
    frontdesk_conformance::check(&Chat { address, anna }).await;
}
