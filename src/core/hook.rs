//! The fourteen points at which the operator's own code may look on or step in.

use std::time::Duration;

use async_trait::async_trait;

use crate::delta::Usage;
use crate::key::SessionKey;

/// The operator's own code. Called with a time limit; a panic in it is contained.
#[async_trait]
pub trait Hook: Send + Sync + 'static {
    /// Its name, for the log.
    fn name(&self) -> &str;
    /// The points it wants; it is not called at others.
    fn points(&self) -> &[HookPoint];
    /// How long a call may take; after that the house goes on as if it had said [`HookVerdict::Pass`].
    fn limit(&self) -> Duration;
    /// Looks on, or steps in where the point allows it.
    async fn call(&self, moment: &HookEvent) -> HookVerdict;
}

/// Where a hook can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookPoint {
    /// Before a turn begins. May add context.
    BeforeAgentStart,
    /// After a turn has ended.
    AgentEnd,
    /// A message has come to the head of its lane. May rewrite, drop or answer it.
    MessageReceived,
    /// An answer is about to be split and stored. May rewrite or drop it.
    MessageSending,
    /// A part has been delivered.
    MessageSent,
    /// A tool is about to run. May change its parameters or deny it.
    BeforeToolCall,
    /// A tool has ended.
    AfterToolCall,
    /// A tool's result is about to be kept. May rewrite it.
    ToolResultPersist,
    /// A conversation has begun.
    SessionStart,
    /// A conversation has ended.
    SessionEnd,
    /// The agent is about to shorten its context.
    BeforeCompaction,
    /// The agent has shortened its context.
    AfterCompaction,
    /// The gateway is ready.
    GatewayStart,
    /// The gateway is about to stop.
    GatewayStop,
}

/// What a hook is shown. Fields that a point does not have are absent or empty.
#[derive(Debug, Clone, PartialEq)]
pub struct HookEvent {
    /// Where we are.
    pub point: HookPoint,
    /// The conversation.
    pub session: Option<SessionKey>,
    /// The channel's name.
    pub channel: Option<String>,
    /// The message, the answer, or a tool's result.
    pub text: String,
    /// The tool.
    pub tool: Option<String>,
    /// The tool's parameters.
    pub params: serde_json::Value,
    /// What the turn cost.
    pub usage: Option<Usage>,
}

impl HookEvent {
    /// A moment at `point` with nothing but its place.
    pub fn at(point: HookPoint, session: Option<&SessionKey>) -> Self {
        Self {
            point,
            session: session.cloned(),
            channel: session.map(|key| key.channel().to_owned()),
            text: String::new(),
            tool: None,
            params: serde_json::Value::Null,
            usage: None,
        }
    }

    /// The same with a text.
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }
}

/// What a hook wants. A verdict that its point does not allow counts as [`HookVerdict::Pass`].
#[derive(Debug, Clone, PartialEq)]
pub enum HookVerdict {
    /// Go on.
    Pass,
    /// Go on with this text instead.
    Rewrite(String),
    /// Let the agent know this as well.
    Context(String),
    /// Go on with these parameters instead.
    Params(serde_json::Value),
    /// Stop here; the reason is for the log.
    Drop(String),
    /// Answer with this; the agent is not asked.
    Answer(String),
}
