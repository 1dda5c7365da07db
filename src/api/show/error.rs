//! The body of errors.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The body of every error.
// It is made of `ApiError::fields`, which are also those of its frame.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ErrorBody {
    error: ErrorFields,
}

/// What is wrong.
#[derive(Serialize, JsonSchema)]
struct ErrorFields {
    /// For programs, for example `not_found`.
    code: String,
    /// For people: what is wrong, and what to do.
    message: String,
    /// The message that the error is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// The text that the agent had written before its turn ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Why the turn failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// How to send a message again that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The kind of the error, in the errors of `/v1`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Null, in the errors of `/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<Value>,
}
