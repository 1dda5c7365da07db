//! The port by which an admin has the configuration reloaded.

use async_trait::async_trait;
use frontdesk_store::row::Author;
use serde_json::Value;

/// Reads the configuration again and takes it over.
#[async_trait]
pub trait Reload: Send + Sync + 'static {
    /// Takes over what is configured now, or with `plan` only says what would change. Returns that as the body of the
    /// response.
    async fn reload(&self, plan: bool, author: Author) -> Result<Value, ReloadRefused>;
}

/// Why nothing was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadRefused {
    /// The configuration is wrong: one line for each error, with file, line and reason.
    Wrong(String),
    /// The gateway is stopping.
    Stopping,
    /// Something else failed.
    Failed(String),
}
