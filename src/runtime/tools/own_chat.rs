//! Tools that act in the conversation itself.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::Ordering;

use frontdesk_core::id::{ChatMessageId, IdError, OutId};
use frontdesk_core::message::FileKind;
use frontdesk_core::terminal;
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{Author, OutboxRow, OutboxState};
use serde::Deserialize;
use serde_json::json;

use super::Caller;
use crate::error::GatewayError;
use crate::sending::{self, InTurn, NewMessage};
use crate::session_status::SessionStatus;

/// Maximum size of a text or a caption, in bytes.
const TEXT: usize = 32 * 1024;

// Unknown fields are refused: a message that names another chat must not be sent to this one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SendMessage {
    text: String,
    reply_to: Option<String>,
    #[serde(default)]
    choices: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMedia {
    path: String,
    #[serde(rename = "type")]
    kind: Option<MediaType>,
    #[serde(default)]
    caption: String,
}

/// How a file is to be shown, as the tool names it.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum MediaType {
    Photo,
    Audio,
    Document,
    Video,
    Sticker,
}

impl MediaType {
    fn kind(self) -> FileKind {
        match self {
            MediaType::Photo => FileKind::Photo,
            MediaType::Audio => FileKind::Audio,
            MediaType::Document => FileKind::Document,
            MediaType::Video => FileKind::Video,
            MediaType::Sticker => FileKind::Sticker,
        }
    }
}

impl Caller<'_> {
    pub(super) async fn send_message(&self, id: &str, message: SendMessage) -> Result<String, GatewayError> {
        if !is_visible(&message.text) {
            return Err(GatewayError::Invalid("text: there is nothing to send".to_owned()));
        }
        let reply_to = message.reply_to.as_deref().map(message_id).transpose()?;
        match message.choices.is_empty() {
            true => self.send(id, &message.text, None, reply_to).await,
            false => self.send_choices(&message.text, message.choices, reply_to).await,
        }
    }

    pub(super) async fn send_media(&self, id: &str, file: SendMedia) -> Result<String, GatewayError> {
        let kind = file.kind.map(MediaType::kind);
        self.send(id, &file.caption, Some((Path::new(&file.path), kind)), None).await
    }

    async fn send(
        &self,
        id: &str,
        text: &str,
        media: Option<(&Path, Option<FileKind>)>,
        reply_to: Option<ChatMessageId>,
    ) -> Result<String, GatewayError> {
        let message = NewMessage {
            to: &self.turn.address,
            session: Some(self.turn.chat.clone()),
            text: &bounded(text)?,
            media,
            captions: true,
            key: self.key(id),
            author: self.author(),
            urgent: false,
            native: None,
            turn: Some(InTurn { claim: self.turn.claim, reply_to }),
        };
        let rows = sending::send(self.shared, message).await?;
        let withheld = |row: &OutboxRow| matches!(row.state, OutboxState::Dead | OutboxState::Dropped);
        if rows.iter().any(withheld) {
            return Err(GatewayError::Invalid(
                "a rule of the operator keeps this from being sent".to_owned(),
            ));
        }
        Ok(self.on_its_way(rows.iter().map(|row| row.post.out)))
    }

    /// The key of what a call sends. Each call is a message of its own: no turn in which a tool has acted runs again by
    /// itself.
    pub(super) fn key(&self, id: &str) -> String {
        let turn = self.turn.claim;
        format!("tool:{}:{}:{id}", turn.id, turn.fence)
    }

    pub(super) fn author(&self) -> Author {
        Author { name: self.session.to_string(), via: "agent" }
    }

    /// Tells the model by which ids it can name what it has sent.
    pub(super) fn on_its_way(&self, sent: impl Iterator<Item = OutId>) -> String {
        self.turn.has_sent.store(true, Ordering::Relaxed);
        let ids: Vec<String> = sent.map(|out| out.to_string()).collect();
        match ids.as_slice() {
            [] => "It is on its way.".to_owned(),
            [id] => format!("It is on its way. Its id is {id}."),
            ids => format!("It is on its way as several messages. Their ids are {}.", ids.join(", ")),
        }
    }

    pub(super) async fn session_status(&self) -> Result<String, GatewayError> {
        let Some(status) = self.shared.session_status(self.session, self.turn.role.as_deref()).await? else {
            return Err(GatewayError::Invalid("this conversation was erased".to_owned()));
        };
        let SessionStatus { session, model, thinking, usage, .. } = status;
        let (last, total) = (usage.last.unwrap_or_default(), usage.total);
        let sent = self.shared.store.last_answer(self.session, session.epoch).await?;
        let status = json!({
            "session": self.session.as_str(),
            "agent": self.session.agent(),
            "conversation": session.epoch,
            "started": status.started.to_rfc3339(),
            "waiting_messages": session.waiting,
            "model": model.value,
            "thinking": thinking.value,
            "chosen": {"model": session.options.model, "thinking": session.options.thinking},
            "last_answer": {
                "messages": sent.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "model": last.model,
                "input_tokens": last.input,
                "output_tokens": last.output,
                "cost_micro": last.cost_micro,
                "context_tokens": last.context_used,
                "context_window": last.context_window,
            },
            "whole_conversation": {
                "answers": total.answers,
                "input_tokens": total.input,
                "output_tokens": total.output,
                "cost_micro": total.cost_micro,
            },
        });
        Ok(status.to_string())
    }
}

/// The id of a message as a model writes it.
pub(super) fn message_id(text: &str) -> Result<ChatMessageId, GatewayError> {
    text.trim().parse().map_err(|error: IdError| GatewayError::Invalid(error.to_string()))
}

/// A text without escape sequences, if it is not too long.
pub(super) fn bounded(text: &str) -> Result<Cow<'_, str>, GatewayError> {
    if text.len() > TEXT {
        return Err(GatewayError::Invalid(format!("the text is longer than {TEXT} bytes")));
    }
    Ok(terminal::plain(text))
}
