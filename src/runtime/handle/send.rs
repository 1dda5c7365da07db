//! Messages of operators and programs.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_store::row::{Author, OutboxRow};
use serde_json::Value;

use super::{GatewayError, GatewayHandle};
use crate::sending::{self, NewMessage};

/// A message of an operator or a program.
#[derive(Debug, Clone)]
pub struct SendRequest<'m> {
    /// The text in Markdown.
    pub text: &'m str,
    /// A file beneath the media root.
    pub media: Option<&'m Path>,
    /// The same for every repetition of one request.
    pub key: &'m str,
    /// Who sends it, for the audit.
    pub author: &'m Author,
    /// Whether it is sent in quiet hours too.
    pub urgent: bool,
    /// The message in the platform's own form, as Slack's blocks; the text stands for it in notifications.
    pub native: Option<&'m Value>,
}

/// What a broadcast has become.
#[derive(Debug, Clone, Default)]
pub struct Broadcast {
    /// The chats it goes to, each with its messages.
    pub queued: Vec<(Address, Vec<OutboxRow>)>,
    /// The chats of channels and accounts that do not exist. If they were not to be skipped, nothing is sent to any chat.
    pub unknown: Vec<Address>,
}

impl GatewayHandle {
    /// Stores a text, and a file from beneath the media root, to be sent. `key` is the same for every repetition of one
    /// request. An unknown channel or account is an error. If hooks keep the text from being sent, the only row says so.
    pub async fn send(
        &self,
        to: &Address,
        text: &str,
        media: Option<&Path>,
        key: &str,
        author: &Author,
    ) -> Result<Vec<OutboxRow>, GatewayError> {
        self.send_as(to, SendRequest { text, media, key, author, urgent: false, native: None }).await
    }

    /// The same with everything that can be said about it.
    pub async fn send_as(
        &self,
        to: &Address,
        request: SendRequest<'_>,
    ) -> Result<Vec<OutboxRow>, GatewayError> {
        let SendRequest { text, media, key, author, urgent, native } = request;
        let session = self.0.session_of_reader(&self.0.settings(), to);
        let message = NewMessage {
            to,
            session,
            text,
            media: media.map(|path| (path, None)),
            captions: false,
            key: key.to_owned(),
            author: author.clone(),
            urgent,
            native,
            turn: None,
        };
        sending::send(&self.0, message).await
    }

    /// Sends one message to several chats. A repetition sends it to those that have not got it, because a crash or an error
    /// came between.
    pub async fn broadcast(
        &self,
        to: &[Address],
        skip_unknown: bool,
        request: SendRequest<'_>,
    ) -> Result<Broadcast, GatewayError> {
        let mut seen = BTreeSet::new();
        let once = to.iter().filter(|to| seen.insert(to.as_str().to_owned()));
        let (known, unknown): (Vec<&Address>, Vec<&Address>) =
            once.partition(|to| self.0.adapters.at(to).is_some());
        let unknown: Vec<Address> = unknown.into_iter().cloned().collect();
        if !unknown.is_empty() && !skip_unknown {
            return Ok(Broadcast { queued: Vec::new(), unknown });
        }
        let mut queued = Vec::with_capacity(known.len());
        for to in known {
            // The length separates the key from the address.
            let key = format!("broadcast:{}:{}/{to}", request.key.len(), request.key);
            let rows = self.send_as(to, SendRequest { key: &key, ..request.clone() }).await?;
            queued.push((to.clone(), rows));
        }
        Ok(Broadcast { queued, unknown })
    }

    /// When the quiet hours of a chat end that hold back what nobody there has asked for; `None` outside of them, and where
    /// people fetch their messages.
    pub fn quiet_until(&self, to: &Address) -> Option<DateTime<Utc>> {
        let connection = self.0.adapters.at(to)?;
        let is_fetched = connection.adapter().profile().receipt == ReceiptRule::Commit;
        self.0.quiet(to).filter(|_| !is_fetched).map(|quiet| quiet.until)
    }

    /// The chats of a list of the configuration.
    pub fn broadcast_list(&self, name: &str) -> Result<Vec<Address>, GatewayError> {
        let settings = self.0.settings();
        let list = settings.config.broadcast.get(name).ok_or_else(|| {
            let names: Vec<&str> = settings.config.broadcast.keys().map(String::as_str).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            GatewayError::NotFound(format!("list {name:?} in [broadcast]; there are: {known}"))
        })?;
        list.addresses().map_err(|error| GatewayError::Invalid(error.to_string()))
    }
}
