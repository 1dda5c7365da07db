//! The gateway's tools, as a program calls them.

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The tools of one turn.
pub struct Tools<'p> {
    url: &'p str,
    token: &'p str,
}

impl<'p> Tools<'p> {
    /// Those that a prompt names.
    pub fn of(prompt: &'p Value) -> Result<Self> {
        let field =
            |name: &str| prompt["tools"][name].as_str().with_context(|| format!("no {name} of tools"));
        Ok(Self { url: field("url")?, token: field("token")? })
    }

    /// The text that a call returned, or why it was refused. Fails if the gateway does not answer.
    pub fn call(&self, name: &str, arguments: Value) -> Result<Result<String, String>> {
        let params = json!({"name": name, "arguments": arguments});
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer: Value = runtime.block_on(async {
            let http = reqwest::Client::builder().no_proxy().build()?;
            let request = http.post(self.url).bearer_auth(self.token).json(&message);
            let request = request.header("accept", "application/json, text/event-stream");
            anyhow::Ok(request.send().await?.json().await?)
        })?;
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().with_context(|| format!("no result: {answer}"))?;
        Ok(if result["isError"] == true { Err(text.to_owned()) } else { Ok(text.to_owned()) })
    }
}
