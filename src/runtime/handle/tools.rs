//! The tools of agents, for the server that offers them to programs.

use frontdesk_core::key::SessionKey;
use frontdesk_core::tool::{ClientTools, Tool, ToolError};
use serde_json::Value;

use super::GatewayHandle;
use crate::client_tools::ClientOffer;
use crate::tools;

impl GatewayHandle {
    /// The tools that the agent of a session can call in the turn that runs.
    pub fn tools(&self, session: &SessionKey) -> Vec<Tool> {
        tools::of_session(&self.0, session)
    }

    /// Offers tools that a client carries out to the turns of a session, as long as the offer exists. The session must
    /// belong to one request alone.
    pub fn offer_tools(&self, session: SessionKey, tools: ClientTools) -> ClientOffer {
        ClientOffer::new(&self.0.work.client_tools, session, tools)
    }

    /// Whether an agent can call tools of a client.
    pub fn takes_client_tools(&self, agent: &str) -> bool {
        let settings = self.0.settings();
        settings.agents.get(agent).is_some_and(|entry| entry.agent.capabilities().client_tools)
    }

    /// Those of an agent's models and fallbacks that cannot call tools of a client although others of them can.
    pub fn without_client_tools(&self, agent: &str) -> Vec<String> {
        let settings = self.0.settings();
        let failover = settings.agents.get(agent).and_then(|entry| entry.agent.failover(None));
        let candidates = failover.map(|failover| failover.candidates).unwrap_or_default();
        let (can, cannot): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| candidate.client_tools);
        if can.is_empty() {
            return Vec::new();
        }
        cannot.into_iter().map(|candidate| candidate.name).collect()
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
}
