//! The gateway's tools, as a test stands in for them.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use frontdesk_core::tool::{Tool, ToolEndpoint, ToolError, Tools};
use serde_json::{Value, json};

/// One tool, which notes its calls.
#[derive(Debug, Default)]
pub struct Noting(Mutex<Vec<(String, Value)>>);

#[async_trait]
impl Tools for Noting {
    fn list(&self) -> Vec<Tool> {
        let parameters = json!({"type": "object", "properties": {"text": {"type": "string"}}});
        vec![Tool { name: "send_message", description: "Send a message", parameters }]
    }

    async fn call(&self, name: &str, params: Value) -> Result<String, ToolError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), params));
        match name {
            "send_message" => Ok("It is on its way.".to_owned()),
            _ => Err(ToolError("there is no such tool".to_owned())),
        }
    }

    fn endpoint(&self) -> Option<ToolEndpoint> {
        Some(ToolEndpoint { url: "http://127.0.0.1:1/mcp".into(), token: "of-this-session".into() })
    }
}

impl Noting {
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
