//! The agent of a gateway that was started without agents.

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

/// Used instead of agents by a gateway without agents: every turn fails with that message.
pub(crate) struct NoAgent;

#[async_trait]
impl Agent for NoAgent {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn turn(&self, _turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        stream::iter([Err(AgentError::Unavailable("this gateway was started without agents".into()))]).boxed()
    }

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
        Some("this gateway was started without agents".to_owned())
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}
