//! Who may speak: the list, and what an admin changes in it.

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{AddressError, Principal};
use frontdesk_store::row::{AccessChange, AccessDone, Scope};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::server::ServerState;
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    platform: String,
    account: Option<String>,
    user: Id,
    scope: Option<String>,
}

/// Platforms' ids are often numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(i64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    scope: Option<String>,
}

pub(crate) async fn list(call: Call) -> Result<Answer, ApiError> {
    Ok(Answer::ok(show::access(&call.server.handle.access())))
}

pub(crate) async fn grant(call: Call) -> Result<Answer, ApiError> {
    let Grant { platform, account, user, scope } = call.json()?;
    let user = match user {
        Id::Text(text) => text,
        Id::Number(n) => n.to_string(),
    };
    let principal = Principal::new(&platform, account.as_deref(), &user).map_err(malformed)?;
    let scope = scope.as_deref().map_or(Ok(Scope::Dm), named)?;
    call.server.handle.refuse_odd_ids(&principal, &scope)?;
    known_account(&call.server, principal.account())?;
    let mut answer = json!({"principal": principal.as_str(), "scope": scope.name()});
    let change = AccessChange::Grant { principal, scope };
    match call.server.handle.change_access(change, call.author()?).await? {
        AccessDone::Granted { new } => {
            answer["new"] = new.into();
            Ok(Answer::ok(answer))
        }
        _ => Err(ApiError::internal()),
    }
}

pub(crate) async fn revoke(call: Call) -> Result<Answer, ApiError> {
    let Where { scope } = call.query()?;
    let principal: Principal = call.param(0)?.parse().map_err(malformed)?;
    let scope = scope.as_deref().map(named).transpose()?;
    let mut answer = json!({"principal": principal.as_str(), "scope": scope.as_ref().map(Scope::name)});
    let (who, place) = (principal.clone(), scope.clone());
    let change = AccessChange::Revoke { principal, scope, also: Vec::new(), private: None };
    match call.server.handle.change_access(change, call.author()?).await? {
        AccessDone::Revoked(ended) => {
            answer["grants"] = ended.grants.into();
            answer["running"] = ended.running.len().into();
            answer["waiting"] = ended.waiting.len().into();
            answer["dropped"] = ended.dropped.into();
            answer["said"] = call.server.handle.revoked(&who, place.as_ref(), &ended).into();
            Ok(Answer::ok(answer))
        }
        _ => Err(ApiError::internal()),
    }
}

/// Refuses an account that is not there: a grant on it would wait for a stranger's bot of that name.
pub(crate) fn known_account(server: &ServerState, account: &AccountId) -> Result<(), ApiError> {
    let accounts = server.handle.accounts();
    if accounts.iter().any(|known| known.id == *account) {
        return Ok(());
    }
    let known: Vec<String> = accounts.iter().map(|known| known.id.to_string()).collect();
    Err(ApiError::bad_request(format!("no account {account} is connected; there are {}", known.join(", "))))
}

fn named(scope: &str) -> Result<Scope, ApiError> {
    Scope::named(scope).ok_or_else(|| {
        ApiError::bad_request(format!("there is no scope {scope:?}; there are dm, admin and group:ID"))
    })
}

fn malformed(error: AddressError) -> ApiError {
    ApiError::bad_request(error.to_string())
}
