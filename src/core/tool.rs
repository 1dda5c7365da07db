//! The gateway's tools, as an agent sees them during a turn.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

/// The tools of one turn. Implemented by the gateway.
#[async_trait]
pub trait Tools: fmt::Debug + Send + Sync + 'static {
    /// The tools, always the same ones in the same order.
    fn list(&self) -> Vec<Tool>;
    /// Calls a tool. Hooks are asked, and the turn counts as one that acts, before anything happens: the agent must not
    /// report the call with [`Delta::ToolStart`](crate::delta::Delta::ToolStart) as well. Must be called while the turn's
    /// stream is polled. Returns text for the model.
    async fn call(&self, name: &str, params: Value) -> Result<String, ToolError>;
    /// Where a program can call the tools by itself; `None` if the gateway serves no HTTP. Always the same for one session
    /// while the gateway runs.
    fn endpoint(&self) -> Option<ToolEndpoint>;
}

/// A tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// The JSON schema of its parameters, an object.
    pub parameters: Value,
}

/// A tool server that speaks the Model Context Protocol over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolEndpoint {
    /// The address.
    pub url: String,
    /// The bearer token, which stands for the session. Works only while a turn of the session runs.
    pub token: String,
}

impl fmt::Debug for ToolEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolEndpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A tool did not do what was asked, for this reason. The text is for the model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ToolError(pub String);

/// No tools, for tests of agents.
#[derive(Debug)]
pub struct NoTools;

#[async_trait]
impl Tools for NoTools {
    fn list(&self) -> Vec<Tool> {
        Vec::new()
    }

    async fn call(&self, name: &str, _params: Value) -> Result<String, ToolError> {
        Err(ToolError(format!("there is no tool {name}")))
    }

    fn endpoint(&self) -> Option<ToolEndpoint> {
        None
    }
}
