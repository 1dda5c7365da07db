//! A text for any address, on the operator's own account.

use axum::http::StatusCode;
use frontdesk_core::address::{Address, AddressError};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::random;
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    to: String,
    text: String,
}

/// Puts a text on its way. The key makes its parts unique in the database, so that a repetition after a
/// restart sends nothing twice either.
pub(crate) async fn send(call: Call) -> Result<Answer, ApiError> {
    let Text { to, text } = call.json()?;
    let to: Address = to.parse().map_err(|error: AddressError| ApiError::bad_request(error.to_string()))?;
    if text.trim().is_empty() {
        return Err(ApiError::bad_request("the text is empty"));
    }
    let key = match call.key()? {
        Some(key) => key,
        None => random::id()?,
    };
    // A token's id may hold any character, so its length keeps the two apart.
    let token = &call.caller()?.token;
    let key = format!("{}:{token}/{key}", token.len());
    let parts = call.house.desk.send(&to, &text, &key).await?;
    let parts: Vec<_> = parts.iter().map(show::part).collect();
    Ok(Answer::Json(StatusCode::ACCEPTED, json!({"to": to.as_str(), "parts": parts})))
}
