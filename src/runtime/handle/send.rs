//! Messages of operators and programs.

use std::path::Path;

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::address::Address;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_store::row::{Author, OutboxRow};

use super::{GatewayError, GatewayHandle};
use crate::sending::{self, NewMessage};

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
        let Some(connection) = self.0.adapters.at(to) else {
            let unknown = NoSuchChannel::new(to.account(), self.0.adapters.ids());
            return Err(GatewayError::Invalid(unknown.to_string()));
        };
        // Readers of such a channel fetch rows by session, so a row needs one.
        let session = match connection.adapter().profile().receipt {
            ReceiptRule::Commit => Some(self.session_at(to)?),
            ReceiptRule::Platform => None,
        };
        let (key, author) = (key.to_owned(), author.clone());
        sending::send(
            &self.0,
            NewMessage {
                to,
                session,
                text,
                media: media.map(|path| (path, None)),
                captions: false,
                key,
                author,
                turn: None,
            },
        )
        .await
    }
}
