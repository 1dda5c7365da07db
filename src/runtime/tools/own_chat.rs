//! Tools that act in the conversation itself.

use std::path::Path;
use std::sync::atomic::Ordering;

use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::terminal;
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{Author, OutboxRow, OutboxState};
use serde::Deserialize;
use serde_json::json;

use super::Caller;
use crate::error::GatewayError;
use crate::sending::{self, NewMessage};

/// Maximum size of a text or a caption, in bytes.
const TEXT: usize = 32 * 1024;

// Unknown fields are refused: a message that names another chat must not be sent to this one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMessage {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMedia {
    path: String,
    #[serde(default)]
    caption: String,
}

impl Caller<'_> {
    pub(super) async fn send_message(&self, id: &str, message: SendMessage) -> Result<String, GatewayError> {
        if !is_visible(&message.text) {
            return Err(GatewayError::Invalid("text: there is nothing to send".to_owned()));
        }
        self.send(id, &message.text, None).await
    }

    pub(super) async fn send_media(&self, id: &str, file: SendMedia) -> Result<String, GatewayError> {
        self.send(id, &file.caption, Some(Path::new(&file.path))).await
    }

    async fn send(&self, id: &str, text: &str, media: Option<&Path>) -> Result<String, GatewayError> {
        if text.len() > TEXT {
            return Err(GatewayError::Invalid(format!("the text is longer than {TEXT} bytes")));
        }
        let text = terminal::plain(text);
        let to = &self.turn.address;
        let by_session = self
            .shared
            .adapters
            .at(to)
            .is_some_and(|connection| connection.adapter().profile().receipt == ReceiptRule::Commit);
        let session = by_session.then(|| self.session.clone());
        // Each call is a message of its own: no turn in which a tool has acted runs again by itself.
        let turn = self.turn.claim;
        let key = format!("tool:{}:{}:{id}", turn.id, turn.fence);
        let author = Author { name: self.session.to_string(), via: "agent" };
        let turn = Some(turn);
        let message = NewMessage { to, session, text: &text, media, captions: true, key, author, turn };
        let rows = sending::send(self.shared, message).await?;
        let withheld = |row: &OutboxRow| matches!(row.state, OutboxState::Dead | OutboxState::Dropped);
        match rows.iter().any(withheld) {
            true => {
                Err(GatewayError::Invalid("a rule of the operator keeps this from being sent".to_owned()))
            }
            false => {
                self.turn.has_sent.store(true, Ordering::Relaxed);
                Ok("It is on its way.".to_owned())
            }
        }
    }

    pub(super) async fn session_status(&self) -> Result<String, GatewayError> {
        let store = &self.shared.store;
        let Some(session) = store.session(self.session).await? else {
            return Err(GatewayError::Invalid("this conversation was erased".to_owned()));
        };
        let begun = store.epochs(self.session, Some(session.epoch + 1), 1).await?;
        let usage = store.last_usage(self.session, session.epoch).await?.unwrap_or_default();
        let status = json!({
            "session": self.session.as_str(),
            "agent": self.session.agent(),
            "conversation": session.epoch,
            "started": begun.first().map_or(session.created, |epoch| epoch.started).to_rfc3339(),
            "waiting_messages": session.waiting,
            "chosen": {"model": session.options.model, "thinking": session.options.thinking},
            "last_answer": {
                "model": usage.model,
                "input_tokens": usage.input,
                "output_tokens": usage.output,
                "cost_micro": usage.cost_micro,
                "context_tokens": usage.context_used,
                "context_window": usage.context_window,
            },
        });
        Ok(status.to_string())
    }
}
