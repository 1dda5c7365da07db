//! The fourteen points at which the operator's own code can observe or change what happens.
//!
//! `docs/hooks.md` lists the points with their fields and verdicts.

mod event;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use thiserror::Error;

pub use event::{HookEvent, HookMessage, HookRole, HookText};

/// Maximum size of a tool call's parameters, as JSON in bytes, if any hook checks calls. A larger call is denied.
pub const MAX_PARAMS: usize = 1024 * 1024;
/// Maximum size of the parameters that are kept until the end of a call, as JSON in bytes. Larger ones are `null` there.
pub const MAX_REPEATED_PARAMS: usize = 64 * 1024;
/// Maximum size of all parameters and results that hooks get after the calls of one turn, in bytes. Of the calls beyond
/// that, hooks get neither.
pub const MAX_REPEATED: usize = 4 * 1024 * 1024;

/// The operator's own code. Every call has a time limit, and a panic in it is contained.
#[async_trait]
pub trait Hook: Send + Sync + 'static {
    /// The name, for the log.
    fn name(&self) -> &str;
    /// The points at which it is called.
    fn points(&self) -> &[HookPoint];
    /// The time limit of a call. A call that takes longer has failed.
    fn limit(&self) -> Duration;
    /// Whether a failed call counts as [`HookVerdict::Drop`] where the point allows that. Otherwise the gateway goes on
    /// as after [`HookVerdict::Pass`].
    fn fails_closed(&self) -> bool;
    /// Whether [`HookPoint::MessageSending`] may also be given the pieces of an answer that is still being written. If
    /// any hook at that point takes no pieces, answers are shown only when they are complete.
    fn takes_pieces(&self) -> bool;
    /// Observes the event, or intervenes if the point allows it. An error is a failed call.
    async fn call(&self, event: &HookEvent) -> Result<HookVerdict, HookError>;
}

/// Why a hook could not decide. The text goes to the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct HookError(pub String);

/// The points at which a hook can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookPoint {
    /// Before a turn begins. May add context.
    BeforeAgentStart,
    /// After a turn has ended.
    AgentEnd,
    /// A message is next in its session. May rewrite, drop or answer it.
    MessageReceived,
    /// A text is about to be sent or shown, whoever made it. May rewrite or drop it.
    MessageSending,
    /// A part has been delivered.
    MessageSent,
    /// A tool is about to run. May change its parameters or deny it.
    BeforeToolCall,
    /// A tool has ended.
    AfterToolCall,
    /// A tool's result is about to be passed on within the gateway. May rewrite it.
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

impl HookPoint {
    /// All points.
    pub const ALL: [HookPoint; 14] = [
        HookPoint::BeforeAgentStart,
        HookPoint::AgentEnd,
        HookPoint::MessageReceived,
        HookPoint::MessageSending,
        HookPoint::MessageSent,
        HookPoint::BeforeToolCall,
        HookPoint::AfterToolCall,
        HookPoint::ToolResultPersist,
        HookPoint::SessionStart,
        HookPoint::SessionEnd,
        HookPoint::BeforeCompaction,
        HookPoint::AfterCompaction,
        HookPoint::GatewayStart,
        HookPoint::GatewayStop,
    ];

    /// The name in the log and for hooks that are not written in Rust.
    pub fn name(self) -> &'static str {
        match self {
            HookPoint::BeforeAgentStart => "before_agent_start",
            HookPoint::AgentEnd => "agent_end",
            HookPoint::MessageReceived => "message_received",
            HookPoint::MessageSending => "message_sending",
            HookPoint::MessageSent => "message_sent",
            HookPoint::BeforeToolCall => "before_tool_call",
            HookPoint::AfterToolCall => "after_tool_call",
            HookPoint::ToolResultPersist => "tool_result_persist",
            HookPoint::SessionStart => "session_start",
            HookPoint::SessionEnd => "session_end",
            HookPoint::BeforeCompaction => "before_compaction",
            HookPoint::AfterCompaction => "after_compaction",
            HookPoint::GatewayStart => "gateway_start",
            HookPoint::GatewayStop => "gateway_stop",
        }
    }

    /// Whether a verdict has an effect at this point. One that has none counts as [`HookVerdict::Pass`].
    pub fn allows(self, verdict: &HookVerdict) -> bool {
        match verdict {
            HookVerdict::Pass => true,
            HookVerdict::Rewrite(_) => matches!(
                self,
                HookPoint::MessageReceived | HookPoint::MessageSending | HookPoint::ToolResultPersist
            ),
            HookVerdict::Question { .. } => self == HookPoint::MessageSending,
            HookVerdict::Context(_) => self == HookPoint::BeforeAgentStart,
            HookVerdict::Params(_) => self == HookPoint::BeforeToolCall,
            HookVerdict::Drop(_) => self.may_drop(),
            HookVerdict::Answer(_) => self == HookPoint::MessageReceived,
        }
    }

    /// Whether [`HookVerdict::Drop`] has an effect at this point.
    pub fn may_drop(self) -> bool {
        matches!(self, HookPoint::MessageReceived | HookPoint::MessageSending | HookPoint::BeforeToolCall)
    }
}

/// What a hook decides. No verdict can change who a message is from or where it goes.
#[derive(Debug, Clone, PartialEq)]
pub enum HookVerdict {
    /// Continue.
    Pass,
    /// Continue with this text instead.
    Rewrite(String),
    /// Continue with this question instead: its text, and a label for each of its choices, in their order.
    Question {
        /// The text.
        text: String,
        /// The labels.
        choices: Vec<String>,
    },
    /// Give the agent this text as well.
    Context(String),
    /// Continue with these parameters instead.
    Params(Value),
    /// Stop here. The reason goes to the log, and to the agent if it is a tool call that is denied.
    Drop(String),
    /// Answer with this text. The agent is not called.
    Answer(String),
}

#[cfg(test)]
mod tests;
