//! Rows of callbacks.

use chrono::{DateTime, Utc};
use frontdesk_core::id::MessageId;

/// A callback that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackRow {
    /// The message whose end is posted.
    pub message: MessageId,
    /// Where to.
    pub url: String,
    /// SHA-256 of the token with which it was asked for, by which it is signed; `None` if that was revoked.
    pub key: Option<[u8; 32]>,
    /// The name of that token.
    pub token: String,
    /// How often it was posted without success.
    pub tries: u32,
    /// When it was asked for.
    pub created: DateTime<Utc>,
}

/// How a callback was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackResult {
    /// It has arrived.
    Sent,
    /// It is to be posted again.
    Later {
        /// When.
        at: DateTime<Utc>,
        /// Why it did not arrive.
        error: String,
    },
    /// It is given up, for this reason.
    Dead(String),
}
