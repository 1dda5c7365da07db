//! The outbox: parts that are or were to be sent.

use frontdesk_core::id::{IdError, OutId};
use frontdesk_store::row::{OutboxRow, UnknownState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::outbox::Part;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboxQuery {
    #[schemars(extend("enum" = ["queued", "streaming", "sending", "sent", "unknown", "dead", "dropped"]))]
    state: Option<String>,
    /// `next` of the page before.
    #[schemars(pattern(r"^o[0-9]{1,18}$"))]
    before: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// What is or was to be sent.
// It is written row by row.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Parts {
    parts: Vec<Part>,
    next: Option<String>,
}

/// A part whose state an admin has changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PartState {
    id: String,
    #[schemars(extend("enum" = ["queued", "dropped"]))]
    state: &'static str,
}

/// Lists what is or was to be sent, the newest first.
#[utoipa::path(get, path = "/api/outbox", params(OutboxQuery), responses((status = 200, body = Parts)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: OutboxQuery = request.query()?;
    let state = query.state.as_deref().map(str::parse).transpose();
    let state = state.map_err(|error: UnknownState| ApiError::bad_request(error.to_string()))?;
    let before = query.before.as_deref().map(parse_id).transpose()?;
    let (store, limit) = (request.server.handle.store(), list::row_limit(query.limit)?);
    let read = |max| store.parts_page(state, before, limit, max);
    let page = request.server.page(list::MAX_PAGE_BYTES, read).await?;
    let shown = |row: &OutboxRow| {
        let mut shown = Part::from(row);
        if let Some(why) = request.server.handle.why_it_waits(row) {
            shown.error = Some(why);
        }
        shown
    };
    request.server.list_response("parts", page, limit, shown, |row| row.post.out.to_string()).await
}

/// Tries to send a part again.
#[utoipa::path(post, path = "/api/outbox/{part}/retry", responses((status = 200, body = PartState), (status = 404)))]
pub(crate) async fn retry(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = parse_id(request.param(0)?)?;
    request.server.handle.retry_part(id, &request.author()?).await?;
    Ok(ApiResponse::ok(PartState { id: id.to_string(), state: "queued" }))
}

/// Gives up on a part.
#[utoipa::path(post, path = "/api/outbox/{part}/drop", responses((status = 200, body = PartState), (status = 404)))]
pub(crate) async fn discard(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = parse_id(request.param(0)?)?;
    request.server.handle.drop_part(id, &request.author()?).await?;
    Ok(ApiResponse::ok(PartState { id: id.to_string(), state: "dropped" }))
}

fn parse_id(text: &str) -> Result<OutId, ApiError> {
    text.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))
}
