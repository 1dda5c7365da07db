//! Sessions: lists, histories, and an admin's changes. The WebSocket's calls use the same functions.

use chrono::{DateTime, Utc};
use frontdesk_core::access::Action;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_store::row::{Author, SessionChange, SessionFilter, SessionRow};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show::session::{Epoch, Message, Session, SessionDetails, WaitingMessage};
use crate::show::{Timestamp, maybe};
use crate::token::{Caller, Scope};

/// Selects sessions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
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
    /// `next` of the page before.
    after: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// Whether to say how the current conversation of each began.
    #[serde(default)]
    openings: bool,
}

/// The order of a list of sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum SessionOrder {
    #[default]
    Key,
    Recent,
}

/// Maximum length of a session's title, in bytes.
const MAX_TITLE: usize = 200;

/// What is left out stays as it is; a title of `null` removes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionChangeRequest {
    #[serde(default, deserialize_with = "given")]
    #[schemars(length(max = MAX_TITLE))]
    title: Option<Option<String>>,
    archived: Option<bool>,
}

/// A field that is there, even if it is `null`.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// The number of a conversation; unset means all.
    epoch: Option<u64>,
    /// `next` of the page before.
    #[schemars(pattern(r"^m[0-9]{1,18}$"))]
    before: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// A page of sessions.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sessions {
    sessions: Vec<ListedSession>,
    next: Option<String>,
}

/// A session in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedSession {
    #[serde(flatten)]
    session: Session,
    /// How the current conversation began, if the query asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    opening: Option<Option<String>>,
    /// When its last message came, in the order of the latest messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<Timestamp>,
}

/// The messages of a session.
// It is written row by row.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Messages {
    messages: Vec<Message>,
    next: Option<String>,
}

/// A session with a new conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResetSession {
    session: String,
    epoch: u64,
}

/// Numbers of the cancelled turns and of the cancelled messages that waited.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StoppedSession {
    session: String,
    running: usize,
    waiting: usize,
}

/// A session that is deleted with all that was said in it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ErasedSession {
    erased: String,
}

/// Lists sessions: with the scope `chat` those of the caller's own chats, otherwise all. In the order of the latest messages a
/// page may be short, or empty, though `next` says that the list goes on.
#[utoipa::path(get, path = "/api/sessions", params(SessionsQuery), responses((status = 200, body = Sessions)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    sessions(&request.server, request.caller()?, request.query()?).await.map(ApiResponse::ok)
}

/// One session with what waits in it, and its conversations.
#[utoipa::path(get, path = "/api/session/{key}", responses((status = 200, body = SessionDetails), (status = 404)))]
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    session(&request.server, &request.session(Scope::Read)?).await.map(ApiResponse::ok)
}

/// Lists the messages of a session with their answers, the newest first.
#[utoipa::path(get, path = "/api/session/{key}/messages", params(HistoryQuery), responses((status = 200, body = Messages), (status = 404)))]
pub(crate) async fn messages(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let key = request.session(Scope::Read)?;
    let query: HistoryQuery = request.query()?;
    let before = query.before.as_deref().map(parse_message).transpose()?;
    let store = request.server.handle.store();
    if store.session(&key).await?.is_none() {
        return Err(no_session(&key));
    }
    let limit = list::row_limit(query.limit)?;
    let read = |max| store.history_page(&key, query.epoch, before, limit, max);
    let page = request.server.page(list::MAX_PAGE_BYTES, read).await?;
    request
        .server
        .list_response("messages", page, limit, |row| Message::from(row), |row| row.message.id.to_string())
        .await
}

/// Starts a new conversation.
#[utoipa::path(post, path = "/api/session/{key}/reset", responses((status = 200, body = ResetSession), (status = 404)))]
pub(crate) async fn reset(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    reset_session(&request.server, &request.session(Scope::Admin)?, &request.author()?)
        .await
        .map(ApiResponse::ok)
}

/// Cancels the running and the waiting turns.
#[utoipa::path(post, path = "/api/session/{key}/stop", responses((status = 200, body = StoppedSession), (status = 404)))]
pub(crate) async fn stop(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    cancel(&request.server, &request.session(Scope::Admin)?, &request.author()?).await.map(ApiResponse::ok)
}

/// Changes how a session is listed: its title, and whether it is archived.
#[utoipa::path(patch, path = "/api/session/{key}", request_body = SessionChangeRequest, responses((status = 200, body = SessionDetails), (status = 404)))]
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

/// Deletes a session with all that was said in it.
#[utoipa::path(delete, path = "/api/session/{key}", responses((status = 200, body = ErasedSession), (status = 404)))]
pub(crate) async fn erase(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let key = key(request.param(0)?)?;
    request.server.handle.erase(&key, &request.author()?).await?;
    Ok(ApiResponse::ok(ErasedSession { erased: key.as_str().to_owned() }))
}

/// Sessions in the order of their keys: with the scope `chat` those of the caller's own chats, otherwise all.
pub(crate) async fn sessions(
    server: &ServerState,
    caller: &Caller,
    query: SessionsQuery,
) -> Result<Sessions, ApiError> {
    let has_filter = query.agent.is_some() || query.find.is_some();
    if query.order == SessionOrder::Recent {
        return recent(server, caller, query).await;
    }
    if has_filter {
        return Err(ApiError::bad_request("agent and find need order=recent"));
    }
    let after = query.after.as_deref().map(key).transpose()?;
    let (store, limit) = (server.handle.store(), list::row_limit(query.limit)?);
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
    let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| row.key.as_str().to_owned());
    let rows: Vec<_> = rows.into_iter().map(|row| (row, None)).collect();
    listed(server, rows, query.openings, next).await
}

/// Sessions by their last message, the latest first. Each request reads a part of the messages, so that a page may be
/// short, or empty, though `next` says that the list goes on.
async fn recent(server: &ServerState, caller: &Caller, query: SessionsQuery) -> Result<Sessions, ApiError> {
    server.authorize(caller, Scope::Read, Action::Administer)?;
    let before = query.after.as_deref().map(parse_message).transpose()?;
    let find = query.find.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty());
    let filter = SessionFilter { channel: query.channel, agent: query.agent, find };
    let (store, limit) = (server.handle.store(), list::row_limit(query.limit)?);
    let (found, next) = store.recent_sessions(filter, before, limit).await?;
    let rows = found.into_iter().map(|one| (one.session, Some(one.at))).collect();
    listed(server, rows, query.openings, next.map(|message| message.to_string())).await
}

/// A page of sessions, each with the time of its last message if the order is that of the latest.
async fn listed(
    server: &ServerState,
    rows: Vec<(SessionRow, Option<DateTime<Utc>>)>,
    openings: bool,
    next: Option<String>,
) -> Result<Sessions, ApiError> {
    let (rows, times): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let session = |(row, at)| ListedSession { session: Session::from(row), opening: None, active: maybe(at) };
    let mut sessions: Vec<_> = rows.iter().zip(times).map(session).collect();
    if openings {
        let openings = server.handle.store().openings(&rows).await?;
        for (session, opening) in sessions.iter_mut().zip(openings) {
            session.opening = Some(opening);
        }
    }
    Ok(Sessions { sessions, next })
}

/// One session with what waits in it, and its epochs, the newest first.
pub(crate) async fn session(server: &ServerState, key: &SessionKey) -> Result<SessionDetails, ApiError> {
    let store = server.handle.store();
    let status = server.handle.session_status(key).await?.ok_or_else(|| no_session(key))?;
    let epochs = store.epochs(key, None, list::DEFAULT_ROWS).await?;
    let waiting = store.waiting_messages(key, None).await?;
    let waiting = waiting.iter().take(list::DEFAULT_ROWS as usize).map(WaitingMessage::from).collect();
    Ok(SessionDetails::new(&status, waiting, epochs.iter().map(Epoch::from).collect()))
}

/// Starts a new epoch.
pub(crate) async fn reset_session(
    server: &ServerState,
    key: &SessionKey,
    author: &Author,
) -> Result<ResetSession, ApiError> {
    let epoch = server.handle.reset(key, author).await?;
    Ok(ResetSession { session: key.as_str().to_owned(), epoch })
}

/// Cancels the running and the waiting turns.
pub(crate) async fn cancel(
    server: &ServerState,
    key: &SessionKey,
    author: &Author,
) -> Result<StoppedSession, ApiError> {
    Ok(cancelled(key, server.handle.cancel(key, author).await?))
}

/// The number of cancelled turns and waiting messages.
pub(crate) fn cancelled(key: &SessionKey, (running, waiting): (usize, usize)) -> StoppedSession {
    StoppedSession { session: key.as_str().to_owned(), running, waiting }
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
