//! Sessions: lists, histories, and an admin's changes. The WebSocket's calls use the same functions.

use frontdesk_core::access::Action;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_store::row::{Author, SessionChange, SessionFilter};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show;
use crate::token::{Caller, Scope};

/// Selects sessions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionsQuery {
    channel: Option<String>,
    agent: Option<String>,
    /// Only sessions with this text in their key or title.
    find: Option<String>,
    /// By their keys, or the one with the latest message first.
    #[serde(default)]
    order: SessionOrder,
    /// Only those in which something waits or runs.
    #[serde(default)]
    busy: bool,
    after: Option<String>,
    limit: Option<u32>,
    /// Whether to say how the current conversation of each began.
    #[serde(default)]
    openings: bool,
}

/// The order of a list of sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SessionOrder {
    #[default]
    Key,
    Recent,
}

/// Maximum length of a session's title, in bytes.
const MAX_TITLE: usize = 200;

/// What is left out stays as it is; a title of `null` removes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionChangeRequest {
    #[serde(default, deserialize_with = "given")]
    title: Option<Option<String>>,
    archived: Option<bool>,
}

/// A field that is there, even if it is `null`.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    epoch: Option<u64>,
    before: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    sessions(&request.server, request.caller()?, request.query()?).await.map(ApiResponse::ok)
}

pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    session(&request.server, &request.session(Scope::Read)?).await.map(ApiResponse::ok)
}

pub(crate) async fn messages(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let key = request.session(Scope::Read)?;
    let query: HistoryQuery = request.query()?;
    let before = query.before.as_deref().map(parse_message).transpose()?;
    let store = request.server.handle.store();
    if store.session(&key).await?.is_none() {
        return Err(no_session(&key));
    }
    let limit = list::row_limit(query.limit);
    let read = |max| store.history_page(&key, query.epoch, before, limit, max);
    let page = request.server.page(list::MAX_PAGE_BYTES, read).await?;
    request
        .server
        .list_response("messages", page, limit, show::history, |row| row.message.id.to_string())
        .await
}

pub(crate) async fn reset(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    reset_session(&request.server, &request.session(Scope::Admin)?, &request.author()?)
        .await
        .map(ApiResponse::ok)
}

pub(crate) async fn stop(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    cancel(&request.server, &request.session(Scope::Admin)?, &request.author()?).await.map(ApiResponse::ok)
}

/// Changes how a session is listed: its title, and whether it is archived.
pub(crate) async fn change(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let key = request.session(Scope::Admin)?;
    let SessionChangeRequest { title, archived } = request.json()?;
    let title =
        title.map(|title| title.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty()));
    if title.iter().flatten().any(|title| title.len() > MAX_TITLE || title.chars().any(char::is_control)) {
        return Err(ApiError::bad_request(format!(
            "a title has at most {MAX_TITLE} bytes and no control characters"
        )));
    }
    request.server.handle.list_session_as(&key, SessionChange { title, archived }).await?;
    session(&request.server, &key).await.map(ApiResponse::ok)
}

pub(crate) async fn erase(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let key = key(request.param(0)?)?;
    request.server.handle.erase(&key, &request.author()?).await?;
    Ok(ApiResponse::ok(json!({"erased": key.as_str()})))
}

/// Sessions in the order of their keys: with the scope `chat` those of the caller's own chats, otherwise all.
pub(crate) async fn sessions(
    server: &ServerState,
    caller: &Caller,
    query: SessionsQuery,
) -> Result<Value, ApiError> {
    let has_filter = query.agent.is_some() || query.find.is_some();
    if query.order == SessionOrder::Recent {
        return recent(server, caller, query).await;
    }
    if has_filter {
        return Err(ApiError::bad_request("agent and find need order=recent"));
    }
    let after = query.after.as_deref().map(key).transpose()?;
    let (store, limit) = (server.handle.store(), list::row_limit(query.limit));
    let rows = match caller.scope {
        Scope::Chat | Scope::App => {
            server.authorize(caller, Scope::Read, Action::Write)?;
            store.sessions_in(&caller.chats(), after.as_ref(), limit).await?
        }
        Scope::Read | Scope::Admin => {
            server.authorize(caller, Scope::Read, Action::Administer)?;
            match query.busy {
                true => store.busy_sessions(after.as_ref(), limit).await?,
                false => store.sessions(query.channel.as_deref(), after.as_ref(), limit).await?,
            }
        }
    };
    let mut shown: Vec<Value> = rows.iter().map(show::session).collect();
    if query.openings {
        let openings = server.handle.store().openings(&rows).await?;
        for (shown, opening) in shown.iter_mut().zip(openings) {
            shown["opening"] = opening.into();
        }
    }
    let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| row.key.as_str());
    Ok(json!({"sessions": shown, "next": next}))
}

/// Sessions by their last message, the latest first. Each request reads a part of the messages, so that a page may be
/// short, or empty, though `next` says that the list goes on.
async fn recent(server: &ServerState, caller: &Caller, query: SessionsQuery) -> Result<Value, ApiError> {
    server.authorize(caller, Scope::Read, Action::Administer)?;
    let before = query.after.as_deref().map(parse_message).transpose()?;
    let find = query.find.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty());
    let filter = SessionFilter { channel: query.channel, agent: query.agent, find };
    let (store, limit) = (server.handle.store(), list::row_limit(query.limit));
    let (found, next) = store.recent_sessions(filter, before, limit).await?;
    let mut shown: Vec<Value> = Vec::with_capacity(found.len());
    for one in &found {
        let mut session = show::session(&one.session);
        session["active"] = show::time(one.at).into();
        shown.push(session);
    }
    if query.openings {
        let rows: Vec<_> = found.into_iter().map(|one| one.session).collect();
        let openings = store.openings(&rows).await?;
        for (shown, opening) in shown.iter_mut().zip(openings) {
            shown["opening"] = opening.into();
        }
    }
    Ok(json!({"sessions": shown, "next": next.map(|message| message.to_string())}))
}

/// One session with what waits in it, and its epochs, the newest first.
pub(crate) async fn session(server: &ServerState, key: &SessionKey) -> Result<Value, ApiError> {
    let store = server.handle.store();
    let status = server.handle.session_status(key).await?.ok_or_else(|| no_session(key))?;
    let epochs = store.epochs(key, None, list::DEFAULT_ROWS).await?;
    let waiting = store.waiting_messages(key, None).await?;
    let mut shown = show::session_status(&status);
    shown["queue"]["waiting"] =
        waiting.iter().take(list::DEFAULT_ROWS as usize).map(show::waiting).collect::<Vec<_>>().into();
    shown["epochs"] = epochs.iter().map(show::epoch).collect();
    Ok(shown)
}

/// Starts a new epoch.
pub(crate) async fn reset_session(
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

/// The number of cancelled turns and waiting messages, as JSON.
pub(crate) fn cancelled(key: &SessionKey, (running, waiting): (usize, usize)) -> Value {
    json!({"session": key.as_str(), "running": running, "waiting": waiting})
}

/// Parses a session key.
pub(crate) fn key(text: &str) -> Result<SessionKey, ApiError> {
    text.parse().map_err(|error: frontdesk_core::key::KeyError| ApiError::bad_request(error.to_string()))
}

fn parse_message(text: &str) -> Result<MessageId, ApiError> {
    text.parse().map_err(|error: frontdesk_core::id::IdError| ApiError::bad_request(error.to_string()))
}

pub(crate) fn no_session(key: &SessionKey) -> ApiError {
    ApiError::not_found(format!("there is no session {key}"))
}
