//! Events that could not be read.

use serde::Deserialize;
use serde_json::json;

use crate::endpoint::session::limit;
use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    before: Option<i64>,
    limit: Option<u32>,
}

/// Without their bytes, the newest first.
pub(crate) async fn list(call: Call) -> Result<Answer, ApiError> {
    let Which { before, limit: most } = call.query()?;
    let rows = call.server.handle.store().dead_letters(before, limit(most)).await?;
    Ok(Answer::ok(json!({"dead_letters": rows.iter().map(show::dead_letter).collect::<Vec<_>>()})))
}

/// One with its bytes.
pub(crate) async fn get(call: Call) -> Result<Answer, ApiError> {
    let id = id(call.param(0)?)?;
    let row = call.server.handle.store().dead_letter(id).await?.ok_or_else(|| none(id))?;
    let mut shown = show::dead_letter(&row);
    shown["body"] = String::from_utf8_lossy(&row.body).into();
    shown["cut"] = (u64::try_from(row.body.len()).is_ok_and(|kept| kept < row.size)).into();
    Ok(Answer::ok(shown))
}

pub(crate) async fn discard(call: Call) -> Result<Answer, ApiError> {
    let id = id(call.param(0)?)?;
    match call.server.handle.drop_dead_letters(Some(id), &call.author()?).await? {
        0 => Err(none(id)),
        gone => Ok(Answer::ok(json!({"dropped": gone}))),
    }
}

pub(crate) async fn discard_all(call: Call) -> Result<Answer, ApiError> {
    let gone = call.server.handle.drop_dead_letters(None, &call.author()?).await?;
    Ok(Answer::ok(json!({"dropped": gone})))
}

fn id(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("a dead letter's id is a number, as the list shows it"))
}

fn none(id: i64) -> ApiError {
    ApiError::not_found(format!("there is no dead letter {id}"))
}
