//! What a client says on a socket.

use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::ApiError;
use crate::prompt;

/// One frame of a client.
#[derive(Debug, PartialEq)]
pub(crate) struct Word {
    /// What the client calls it: every answer to it says so.
    pub(crate) id: Option<Value>,
    pub(crate) says: Says,
}

/// What it says.
#[derive(Debug, PartialEq)]
pub(crate) enum Says {
    Auth { token: String },
    Prompt { id: String, chat: String, text: String },
    Abort { session: Option<String>, chat: String },
    Resume { session: Option<String>, chat: String, last_seq: u64 },
    Ping,
    Call { method: String, params: Value },
}

/// Why a frame was not understood.
#[derive(Debug, PartialEq)]
pub(crate) struct Unclear {
    pub(crate) id: Option<Value>,
    pub(crate) error: Box<ApiError>,
}

/// Of a frame that cannot be read, what the client calls it.
#[derive(Deserialize)]
struct Named {
    id: Option<Value>,
}

#[derive(Deserialize)]
struct Auth {
    token: String,
}

#[derive(Deserialize)]
struct Prompt {
    id: String,
    #[serde(default = "prompt::default_chat", deserialize_with = "chat")]
    chat: String,
    text: String,
}

#[derive(Deserialize)]
struct Abort {
    session: Option<String>,
    #[serde(default = "prompt::default_chat", deserialize_with = "chat")]
    chat: String,
}

#[derive(Deserialize)]
struct Resume {
    session: Option<String>,
    #[serde(default = "prompt::default_chat", deserialize_with = "chat")]
    chat: String,
    #[serde(default)]
    last_seq: u64,
}

impl Word {
    /// Reads a frame. Fields that it does not need are passed over, so that older gateways understand newer
    /// clients; what a client claims to be is among them.
    pub(crate) fn read(text: &str) -> Result<Self, Unclear> {
        let frame: Value = serde_json::from_str(text).map_err(|error| Unclear {
            // What cannot be read may still say which of the client's frames it is.
            id: serde_json::from_str::<Named>(text).ok().and_then(|named| named.id).filter(is_id),
            error: Box::new(ApiError::new(
                StatusCode::BAD_REQUEST,
                "bad_json",
                format!("a frame is one JSON object: {error}"),
            )),
        })?;
        let id = frame.get("id").filter(|id| is_id(id)).cloned();
        match says(frame) {
            Ok(says) => Ok(Self { id, says }),
            Err(error) => Err(Unclear { id, error: Box::new(error) }),
        }
    }
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_number()
}

/// A chat that is named, or the one that is meant when none is.
fn chat<'de, D: Deserializer<'de>>(chat: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(chat)?.unwrap_or_else(prompt::default_chat))
}

fn says(mut frame: Value) -> Result<Says, ApiError> {
    if !frame.is_object() {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_json", "a frame is one JSON object"));
    }
    let kind = frame.get("type").cloned().unwrap_or(Value::Null);
    let Some(kind) = kind.as_str() else {
        let method = frame.get("method").and_then(Value::as_str).map(str::to_owned);
        let params = frame.get_mut("params").map(Value::take).unwrap_or(Value::Null);
        return match method {
            Some(method) => Ok(Says::Call { method, params }),
            None => Err(ApiError::bad_request("a frame has a type, or a method if it is a call")),
        };
    };
    Ok(match kind {
        "auth" => {
            let Auth { token } = form(kind, frame)?;
            Says::Auth { token }
        }
        "prompt" => {
            let Prompt { id, chat, text } = form(kind, frame)?;
            prompt::check(&chat, &text)?;
            if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
                return Err(ApiError::bad_request(
                    "a prompt's id has 1 to 200 bytes and no control characters",
                ));
            }
            Says::Prompt { id, chat, text }
        }
        "abort" => {
            let Abort { session, chat } = form(kind, frame)?;
            prompt::check_chat(&chat)?;
            Says::Abort { session, chat }
        }
        "resume" => {
            let Resume { session, chat, last_seq } = form(kind, frame)?;
            prompt::check_chat(&chat)?;
            Says::Resume { session, chat, last_seq }
        }
        "ping" => Says::Ping,
        _ => {
            let message = "there is no such type; there are prompt, abort, resume, ping and calls";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "unknown_type", message));
        }
    })
}

fn form<T: DeserializeOwned>(kind: &str, frame: Value) -> Result<T, ApiError> {
    serde_json::from_value(frame).map_err(|error| ApiError::bad_request(format!("{kind}: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(text: &str) -> (Option<Value>, String) {
        let unclear = Word::read(text).unwrap_err();
        (unclear.id, unclear.error.code.into_owned())
    }

    #[test]
    fn each_frame_reads_as_the_interface_says() {
        let says = |text: &str| Word::read(text).unwrap().says;
        let prompt = Says::Prompt { id: "1".into(), chat: "main".into(), text: "hi".into() };
        assert_eq!(says(r#"{"type":"prompt","id":"1","text":"hi","role":"admin"}"#), prompt);
        assert_eq!(says(r#"{"type":"ping"}"#), Says::Ping);
        let resume = Says::Resume { session: Some("s".into()), chat: "main".into(), last_seq: 7 };
        assert_eq!(says(r#"{"type":"resume","session":"s","last_seq":7}"#), resume);
        let call = Says::Call { method: "session.list".into(), params: json!({}) };
        assert_eq!(says(r#"{"id":3,"method":"session.list","params":{}}"#), call);
        assert_eq!(Word::read(r#"{"id":3,"method":"x"}"#).unwrap().id, Some(json!(3)));
    }

    #[test]
    fn a_frame_that_cannot_be_read_still_says_which_one_it_is() {
        let half = r#"{"type":"prompt","id":"7","text":"half a character \ud83d"}"#;
        assert_eq!(code(half), (Some(json!("7")), "bad_json".into()));
        let deep = format!(r#"{{"type":"prompt","id":8,"text":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert_eq!(code(&deep), (Some(json!(8)), "bad_json".into()));
        assert_eq!(code(r#"{"id":"9","#), (None, "bad_json".into()));
    }

    #[test]
    fn a_field_that_no_rule_needs_makes_no_frame_unreadable() {
        let prompt = Says::Prompt { id: "1".into(), chat: "main".into(), text: "hi".into() };
        let odd = r#"{"type":"prompt","id":"1","text":"hi","chat":null,"files":7,"n":18446744073709551616}"#;
        assert_eq!(Word::read(odd).unwrap().says, prompt);
    }

    #[test]
    fn garbage_is_told_apart() {
        assert_eq!(code("{").1, "bad_json");
        assert_eq!(code("[]").1, "bad_json");
        assert_eq!(code("\u{0}").1, "bad_json");
        assert_eq!(code(&"[".repeat(100_000)).1, "bad_json");
        assert_eq!(code("{}").1, "bad_request");
        assert_eq!(code(r#"{"type":"dance","id":"x"}"#), (Some(json!("x")), "unknown_type".into()));
        for wrong in [
            r#"{"type":"prompt","text":"no id"}"#,
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
