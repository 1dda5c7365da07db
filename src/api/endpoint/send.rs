//! A text or a file for any address, on the operator's own account.

use std::path::{Component, Path};

use axum::http::StatusCode;
use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::blank::is_visible;
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
    #[serde(default)]
    text: String,
    media: Option<String>,
}

/// Puts a text on its way. The key makes its parts unique in the database, so that a repetition after a
/// restart sends nothing twice either.
pub(crate) async fn send(call: Call) -> Result<Answer, ApiError> {
    let Text { to, text, media } = call.json()?;
    let to: Address = to.parse().map_err(|error: AddressError| ApiError::bad_request(error.to_string()))?;
    let media = media.as_deref().map(beneath).transpose()?;
    if !is_visible(&text) && media.is_none() {
        return Err(ApiError::bad_request("the text is empty"));
    }
    let key = match call.key()? {
        Some(key) => key,
        None => random::id()?,
    };
    // A token's id may hold any character, so its length keeps the two apart.
    let token = &call.caller()?.token;
    let key = format!("{}:{token}/{key}", token.len());
    let parts = call.server.handle.send(&to, &text, media, &key, &call.author()?).await?;
    let parts: Vec<_> = parts.iter().map(show::part).collect();
    Ok(Answer::Json(StatusCode::ACCEPTED, json!({"to": to.as_str(), "parts": parts})))
}

/// A file's name beneath the media folder. Whether it is one there is the gateway's to say, when it opens it.
fn beneath(name: &str) -> Result<&Path, ApiError> {
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
    fn only_a_name_beneath_the_folder_is_taken() {
        assert!(beneath("a.png").is_ok() && beneath("sub/a b.png").is_ok());
        for name in ["", "/etc/passwd", "../a", "a/../../b", "./a", ".", "a\0b", "/", "//x"] {
            assert!(beneath(name).is_err(), "{name:?}");
        }
    }
}
