//! Frames that a client sends over the WebSocket.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::endpoint::ask::GivenAnswer;
use crate::error::ApiError;
use crate::json_fault;
use crate::prompt;
use crate::random;

/// One frame of a client.
#[derive(Debug, PartialEq)]
pub(crate) struct ClientFrame {
    /// The client's id for the frame, which is repeated in every answer to it.
    pub(crate) id: Option<Value>,
    pub(crate) message: ClientMessage,
}

/// What a client's frame says.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClientMessage {
    /// Shows the token, as the first frame of a client that cannot set a header.
    Auth {
        token: String,
        /// For whom a program calls.
        user: Option<String>,
    },
    /// Sends a message to the agent. `accepted` says that it is stored.
    Prompt {
        /// Unique in the chat: a repeated id with the same text is the same message. One is made without it.
        #[schemars(with = "Option<String>", length(min = 1, max = 200))]
        id: String,
        #[serde(default = "prompt::default_chat", deserialize_with = "chat")]
        #[schemars(with = "Option<String>")]
        chat: String,
        #[serde(default)]
        text: String,
        /// Uploads of the client.
        #[serde(default)]
        files: Vec<String>,
    },
    /// Cancels the running and the waiting turns of a chat.
    Abort {
        session: Option<String>,
        #[serde(default = "prompt::default_chat", deserialize_with = "chat")]
        #[schemars(with = "Option<String>")]
        chat: String,
    },
    /// Follows a session from now on, and asks for the stored frames after `last_seq`.
    Resume {
        session: Option<String>,
        #[serde(default = "prompt::default_chat", deserialize_with = "chat")]
        #[schemars(with = "Option<String>")]
        chat: String,
        #[serde(default)]
        last_seq: u64,
        /// Whether to send what others write too, and the text so far of an answer that is being written.
        #[serde(default)]
        follow: bool,
    },
    /// Answers a question.
    Answer {
        id: Option<Value>,
        ask: String,
        #[serde(flatten)]
        answer: GivenAnswer,
    },
    /// Asks for `pong`.
    Ping,
    /// A call has a method instead of a type.
    #[serde(skip)]
    Call { method: String, params: Value },
}

/// The types that a client's frame may have.
const TYPES: [&str; 6] = ["auth", "prompt", "abort", "resume", "answer", "ping"];

/// A frame that could not be read.
#[derive(Debug, PartialEq)]
pub(crate) struct InvalidFrame {
    pub(crate) id: Option<Value>,
    pub(crate) error: Box<ApiError>,
}

/// The id of a frame that cannot be read otherwise.
#[derive(Deserialize)]
struct FrameId {
    id: Option<Value>,
}

impl ClientFrame {
    /// Reads a frame. Unknown fields are ignored, so that an older gateway understands newer clients; this includes
    /// fields by which a client claims a role.
    pub(crate) fn read(text: &str) -> Result<Self, InvalidFrame> {
        let frame: Value = serde_json::from_str(text).map_err(|error| InvalidFrame {
            // A frame that is not valid JSON as a whole may still have a readable id.
            id: serde_json::from_str::<FrameId>(text).ok().and_then(|frame| frame.id).filter(is_id),
            error: Box::new(ApiError::new(
                StatusCode::BAD_REQUEST,
                "bad_json",
                format!("a frame is one JSON object: {}", json_fault::words(&error)),
            )),
        })?;
        let id = frame.get("id").filter(|id| is_id(id)).cloned();
        match message(frame) {
            Ok(message) => Ok(Self { id, message }),
            Err(error) => Err(InvalidFrame { id, error: Box::new(error) }),
        }
    }
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_number()
}

/// The name of a chat; `null` means the default chat.
fn chat<'de, D: Deserializer<'de>>(chat: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(chat)?.unwrap_or_else(prompt::default_chat))
}

fn message(mut frame: Value) -> Result<ClientMessage, ApiError> {
    if !frame.is_object() {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_json", "a frame is one JSON object"));
    }
    let Some(kind) = frame.get("type").and_then(Value::as_str).map(str::to_owned) else {
        let method = frame.get("method").and_then(Value::as_str).map(str::to_owned);
        let params = frame.get_mut("params").map(Value::take).unwrap_or(Value::Null);
        return match method {
            Some(method) => Ok(ClientMessage::Call { method, params }),
            None => Err(ApiError::bad_request("a frame has a type, or a method if it is a call")),
        };
    };
    if !TYPES.contains(&kind.as_str()) {
        let message = "there is no such type; there are auth, prompt, abort, resume, answer, ping and calls";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "unknown_type", message));
    }
    if kind == "prompt" && frame.get("id").is_none_or(Value::is_null) {
        frame["id"] = random::id()?.into();
    }
    let message: ClientMessage = serde_json::from_value(frame)
        .map_err(|error| ApiError::bad_request(format!("{kind}: {}", json_fault::words(&error))))?;
    match &message {
        ClientMessage::Prompt { id, chat, text, files } => {
            prompt::check(chat, text, !files.is_empty())?;
            if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
                return Err(ApiError::bad_request(
                    "a prompt's id has 1 to 200 bytes and no control characters",
                ));
            }
        }
        ClientMessage::Abort { chat, .. } | ClientMessage::Resume { chat, .. } => prompt::check_chat(chat)?,
        ClientMessage::Auth { .. }
        | ClientMessage::Answer { .. }
        | ClientMessage::Ping
        | ClientMessage::Call { .. } => {}
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(text: &str) -> (Option<Value>, String) {
        let invalid = ClientFrame::read(text).unwrap_err();
        (invalid.id, invalid.error.code.into_owned())
    }

    #[test]
    fn each_frame_reads_as_the_interface_documents() {
        let message = |text: &str| ClientFrame::read(text).unwrap().message;
        let prompt =
            |files| ClientMessage::Prompt { id: "1".into(), chat: "main".into(), text: "hi".into(), files };
        let plain = prompt(vec![]);
        assert_eq!(message(r#"{"type":"prompt","id":"1","text":"hi","role":"admin"}"#), plain);
        let with_file = prompt(vec!["f".into()]);
        assert_eq!(message(r#"{"type":"prompt","id":"1","text":"hi","files":["f"]}"#), with_file);
        assert_eq!(message(r#"{"type":"ping"}"#), ClientMessage::Ping);
        let resume = ClientMessage::Resume {
            session: Some("s".into()),
            chat: "main".into(),
            last_seq: 7,
            follow: false,
        };
        assert_eq!(message(r#"{"type":"resume","session":"s","last_seq":7}"#), resume);
        let abort = ClientMessage::Abort { session: None, chat: "a".into() };
        assert_eq!(message(r#"{"type":"abort","chat":"a"}"#), abort);
        let call = ClientMessage::Call { method: "session.list".into(), params: json!({}) };
        assert_eq!(message(r#"{"id":3,"method":"session.list","params":{}}"#), call);
        assert_eq!(ClientFrame::read(r#"{"id":3,"method":"x"}"#).unwrap().id, Some(json!(3)));
    }

    #[test]
    fn an_unreadable_frame_still_has_its_id() {
        let half = r#"{"type":"prompt","id":"7","text":"half a character \ud83d"}"#;
        assert_eq!(code(half), (Some(json!("7")), "bad_json".into()));
        let deep = format!(r#"{{"type":"prompt","id":8,"text":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert_eq!(code(&deep), (Some(json!(8)), "bad_json".into()));
        assert_eq!(code(r#"{"id":"9","#), (None, "bad_json".into()));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let (id, chat, text) = ("1".into(), "main".into(), "hi".into());
        let prompt = ClientMessage::Prompt { id, chat, text, files: vec![] };
        let odd = r#"{"type":"prompt","id":"1","text":"hi","chat":null,"pages":7,"n":18446744073709551616}"#;
        assert_eq!(ClientFrame::read(odd).unwrap().message, prompt);
    }

    #[test]
    fn each_kind_of_invalid_frame_has_its_code() {
        assert_eq!(code("{").1, "bad_json");
        assert_eq!(code("[]").1, "bad_json");
        assert_eq!(code("\u{0}").1, "bad_json");
        assert_eq!(code(&"[".repeat(100_000)).1, "bad_json");
        assert_eq!(code("{}").1, "bad_request");
        assert_eq!(code(r#"{"type":"dance","id":"x"}"#), (Some(json!("x")), "unknown_type".into()));
        assert_eq!(code(r#"{"type":"call","method":"x"}"#).1, "unknown_type");
        for wrong in [
            r#"{"type":"prompt","id":"1","text":" "}"#,
            r#"{"type":"prompt","id":"","text":"a"}"#,
            r#"{"type":"prompt","id":"1","text":"a","chat":""}"#,
            r#"{"type":"auth","token":null}"#,
            r#"{"type":"resume","session":"s","last_seq":-1}"#,
        ] {
            assert_eq!(code(wrong).1, "bad_request", "{wrong}");
        }
    }
}
