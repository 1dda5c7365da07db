//! Dead letters: events that could not be read.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::ApiError;
use crate::list::RowsQuery;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::outbox::DeadLetter;

/// Events that could not be read.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeadLetters {
    dead_letters: Vec<DeadLetter>,
}

/// An event that could not be read, with its content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeadLetterContent {
    #[serde(flatten)]
    letter: DeadLetter,
    body: String,
    /// Whether only the beginning was kept.
    cut: bool,
}

/// How many were deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DroppedDeadLetters {
    dropped: u64,
}

/// Lists dead letters without their content, the newest first.
#[utoipa::path(get, path = "/api/dead-letters", params(RowsQuery), responses((status = 200, body = DeadLetters)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: RowsQuery = request.query()?;
    let rows = request.server.handle.store().dead_letters(query.before()?, query.limit()?).await?;
    Ok(ApiResponse::ok(DeadLetters { dead_letters: rows.iter().map(DeadLetter::from).collect() }))
}

/// One dead letter with its content.
#[utoipa::path(get, path = "/api/dead-letters/{letter}", responses((status = 200, body = DeadLetterContent), (status = 404)))]
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = parse_id(request.param(0)?)?;
    let row = request.server.handle.store().dead_letter(id).await?.ok_or_else(|| not_found(id))?;
    Ok(ApiResponse::ok(DeadLetterContent {
        letter: (&row).into(),
        body: String::from_utf8_lossy(&row.body).into_owned(),
        cut: u64::try_from(row.body.len()).is_ok_and(|kept| kept < row.size),
    }))
}

/// Deletes all dead letters.
#[utoipa::path(delete, path = "/api/dead-letters", responses((status = 200, body = DroppedDeadLetters)))]
pub(crate) async fn discard_all(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let dropped = request.server.handle.drop_dead_letters(None, &request.author()?).await?;
    Ok(ApiResponse::ok(DroppedDeadLetters { dropped }))
}

/// Deletes one dead letter.
#[utoipa::path(delete, path = "/api/dead-letters/{letter}", responses((status = 200, body = DroppedDeadLetters), (status = 404)))]
pub(crate) async fn discard(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = parse_id(request.param(0)?)?;
    match request.server.handle.drop_dead_letters(Some(id), &request.author()?).await? {
        0 => Err(not_found(id)),
        dropped => Ok(ApiResponse::ok(DroppedDeadLetters { dropped })),
    }
}

fn parse_id(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("a dead letter's id is a number, as the list shows it"))
}

fn not_found(id: i64) -> ApiError {
    ApiError::not_found(format!("there is no dead letter {id}"))
}
