//! The fourteen points at which the operator's own code can observe or change what happens.

use std::time::Duration;

use async_trait::async_trait;

use crate::delta::Usage;
use crate::key::SessionKey;

/// The operator's own code. Every call has a time limit, and a panic in it is contained.
#[async_trait]
pub trait Hook: Send + Sync + 'static {
    /// The name, for the log.
    fn name(&self) -> &str;
    /// The points at which it is called.
    fn points(&self) -> &[HookPoint];
    /// The time limit of a call. After it, the gateway continues as after [`HookVerdict::Pass`].
    fn limit(&self) -> Duration;
    /// Observes the event, or intervenes if the point allows it.
    async fn call(&self, event: &HookEvent) -> HookVerdict;
}

/// The points at which a hook can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookPoint {
    /// Before a turn begins. May add context.
    BeforeAgentStart,
    /// After a turn has ended.
    AgentEnd,
    /// A message is next in its session. May rewrite, drop or answer it.
    MessageReceived,
    /// An answer is about to be split and stored. May rewrite or drop it.
    MessageSending,
    /// A part has been delivered.
    MessageSent,
    /// A tool is about to run. May change its parameters or deny it.
    BeforeToolCall,
    /// A tool has ended.
    AfterToolCall,
    /// A tool's result is about to be stored. May rewrite it.
    ToolResultPersist,
    /// A conversation has started.
    SessionStart,
    /// A conversation has ended.
    SessionEnd,
    /// The agent is about to compact its context.
    BeforeCompaction,
    /// The agent has compacted its context.
    AfterCompaction,
    /// The gateway is ready.
    GatewayStart,
    /// The gateway is about to stop.
    GatewayStop,
}

/// What a hook is given. Fields that do not apply to the point are absent or empty.
#[derive(Debug, Clone, PartialEq)]
pub struct HookEvent {
    /// The point.
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
    /// The usage of the turn.
    pub usage: Option<Usage>,
}

impl HookEvent {
    /// An event at `point` with nothing but its session.
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

    /// The same event with a text.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }
}

/// What a hook decides. A verdict that the point does not allow counts as [`HookVerdict::Pass`].
#[derive(Debug, Clone, PartialEq)]
pub enum HookVerdict {
    /// Continue.
    Pass,
    /// Continue with this text instead.
    Rewrite(String),
    /// Give the agent this text as well.
    Context(String),
    /// Continue with these parameters instead.
    Params(serde_json::Value),
    /// Stop here. The reason goes to the log.
    Drop(String),
    /// Answer with this text. The agent is not called.
    Answer(String),
}
