//! Event sources and how far each has been read.

use crate::account::AccountId;

/// An ordered stream of events: one platform account, one bot or one token. Event ids are unique within a source, and
/// each source has its own stored cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The channel, then the platform's own stable id of the account: `telegram:8123456`, `web:main`.
    pub id: String,
    /// The account in the configuration.
    pub account: AccountId,
}

/// How far a source has been read, in the platform's own terms. Only the source's adapter interprets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);
