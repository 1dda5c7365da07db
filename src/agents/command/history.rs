//! The history of the conversation, as a persistent program asks for it.

use std::sync::Arc;

use frontdesk_core::history::{History, HistoryEntry, HistoryRequest, MAX_BYTES, MAX_MESSAGES};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::prompt;
use serde_json::{Value, json};

use super::fields::LineId;
use super::line::Page;
use crate::process::json_line;

/// Number of messages on a page if the program names none.
const MESSAGES: u32 = 50;
/// Size of a page's texts if the program names none, in bytes.
const BYTES: usize = 64 * 1024;

/// A request for a page.
pub(super) struct Asked {
    pub(super) turn: TurnId,
    /// The program's id of the request.
    pub(super) id: Option<LineId>,
    /// The page, or what is wrong with the request.
    pub(super) page: Result<Page, String>,
}

/// The line with the page, or with the reason why there is none.
pub(super) async fn answered(history: Arc<dyn History>, asked: Asked) -> Vec<u8> {
    let Asked { turn, id, page: asked } = asked;
    let mut line = json!({"type": "history", "turn": turn.to_string(), "id": id.map(|id| id.value())});
    let read = match asked {
        Ok(asked) => page(&*history, asked).await,
        Err(why) => Err(why),
    };
    match read {
        Ok((entries, next)) => (line["entries"], line["next"]) = (entries, next),
        Err(why) => line["error"] = why.into(),
    }
    json_line::write(&line)
}

async fn page(history: &dyn History, asked: Page) -> Result<(Value, Value), String> {
    let before = asked.before.as_deref().map(str::parse::<MessageId>).transpose();
    let request = HistoryRequest {
        before: before.map_err(|error| error.to_string())?,
        messages: asked
            .messages
            .map_or(MESSAGES, |most| u32::try_from(most).unwrap_or(MAX_MESSAGES))
            .min(MAX_MESSAGES),
        bytes: asked.bytes.map_or(BYTES, |most| usize::try_from(most).unwrap_or(MAX_BYTES)).min(MAX_BYTES),
    };
    let page = history.page(request).await.map_err(|error| error.to_string())?;
    let entries = page.entries.iter().map(entry).collect();
    Ok((entries, page.next.map(|next| next.to_string()).into()))
}

fn entry(entry: &HistoryEntry) -> Value {
    match entry {
        HistoryEntry::Message { id, from, text, received } => json!({
            "role": "user",
            "id": id.to_string(),
            "from": prompt::sender(from),
            "text": text,
            "received": received.to_rfc3339(),
        }),
        HistoryEntry::Answer { text, complete } => {
            json!({"role": "assistant", "text": text, "complete": complete})
        }
        HistoryEntry::Compaction { summary, at } => {
            json!({"role": "summary", "text": summary, "at": at.to_rfc3339()})
        }
    }
}
