//! What is on its way out.

use frontdesk_core::id::{IdError, OutId};
use frontdesk_store::row::UnknownState;
use serde::Deserialize;
use serde_json::json;

use crate::endpoint::session::limit;
use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::list;
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    state: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn list(call: Call) -> Result<Answer, ApiError> {
    let which: Which = call.query()?;
    let state = which.state.as_deref().map(str::parse).transpose();
    let state = state.map_err(|error: UnknownState| ApiError::bad_request(error.to_string()))?;
    let before = which.before.as_deref().map(id).transpose()?;
    let (store, limit) = (call.server.handle.store(), limit(which.limit));
    let read = |most| store.parts_page(state, before, limit, most);
    let page = call.server.page(list::PAGE, read).await?;
    call.server.listed("parts", page, limit, show::part, |row| row.post.out.to_string()).await
}

pub(crate) async fn retry(call: Call) -> Result<Answer, ApiError> {
    let id = id(call.param(0)?)?;
    call.server.handle.retry_part(id, &call.author()?).await?;
    Ok(Answer::ok(json!({"id": id.to_string(), "state": "queued"})))
}

pub(crate) async fn give_up(call: Call) -> Result<Answer, ApiError> {
    let id = id(call.param(0)?)?;
    call.server.handle.drop_part(id, &call.author()?).await?;
    Ok(Answer::ok(json!({"id": id.to_string(), "state": "dropped"})))
}

fn id(text: &str) -> Result<OutId, ApiError> {
    text.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))
}
