//! The history of a conversation, as an agent reads it.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::id::MessageId;
use crate::message::Sender;

/// Maximum number of messages on one page.
pub const MAX_MESSAGES: u32 = 500;
/// Maximum size of a page's texts, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Reads what was said in one epoch of a session before the turn that it was made for. Implemented by the gateway.
#[async_trait]
pub trait History: fmt::Debug + Send + Sync + 'static {
    /// One page, the newest entry first. The gateway limits a page to [`MAX_MESSAGES`] and [`MAX_BYTES`], whatever is
    /// asked for; a page has at least one message if there is any. A page may have fewer entries than asked for, or none,
    /// although there are older ones: read on while [`HistoryPage::next`] is set.
    async fn page(&self, request: HistoryRequest) -> Result<HistoryPage, HistoryError>;
}

/// A history without entries, for tests of agents.
#[derive(Debug)]
pub struct Empty;

#[async_trait]
impl History for Empty {
    async fn page(&self, _request: HistoryRequest) -> Result<HistoryPage, HistoryError> {
        Ok(HistoryPage::default())
    }
}

/// Which page of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Where the page begins: [`HistoryPage::next`] of the page before it. `None` is the newest page.
    pub before: Option<MessageId>,
    /// Maximum number of messages.
    pub messages: u32,
    /// Maximum size of the texts in bytes.
    pub bytes: usize,
}

/// One page of a history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistoryPage {
    /// The newest first.
    pub entries: Vec<HistoryEntry>,
    /// Where the next page with older entries begins; `None` if there are none.
    pub next: Option<MessageId>,
}

/// One entry of a history.
#[derive(Debug, Clone, PartialEq)]
pub enum HistoryEntry {
    /// Somebody wrote to the agent.
    Message {
        /// The message.
        id: MessageId,
        /// Its sender.
        from: Sender,
        /// Its text.
        text: String,
        /// When it was accepted.
        received: DateTime<Utc>,
    },
    /// The agent answered.
    Answer {
        /// The text; of an answer that was stopped or failed, what it had said until then.
        text: String,
        /// Whether the agent ended it itself.
        complete: bool,
    },
    /// The agent has compacted its context: the summary stands for everything older.
    Compaction {
        /// The summary, if the agent reported one.
        summary: Option<String>,
        /// When.
        at: DateTime<Utc>,
    },
}

/// The history cannot be read at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the history cannot be read: {0}")]
pub struct HistoryError(pub String);
