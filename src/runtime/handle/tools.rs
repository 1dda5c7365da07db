//! The tools of agents, for the server that offers them to programs.

use frontdesk_core::key::SessionKey;
use frontdesk_core::tool::{Tool, ToolError};
use serde_json::Value;

use super::GatewayHandle;
use crate::process::ToolEndpoints;
use crate::tools;

impl GatewayHandle {
    /// The tools that agents can call.
    pub fn tools(&self) -> Vec<Tool> {
        tools::list()
    }

    /// Calls a tool for the turn that runs in this session.
    pub async fn call_tool(
        &self,
        session: &SessionKey,
        name: &str,
        params: Value,
    ) -> Result<String, ToolError> {
        tools::call(&self.0, session, name, params).await
    }

    /// Tells agents from now on where their programs find the tools. Only the first call counts.
    pub fn serve_tools(&self, endpoints: ToolEndpoints) {
        if self.0.process.tool_endpoints.set(endpoints).is_err() {
            tracing::warn!("the tools are served already");
        }
    }
}
