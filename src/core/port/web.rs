//! Posting the results of jobs to web servers.

use async_trait::async_trait;
use thiserror::Error;

/// Posts to web servers that people name. It must reach no private address unless the operator allows it, and follow no
/// redirect.
#[async_trait]
pub trait WebhookSender: Send + Sync + 'static {
    /// Posts once, within half a minute.
    async fn post(&self, url: &str, post: WebhookPost) -> Result<(), WebhookFault>;
}

/// What is posted: JSON with these headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookPost {
    /// Name and value of each header besides `Content-Type`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Why a web server has not taken it. Contains no part of the URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WebhookFault {
    /// It will not take it another time either.
    #[error("{0}")]
    Refused(String),
    /// It may take it later.
    #[error("{0}")]
    Later(String),
}
