//! The gateway's tools, as a test stands in for them.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use frontdesk_core::tool::{ClientCall, ClientTools, Tool, ToolEndpoint, ToolError, Tools};
use serde_json::{Value, json};

/// One tool, which notes its calls.
#[derive(Debug, Default)]
pub struct Noting {
    pub calls: Mutex<Vec<(String, Value)>>,
    /// What the client offers, and the calls that it gets.
    pub of_client: ClientTools,
    pub handed_over: Mutex<Vec<ClientCall>>,
}

#[async_trait]
impl Tools for Noting {
    fn list(&self) -> Vec<Tool> {
        let parameters = json!({"type": "object", "properties": {"text": {"type": "string"}}});
        vec![Tool { name: "send_message", description: "Send a message", parameters }]
    }

    async fn call(&self, name: &str, params: Value) -> Result<String, ToolError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), params));
        match name {
            "send_message" => Ok("It is on its way.".to_owned()),
            _ => Err(ToolError("there is no such tool".to_owned())),
        }
    }

    fn of_client(&self) -> ClientTools {
        self.of_client.clone()
    }

    fn hand_over(&self, calls: Vec<ClientCall>) {
        *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    fn endpoint(&self) -> Option<ToolEndpoint> {
        Some(ToolEndpoint { url: "http://127.0.0.1:1/mcp".into(), token: "of-this-session".into() })
    }
}

impl Noting {
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
