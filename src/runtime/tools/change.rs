//! The tool that changes messages of the chat.

use std::time::Duration;

use frontdesk_core::hook::HookText;
use frontdesk_core::id::{ChatMessageId, OutId};
use frontdesk_core::markup::Part;
use frontdesk_core::reaction::normalized;
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{Change, Fenced, MessageChange, OutboxState};
use serde::Deserialize;

use super::Caller;
use super::own_chat::{bounded, message_id};
use crate::error::GatewayError;

/// How long a call waits until its change is made. A chat in which much is to be sent takes longer.
const WAIT: Duration = Duration::from_secs(5);

/// The longest reaction, in characters: an emoji may consist of several.
const EMOJI: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Message {
    action: Action,
    message_id: Option<String>,
    emoji: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Action {
    React,
    Edit,
    Delete,
    Pin,
}

impl Action {
    /// What the model is told where the platform cannot do it.
    fn unsupported(self) -> &'static str {
        match self {
            Action::React => "this platform has no reactions",
            Action::Edit => "on this platform a message cannot be edited",
            Action::Delete => "on this platform a message cannot be deleted",
            Action::Pin => "on this platform a message cannot be pinned",
        }
    }
}

impl Caller<'_> {
    pub(super) async fn change_message(&self, id: &str, message: Message) -> Result<String, GatewayError> {
        let invalid = |why: &str| GatewayError::Invalid(why.to_owned());
        let Some(connection) = self.shared.adapters.at(&self.turn.address) else {
            return Err(invalid("this channel is not configured any more"));
        };
        let adapter = connection.adapter();
        let profile = adapter.profile();
        let action = message.action;
        let can = match action {
            Action::React => profile.changes.react,
            Action::Edit => profile.changes.edit,
            Action::Delete => profile.changes.delete,
            Action::Pin => profile.changes.pin,
        };
        if !can {
            return Err(invalid(action.unsupported()));
        }
        let of = match (message.message_id.as_deref(), action) {
            (Some(named), _) => message_id(named)?,
            (None, Action::React | Action::Pin) => self
                .turn
                .newest
                .map(ChatMessageId::Received)
                .ok_or_else(|| invalid("messageId is missing"))?,
            (None, Action::Edit | Action::Delete) => return Err(invalid("messageId is missing")),
        };
        let change = match action {
            Action::React => Change::React(reaction(message.emoji)?),
            Action::Pin => Change::Pin,
            Action::Delete => Change::Delete,
            Action::Edit => {
                let text = self.new_text(&message.text.unwrap_or_default()).await?;
                let mut parts = profile.render(&text);
                match (parts.pop(), parts.is_empty()) {
                    (Some(part), true) => Change::Edit(Part { key: 0, ..part }),
                    (None, _) => return Err(invalid("text: there is nothing to show")),
                    _ => return Err(invalid("the text is too long for one message")),
                }
            }
        };
        let (key, author, now) = (self.key(id), self.author(), self.shared.time.wall());
        let change = MessageChange { of, change, key, author, now };
        match self.shared.store.changed_in_turn(self.turn.claim, change).await? {
            Fenced::Stale => Err(invalid("the answer has ended, so this is not done")),
            Fenced::Done(Err(refused)) => Err(invalid(&refused.to_string())),
            Fenced::Done(Ok(row)) => self.done(row.post.out).await,
        }
    }

    /// Waits a short time until the platform has made a change or refused it.
    async fn done(&self, change: OutId) -> Result<String, GatewayError> {
        let shared = self.shared;
        let deadline = shared.time.mono() + WAIT;
        loop {
            let attempted = shared.work.part_ended.notified();
            let row = shared.store.part(change).await?;
            let (state, error) = row.map_or((OutboxState::Dropped, None), |row| (row.state, row.error));
            match state {
                OutboxState::Sent => return Ok("Done.".to_owned()),
                OutboxState::Dead | OutboxState::Dropped | OutboxState::Unknown => {
                    let why = error.unwrap_or_else(|| "it was given up".to_owned());
                    return Err(GatewayError::Invalid(format!("this could not be done: {why}")));
                }
                OutboxState::Queued | OutboxState::Streaming | OutboxState::Sending => {}
            }
            tokio::select! {
                () = attempted => continue,
                () = shared.time.sleep_until(deadline) => {}
                () = shared.process.drain.cancelled() => {}
            }
            return Ok("It is on its way. The platform may still refuse it.".to_owned());
        }
    }

    /// A text as hooks let it be shown.
    async fn new_text(&self, text: &str) -> Result<String, GatewayError> {
        if !is_visible(text) {
            return Err(GatewayError::Invalid("text: there is nothing to show".to_owned()));
        }
        let text = HookText {
            session: Some(self.turn.chat.clone()),
            message: bounded(text)?.into_owned(),
            channel: self.turn.address.channel().to_owned(),
            piece: false,
            choices: Vec::new(),
        };
        let seen = self.shared.hooks.sending(text).await;
        seen.map_err(|_| {
            GatewayError::Invalid("a rule of the operator keeps this from being shown".to_owned())
        })
    }
}

/// A reaction as the model gives it. Which ones there are only the platform knows.
fn reaction(emoji: Option<String>) -> Result<String, GatewayError> {
    let emoji = emoji.ok_or_else(|| GatewayError::Invalid("emoji is missing".to_owned()))?;
    let emoji = normalized(&emoji);
    match emoji.chars().count() <= EMOJI && !emoji.contains(char::is_control) {
        true => Ok(emoji),
        false => Err(GatewayError::Invalid("emoji: this is no reaction".to_owned())),
    }
}
