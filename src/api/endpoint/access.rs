//! Access grants: the list, and an admin's changes to it.

use frontdesk_core::account::{AccountId, NoSuchChannel};
use frontdesk_core::address::{AddressError, Principal};
use frontdesk_runtime::{AccessEntry, AccessView};
use frontdesk_store::row::{AccessChange, AccessDone, Scope};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    platform: String,
    account: Option<String>,
    user: UserId,
    scope: Option<String>,
}

/// Many platforms' user ids are numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum UserId {
    Text(String),
    Number(i64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeQuery {
    scope: Option<String>,
}

/// Which people a list has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessQuery {
    /// Only people with this text in their id or name.
    find: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many people a page has; all, if it is left out.
    limit: Option<u32>,
}

/// Who may write. With `limit` the people come in pages, by their ids; everything else is on the first one.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let AccessQuery { find, after, limit } = request.query()?;
    let mut view = request.server.handle.access();
    let words = find.unwrap_or_default().trim().to_lowercase();
    let has_words = |id: &str, name: Option<&str>| {
        words.is_empty() || [Some(id), name].iter().flatten().any(|text| text.to_lowercase().contains(&words))
    };
    let cursor = |entry: &AccessEntry| format!("{} {}", entry.principal, entry.scope.name());
    if limit.is_some() {
        view.entries.sort_by_cached_key(cursor);
    }
    view.entries.retain(|entry| has_words(entry.principal.as_str(), entry.shown.as_deref()));
    view.blocked.retain(|row| has_words(row.principal.as_str(), None));
    if let Some(after) = &after {
        view.entries.retain(|entry| cursor(entry) > *after);
        view = AccessView { entries: view.entries, ..AccessView::default() };
    }
    let limit = limit.map(|limit| list::row_limit(Some(limit)) as usize);
    let more = limit.is_some_and(|limit| view.entries.len() > limit);
    view.entries.truncate(limit.unwrap_or(usize::MAX));
    let next = view.entries.last().filter(|_| more).map(cursor);
    let mut shown = show::access(&view);
    shown["next"] = next.into();
    Ok(ApiResponse::ok(shown))
}

pub(crate) async fn grant(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let GrantRequest { platform, account, user, scope } = request.json()?;
    let user = match user {
        UserId::Text(text) => text,
        UserId::Number(n) => n.to_string(),
    };
    let principal = Principal::new(&platform, account.as_deref(), &user).map_err(malformed)?;
    let scope = scope.as_deref().map_or(Ok(Scope::Dm), parse_scope)?;
    request.server.handle.refuse_odd_ids(&principal, &scope)?;
    check_account(&request.server, principal.account())?;
    let mut answer = json!({"principal": principal.as_str(), "scope": scope.name()});
    let change = AccessChange::Grant { principal, scope };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Granted { new } => {
            answer["new"] = new.into();
            Ok(ApiResponse::ok(answer))
        }
        _ => Err(ApiError::internal()),
    }
}

pub(crate) async fn revoke(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let RevokeQuery { scope } = request.query()?;
    let principal: Principal = request.param(0)?.parse().map_err(malformed)?;
    let scope = scope.as_deref().map(parse_scope).transpose()?;
    let mut answer = json!({"principal": principal.as_str(), "scope": scope.as_ref().map(Scope::name)});
    let (revoked, revoked_scope) = (principal.clone(), scope.clone());
    let change = AccessChange::Revoke { principal, scope, also: Vec::new(), private: None };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Revoked(ended) => {
            answer["grants"] = ended.grants.into();
            answer["running"] = ended.running.len().into();
            answer["waiting"] = ended.waiting.len().into();
            answer["dropped"] = ended.dropped.into();
            answer["said"] = request.server.handle.revoked(&revoked, revoked_scope.as_ref(), &ended).into();
            Ok(ApiResponse::ok(answer))
        }
        _ => Err(ApiError::internal()),
    }
}

pub(crate) async fn block(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let principal: Principal = request.param(0)?.parse().map_err(malformed)?;
    check_account(&request.server, principal.account())?;
    let change = AccessChange::Block { principal: principal.clone(), private: None };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Blocked { new, ended } => Ok(ApiResponse::ok(json!({
            "principal": principal.as_str(),
            "new": new,
            "running": ended.running.len(),
            "waiting": ended.waiting.len(),
            "dropped": ended.dropped,
            "said": request.server.handle.blocked(&principal, new, &ended),
        }))),
        _ => Err(ApiError::internal()),
    }
}

pub(crate) async fn unblock(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let principal: Principal = request.param(0)?.parse().map_err(malformed)?;
    let change = AccessChange::Unblock { principal: principal.clone() };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Unblocked { before } => Ok(ApiResponse::ok(json!({
            "principal": principal.as_str(),
            "before": before,
            "said": request.server.handle.unblocked(&principal, before),
        }))),
        _ => Err(ApiError::internal()),
    }
}

/// Refuses an unknown account. A grant on it would become effective if an account of that name were connected later.
pub(crate) fn check_account(server: &ServerState, account: &AccountId) -> Result<(), ApiError> {
    let accounts = server.handle.accounts();
    if accounts.iter().any(|known| known.id == *account) {
        return Ok(());
    }
    let unknown = NoSuchChannel::new(account, accounts.iter().map(|known| &known.id));
    Err(ApiError::bad_request(unknown.to_string()))
}

fn parse_scope(scope: &str) -> Result<Scope, ApiError> {
    Scope::named(scope).ok_or_else(|| {
        ApiError::bad_request(format!("there is no scope {scope:?}; there are dm, admin and group:ID"))
    })
}

fn malformed(error: AddressError) -> ApiError {
    ApiError::bad_request(error.to_string())
}
