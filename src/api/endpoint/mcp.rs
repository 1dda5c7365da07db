//! The tools of agents, by the Model Context Protocol.

use axum::http::Request;

use crate::error::ApiError;
use crate::json_rpc;
use crate::mcp::ToolServer;
use crate::request::{ApiRequest, ApiResponse, Identity};

/// Answers one message of an MCP client (Model Context Protocol, JSON-RPC 2.0). The token is that of an agent and says for which
/// session it calls.
#[utoipa::path(post, path = "/mcp", request_body = Value, responses(
    (status = 200, content((Value = "application/json"), (String = "text/event-stream"))),
    (status = 400, description = "An error of JSON-RPC, or one of the gateway", body = Value),
    (status = 202, description = "A notification, which gets no answer"),
    (status = 406, description = "The header `Accept` names neither `application/json` nor `text/event-stream`", body = Value),
))]
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
