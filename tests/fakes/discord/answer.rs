//! What a request comes to: a result, or a refusal with Discord's own status, code and words.

use axum::http::{HeaderValue, StatusCode};
use frontdesk_fakes::{Response, response};
use serde_json::{Value, json};

use crate::id::Id;

pub type Answer = Result<Done, Refusal>;

/// A request that was carried out.
#[derive(Debug, Default)]
pub struct Done {
    /// The status; 0 means 200, or 204 without a body.
    pub status: u16,
    pub body: Option<Value>,
    /// The message that it made or changed.
    pub message: Option<Id>,
    /// Whether it put a message into a channel.
    pub posted: bool,
}

impl Done {
    /// 204, without a body.
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn with(body: Value) -> Self {
        Self { body: Some(body), ..Self::default() }
    }

    pub fn about(self, message: Id) -> Self {
        Self { message: Some(message), ..self }
    }

    pub fn posted(self, message: Id) -> Self {
        Self { message: Some(message), posted: true, ..self }
    }
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub status: u16,
    /// Discord's JSON error code.
    pub code: u32,
    pub message: String,
    /// The fields that were wrong (50035), or null.
    errors: Value,
}

impl Refusal {
    pub fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), errors: Value::Null }
    }

    /// The target of a request does not exist.
    pub fn unknown(code: u32, what: &str) -> Self {
        Self::new(404, code, format!("Unknown {what}"))
    }

    pub fn unauthorized() -> Self {
        Self::new(401, 0, "401: Unauthorized")
    }

    pub fn no_access() -> Self {
        Self::new(403, 50001, "Missing Access")
    }

    pub fn no_permission() -> Self {
        Self::new(403, 50013, "Missing Permissions")
    }

    pub fn archived() -> Self {
        Self::new(400, 50083, "Thread is archived")
    }

    /// A field of the body is wrong; `path` is written with dots.
    pub fn form(path: &str, code: &str, message: &str) -> Self {
        let leaf = json!({"_errors": [{"code": code, "message": message}]});
        let errors = path.rsplit('.').fold(leaf, |inner, name| json!({name: inner}));
        Self { errors, ..Self::new(400, 50035, "Invalid Form Body") }
    }

    /// A text is longer than `most`.
    pub fn too_long(path: &str, most: usize) -> Self {
        Self::form(path, "BASE_TYPE_MAX_LENGTH", &format!("Must be {most} or fewer in length."))
    }

    /// A required field is missing.
    pub fn required(path: &str) -> Self {
        Self::form(path, "BASE_TYPE_REQUIRED", "This field is required")
    }

    /// As a fault words it: `50013 Missing Permissions` names the code as well.
    pub fn worded(status: u16, words: &str) -> Self {
        match words.split_once(' ').map(|(code, rest)| (code.parse(), rest)) {
            Some((Ok(code), rest)) => Self::new(status, code, rest),
            _ => Self::new(status, 0, words),
        }
    }

    fn body(&self) -> Value {
        let mut body = json!({"message": self.message, "code": self.code});
        if !self.errors.is_null() {
            body["errors"] = self.errors.clone();
        }
        body
    }
}

/// The HTTP response for an answer.
pub fn respond(answer: &Answer) -> Response {
    match answer {
        Ok(Done { status, body: Some(body), .. }) => {
            response(if *status == 0 { 200 } else { *status }, "application/json", body.to_string())
        }
        Ok(_) => {
            let mut empty = Response::default();
            *empty.status_mut() = StatusCode::NO_CONTENT;
            empty
        }
        Err(refusal) => response(refusal.status, "application/json", refusal.body().to_string()),
    }
}

/// Who shares a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This bot, on this route.
    User,
    /// Everybody, at this channel.
    Shared,
    /// This bot, everywhere.
    Global,
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Global => "global",
        }
    }
}

/// 429, with the seconds to wait.
pub fn too_many(scope: Scope, after_ms: u64) -> Response {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a pause")]
    let seconds = after_ms as f64 / 1000.0;
    let (message, global) = match scope {
        Scope::User => ("You are being rate limited.", false),
        Scope::Shared => ("The resource is being rate limited.", false),
        Scope::Global => ("You are being rate limited.", true),
    };
    let body = json!({"message": message, "retry_after": seconds, "global": global});
    let mut response = response(429, "application/json", body.to_string());
    let headers = response.headers_mut();
    headers.insert("retry-after", after_ms.div_ceil(1000).into());
    headers.insert("x-ratelimit-scope", HeaderValue::from_static(scope.name()));
    if global {
        headers.insert("x-ratelimit-global", HeaderValue::from_static("true"));
    }
    response
}
