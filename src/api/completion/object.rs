//! The JSON objects of responses.

use chrono::{DateTime, Utc};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::MessageId;
use frontdesk_core::tool::ClientCall;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::waiter::ReceivedAnswer;

/// What all objects of one completion share.
#[derive(Debug, Clone)]
pub(crate) struct Completion {
    pub(crate) message: MessageId,
    pub(crate) created: DateTime<Utc>,
    /// The agent.
    pub(crate) model: String,
}

impl Completion {
    /// The whole answer, the calls with which it ends, and why it ends.
    pub(crate) fn whole(&self, answer: &ReceivedAnswer, calls: &[ClientCall], finish_reason: &str) -> Value {
        let text = answer.own_text();
        let mut message = json!({"role": "assistant", "content": text, "refusal": null});
        if !calls.is_empty() {
            message["tool_calls"] = calls.iter().map(tool_call).collect();
            if text.is_empty() {
                message["content"] = Value::Null;
            }
        }
        let choice =
            json!({"index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason});
        let mut whole = self.object("chat.completion", json!([choice]));
        if let Some(usage) = &answer.usage {
            whole["usage"] = numbers(usage);
        }
        whole
    }

    /// A piece of a streamed answer.
    pub(super) fn chunk(&self, delta: Value, finish_reason: Option<&str>) -> Value {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason});
        self.object("chat.completion.chunk", json!([choice]))
    }

    /// The chunk with the usage, which has no choice.
    pub(super) fn usage_chunk(&self, usage: &Usage) -> Value {
        let mut chunk = self.object("chat.completion.chunk", json!([]));
        chunk["usage"] = numbers(usage);
        chunk
    }

    fn object(&self, kind: &str, choices: Value) -> Value {
        json!({
            "id": format!("chatcmpl-{}", self.message),
            "object": kind,
            "created": self.created.timestamp(),
            "model": self.model,
            "choices": choices,
        })
    }
}

/// A call in an answer.
fn tool_call(call: &ClientCall) -> Value {
    let ClientCall { id, name, arguments } = call;
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

/// The calls as the piece of a streamed answer has them.
pub(super) fn streamed_calls(calls: &[ClientCall]) -> Value {
    let indexed = calls.iter().enumerate().map(|(index, call)| {
        let mut call = tool_call(call);
        call["index"] = index.into();
        call
    });
    indexed.collect()
}

/// A chat completion, as OpenAI describes it.
// Streams and whole answers share their objects, so they are made by hand.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatCompletion {
    id: String,
    object: String,
    /// Seconds since 1970.
    created: i64,
    model: String,
    choices: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

/// An agent as a model.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Model {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
}

pub(crate) fn model(agent: &str, created: DateTime<Utc>) -> Model {
    Model { id: agent.to_owned(), object: "model", created: created.timestamp(), owned_by: "frontdesk" }
}

/// An agent that does not count a kind of token has none of it.
fn numbers(usage: &Usage) -> Value {
    let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input.saturating_add(output),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read.unwrap_or(0)},
    })
}
