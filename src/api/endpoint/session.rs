//! Conversations: lists, histories, and what an admin may do to one. The WebSocket's calls use the same verbs.

use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_store::row::Author;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::list;
use crate::server::ServerState;
use crate::show;

/// How many rows a list has unless it is asked for more or fewer.
pub(crate) const PAGE: u32 = 50;

/// How many rows a list has at most.
pub(crate) const MOST: u32 = 200;

/// Which sessions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    channel: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Messages {
    epoch: Option<u64>,
    before: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn list(call: Call) -> Result<Answer, ApiError> {
    sessions(&call.server, call.query()?).await.map(Answer::ok)
}

pub(crate) async fn get(call: Call) -> Result<Answer, ApiError> {
    session(&call.server, &key(call.param(0)?)?).await.map(Answer::ok)
}

pub(crate) async fn messages(call: Call) -> Result<Answer, ApiError> {
    let key = key(call.param(0)?)?;
    let which: Messages = call.query()?;
    let before = which.before.as_deref().map(parse_message).transpose()?;
    let store = call.server.handle.store();
    if store.session(&key).await?.is_none() {
        return Err(no_session(&key));
    }
    let limit = limit(which.limit);
    let read = |most| store.history_page(&key, which.epoch, before, limit, most);
    let page = call.server.page(list::PAGE, read).await?;
    call.server.listed("messages", page, limit, show::history, |row| row.message.id.to_string()).await
}

pub(crate) async fn reset(call: Call) -> Result<Answer, ApiError> {
    begin_anew(&call.server, &key(call.param(0)?)?, &call.author()?).await.map(Answer::ok)
}

pub(crate) async fn stop(call: Call) -> Result<Answer, ApiError> {
    cancel(&call.server, &key(call.param(0)?)?, &call.author()?).await.map(Answer::ok)
}

pub(crate) async fn erase(call: Call) -> Result<Answer, ApiError> {
    let key = key(call.param(0)?)?;
    call.server.handle.erase(&key, &call.author()?).await?;
    Ok(Answer::ok(json!({"erased": key.as_str()})))
}

/// A list of sessions, in the order of their keys.
pub(crate) async fn sessions(server: &ServerState, which: Which) -> Result<Value, ApiError> {
    let after = which.after.as_deref().map(key).transpose()?;
    let rows =
        server.handle.store().sessions(which.channel.as_deref(), after.as_ref(), limit(which.limit)).await?;
    Ok(json!({"sessions": rows.iter().map(show::session).collect::<Vec<_>>()}))
}

/// One session with its lives, the newest first.
pub(crate) async fn session(server: &ServerState, key: &SessionKey) -> Result<Value, ApiError> {
    let store = server.handle.store();
    let row = store.session(key).await?.ok_or_else(|| no_session(key))?;
    let epochs = store.epochs(key, None, PAGE).await?;
    let mut shown = show::session(&row);
    shown["epochs"] = epochs.iter().map(show::epoch).collect();
    Ok(shown)
}

/// Begins a new conversation.
pub(crate) async fn begin_anew(
    server: &ServerState,
    key: &SessionKey,
    author: &Author,
) -> Result<Value, ApiError> {
    let epoch = server.handle.reset(key, author).await?;
    Ok(json!({"session": key.as_str(), "epoch": epoch}))
}

/// Cancels the running and the waiting turns.
pub(crate) async fn cancel(
    server: &ServerState,
    key: &SessionKey,
    author: &Author,
) -> Result<Value, ApiError> {
    Ok(cancelled(key, server.handle.cancel(key, author).await?))
}

/// How many turns ran and how many messages waited.
pub(crate) fn cancelled(key: &SessionKey, (running, waiting): (usize, usize)) -> Value {
    json!({"session": key.as_str(), "running": running, "waiting": waiting})
}

/// A session key as somebody wrote it.
pub(crate) fn key(text: &str) -> Result<SessionKey, ApiError> {
    text.parse().map_err(|error: frontdesk_core::key::KeyError| ApiError::bad_request(error.to_string()))
}

/// How long a list may be.
pub(crate) fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(PAGE).clamp(1, MOST)
}

fn parse_message(text: &str) -> Result<MessageId, ApiError> {
    text.parse().map_err(|error: frontdesk_core::id::IdError| ApiError::bad_request(error.to_string()))
}

fn no_session(key: &SessionKey) -> ApiError {
    ApiError::not_found(format!("there is no session {key}"))
}
