//! The tools of one session, as a server of the Model Context Protocol.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use frontdesk_core::key::SessionKey;
use frontdesk_core::tool::Tool;
use frontdesk_core::visible;
use frontdesk_runtime::GatewayHandle;
use http_body_util::Full;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult,
    ErrorCode, Implementation, JsonObject, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;

/// Calls the tools for one session.
#[derive(Clone)]
pub(crate) struct ToolServer {
    pub(crate) handle: GatewayHandle,
    pub(crate) session: SessionKey,
}

impl ToolServer {
    /// Answers one request, whose caller, host and origin are checked already. Nothing is kept between requests: some
    /// clients cannot handle sessions and event streams of this protocol.
    pub(crate) async fn respond(self, request: Request<Bytes>) -> Response {
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .disable_allowed_hosts();
        let sessions = Arc::new(NeverSessionManager::default());
        let service = StreamableHttpService::new(move || Ok(self.clone()), sessions, config);
        service.handle(request.map(Full::new)).await.map(Body::new)
    }
}

/// How a server of the gateway's tools introduces itself.
pub fn tool_server_config() -> ServerConfig {
    let tools = ServerCapabilities::builder().enable_tools().build();
    ServerConfig::new(tools).with_server_info(Implementation::new("frontdesk", env!("CARGO_PKG_VERSION")))
}

impl ServerHandler for ToolServer {
    fn get_info(&self) -> ServerConfig {
        tool_server_config()
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.handle.tools(&self.session).into_iter().map(shown).collect()))
    }

    /// A method that the server does not have. Its name is the agent's, so it is shortened and cleaned.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, visible::name(&request.method), None))
    }

    /// A call that fails is a result for the model, which can read why.
    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let params = call.arguments.map_or(Value::Null, Value::Object);
        let result = match self.handle.call_tool(&self.session, &call.name, params).await {
            Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
        };
        Ok(result.into())
    }
}

fn shown(tool: Tool) -> rmcp::model::Tool {
    let parameters = match tool.parameters {
        Value::Object(parameters) => parameters,
        _ => JsonObject::new(),
    };
    rmcp::model::Tool::new(tool.name, tool.description, parameters)
}
