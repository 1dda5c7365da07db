//! Slack's own form of a growing answer, in the threads of private chats: a message that is begun, appended to and ended.
//!
//! Slack closes such a message after some minutes, a person can stop it, and after a restart nobody knows how far it is.
//! In each of these cases the answer goes on as an ordinary message that is edited. In channels only one person would see
//! it grow.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use frontdesk_core::delivery::SendError;
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::Fault;
use crate::markup;

/// The longest piece, in characters of which each may need five.
const PIECE: usize = 2_400;
/// The message grows no more: it was closed, or a person has stopped it.
const CLOSED: [&str; 2] = ["message_not_in_streaming_state", "stopped_by_user"];
/// Slack does not stream there. The answer is posted and edited.
const NOT_HERE: [&str; 6] = [
    "channel_type_not_supported",
    "missing_recipient_team_id",
    "missing_recipient_user_id",
    "not_allowed",
    "ratelimited",
    "unknown_method",
];
/// Number of messages from which all are forgotten; they are ended when they are edited.
const MOST: usize = 1024;

/// The messages that grow, and how much of their text Slack has.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<HashMap<String, String>>);

/// What came of an attempt to show more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grown {
    /// It is shown, or cannot be shown before the end.
    Done,
    /// The message is an ordinary one.
    Ordinary,
}

impl Streams {
    fn open(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a message with this text; `None` if it has to be an ordinary one.
    pub(crate) async fn begin(
        &self,
        api: &Api,
        channel: &str,
        thread: &str,
        text: &str,
    ) -> Result<Option<String>, SendError> {
        let piece: String = text.chars().take(PIECE).collect();
        let begin = json!({"channel": channel, "thread_ts": thread, "markdown_text": escaped(&piece)});
        let begun = match api.call("chat.startStream", begin).await {
            Err(fault) if fault.is(&NOT_HERE) => return Ok(None),
            begun => begun.map_err(Fault::for_send)?,
        };
        let ts = begun["ts"].as_str().map(str::to_owned);
        let ts = ts.ok_or_else(|| SendError::Unknown("the answer names no message".into()))?;
        let mut open = self.open();
        if open.len() >= MOST {
            open.clear();
        }
        open.insert(ts.clone(), piece);
        Ok(Some(ts))
    }

    /// Appends what this text has more than the message. What was taken back is corrected at the end.
    pub(crate) async fn grow(
        &self,
        api: &Api,
        channel: &str,
        ts: &str,
        text: &str,
    ) -> Result<Grown, SendError> {
        let Some(shown) = self.open().get(ts).cloned() else { return Ok(Grown::Ordinary) };
        let more: String = match text.strip_prefix(shown.as_str()) {
            Some(more) => more.chars().take(PIECE).collect(),
            None => return Ok(Grown::Done),
        };
        if more.is_empty() {
            return Ok(Grown::Done);
        }
        let append = json!({"channel": channel, "ts": ts, "markdown_text": escaped(&more)});
        match api.show("chat.appendStream", append).await {
            Ok(_) => {
                self.open().insert(ts.to_owned(), shown + &more);
                Ok(Grown::Done)
            }
            Err(fault) if fault.is(&CLOSED) => {
                self.open().remove(ts);
                Ok(Grown::Ordinary)
            }
            Err(fault) => Err(fault.for_send()),
        }
    }

    /// Ends a message, so that it can be edited. It may have ended already.
    pub(crate) async fn end(&self, api: &Api, channel: &str, ts: &str) -> Result<(), SendError> {
        let ended = api.call("chat.stopStream", json!({"channel": channel, "ts": ts})).await;
        match ended {
            Err(fault) if !fault.is(&CLOSED) => Err(fault.for_preparation()),
            _ => {
                self.open().remove(ts);
                Ok(())
            }
        }
    }

    /// Whether a message grows, as far as this process knows.
    pub(crate) fn is_open(&self, ts: &str) -> bool {
        self.open().contains_key(ts)
    }
}

/// Markdown in which Slack finds nobody to mention and no link.
fn escaped(text: &str) -> Value {
    markup::literal(text).into()
}
