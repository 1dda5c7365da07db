//! Messages of operators and programs.

use std::path::Path;

use frontdesk_core::address::Address;
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
        let session = self.0.session_of_reader(&self.0.settings(), to);
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
