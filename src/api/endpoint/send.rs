//! Sends a text or a file to any address, or to several, on behalf of the operator.

use std::path::{Component, Path};

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::visible::is_visible;
use frontdesk_runtime::{Broadcast, SendRequest as Message};
use frontdesk_store::row::OutboxRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ApiError;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::outbox::Part;

/// Maximum number of chats of one broadcast.
const MAX_CHATS: usize = 1000;

/// A message to a chat. It has a text, a file or both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendRequest {
    /// The address, for example `telegram:4711`.
    #[schemars(pattern(r"^[^:/]+:.+$"))]
    to: String,
    /// In Markdown.
    #[serde(default)]
    text: String,
    /// A file, relative to the media folder.
    media: Option<String>,
    /// Whether quiet hours do not hold it.
    #[serde(default)]
    urgent: bool,
    /// The message in the platform's own form, on Slack.
    blocks: Option<Value>,
}

/// A message to several chats: those of `to`, or those of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BroadcastRequest {
    /// Addresses.
    #[serde(default)]
    #[schemars(length(max = MAX_CHATS))]
    to: Vec<String>,
    /// A list of the configuration.
    list: Option<String>,
    /// In Markdown.
    #[serde(default)]
    text: String,
    /// A file, relative to the media folder.
    media: Option<String>,
    /// Whether quiet hours do not hold it.
    #[serde(default)]
    urgent: bool,
    /// Whether chats on no configured channel are left out; otherwise nothing is sent if there are any.
    #[serde(default)]
    skip_unknown: bool,
}

/// What is to be sent to one chat.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Queued {
    to: String,
    parts: Vec<Part>,
}

/// What is to be sent to several chats.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QueuedBroadcast {
    queued: Vec<Queued>,
    /// Chats on no configured channel.
    unknown: Vec<String>,
}

/// Sends a text, a file or both to a chat. The key makes its parts unique in the database, so that a repeated request sends
/// nothing twice, even after a restart.
#[utoipa::path(post, path = "/api/send", request_body = SendRequest, responses((status = 202, body = Queued), (status = 404), (status = 409)))]
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
    Ok(ApiResponse::json(StatusCode::ACCEPTED, sent(&to, &parts, held)))
}

/// Sends a text, a file or both to several chats. A repeated request sends it to those that have not got it.
#[utoipa::path(post, path = "/api/broadcast", request_body = BroadcastRequest, responses((status = 202, body = QueuedBroadcast), (status = 404), (status = 409)))]
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
    let unknown: Vec<String> = unknown.iter().map(|to| to.as_str().to_owned()).collect();
    if !unknown.is_empty() && !skip_unknown {
        let message = format!(
            "nothing is sent, because these chats are on no channel of the configuration: {}",
            unknown.join(", ")
        );
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_chats", message));
    }
    let queued = queued.iter().map(|(to, parts)| sent(to, parts, held(&request, to, urgent))).collect();
    Ok(ApiResponse::json(StatusCode::ACCEPTED, QueuedBroadcast { queued, unknown }))
}

/// Until when quiet hours hold a message for a chat.
fn held(request: &ApiRequest, to: &Address, urgent: bool) -> Option<DateTime<Utc>> {
    request.server.handle.quiet_until(to).filter(|_| !urgent)
}

fn sent(to: &Address, parts: &[OutboxRow], held: Option<DateTime<Utc>>) -> Queued {
    let queued = |row: &OutboxRow| OutboxRow { held_until: row.held_until.or(held), ..row.clone() };
    let parts = parts.iter().map(|row| Part::from(&queued(row))).collect();
    Queued { to: to.as_str().to_owned(), parts }
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
