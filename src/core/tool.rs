//! The gateway's tools, as an agent sees them during a turn.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

/// The tools of one turn. Implemented by the gateway.
#[async_trait]
pub trait Tools: fmt::Debug + Send + Sync + 'static {
    /// The tools, always the same ones in the same order. The role of a turn may leave some out:
    /// [`Turn::tools_in_role`](crate::port::Turn::tools_in_role).
    fn list(&self) -> Vec<Tool>;
    /// Calls a tool. Hooks are asked, and the turn counts as one that acts, before anything happens: the agent must not
    /// report the call with [`Delta::ToolStart`](crate::delta::Delta::ToolStart) as well. Must be called while the turn's
    /// stream is polled. Returns text for the model.
    async fn call(&self, name: &str, params: Value) -> Result<String, ToolError>;
    /// The tools of the client that wrote the message of this turn. Only an agent with
    /// [`Capabilities::client_tools`](crate::agent::Capabilities::client_tools) gets any.
    fn of_client(&self) -> ClientTools;
    /// Passes calls of the client's tools to the client, which carries them out and asks again with their results. The
    /// turn's answer must end after that. Later calls replace earlier ones.
    fn hand_over(&self, calls: Vec<ClientCall>);
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

/// What a client offers the agent besides the gateway's own tools.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientTools {
    /// The tools. Their names differ.
    pub tools: Vec<ClientTool>,
    /// Whether the agent must call one of them.
    pub choice: ToolChoice,
}

/// A tool that a client carries out.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientTool {
    /// Its name.
    pub name: String,
    /// What it does, for the model; may be empty.
    pub description: String,
    /// The JSON schema of its parameters, as the client wrote it; null if it takes none.
    pub parameters: Value,
    /// Whether the model must keep to the schema exactly.
    pub strict: bool,
}

/// Whether an agent must call a tool of the client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolChoice {
    /// The agent decides.
    #[default]
    Auto,
    /// It must call one of them, and may call no others.
    Required,
    /// It must call this one, and may call no others.
    Named(String),
}

/// A call of a client's tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCall {
    /// The agent's id of the call.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The parameters as JSON. The model wrote it, so it need not be valid.
    pub arguments: String,
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

    fn of_client(&self) -> ClientTools {
        ClientTools::default()
    }

    fn hand_over(&self, _calls: Vec<ClientCall>) {}

    fn endpoint(&self) -> Option<ToolEndpoint> {
        None
    }
}
