//! A hook that keeps a name out of every chat and prints what was sent.
//!
//! `cargo run --example hook`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk::core::hook::{Hook, HookError, HookEvent, HookPoint, HookVerdict};
use frontdesk::{Config, Gateway};
use serde_json::{Value, json};

/// Replaces the name of a project in every outgoing text.
struct Redaction;

#[async_trait]
impl Hook for Redaction {
    fn name(&self) -> &str {
        "redaction"
    }

    fn points(&self) -> &[HookPoint] {
        &[HookPoint::MessageSending, HookPoint::MessageSent]
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(2)
    }

    // A text that could not be checked is not sent.
    fn fails_closed(&self) -> bool {
        true
    }

    // A name could be split between two pieces, so answers are checked and shown as a whole.
    fn takes_pieces(&self) -> bool {
        false
    }

    async fn call(&self, event: &HookEvent) -> Result<HookVerdict, HookError> {
        match event {
            HookEvent::MessageSending(text) => {
                Ok(HookVerdict::Rewrite(text.message.replace("Bluebird", "the project")))
            }
            sent => {
                println!("{} {}", sent.point().name(), sent.to_json());
                Ok(HookVerdict::Pass)
            }
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A temporary folder, so that the example does not touch your home folder. A real program uses a permanent one.
    let home = std::env::temp_dir().join(format!("frontdesk-hook-{}", std::process::id()));
    let mut config = Config::default();
    config.gateway.port = 0;
    let gateway = Gateway::builder().home(&home).config(config).hook(Arc::new(Redaction)).start().await?;

    let (token, _) = gateway.token();
    let answer: Value = reqwest::Client::new()
        .post(format!("{}/api/chat", gateway.url()))
        .bearer_auth(token.expose())
        .timeout(Duration::from_secs(10))
        // The default agent answers with what it is told.
        .json(&json!({"text": "Is Bluebird ready?"}))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    println!("answer: {}", answer["text"].as_str().unwrap_or_default());

    gateway.stop().await;
    std::fs::remove_dir_all(&home)?;
    anyhow::ensure!(answer["text"] == "Is the project ready?", "unexpected answer: {answer}");
    Ok(())
}
