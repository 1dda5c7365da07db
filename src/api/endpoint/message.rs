//! One message: what became of it, for programs that did not wait for its answer.

use frontdesk_core::id::{IdError, MessageId};

use crate::answered::{self, no_message};
use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::session::Message;
use crate::token::Scope;

/// A message with its answer, also if the answer is to several messages at once.
#[utoipa::path(get, path = "/api/messages/{message}", responses((status = 200, body = Message), (status = 404)))]
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id: MessageId =
        request.param(0)?.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))?;
    let server = &request.server;
    let row = answered::row(server, id).await?;
    // Ids are numbers: whoever may not see the session does not learn which messages there are.
    server
        .authorize_session(request.caller()?, Scope::Read, &row.message.session)
        .map_err(|error| if error.code == "not_found" { no_message(id) } else { error })?;
    Ok(ApiResponse::ok(answered::shown(server, row).await?))
}
