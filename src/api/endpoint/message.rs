//! One message: what became of it, for programs that did not wait for its answer.

use frontdesk_core::id::{IdError, MessageId};
use frontdesk_store::row::HistoryRow;
use serde_json::Value;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show;
use crate::token::Scope;

/// A message with its answer, also if the answer is to several messages at once.
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id: MessageId =
        request.param(0)?.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))?;
    let unknown = || ApiError::not_found(format!("there is no message {id}"));
    let server = &request.server;
    let row = server.handle.store().message(id).await?.ok_or_else(unknown)?;
    // Ids are numbers: whoever may not see the session does not learn which messages there are.
    server
        .authorize_session(request.caller()?, Scope::Read, &row.message.session)
        .map_err(|error| if error.code == "not_found" { unknown() } else { error })?;
    Ok(ApiResponse::ok(with_answer(server, row).await?))
}

/// A message with its answer, for whoever asked to be told of it.
pub(crate) async fn shown(server: &ServerState, id: MessageId) -> Result<Value, ApiError> {
    let unknown = || ApiError::not_found(format!("there is no message {id}"));
    with_answer(server, server.handle.store().message(id).await?.ok_or_else(unknown)?).await
}

async fn with_answer(server: &ServerState, mut row: HistoryRow) -> Result<Value, ApiError> {
    let store = server.handle.store();
    if row.answer.is_none()
        && let Some(turn) = row.message.turn
        && let Some(last) = store.last_of_turn(turn).await?
    {
        row.answer = last.answer;
    }
    Ok(show::history(&row))
}
