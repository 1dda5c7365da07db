//! Sends a text or a file to any address, or to several, on behalf of the operator.

use std::path::{Component, Path};

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::visible::is_visible;
use frontdesk_runtime::{Broadcast, SendRequest as Message};
use frontdesk_store::row::OutboxRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

/// Maximum number of chats of one broadcast.
const MAX_CHATS: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SendRequest {
    to: String,
    #[serde(default)]
    text: String,
    media: Option<String>,
    #[serde(default)]
    urgent: bool,
    /// The message in the platform's own form, on Slack.
    blocks: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BroadcastRequest {
    #[serde(default)]
    to: Vec<String>,
    list: Option<String>,
    #[serde(default)]
    text: String,
    media: Option<String>,
    #[serde(default)]
    urgent: bool,
    #[serde(default)]
    skip_unknown: bool,
}

/// Puts a text into the outbox. The key makes its parts unique in the database, so that a repeated request sends
/// nothing twice, even after a restart.
pub(crate) async fn send(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let SendRequest { to, text, media, urgent, blocks } = request.json()?;
    let to = address(&to)?;
    let media = media.as_deref().map(media_name).transpose()?;
    if !is_visible(&text) && media.is_none() {
        return Err(ApiError::bad_request("the text is empty"));
    }
    if blocks.is_some() && !is_visible(&text) {
        return Err(ApiError::bad_request(
            "a message with `blocks` needs a `text` too, which notifications show",
        ));
    }
    let (key, author) = (key(&request)?, request.author()?);
    let native = blocks.as_ref();
    let message = Message { text: &text, media, key: &key, author: &author, urgent, native };
    let parts = request.server.handle.send_as(&to, message).await?;
    let held = held(&request, &to, urgent);
    Ok(ApiResponse::Json(StatusCode::ACCEPTED, sent(&to, &parts, held)))
}

/// Puts a text into the outbox for each of several chats. A repeated request sends it to those that have not got it.
pub(crate) async fn broadcast(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let BroadcastRequest { to, list, text, media, urgent, skip_unknown } = request.json()?;
    let handle = &request.server.handle;
    let to = match (list, to.as_slice()) {
        (Some(list), []) => handle.broadcast_list(&list)?,
        (None, to @ [_, ..]) => to.iter().map(|to| address(to)).collect::<Result<_, _>>()?,
        _ => {
            return Err(ApiError::bad_request(
                "name the chats in `to`, or a list of the configuration in `list`",
            ));
        }
    };
    if to.len() > MAX_CHATS {
        return Err(ApiError::bad_request(format!("a broadcast goes to at most {MAX_CHATS} chats")));
    }
    let media = media.as_deref().map(media_name).transpose()?;
    if !is_visible(&text) && media.is_none() {
        return Err(ApiError::bad_request("the text is empty"));
    }
    let (key, author) = (key(&request)?, request.author()?);
    let message = Message { text: &text, media, key: &key, author: &author, urgent, native: None };
    let Broadcast { queued, unknown } = handle.broadcast(&to, skip_unknown, message).await?;
    let unknown: Vec<&str> = unknown.iter().map(Address::as_str).collect();
    if !unknown.is_empty() && !skip_unknown {
        let message = format!(
            "nothing is sent, because these chats are on no channel of the configuration: {}",
            unknown.join(", ")
        );
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_chats", message));
    }
    let queued: Value =
        queued.iter().map(|(to, parts)| sent(to, parts, held(&request, to, urgent))).collect();
    Ok(ApiResponse::Json(StatusCode::ACCEPTED, json!({"queued": queued, "unknown": unknown})))
}

/// Until when quiet hours hold a message for a chat.
fn held(request: &ApiRequest, to: &Address, urgent: bool) -> Option<DateTime<Utc>> {
    request.server.handle.quiet_until(to).filter(|_| !urgent)
}

fn sent(to: &Address, parts: &[OutboxRow], held: Option<DateTime<Utc>>) -> Value {
    let queued = |row: &OutboxRow| OutboxRow { held_until: row.held_until.or(held), ..row.clone() };
    let parts: Value = parts.iter().map(|row| show::part(&queued(row))).collect();
    json!({"to": to.as_str(), "parts": parts})
}

/// The key of a request in the database, unique over all tokens.
fn key(request: &ApiRequest) -> Result<String, ApiError> {
    let key = match request.idempotency_key()? {
        Some(key) => key,
        None => random::id()?,
    };
    // A token's id may contain any character, so its length separates it from the key.
    let token = &request.caller()?.person;
    Ok(format!("{}:{token}/{key}", token.len()))
}

fn address(to: &str) -> Result<Address, ApiError> {
    to.parse().map_err(|error: AddressError| ApiError::bad_request(error.to_string()))
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
