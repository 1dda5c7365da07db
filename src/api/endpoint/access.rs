//! Access grants: the list, and an admin's changes to it.

use frontdesk_core::account::{AccountId, NoSuchChannel};
use frontdesk_core::address::{AddressError, Principal};
use frontdesk_runtime::{AccessEntry, AccessView};
use frontdesk_store::row::{AccessChange, AccessDone, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show::access::AccessList;

/// A permission to be granted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRequest {
    #[schemars(length(min = 1))]
    platform: String,
    /// Unset means the account `default`.
    account: Option<String>,
    user: UserId,
    /// `dm`, `admin` or `group:ID`; unset means `dm`.
    #[schemars(pattern(r"^(dm|admin|group:.+)$"))]
    scope: Option<String>,
}

/// The platform's id of a person. Many platforms' user ids are numbers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum UserId {
    Text(#[schemars(length(min = 1))] String),
    Number(i64),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeQuery {
    /// `dm`, `admin` or `group:ID`; unset means all.
    #[schemars(pattern(r"^(dm|admin|group:.+)$"))]
    scope: Option<String>,
}

/// A permission that is granted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Granted {
    principal: String,
    scope: String,
    /// Whether the person did not have it before.
    new: bool,
}

/// Permissions that are revoked, and what ended with them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Revoked {
    principal: String,
    scope: Option<String>,
    /// Number of revoked permissions.
    grants: u64,
    #[serde(flatten)]
    ended: EndedWork,
    /// A sentence that says what was done.
    said: String,
}

/// A person who is blocked, and what ended with that.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Blocked {
    principal: String,
    /// Whether the person was not blocked before.
    new: bool,
    #[serde(flatten)]
    ended: EndedWork,
    /// A sentence that says what was done.
    said: String,
}

/// Numbers of what a person's loss of access has ended.
#[derive(Debug, Serialize, JsonSchema)]
struct EndedWork {
    /// Turns that ran.
    running: usize,
    /// Messages that waited.
    waiting: usize,
    /// Parts that were not sent yet.
    dropped: u64,
}

/// A person who is blocked no more.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Unblocked {
    principal: String,
    /// Whether the person was blocked.
    before: bool,
    /// A sentence that says what was done.
    said: String,
}

/// Which people a list has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessQuery {
    /// Only people with this text in their id or name.
    find: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many people a page has; all, if it is left out.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// Lists who may do what. With `limit` the people come in pages, by their ids; everything else is on the first one.
#[utoipa::path(get, path = "/api/access", params(AccessQuery), responses((status = 200, body = AccessList)))]
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
    let limit = limit.map(|limit| list::row_limit(Some(limit))).transpose()?;
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let more = view.entries.len() > limit;
    view.entries.truncate(limit);
    let next = view.entries.last().filter(|_| more).map(cursor);
    Ok(ApiResponse::ok(AccessList::new(&view, next)))
}

/// Grants a person a permission.
#[utoipa::path(post, path = "/api/access", request_body = GrantRequest, responses((status = 200, body = Granted)))]
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
    let (granted, name) = (principal.as_str().to_owned(), scope.name());
    let change = AccessChange::Grant { principal, scope };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Granted { new } => Ok(ApiResponse::ok(Granted { principal: granted, scope: name, new })),
        _ => Err(ApiError::internal()),
    }
}

/// Revokes one or all permissions of a person. Running answers are cancelled, waiting messages refused.
#[utoipa::path(delete, path = "/api/access/{principal}", params(RevokeQuery), responses((status = 200, body = Revoked), (status = 404)))]
pub(crate) async fn revoke(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let RevokeQuery { scope } = request.query()?;
    let principal: Principal = request.param(0)?.parse().map_err(malformed)?;
    let scope = scope.as_deref().map(parse_scope).transpose()?;
    let (revoked, revoked_scope) = (principal.clone(), scope.clone());
    let change = AccessChange::Revoke { principal, scope, also: Vec::new(), private: None };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Revoked(ended) => Ok(ApiResponse::ok(Revoked {
            said: request.server.handle.revoked(&revoked, revoked_scope.as_ref(), &ended),
            principal: revoked.as_str().to_owned(),
            scope: revoked_scope.as_ref().map(Scope::name),
            grants: ended.grants,
            ended: EndedWork {
                running: ended.running.len(),
                waiting: ended.waiting.len(),
                dropped: ended.dropped,
            },
        })),
        _ => Err(ApiError::internal()),
    }
}

/// Blocks a person, whatever is granted.
#[utoipa::path(post, path = "/api/access/{principal}/block", responses((status = 200, body = Blocked)))]
pub(crate) async fn block(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let principal: Principal = request.param(0)?.parse().map_err(malformed)?;
    check_account(&request.server, principal.account())?;
    let change = AccessChange::Block { principal: principal.clone(), private: None };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Blocked { new, ended } => Ok(ApiResponse::ok(Blocked {
            principal: principal.as_str().to_owned(),
            new,
            said: request.server.handle.blocked(&principal, new, &ended),
            ended: EndedWork {
                running: ended.running.len(),
                waiting: ended.waiting.len(),
                dropped: ended.dropped,
            },
        })),
        _ => Err(ApiError::internal()),
    }
}

/// Ends a block.
#[utoipa::path(delete, path = "/api/access/{principal}/block", responses((status = 200, body = Unblocked)))]
pub(crate) async fn unblock(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let principal: Principal = request.param(0)?.parse().map_err(malformed)?;
    let change = AccessChange::Unblock { principal: principal.clone() };
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Unblocked { before } => Ok(ApiResponse::ok(Unblocked {
            principal: principal.as_str().to_owned(),
            before,
            said: request.server.handle.unblocked(&principal, before),
        })),
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
