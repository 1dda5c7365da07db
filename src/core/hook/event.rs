//! What hooks are given.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{HookPoint, HookVerdict};
use crate::ask::{differ, is_label};
use crate::delta::Usage;
use crate::key::SessionKey;

/// What a hook is given: the point, and the fields that it has there.
///
/// No event has a token, a secret or a pairing code. Commands are not given to [`HookPoint::MessageReceived`], because
/// they may contain a code, and a message with a code is given to [`HookPoint::MessageSending`] with
/// [`MASK`](crate::pairing::MASK) in its place.
#[derive(Debug, Clone, PartialEq)]
pub enum HookEvent {
    /// A turn is about to begin.
    BeforeAgentStart {
        /// The conversation.
        session: SessionKey,
        /// The texts of the messages that the agent gets.
        message: String,
        /// The configuration without secrets.
        config: Arc<Value>,
    },
    /// A turn has ended.
    AgentEnd {
        /// The conversation.
        session: SessionKey,
        /// The messages that the agent got, and its answer.
        messages: Vec<HookMessage>,
        /// What the agent reported about its use.
        usage: Option<Usage>,
    },
    /// A message is next in its session.
    MessageReceived {
        /// The conversation.
        session: SessionKey,
        /// Its text.
        message: String,
        /// The channel.
        channel: String,
    },
    /// A text is about to be sent or shown.
    MessageSending(HookText),
    /// A part has been delivered.
    MessageSent {
        /// The conversation; `None` if it was sent to an address without one.
        session: Option<SessionKey>,
        /// The part's text.
        message: String,
        /// The channel.
        channel: String,
        /// The platform's id of the message, where it has one.
        message_id: Option<String>,
    },
    /// A tool is about to run.
    BeforeToolCall {
        /// The conversation.
        session: SessionKey,
        /// The tool's name.
        tool: String,
        /// Its parameters.
        params: Value,
    },
    /// A tool has ended.
    AfterToolCall {
        /// The conversation.
        session: SessionKey,
        /// The tool's name.
        tool: String,
        /// The parameters with which it ran; `null` if they are too large to be kept until the end.
        params: Value,
        /// Its result, as the agent reports it.
        result: String,
    },
    /// A tool's result is about to be passed on.
    ToolResultPersist {
        /// The conversation.
        session: SessionKey,
        /// The tool's name.
        tool: String,
        /// Its result, as the agent reports it.
        result: String,
    },
    /// A conversation has started.
    SessionStart {
        /// The conversation.
        session: SessionKey,
    },
    /// A conversation has ended.
    SessionEnd {
        /// The conversation.
        session: SessionKey,
    },
    /// The agent is about to compact its context.
    BeforeCompaction {
        /// The conversation.
        session: SessionKey,
    },
    /// The agent has compacted its context.
    AfterCompaction {
        /// The conversation.
        session: SessionKey,
    },
    /// The gateway is ready.
    GatewayStart {
        /// The configuration without secrets.
        config: Arc<Value>,
    },
    /// The gateway is about to stop.
    GatewayStop,
}

/// A text that is about to be sent or shown.
#[derive(Debug, Clone, PartialEq)]
pub struct HookText {
    /// The conversation; `None` if it goes to an address without one.
    pub session: Option<SessionKey>,
    /// The whole text in Markdown. Of a piece: the text so far, or, where a chat shows answers live, the new text.
    pub message: String,
    /// The channel.
    pub channel: String,
    /// Whether it is a piece of an answer that is still being written. The whole answer follows.
    pub piece: bool,
    /// The labels of its choices, if it is a question with choices. Where the platform has no buttons, they are listed below
    /// the text, which does not contain them.
    pub choices: Vec<String>,
}

/// A message of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookMessage {
    /// Who wrote it.
    pub role: HookRole,
    /// Its text.
    pub text: String,
}

/// Who wrote a message of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookRole {
    /// A person, or a bot that writes like one.
    User,
    /// The agent, or a hook in its place.
    Assistant,
}

impl HookRole {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            HookRole::User => "user",
            HookRole::Assistant => "assistant",
        }
    }
}

impl HookEvent {
    /// The point.
    pub fn point(&self) -> HookPoint {
        match self {
            HookEvent::BeforeAgentStart { .. } => HookPoint::BeforeAgentStart,
            HookEvent::AgentEnd { .. } => HookPoint::AgentEnd,
            HookEvent::MessageReceived { .. } => HookPoint::MessageReceived,
            HookEvent::MessageSending(_) => HookPoint::MessageSending,
            HookEvent::MessageSent { .. } => HookPoint::MessageSent,
            HookEvent::BeforeToolCall { .. } => HookPoint::BeforeToolCall,
            HookEvent::AfterToolCall { .. } => HookPoint::AfterToolCall,
            HookEvent::ToolResultPersist { .. } => HookPoint::ToolResultPersist,
            HookEvent::SessionStart { .. } => HookPoint::SessionStart,
            HookEvent::SessionEnd { .. } => HookPoint::SessionEnd,
            HookEvent::BeforeCompaction { .. } => HookPoint::BeforeCompaction,
            HookEvent::AfterCompaction { .. } => HookPoint::AfterCompaction,
            HookEvent::GatewayStart { .. } => HookPoint::GatewayStart,
            HookEvent::GatewayStop => HookPoint::GatewayStop,
        }
    }

    /// The text that [`HookVerdict::Rewrite`] replaces, at points that allow it.
    pub fn text_mut(&mut self) -> Option<&mut String> {
        match self {
            HookEvent::MessageReceived { message, .. } => Some(message),
            HookEvent::MessageSending(text) => Some(&mut text.message),
            HookEvent::ToolResultPersist { result, .. } => Some(result),
            _ => None,
        }
    }

    /// The parameters that [`HookVerdict::Params`] replaces, at the point that allows it.
    pub fn params_mut(&mut self) -> Option<&mut Value> {
        match self {
            HookEvent::BeforeToolCall { params, .. } => Some(params),
            _ => None,
        }
    }

    /// Why [`HookVerdict::Question`] cannot replace this text, if it cannot.
    pub fn refuses(&self, verdict: &HookVerdict) -> Option<&'static str> {
        let (HookEvent::MessageSending(text), HookVerdict::Question { choices, .. }) = (self, verdict) else {
            return None;
        };
        if choices.len() != text.choices.len() {
            return Some("it returned another number of choices");
        }
        let wrong = choices.iter().any(|label| !is_label(label));
        if wrong {
            return Some("it returned a choice that is not one short visible line");
        }
        let same = !differ(choices.iter().map(String::as_str));
        same.then_some("it returned two choices that look the same")
    }

    /// The fields as JSON, for hooks that are not written in Rust.
    pub fn to_json(&self) -> Value {
        let key = |session: &SessionKey| session.as_str().to_owned();
        match self {
            HookEvent::BeforeAgentStart { session, message, config } => {
                json!({"sessionKey": key(session), "message": message, "config": **config})
            }
            HookEvent::AgentEnd { session, messages, usage } => json!({
                "sessionKey": key(session),
                "messages": messages.iter().map(HookMessage::to_json).collect::<Vec<_>>(),
                "usage": usage.as_ref().map(shown_usage),
            }),
            HookEvent::MessageReceived { session, message, channel } => {
                json!({"sessionKey": key(session), "message": message, "channel": channel})
            }
            HookEvent::MessageSending(HookText { session, message, channel, piece, choices }) => json!({
                "sessionKey": session.as_ref().map(key),
                "message": message,
                "channel": channel,
                "piece": piece,
                "choices": choices,
            }),
            HookEvent::MessageSent { session, message, channel, message_id } => {
                let session = session.as_ref().map(key);
                json!({"sessionKey": session, "message": message, "channel": channel, "messageId": message_id})
            }
            HookEvent::BeforeToolCall { session, tool, params } => {
                json!({"sessionKey": key(session), "tool": tool, "params": params})
            }
            HookEvent::AfterToolCall { session, tool, params, result } => {
                json!({"sessionKey": key(session), "tool": tool, "params": params, "result": result})
            }
            HookEvent::ToolResultPersist { session, tool, result } => {
                json!({"sessionKey": key(session), "tool": tool, "result": result})
            }
            HookEvent::SessionStart { session }
            | HookEvent::SessionEnd { session }
            | HookEvent::BeforeCompaction { session }
            | HookEvent::AfterCompaction { session } => json!({"sessionKey": key(session)}),
            HookEvent::GatewayStart { config } => json!({"config": **config}),
            HookEvent::GatewayStop => json!({}),
        }
    }
}

impl HookMessage {
    fn to_json(&self) -> Value {
        json!({"role": self.role.name(), "text": self.text})
    }
}

fn shown_usage(usage: &Usage) -> Value {
    let Usage { model, input, output, cache_read, cache_write, cost_micro, context_used, context_window } =
        usage;
    json!({
        "model": model,
        "input": input,
        "output": output,
        "cache_read": cache_read,
        "cache_write": cache_write,
        "cost_micro": cost_micro,
        "context_used": context_used,
        "context_window": context_window,
    })
}
