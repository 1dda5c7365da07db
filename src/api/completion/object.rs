//! The JSON objects of responses.

use chrono::{DateTime, Utc};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::MessageId;
use frontdesk_core::tool::ClientCall;
use serde_json::{Value, json};

/// What all objects of one completion share.
#[derive(Debug, Clone)]
pub(crate) struct Completion {
    pub(crate) message: MessageId,
    pub(crate) created: DateTime<Utc>,
    /// The agent.
    pub(crate) model: String,
}

impl Completion {
    /// The whole answer, and the calls with which it ends.
    pub(crate) fn whole(&self, text: &str, calls: &[ClientCall], usage: Option<&Usage>) -> Value {
        let mut message = json!({"role": "assistant", "content": text, "refusal": null});
        if !calls.is_empty() {
            message["tool_calls"] = calls.iter().map(tool_call).collect();
            if text.is_empty() {
                message["content"] = Value::Null;
            }
        }
        let finish = finish_reason(calls);
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": finish});
        let mut whole = self.object("chat.completion", json!([choice]));
        if let Some(usage) = usage {
            whole["usage"] = numbers(usage.input, usage.output, usage.cache_read);
        }
        whole
    }

    /// A piece of a streamed answer.
    pub(super) fn chunk(&self, delta: Value, finish_reason: Option<&str>) -> Value {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason});
        self.object("chat.completion.chunk", json!([choice]))
    }

    /// The chunk with the usage, which has no choice. `usage` is that of a frame.
    pub(super) fn usage_chunk(&self, usage: &Value) -> Value {
        let number = |name: &str| usage[name].as_u64();
        let mut chunk = self.object("chat.completion.chunk", json!([]));
        chunk["usage"] = numbers(number("input"), number("output"), number("cache_read"));
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

/// Why an answer ended that ends with these calls.
pub(super) fn finish_reason(calls: &[ClientCall]) -> &'static str {
    if calls.is_empty() { "stop" } else { "tool_calls" }
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

/// One model of a list: an agent.
pub(crate) fn model(agent: &str, created: DateTime<Utc>) -> Value {
    json!({"id": agent, "object": "model", "created": created.timestamp(), "owned_by": "frontdesk"})
}

/// An agent that does not count a kind of token has none of it.
fn numbers(input: Option<u64>, output: Option<u64>, cached: Option<u64>) -> Value {
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input.saturating_add(output),
        "prompt_tokens_details": {"cached_tokens": cached.unwrap_or(0)},
    })
}
