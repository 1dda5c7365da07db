//! The history of the conversation, as a persistent program asks for it.

use std::sync::Arc;

use frontdesk_core::history::{History, HistoryEntry, HistoryRequest};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::prompt;
use serde_json::{Value, json};

use crate::process::json_line;

/// Number of messages on a page if the program names none.
const MESSAGES: u32 = 50;
/// Size of a page's texts if the program names none, in bytes.
const BYTES: usize = 64 * 1024;

/// A request for a page.
pub(super) struct Asked {
    pub(super) turn: TurnId,
    /// The program's id of the request.
    pub(super) id: Value,
    pub(super) before: Option<String>,
    pub(super) messages: Option<u32>,
    pub(super) bytes: Option<usize>,
}

/// The line with the page, or with the reason why there is none.
pub(super) async fn answered(history: Arc<dyn History>, asked: Asked) -> Vec<u8> {
    let mut line = json!({"type": "history", "turn": asked.turn.to_string(), "id": asked.id});
    match page(&*history, &asked).await {
        Ok((entries, next)) => (line["entries"], line["next"]) = (entries, next),
        Err(why) => line["error"] = why.into(),
    }
    json_line::write(&line)
}

async fn page(history: &dyn History, asked: &Asked) -> Result<(Value, Value), String> {
    let before = asked.before.as_deref().map(str::parse::<MessageId>).transpose();
    let request = HistoryRequest {
        before: before.map_err(|error| error.to_string())?,
        messages: asked.messages.unwrap_or(MESSAGES),
        bytes: asked.bytes.unwrap_or(BYTES),
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
