//! Messages of operators and programs.

use std::path::Path;

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::address::Address;
use frontdesk_core::hook::HookText;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{Author, OutboxRow, OutgoingMessage, Withheld};

use super::{GatewayError, GatewayHandle};

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
        let adapter = connection.adapter();
        let profile = adapter.profile();
        if profile.render(text).is_empty() && media.is_none() {
            return Err(GatewayError::Invalid("there is nothing to send: the text is empty".to_owned()));
        }
        // Readers of such a channel fetch rows by session, so a row needs one.
        let session = match profile.receipt {
            ReceiptRule::Commit => Some(self.session_at(to)?),
            ReceiptRule::Platform => None,
        };
        let (channel, message) = (to.channel().to_owned(), text.to_owned());
        let unseen =
            HookText { session: session.clone(), message, channel, piece: false, choices: Vec::new() };
        let (address, key, author) = (to.clone(), key.to_owned(), author.clone());
        let (parts, files, now) = (Vec::new(), Vec::new(), self.0.time.wall());
        let outgoing = OutgoingMessage { address, session, parts, media: files, key, author, now };
        let parts = match self.seen(unseen).await {
            Ok(text) => profile.render(&text),
            Err(withheld) => return Ok(self.0.store.send_withheld(outgoing, withheld).await?),
        };
        let media = match media {
            Some(path) => {
                let adopted = self.0.media.adopt(path, None, profile).await;
                vec![adopted.map_err(|error| GatewayError::Invalid(error.to_string()))?]
            }
            None => Vec::new(),
        };
        Ok(self.0.store.send(OutgoingMessage { parts, media, ..outgoing }).await?)
    }

    /// What is sent of a text. A file may have none.
    async fn seen(&self, text: HookText) -> Result<String, Withheld> {
        if !is_visible(&text.message) {
            return Ok(text.message);
        }
        let before = text.message.clone();
        let seen = self.0.hooks.sending(text).await?;
        match is_visible(&seen) {
            true => Ok(seen),
            false => {
                Err(Withheld { text: before, failed: false, error: "hooks left nothing of it".to_owned() })
            }
        }
    }
}
