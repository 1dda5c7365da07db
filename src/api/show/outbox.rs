//! What is or was to be sent, and what could not be read.

use frontdesk_store::row::{DeadLetterRow, OutboxRow, OutboxState};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Timestamp, escaped, maybe};

/// One outgoing message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Part {
    /// For example `o9`.
    id: String,
    /// The address.
    to: String,
    session: Option<String>,
    /// The message that it answers.
    message: Option<String>,
    /// `answer`, `notice`, `send` or `result`.
    kind: &'static str,
    /// `post`, `edit`, `delete`, `react` or `pin`.
    act: &'static str,
    /// Its number in the session.
    seq: Option<u64>,
    text: String,
    /// `queued`, `sending`, `sent`, `unknown`, `dead` or `dropped`.
    state: &'static str,
    attempts: u32,
    /// When it is tried next.
    next_at: Timestamp,
    /// The platform's id of what was sent.
    platform_message: Option<String>,
    pub(crate) error: Option<String>,
    created: Timestamp,
    /// Until when quiet hours hold it.
    held_until: Option<Timestamp>,
}

impl From<&OutboxRow> for Part {
    fn from(row: &OutboxRow) -> Self {
        let post = &row.post;
        Self {
            id: post.out.to_string(),
            to: row.address.as_str().to_owned(),
            session: post.about.session.as_ref().map(|key| key.as_str().to_owned()),
            message: post.about.messages.last().map(ToString::to_string),
            kind: post.kind.name(),
            act: row.act.name(),
            seq: post.seq,
            text: post.part.plain.clone(),
            state: row.state.name(),
            attempts: row.attempts,
            next_at: row.next_at.into(),
            platform_message: row.platform_message.clone(),
            error: row.error.clone(),
            created: row.created.into(),
            held_until: maybe((row.state == OutboxState::Queued).then_some(row.held_until).flatten()),
        }
    }
}

/// An event that could not be read, without its content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeadLetter {
    id: i64,
    source: String,
    event: String,
    session: Option<String>,
    kind: String,
    reason: String,
    /// Size of the content in bytes.
    size: u64,
    received: Timestamp,
}

impl From<&DeadLetterRow> for DeadLetter {
    fn from(row: &DeadLetterRow) -> Self {
        Self {
            id: row.id,
            source: row.source.clone(),
            event: row.event_id.clone(),
            session: row.session.as_ref().map(|key| key.as_str().to_owned()),
            kind: row.kind.clone(),
            reason: escaped(&row.reason),
            size: row.size,
            received: row.received.into(),
        }
    }
}
