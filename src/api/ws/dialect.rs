//! Frames of other gateways, for clients that were written for them: they ask for `pi-gateway.v0` or `kobold.v0` as the
//! WebSocket's subprotocol. Their frames become ours when they arrive, and ours become theirs when they are sent.

use std::collections::HashMap;

use axum::extract::ws::Utf8Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::random;

/// How many prompts a client may have without an answer before the oldest loses its id.
const OPEN_PROMPTS: usize = 1000;

/// The frames that a client understands.
pub(crate) enum Dialect {
    /// Ours, `frontdesk.v1`.
    Own,
    /// `{"method","params"}` alone; the client expects nothing before its first call.
    PiGateway,
    /// `{"type","id"?,"data"}`.
    Kobold(Kobold),
}

/// What has to be remembered of a client that speaks `kobold.v0`.
#[derive(Default)]
pub(crate) struct Kobold {
    /// The client's ids of prompts without an answer, by message, and the order of those.
    prompts: HashMap<String, Value>,
    order: Vec<String>,
}

impl Dialect {
    /// The dialect of a subprotocol.
    pub(crate) fn named(protocol: &str) -> Option<Self> {
        match protocol {
            "frontdesk.v1" => Some(Self::Own),
            "pi-gateway.v0" => Some(Self::PiGateway),
            "kobold.v0" => Some(Self::Kobold(Kobold::default())),
            _ => None,
        }
    }

    /// A frame of the client's as one of ours.
    pub(crate) fn received(&self, text: Utf8Bytes) -> Utf8Bytes {
        match self {
            Self::Own | Self::PiGateway => text,
            Self::Kobold(_) => match serde_json::from_str(&text) {
                Ok(frame) => from_kobold(frame).to_string().into(),
                // It is refused as what it is.
                Err(_) => text,
            },
        }
    }

    /// A frame of ours as one of the client's; `None` if it has no such thing.
    pub(crate) fn sent(&mut self, text: Utf8Bytes, now: impl FnOnce() -> DateTime<Utc>) -> Option<Utf8Bytes> {
        let frame = || serde_json::from_str::<Value>(&text).ok();
        match self {
            Self::Own => Some(text),
            Self::PiGateway => frame().filter(|frame| frame["type"] != "ready").map(|_| text),
            Self::Kobold(kobold) => kobold.sent(frame()?, now).map(|frame| frame.to_string().into()),
        }
    }
}

/// A client's frame as ours. What is unknown stays as it is, and is refused then.
fn from_kobold(frame: Value) -> Value {
    let data = &frame["data"];
    let id = match &frame["id"] {
        id @ (Value::Null | Value::String(_)) => id.clone(),
        other => other.to_string().into(),
    };
    match frame["type"].as_str() {
        Some("prompt") => json!({"type": "prompt", "id": id, "text": data["message"]}),
        Some("background") => {
            let mut params = json!({"text": data["command"]});
            if !data["sessionId"].is_null() {
                params["session"] = data["sessionId"].clone();
            }
            json!({"id": id, "method": "task.submit", "params": params})
        }
        _ => frame,
    }
}

impl Kobold {
    fn sent(&mut self, mut frame: Value, now: impl FnOnce() -> DateTime<Utc>) -> Option<Value> {
        let kind = frame["type"].as_str().unwrap_or_default().to_owned();
        Some(match kind.as_str() {
            "ready" => json!({"type": "connected", "data": {"clientId": random::id().ok()?}}),
            "pong" => json!({"type": "pong", "data": {"time": now().timestamp_millis()}}),
            "accepted" => {
                self.remember(frame["message"].as_str()?.to_owned(), frame["id"].take());
                return None;
            }
            "done" => {
                let id = self.answered(&frame["message"]);
                let data = json!({
                    "text": frame["fullText"], "message": frame["message"], "session": frame["session"],
                });
                json!({"type": "response", "id": id, "data": data})
            }
            "error" => {
                let id = match frame["id"].take() {
                    Value::Null => self.answered(&frame["about"]),
                    id => id,
                };
                let data = json!({"error": frame["message"], "code": frame["code"]});
                let kind = if frame["code"] == "agent_failed" { "agent_disconnected" } else { "error" };
                json!({"type": kind, "id": id, "data": data})
            }
            "" => json!({"type": "background_started", "id": frame["id"], "data": frame["result"]}),
            _ => json!({"type": "event", "data": frame}),
        })
    }

    fn remember(&mut self, message: String, id: Value) {
        if self.order.len() >= OPEN_PROMPTS {
            let oldest = self.order.remove(0);
            self.prompts.remove(&oldest);
        }
        self.order.push(message.clone());
        self.prompts.insert(message, id);
    }

    /// The id of the prompt that a frame answers; null if the client did not send it.
    fn answered(&mut self, message: &Value) -> Value {
        let Some(message) = message.as_str() else { return Value::Null };
        self.order.retain(|known| known != message);
        self.prompts.remove(message).unwrap_or(Value::Null)
    }
}
