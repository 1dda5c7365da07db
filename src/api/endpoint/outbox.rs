//! The outbox: parts that are or were to be sent.

use frontdesk_core::id::{IdError, OutId};
use frontdesk_store::row::{OutboxRow, UnknownState};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutboxQuery {
    state: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: OutboxQuery = request.query()?;
    let state = query.state.as_deref().map(str::parse).transpose();
    let state = state.map_err(|error: UnknownState| ApiError::bad_request(error.to_string()))?;
    let before = query.before.as_deref().map(parse_id).transpose()?;
    let (store, limit) = (request.server.handle.store(), list::row_limit(query.limit));
    let read = |max| store.parts_page(state, before, limit, max);
    let page = request.server.page(list::MAX_PAGE_BYTES, read).await?;
    let shown = |row: &OutboxRow| {
        let mut shown = show::part(row);
        if let Some(why) = request.server.handle.why_it_waits(row) {
            shown["error"] = why.into();
        }
        shown
    };
    request.server.list_response("parts", page, limit, shown, |row| row.post.out.to_string()).await
}

pub(crate) async fn retry(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = parse_id(request.param(0)?)?;
    request.server.handle.retry_part(id, &request.author()?).await?;
    Ok(ApiResponse::ok(json!({"id": id.to_string(), "state": "queued"})))
}

pub(crate) async fn discard(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = parse_id(request.param(0)?)?;
    request.server.handle.drop_part(id, &request.author()?).await?;
    Ok(ApiResponse::ok(json!({"id": id.to_string(), "state": "dropped"})))
}

fn parse_id(text: &str) -> Result<OutId, ApiError> {
    text.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))
}
