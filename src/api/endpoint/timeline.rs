//! The timeline of a session: all that its chat has shown.

use frontdesk_core::ask::Audience;
use frontdesk_core::markup;
use frontdesk_store::row::{TimelineCursor, TimelineItem};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::frame::ServerFrame;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::{history, time};
use crate::token::Scope;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimelineQuery {
    before: Option<String>,
    limit: Option<u32>,
}

/// What the chat has shown: its messages, its stored frames and the beginnings of its conversations, the newest first.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let key = request.session(Scope::Read)?;
    let query: TimelineQuery = request.query()?;
    let before = query.before.as_deref().map(parse_cursor).transpose()?.unwrap_or(TimelineCursor::END);
    let limit = list::row_limit(query.limit);
    let store = request.server.handle.store();
    let read = |max| store.timeline(&key, before, limit, max);
    let page = request.server.page(list::MAX_PAGE_BYTES, read).await?;
    let next = before.before(&page.0.rows).to_string();
    let (server, caller) = (&request.server, request.caller()?);
    let show = |item: &TimelineItem| shown(item, |audience| server.may_answer(caller, audience));
    server.list_response("items", page, limit, show, |_| next.clone()).await
}

fn parse_cursor(text: &str) -> Result<TimelineCursor, ApiError> {
    text.parse()
        .map_err(|error: frontdesk_store::row::NoCursor| ApiError::bad_request(format!("before: {error}")))
}

/// One thing that a chat has shown, as JSON. `may_answer` says whether the reader is one of those who may answer a question.
fn shown(item: &TimelineItem, may_answer: impl FnOnce(&Audience) -> bool) -> Value {
    let mut shown = match item {
        TimelineItem::Message(row) => {
            let mut message = history(row);
            message["markup"] = json!(row.answer.as_deref().and_then(markup::tree));
            message["type"] = "prompt".into();
            message
        }
        TimelineItem::Frame(row) => {
            let frame = ServerFrame::post(row.post.clone());
            let frame: Value = serde_json::from_str(frame.json_for(may_answer)).unwrap_or_default();
            json!({"type": "frame", "frame": frame})
        }
        TimelineItem::Epoch(row) => {
            json!({"type": "epoch", "epoch": row.n, "reason": row.reason.to_string()})
        }
    };
    shown["at"] = time(item.at()).into();
    shown
}
