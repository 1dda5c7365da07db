//! Frontdesk inside another program: an agent in Rust, one question over HTTP, and an orderly stop.
//!
//! `cargo run --example embed`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk::core::agent::{Capabilities, SessionOptions};
use frontdesk::core::answer_end::AnswerEnd;
use frontdesk::core::delta::{AgentError, Compacted, Delta};
use frontdesk::core::failover::Failover;
use frontdesk::core::id::TurnId;
use frontdesk::core::key::SessionKey;
use frontdesk::core::port::{Agent, Prompt, Turn};
use frontdesk::{Config, Gateway};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};

/// An agent that answers with the message spelled backwards.
struct Backwards;

#[async_trait]
impl Agent for Backwards {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        let answer: String = turn.prompt.iter().flat_map(|prompt| prompt.text.chars().rev()).collect();
        stream::iter([Ok(Delta::Text(answer)), Ok(Delta::Done { text: None, end: AnswerEnd::Whole })]).boxed()
    }

    // A turn ends at once and keeps nothing, so there is nothing to steer, abort, forget or stop.
    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }
    async fn abort(&self, _turn: TurnId) {}
    async fn compact(&self, _turn: Turn, _instructions: Option<String>) -> Result<Compacted, AgentError> {
        Err(AgentError::Failed("it does not compact".into()))
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}
    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        None
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A temporary folder, so that the example does not touch your home folder. A real program uses a permanent one.
    let home = std::env::temp_dir().join(format!("frontdesk-embed-{}", std::process::id()));
    let mut config = Config::default();
    config.gateway.port = 0;

    let gateway =
        Gateway::builder().home(&home).config(config).agent("main", Arc::new(Backwards)).start().await?;
    assert!(frontdesk::is_gateway_running(gateway.address().port()).await, "the gateway does not answer");

    let (token, _) = gateway.token();
    let answer: Value = reqwest::Client::new()
        .post(format!("{}/api/chat", gateway.url()))
        .bearer_auth(token.expose())
        .timeout(Duration::from_secs(10))
        .json(&json!({"text": "desserts"}))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    println!("desserts -> {}", answer["text"].as_str().unwrap_or_default());
    println!("sessions: {}, clients: {}", gateway.status().await?.totals.sessions, gateway.clients());

    gateway.stop().await;
    std::fs::remove_dir_all(&home)?;
    anyhow::ensure!(answer["text"] == "stressed", "unexpected answer: {answer}");
    Ok(())
}
