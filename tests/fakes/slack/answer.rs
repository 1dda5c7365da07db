//! What a method answers: its fields, or a refusal by the name that Slack gives it.

use axum::http::HeaderValue;
use frontdesk_fakes::{BadParams, Response, response};
use serde_json::{Value, json};

pub type Answer = Result<Done, Refusal>;

/// A method that was carried out.
#[derive(Debug, Default)]
pub struct Done {
    /// The fields beside `ok`.
    pub fields: Value,
    /// The channel that it was about.
    pub channel: Option<String>,
    /// The message that it made or changed.
    pub message: Option<String>,
    /// Whether it put a message into a channel.
    pub posted: bool,
}

impl Done {
    pub fn with(fields: Value) -> Answer {
        Ok(Self { fields, ..Self::default() })
    }

    pub fn yes() -> Answer {
        Self::with(json!({}))
    }

    /// About a message, which it may have made.
    pub fn about(fields: Value, channel: &str, ts: &str, posted: bool) -> Answer {
        Ok(Self { fields, channel: Some(channel.to_owned()), message: Some(ts.to_owned()), posted })
    }
}

/// A method that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub error: String,
    /// Fields beside `ok` and `error`; else null.
    pub more: Value,
    pub status: u16,
    pub retry_after: Option<u32>,
}

impl Refusal {
    pub fn new(error: &str) -> Self {
        Self { error: error.to_owned(), more: Value::Null, status: 200, retry_after: None }
    }

    pub fn missing_scope(needed: &str, provided: &str) -> Self {
        Self { more: json!({"needed": needed, "provided": provided}), ..Self::new("missing_scope") }
    }

    pub fn too_many(seconds: u32) -> Self {
        Self { status: 429, retry_after: Some(seconds), ..Self::new("ratelimited") }
    }

    /// One of several arguments is wrong; `why` is for the developer.
    pub fn arguments(why: &str) -> Self {
        let more = json!({"response_metadata": {"messages": [format!("[ERROR] {why}")]}});
        Self { more, ..Self::new("invalid_arguments") }
    }

    pub fn blocks(why: &str) -> Self {
        Self { error: "invalid_blocks".to_owned(), ..Self::arguments(why) }
    }
}

impl From<BadParams> for Refusal {
    fn from(bad: BadParams) -> Self {
        match bad {
            BadParams::Json => Self::new("invalid_json"),
            BadParams::Multipart => Self::new("invalid_form_data"),
            BadParams::Field(name) if name == "blocks" => Self::new("invalid_blocks_format"),
            BadParams::Field(name) => Self::arguments(&format!("{name} is no JSON")),
        }
    }
}

/// The HTTP response for an answer. `scopes` are those of the token.
pub fn respond(answer: &Answer, scopes: Option<&str>) -> Response {
    let mut body = json!({"ok": answer.is_ok()});
    let (fields, status) = match answer {
        Ok(done) => (&done.fields, 200),
        Err(refusal) => {
            body["error"] = refusal.error.as_str().into();
            (&refusal.more, refusal.status)
        }
    };
    for (name, value) in fields.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let mut response = response(status, "application/json; charset=utf-8", body.to_string());
    if let Some(scopes) = scopes.and_then(|scopes| HeaderValue::from_str(scopes).ok()) {
        response.headers_mut().insert("x-oauth-scopes", scopes);
    }
    if let Err(Refusal { retry_after: Some(seconds), .. }) = answer {
        response.headers_mut().insert("retry-after", (*seconds).into());
    }
    response
}
