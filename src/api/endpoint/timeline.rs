//! The timeline of a session: all that its chat has shown.

use frontdesk_core::ask::Audience;
use frontdesk_core::markup::{self, Node};
use frontdesk_store::row::{TimelineCursor, TimelineItem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ApiError;
use crate::frame::{ServerFrame, Wire};
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::Timestamp;
use crate::show::session::Message;
use crate::token::Scope;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimelineQuery {
    /// `next` of the page before.
    before: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// What a chat has shown.
// It is written row by row.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Timeline {
    items: Vec<Item>,
    next: Option<String>,
}

/// One thing that a chat has shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimelineItem")]
struct Item {
    #[serde(flatten)]
    what: Shown,
    at: Timestamp,
}

/// What a chat has shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "each is written at once")]
enum Shown {
    /// A message with its answer.
    Prompt {
        #[serde(flatten)]
        message: Message,
        /// The answer as a tree, if it is more than one plain paragraph.
        markup: Option<Vec<Node>>,
    },
    /// A stored frame.
    Frame {
        #[schemars(with = "Wire<'static>")]
        frame: Value,
    },
    /// The beginning of a conversation.
    Epoch { epoch: u64, reason: String },
}

/// Lists what the chat has shown: its messages, its stored frames and the beginnings of its conversations, the newest first.
#[utoipa::path(get, path = "/api/session/{key}/timeline", params(TimelineQuery), responses((status = 200, body = Timeline), (status = 404)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let key = request.session(Scope::Read)?;
    let query: TimelineQuery = request.query()?;
    let before = query.before.as_deref().map(parse_cursor).transpose()?.unwrap_or(TimelineCursor::END);
    let limit = list::row_limit(query.limit)?;
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
fn shown(item: &TimelineItem, may_answer: impl FnOnce(&Audience) -> bool) -> Item {
    let what = match item {
        TimelineItem::Message(row) => {
            Shown::Prompt { message: (&**row).into(), markup: row.answer.as_deref().and_then(markup::tree) }
        }
        TimelineItem::Frame(row) => {
            let frame = ServerFrame::post(row.post.clone());
            Shown::Frame { frame: serde_json::from_str(frame.json_for(may_answer)).unwrap_or_default() }
        }
        TimelineItem::Epoch(row) => Shown::Epoch { epoch: row.n, reason: row.reason.to_string() },
    };
    Item { what, at: item.at().into() }
}
