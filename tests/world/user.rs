//! A person in a private chat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Outcome;
use frontdesk_store::row::Author;

use crate::platform::{Platform, Posted};

/// The operator, who uses the command line.
pub fn operator() -> Author {
    Author { name: "cli".to_owned(), via: "cli" }
}

/// A person who writes to the bot and reads its replies.
pub struct User {
    pub(crate) platform: Arc<Platform>,
    pub(crate) name: String,
    pub(crate) read: AtomicUsize,
}

impl User {
    /// Writes, and waits until the message is accepted.
    pub async fn says(&self, text: &str) -> MessageId {
        match self.tries(text).await {
            Outcome::Accepted { message, .. } => message,
            other => panic!("{:?} was not accepted: {other:?}", text),
        }
    }

    /// Writes, and waits for the outcome.
    pub async fn tries(&self, text: &str) -> Outcome {
        let number = self.platform.receive(&self.name, &self.name, false, text);
        self.platform.outcome(number).await
    }

    /// Writes without waiting for anything; returns the event's number.
    pub fn writes(&self, text: &str) -> u64 {
        self.platform.receive(&self.name, &self.name, false, text)
    }

    /// Waits for the next unread message and returns its current text.
    pub async fn hears(&self) -> String {
        self.next().await.text
    }

    /// Waits for the next unread message.
    pub async fn next(&self) -> Posted {
        let at = self.read.fetch_add(1, Ordering::Relaxed);
        self.platform.shows(&self.name, at + 1, |_| true).await.swap_remove(at)
    }

    /// The texts of all messages in the chat.
    pub fn sees(&self) -> Vec<String> {
        self.platform.chat(&self.name).into_iter().map(|message| message.text).collect()
    }

    /// The texts of the answers in the chat, without notices.
    pub fn answers(&self) -> Vec<String> {
        let chat = self.platform.chat(&self.name);
        chat.into_iter()
            .filter(|message| message.kind == PostKind::Answer)
            .map(|message| message.text)
            .collect()
    }
}
