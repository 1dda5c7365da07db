//! What a method answers: a result, or a refusal in the server's own words.

use frontdesk_fakes::{BadParams, Response, response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub type Answer = Result<Done, Refusal>;

/// A method that was carried out.
#[derive(Debug, Clone)]
pub struct Done {
    /// The result, as JSON text.
    pub json: String,
    /// The message that it made or changed.
    pub message: Option<i64>,
    /// The description that webhook methods have beside their result.
    pub description: Option<&'static str>,
}

impl Done {
    pub fn with(result: &impl Serialize) -> Self {
        let json = serde_json::to_string(result).unwrap_or_else(|_| "null".to_owned());
        Self { json, message: None, description: None }
    }

    /// `true`.
    pub fn yes() -> Self {
        Self::with(&true)
    }

    /// `true`, about this message.
    pub fn yes_about(message: i64) -> Self {
        Self { message: Some(message), ..Self::yes() }
    }

    /// `true`, and a description.
    pub fn described(description: &'static str) -> Self {
        Self { description: Some(description), ..Self::yes() }
    }

    /// A message, already written as JSON.
    pub fn message(id: i64, json: String) -> Self {
        Self { json, message: Some(id), description: None }
    }
}

/// A method that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, and `error_code`.
    pub code: u16,
    pub description: String,
    /// `retry_after` or `migrate_to_chat_id`; else null.
    parameters: Value,
}

impl Refusal {
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), parameters: Value::Null }
    }

    pub fn bad(reason: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", reason.as_ref()))
    }

    pub fn forbidden(reason: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", reason.as_ref()))
    }

    pub fn conflict(reason: impl AsRef<str>) -> Self {
        Self::new(409, format!("Conflict: {}", reason.as_ref()))
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub fn too_many(retry_after: u32) -> Self {
        Self::new(429, format!("Too Many Requests: retry after {retry_after}")).wait(retry_after)
    }

    pub fn wait(self, retry_after: u32) -> Self {
        Self { parameters: json!({"retry_after": retry_after}), ..self }
    }

    /// The group became this supergroup.
    pub fn migrated(to: i64) -> Self {
        let refusal = Self::bad("group chat was upgraded to a supergroup chat");
        Self { parameters: json!({"migrate_to_chat_id": to}), ..refusal }
    }
}

impl From<BadParams> for Refusal {
    fn from(bad: BadParams) -> Self {
        match bad {
            BadParams::Json => Self::bad("can't parse request JSON object"),
            BadParams::Multipart => Self::bad("can't parse multipart body"),
            BadParams::Field(name) => {
                Self::bad(format!("can't parse {} JSON object", name.replace('_', " ")))
            }
        }
    }
}

/// The HTTP response for an answer.
pub fn respond(answer: &Answer) -> Response {
    let refusal = match answer {
        Ok(Done { json, description: None, .. }) => {
            return response(200, "application/json", format!(r#"{{"ok":true,"result":{json}}}"#));
        }
        Ok(Done { json, description: Some(description), .. }) => {
            let body = format!(r#"{{"ok":true,"result":{json},"description":"{description}"}}"#);
            return response(200, "application/json", body);
        }
        Err(refusal) => refusal,
    };
    let mut body = json!({"ok": false, "error_code": refusal.code, "description": refusal.description});
    if !refusal.parameters.is_null() {
        body["parameters"] = refusal.parameters.clone();
    }
    let mut response = response(refusal.code, "application/json", body.to_string());
    if let Some(seconds) = refusal.parameters["retry_after"].as_u64() {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

/// The platform's name of a variant, as serde writes it.
pub fn name_of(variant: impl Serialize) -> String {
    let name = serde_json::to_value(variant).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

/// The variant with this name.
pub fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}
