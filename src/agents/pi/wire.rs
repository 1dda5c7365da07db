//! The lines of pi's RPC mode: what pi writes, and the commands that it reads. One JSON object per line.
//!
//! Only the fields that are used are read. `agent_end` repeats all messages of the run, images included: its line is
//! skipped over and not built in memory.

use frontdesk_core::delta::Usage;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::process::json_line;

/// A line from pi.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Response(Response),
    AgentStart,
    /// The model is done; pi may try again or compact.
    AgentEnd,
    AgentSettled {
        aborted: bool,
    },
    MessageStart {
        role: String,
    },
    /// More text of the message that the model writes now.
    Text(String),
    MessageEnd(Box<Message>),
    ToolStart {
        id: String,
    },
    ToolUpdate {
        id: String,
        name: String,
    },
    ToolEnd(ToolEnd),
    CompactionStart,
    CompactionEnd {
        summary: Option<String>,
        tokens: Option<u64>,
        done: bool,
    },
    RetryStart,
    RetryEnd,
    /// How many steering messages wait in pi.
    Queue {
        steering: usize,
    },
    Ui(UiRequest),
    ExtensionError {
        path: String,
        event: String,
        error: String,
    },
    /// Anything else: it only shows that pi is alive.
    Other,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    pub(super) id: Value,
    pub(super) success: bool,
    #[serde(default)]
    pub(super) data: Value,
    #[serde(default)]
    pub(super) error: Option<String>,
}

/// A whole message of the conversation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) role: String,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    pub(super) stop_reason: Option<String>,
    #[serde(default)]
    pub(super) error_message: Option<String>,
    #[serde(default)]
    pub(super) model: Option<String>,
    #[serde(default)]
    usage: Value,
}

/// The end of a tool call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolEnd {
    #[serde(rename = "toolCallId")]
    pub(super) id: String,
    #[serde(rename = "toolName")]
    pub(super) name: String,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    pub(super) is_error: bool,
}

/// What an extension wants to show or to ask.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UiRequest {
    pub(super) id: String,
    pub(super) method: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) options: Vec<String>,
    #[serde(default)]
    pub(super) placeholder: Option<String>,
    #[serde(default)]
    pub(super) prefill: Option<String>,
    /// Milliseconds after which pi goes on without an answer.
    #[serde(default)]
    pub(super) timeout: Option<u64>,
    #[serde(default)]
    pub(super) notify_type: Option<String>,
}

impl UiRequest {
    /// Whether the extension waits for an answer.
    pub(super) fn waits(&self) -> bool {
        matches!(self.method.as_str(), "select" | "confirm" | "input" | "editor")
    }
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

#[derive(Deserialize)]
struct OfMessage {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    assistant_message_event: UpdateEvent,
}

#[derive(Deserialize)]
struct UpdateEvent {
    r#type: String,
    #[serde(default)]
    delta: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tool {
    tool_call_id: String,
    tool_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Compaction {
    #[serde(default)]
    aborted: bool,
    #[serde(default)]
    result: Value,
}

#[derive(Deserialize)]
struct Queue {
    #[serde(default)]
    steering: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Settled {
    #[serde(default)]
    aborted: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    #[serde(default)]
    extension_path: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    error: String,
}

impl Line {
    /// Parses a line; `None` for an empty one. The error says what is wrong without quoting the line.
    pub(super) fn read(line: &[u8]) -> Result<Option<Line>, String> {
        // An array would pass for a struct.
        if line.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
            return Err("JSON that is not a line of the protocol".to_owned());
        }
        let Some(Kind { r#type }) = json_line::read(line)? else { return Ok(None) };
        Ok(Some(match r#type.as_str() {
            "response" => Line::Response(fields(line)?),
            "agent_start" => Line::AgentStart,
            "agent_end" => Line::AgentEnd,
            "agent_settled" => Line::AgentSettled { aborted: fields::<Settled>(line)?.aborted },
            "message_start" => Line::MessageStart { role: fields::<OfMessage>(line)?.message.role },
            "message_end" => Line::MessageEnd(Box::new(fields::<OfMessage>(line)?.message)),
            "message_update" => {
                let event = fields::<Update>(line)?.assistant_message_event;
                if event.r#type == "text_delta" { Line::Text(event.delta) } else { Line::Other }
            }
            "tool_execution_start" => Line::ToolStart { id: fields::<Tool>(line)?.tool_call_id },
            "tool_execution_update" => {
                let Tool { tool_call_id: id, tool_name: name } = fields(line)?;
                Line::ToolUpdate { id, name }
            }
            "tool_execution_end" => Line::ToolEnd(fields(line)?),
            "compaction_start" => Line::CompactionStart,
            "compaction_end" => {
                let Compaction { aborted, result } = fields(line)?;
                let (summary, tokens) = compacted(&result);
                Line::CompactionEnd { summary, tokens, done: !aborted && result.is_object() }
            }
            "auto_retry_start" => Line::RetryStart,
            "auto_retry_end" => Line::RetryEnd,
            "queue_update" => Line::Queue { steering: fields::<Queue>(line)?.steering.len() },
            "extension_ui_request" => Line::Ui(fields(line)?),
            "extension_error" => {
                let Failure { extension_path: path, event, error } = fields(line)?;
                Line::ExtensionError { path, event, error }
            }
            _ => Line::Other,
        }))
    }
}

fn fields<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    json_line::read(line)?.ok_or_else(|| "an empty line".to_owned())
}

/// The summary of a compaction, and the size of the context before it, in tokens.
pub(super) fn compacted(result: &Value) -> (Option<String>, Option<u64>) {
    let summary = result.get("summary").and_then(Value::as_str).map(str::to_owned);
    (summary, result.get("tokensBefore").and_then(tokens))
}

impl Message {
    /// The text of the message, without thoughts and tool calls.
    pub(super) fn text(&self) -> String {
        text_of(&self.content)
    }

    /// Adds what this message has cost to `sum`.
    pub(super) fn add_usage(&self, sum: &mut Usage) {
        let add = |sum: &mut Option<u64>, name: &str| {
            if let Some(more) = self.usage.get(name).and_then(tokens) {
                *sum = Some(sum.unwrap_or(0).saturating_add(more).min(MOST));
            }
        };
        add(&mut sum.input, "input");
        add(&mut sum.output, "output");
        add(&mut sum.cache_read, "cacheRead");
        add(&mut sum.cache_write, "cacheWrite");
        if let Some(micro) = self.usage.pointer("/cost/total").and_then(Value::as_f64).and_then(micro) {
            sum.cost_micro = Some(sum.cost_micro.unwrap_or(0).saturating_add(micro).min(MOST));
        }
        if let Some(model) = &self.model {
            sum.model = Some(model.clone());
        }
    }
}

impl ToolEnd {
    /// What the tool returned, as text.
    pub(super) fn text(&self) -> String {
        text_of(self.result.get("content").unwrap_or(&Value::Null))
    }
}

/// The largest number that the database can store.
const MOST: u64 = i64::MAX.unsigned_abs();

/// A number of tokens. An odd value is left out: usage is optional information.
pub(super) fn tokens(value: &Value) -> Option<u64> {
    value.as_u64().filter(|tokens| *tokens <= MOST)
}

/// Millionths of a currency unit. A cost over a billion units cannot be right and is left out.
fn micro(cost: f64) -> Option<u64> {
    let micro = (cost * 1e6).round();
    (0.0..1e15).contains(&micro).then_some(micro as u64)
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let text = |block: &Value| match block.get("type").and_then(Value::as_str) {
                Some("text") => block.get("text").and_then(Value::as_str).map(str::to_owned),
                _ => None,
            };
            blocks.iter().filter_map(text).collect()
        }
        _ => String::new(),
    }
}

/// An image, as pi takes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Image {
    pub(super) mime: String,
    /// In base64.
    pub(super) data: String,
}

/// The command `kind` with a message of a person: `prompt` or `steer`.
pub(super) fn message(kind: &str, text: &str, images: &[Image]) -> Map<String, Value> {
    let mut command = command(kind);
    command.insert("message".into(), text.into());
    if !images.is_empty() {
        let image = |image: &Image| json!({"type": "image", "data": image.data, "mimeType": image.mime});
        command.insert("images".into(), images.iter().map(image).collect());
    }
    command
}

/// A command without arguments.
pub(super) fn command(kind: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), kind.into())])
}

/// The answer to a dialog.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UiAnswer {
    Value(String),
    Confirmed(bool),
    Cancelled,
}

pub(super) fn ui_response(id: &str, answer: &UiAnswer) -> Value {
    let mut line = Map::from_iter([
        ("type".to_owned(), "extension_ui_response".into()),
        ("id".to_owned(), Value::from(id)),
    ]);
    match answer {
        UiAnswer::Value(value) => line.insert("value".into(), value.as_str().into()),
        UiAnswer::Confirmed(yes) => line.insert("confirmed".into(), (*yes).into()),
        UiAnswer::Cancelled => line.insert("cancelled".into(), true.into()),
    };
    line.into()
}

#[cfg(test)]
mod tests;
