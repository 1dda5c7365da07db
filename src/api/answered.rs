//! A message with its answer, for those who ask later and those who are told.

use frontdesk_core::id::MessageId;
use frontdesk_store::row::HistoryRow;

use crate::error::ApiError;
use crate::server::ServerState;
use crate::show::session::Message;

/// The error for a message that does not exist or that the caller may not see.
pub(crate) fn no_message(id: MessageId) -> ApiError {
    ApiError::not_found(format!("there is no message {id}"))
}

/// A message.
pub(crate) async fn row(server: &ServerState, id: MessageId) -> Result<HistoryRow, ApiError> {
    server.handle.store().message(id).await?.ok_or_else(|| no_message(id))
}

/// The message as JSON, with its answer also if that is to several messages at once.
pub(crate) async fn shown(server: &ServerState, mut row: HistoryRow) -> Result<Message, ApiError> {
    if row.answer.is_none()
        && let Some(turn) = row.message.turn
        && let Some(last) = server.handle.store().last_of_turn(turn).await?
    {
        row.answer = last.answer;
    }
    Ok(Message::from(&row))
}
