//! `frontdesk mcp`: the gateway's tools on standard input and output, for agents whose MCP client starts a program.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ListToolsResult, PaginatedRequestParams,
    ServerConfig,
};
use rmcp::service::{RequestContext, ServerInitializeError};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Done, Failure, client};

/// The variables with which Frontdesk starts the programs of agents.
const URL: &str = "FRONTDESK_MCP_URL";
const TOKEN: &str = "FRONTDESK_MCP_TOKEN";

/// Serves until the client closes standard input.
pub async fn mcp() -> Done {
    let (Some(url), Some(token)) = (super::env(URL), super::env(TOKEN)) else {
        return Err(Failure::usage(format!(
            "this is for MCP clients within an agent: {URL} and {TOKEN} must be set, as Frontdesk sets them for the \
             agent's program"
        )));
    };
    let tools = Forwarded { http: client::http()?, url, token };
    let running = match tools.serve((tokio::io::stdin(), tokio::io::stdout())).await {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        // Without the error, which may quote what the client wrote.
        Err(_) => return Err(Failure::new("the client does not speak MCP")),
    };
    let ended = running.waiting().await;
    ended.map(drop).map_err(|error| Failure::new(format!("the server ended: {error}")))
}

/// The tools of the gateway that listens at a URL.
struct Forwarded {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Forwarded {
    /// Sends a request to the gateway and returns its result.
    async fn ask<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Result<T, ErrorData> {
        let failed = |why: String| ErrorData::internal_error(why, None);
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = self.http.post(&self.url).bearer_auth(&self.token).json(&message);
        let response = request.header("accept", "application/json, text/event-stream").send().await;
        // The URL is the operator's own, but an error that is shown to a model need not name it.
        let response = response.map_err(|error| failed(format!("the gateway: {}", error.without_url())))?;
        let status = response.status();
        let mut answer: Value = response.json().await.unwrap_or_default();
        if let Ok(error) = serde_json::from_value::<ErrorData>(answer["error"].take()) {
            return Err(error);
        }
        serde_json::from_value(answer["result"].take())
            .map_err(|_| failed(format!("the gateway answered with {status}")))
    }
}

impl ServerHandler for Forwarded {
    fn get_info(&self) -> ServerConfig {
        frontdesk_api::tool_server_config()
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        // Made anew, with the fields that this client's version of the protocol needs.
        let listed: ListToolsResult = self.ask("tools/list", json!({})).await?;
        Ok(ListToolsResult::with_all_items(listed.tools))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        // Without the client's own metadata: it is about the connection to this program.
        let params = json!({"name": call.name, "arguments": call.arguments.unwrap_or_default()});
        let result: CallToolResult = self.ask("tools/call", params).await?;
        let failed = result.is_error == Some(true);
        let result = if failed { CallToolResult::error } else { CallToolResult::success }(result.content);
        Ok(result.into())
    }
}
