//! The tools of agents, by the Model Context Protocol.

use axum::http::Request;

use crate::error::ApiError;
use crate::json_rpc;
use crate::mcp::ToolServer;
use crate::request::{ApiRequest, ApiResponse, Identity};

/// Answers one message of a client. The token of the request says for which session it calls.
pub(crate) async fn respond(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let ApiRequest { server, identity, parts, body, reserved, .. } = request;
    let Identity::Agent(session) = identity else { return Err(ApiError::unauthorized()) };
    if let Err(wrong) = json_rpc::check(&body) {
        return Ok(ApiResponse::Other(wrong.response()));
    }
    let tools = ToolServer { handle: server.handle.clone(), session };
    let response = tools.respond(Request::from_parts(parts, body)).await;
    drop(reserved);
    Ok(ApiResponse::Other(response))
}
