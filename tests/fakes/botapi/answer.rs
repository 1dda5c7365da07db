//! What a method answers: a result, or a refusal in the server's own words.

use serde::Serialize;
use serde_json::{Value, json};

/// What a method came to.
pub type Answer = Result<Done, Refusal>;

/// A method that was carried out.
#[derive(Debug, Clone)]
pub struct Done {
    /// The result, as JSON text.
    pub json: String,
    /// The message that it made or changed.
    pub message: Option<i64>,
    /// A remark beside the result, as for webhooks.
    pub remark: Option<&'static str>,
}

impl Done {
    /// Any result.
    pub fn with(result: &impl Serialize) -> Self {
        let json = serde_json::to_string(result).unwrap_or_else(|_| "null".to_owned());
        Self { json, message: None, remark: None }
    }

    /// `true`.
    pub fn yes() -> Self {
        Self { json: "true".to_owned(), message: None, remark: None }
    }

    /// `true`, and a remark.
    pub fn noting(remark: &'static str) -> Self {
        Self { remark: Some(remark), ..Self::yes() }
    }

    /// A message, already written as JSON.
    pub fn message(id: i64, json: String) -> Self {
        Self { json, message: Some(id), remark: None }
    }

    /// The whole answer.
    pub fn body(&self) -> String {
        match self.remark {
            None => format!(r#"{{"ok":true,"result":{}}}"#, self.json),
            Some(remark) => format!(r#"{{"ok":true,"result":{},"description":"{remark}"}}"#, self.json),
        }
    }
}

/// A method that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, and `error_code`.
    pub code: u16,
    /// The whole sentence.
    pub description: String,
    /// `retry_after` or `migrate_to_chat_id`; else null.
    pub parameters: Value,
}

impl Refusal {
    /// Any refusal.
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), parameters: Value::Null }
    }

    /// 400, with its prefix.
    pub fn bad(reason: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", reason.as_ref()))
    }

    /// 403, with its prefix.
    pub fn forbidden(reason: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", reason.as_ref()))
    }

    /// 409, with its prefix.
    pub fn conflict(reason: impl AsRef<str>) -> Self {
        Self::new(409, format!("Conflict: {}", reason.as_ref()))
    }

    /// 429.
    pub fn too_many(retry_after: u32) -> Self {
        let description = format!("Too Many Requests: retry after {retry_after}");
        Self { code: 429, description, parameters: json!({"retry_after": retry_after}) }
    }

    /// 400 with the new id of a group that became a supergroup.
    pub fn migrated(to: i64) -> Self {
        let parameters = json!({"migrate_to_chat_id": to});
        Self { parameters, ..Self::bad("group chat was upgraded to a supergroup chat") }
    }

    /// How long to wait, if that is the reason.
    pub fn retry_after(&self) -> Option<u64> {
        self.parameters["retry_after"].as_u64()
    }

    /// The whole answer.
    pub fn body(&self) -> String {
        let mut body = json!({"ok": false, "error_code": self.code, "description": self.description});
        if !self.parameters.is_null() {
            body["parameters"] = self.parameters.clone();
        }
        body.to_string()
    }
}
