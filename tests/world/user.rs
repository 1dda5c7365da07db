//! Somebody in a private chat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use frontdesk_core::act::PostKind;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Outcome;
use frontdesk_store::row::Author;

use crate::platform::{Platform, Posted};

/// Who looks after the gateway from the machine it runs on.
pub fn operator() -> Author {
    Author { name: "cli".to_owned(), via: "cli" }
}

/// Somebody who writes, and reads what comes back.
pub struct User {
    pub(crate) platform: Arc<Platform>,
    pub(crate) name: String,
    pub(crate) read: AtomicUsize,
}

impl User {
    /// Writes, and returns when the platform has its acknowledgement.
    pub async fn says(&self, text: &str) -> MessageId {
        match self.tries(text).await {
            Outcome::Accepted { message, .. } => message,
            other => panic!("{:?} was not accepted: {other:?}", text),
        }
    }

    /// Writes, and returns what became of it.
    pub async fn tries(&self, text: &str) -> Outcome {
        let number = self.platform.receive(&self.name, &self.name, false, text);
        self.platform.outcome(number).await
    }

    /// Writes without waiting for anything; returns the event's number.
    pub fn writes(&self, text: &str) -> u64 {
        self.platform.receive(&self.name, &self.name, false, text)
    }

    /// The next message that this chat has not read yet, as it stands now.
    pub async fn hears(&self) -> String {
        self.next().await.text
    }

    /// The next message with all that the platform knows of it.
    pub async fn next(&self) -> Posted {
        let at = self.read.fetch_add(1, Ordering::Relaxed);
        self.platform.shows(&self.name, at + 1, |_| true).await.swap_remove(at)
    }

    /// Everything that the chat shows.
    pub fn sees(&self) -> Vec<String> {
        self.platform.chat(&self.name).into_iter().map(|message| message.text).collect()
    }

    /// The answers among it, without notices.
    pub fn answers(&self) -> Vec<String> {
        let chat = self.platform.chat(&self.name);
        chat.into_iter()
            .filter(|message| message.kind == PostKind::Answer)
            .map(|message| message.text)
            .collect()
    }
}
