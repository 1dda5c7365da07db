//! Errors of operations on a running gateway.

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::ask::AskError;
use frontdesk_store::StoreError;

/// Why an operation failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GatewayError {
    /// The named object does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// No channel has the name that was given.
    #[error(transparent)]
    NoSuchChannel(#[from] NoSuchChannel),
    /// The request is wrong; the text says what to write instead.
    #[error("{0}")]
    Invalid(String),
    /// An answer does not count.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
