//! Sends a text or a file to any address, on behalf of the operator.

use std::path::{Component, Path};

use axum::http::StatusCode;
use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::visible::is_visible;
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SendRequest {
    to: String,
    #[serde(default)]
    text: String,
    media: Option<String>,
}

/// Puts a text into the outbox. The key makes its parts unique in the database, so that a repeated request sends
/// nothing twice, even after a restart.
pub(crate) async fn send(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let SendRequest { to, text, media } = request.json()?;
    let to: Address = to.parse().map_err(|error: AddressError| ApiError::bad_request(error.to_string()))?;
    let media = media.as_deref().map(media_name).transpose()?;
    if !is_visible(&text) && media.is_none() {
        return Err(ApiError::bad_request("the text is empty"));
    }
    let key = match request.idempotency_key()? {
        Some(key) => key,
        None => random::id()?,
    };
    // A token's id may contain any character, so its length separates it from the key.
    let token = &request.caller()?.token;
    let key = format!("{}:{token}/{key}", token.len());
    let parts = request.server.handle.send(&to, &text, media, &key, &request.author()?).await?;
    let parts: Vec<_> = parts.iter().map(show::part).collect();
    Ok(ApiResponse::Json(StatusCode::ACCEPTED, json!({"to": to.as_str(), "parts": parts})))
}

/// A file's name relative to the media folder. Whether the file exists there is checked when the gateway opens it.
fn media_name(name: &str) -> Result<&Path, ApiError> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && !name.is_empty() && !name.contains('\0') {
        return Ok(path);
    }
    Err(ApiError::bad_request("`media` is the name of a file in the folder `media` of the gateway's home"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_inside_the_media_folder_is_accepted() {
        assert!(media_name("a.png").is_ok() && media_name("sub/a b.png").is_ok());
        for name in ["", "/etc/passwd", "../a", "a/../../b", "./a", ".", "a\0b", "/", "//x"] {
            assert!(media_name(name).is_err(), "{name:?}");
        }
    }
}
