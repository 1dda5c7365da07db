//! Dead letters: events that could not be read.

use serde_json::json;

use crate::error::ApiError;
use crate::list::RowsQuery;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

/// Lists dead letters without their content, the newest first.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: RowsQuery = request.query()?;
    let rows = request.server.handle.store().dead_letters(query.before()?, query.limit()).await?;
    Ok(ApiResponse::ok(json!({"dead_letters": rows.iter().map(show::dead_letter).collect::<Vec<_>>()})))
}

/// One dead letter with its content.
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = parse_id(request.param(0)?)?;
    let row = request.server.handle.store().dead_letter(id).await?.ok_or_else(|| not_found(id))?;
    let mut shown = show::dead_letter(&row);
    shown["body"] = String::from_utf8_lossy(&row.body).into();
    shown["cut"] = (u64::try_from(row.body.len()).is_ok_and(|kept| kept < row.size)).into();
    Ok(ApiResponse::ok(shown))
}

/// Deletes one dead letter, or all of them if the path names none.
pub(crate) async fn discard(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = request.params.first().map(|id| parse_id(id)).transpose()?;
    let deleted = request.server.handle.drop_dead_letters(id, &request.author()?).await?;
    match id {
        Some(id) if deleted == 0 => Err(not_found(id)),
        _ => Ok(ApiResponse::ok(json!({"dropped": deleted}))),
    }
}

fn parse_id(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("a dead letter's id is a number, as the list shows it"))
}

fn not_found(id: i64) -> ApiError {
    ApiError::not_found(format!("there is no dead letter {id}"))
}
