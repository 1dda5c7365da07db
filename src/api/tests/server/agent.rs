//! The echo agent, which also notes where each of its turns finds the gateway's tools.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use frontdesk_agents::echo::Echo;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Clock, Prompt, Turn};
use frontdesk_core::tool::ToolEndpoint;
use futures_util::stream::BoxStream;

pub struct NotingAgent {
    echo: Echo,
    endpoints: Mutex<Vec<(SessionKey, ToolEndpoint)>>,
}

impl NotingAgent {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { echo: Echo::new(clock), endpoints: Mutex::default() })
    }

    /// Where the latest turn of a session finds the tools, if it has begun.
    pub fn endpoint(&self, session: &str) -> Option<ToolEndpoint> {
        let endpoints = self.endpoints.lock().unwrap();
        endpoints.iter().rev().find(|(of, _)| of.as_str() == session).map(|(_, endpoint)| endpoint.clone())
    }
}

#[async_trait]
impl Agent for NotingAgent {
    fn capabilities(&self) -> Capabilities {
        self.echo.capabilities()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        self.endpoints.lock().unwrap().push((turn.session.clone(), turn.tools.endpoint().unwrap()));
        self.echo.turn(turn)
    }

    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError> {
        self.echo.steer(turn, prompt).await
    }

    async fn abort(&self, turn: TurnId) {
        self.echo.abort(turn).await;
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        self.echo.compact(turn, instructions).await
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        self.echo.forget(session, epoch).await;
    }

    async fn stop(&self) {
        self.echo.stop().await;
    }

    fn problem(&self) -> Option<String> {
        self.echo.problem()
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}
