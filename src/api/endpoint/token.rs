//! Tokens: the list, and an admin's changes. The secret of a token is in one answer and nowhere else.

use std::time::Duration;

use axum::http::StatusCode;
use frontdesk_core::address::Principal;
use frontdesk_core::token::{TokenName, TokenScope};
use frontdesk_store::row::TokenRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::time;
use crate::token::{hash_token, make_token, token_holder};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MakeRequest {
    name: String,
    scope: String,
    /// For how many seconds it is valid; for ever if there is none.
    expires_s: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateRequest {
    expires_s: Option<u64>,
}

/// Every token without its secret, also those that were revoked.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let rows = request.server.handle.tokens().await?;
    let now = request.server.clock().wall();
    let shown = |row: &TokenRow| {
        let state = match row {
            row if row.revoked.is_some() => "revoked",
            row if row.expires.is_some_and(|expires| expires <= now) => "expired",
            _ => "valid",
        };
        json!({
            "name": row.name.as_str(),
            "scope": row.scope.name(),
            "kind": row.kind.name(),
            "holder": row.holder.to_string(),
            "state": state,
            "by": row.by,
            "created": time(row.created),
            "expires": row.expires.map(time),
            "last_used": row.last_used.map(time),
            "revoked": row.revoked.map(time),
        })
    };
    Ok(ApiResponse::ok(json!({"tokens": rows.iter().map(shown).collect::<Vec<_>>()})))
}

/// Makes a token. A repeated request is refused, because nobody can be told the secret a second time.
pub(crate) async fn make(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let MakeRequest { name, scope, expires_s } = request.json()?;
    let name = parse_name(&name)?;
    let scope = TokenScope::named(&scope).ok_or_else(|| {
        let names = TokenScope::ALL.map(TokenScope::name).join(", ");
        ApiError::bad_request(format!("scope: there is no {scope:?}; there are {names}"))
    })?;
    let secret = make_token().map_err(|_| ApiError::internal())?;
    let (hash, valid_for) = (hash_token(&secret), seconds(expires_s)?);
    let made = request.server.handle.make_token(
        (name.clone(), holder(&name)?),
        scope,
        hash,
        valid_for,
        request.author()?,
    );
    let body = with_secret(&name, &secret, made.await?.map(time));
    Ok(ApiResponse::Json(StatusCode::CREATED, body))
}

/// Replaces the secret of a token. The old one is refused at once, and its sockets close.
pub(crate) async fn rotate(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let RotateRequest { expires_s } = request.json()?;
    let name = parse_name(request.param(0)?)?;
    let secret = make_token().map_err(|_| ApiError::internal())?;
    let (hash, valid_for) = (hash_token(&secret), seconds(expires_s)?);
    let rotated = request.server.handle.rotate_token(name.clone(), hash, valid_for, request.author()?);
    Ok(ApiResponse::ok(with_secret(&name, &secret, rotated.await?.map(time))))
}

/// Revokes a token at once.
pub(crate) async fn revoke(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name = parse_name(request.param(0)?)?;
    let ended = request.server.handle.revoke_token((name.clone(), holder(&name)?), request.author()?).await?;
    Ok(ApiResponse::ok(json!({
        "revoked": name.as_str(), "running": ended.running.len(), "waiting": ended.waiting.len(),
    })))
}

fn with_secret(name: &TokenName, secret: &str, expires: Option<String>) -> Value {
    json!({"name": name.as_str(), "token": secret, "expires": expires})
}

fn parse_name(text: &str) -> Result<TokenName, ApiError> {
    text.parse()
        .map_err(|error: frontdesk_core::token::TokenNameError| ApiError::bad_request(error.to_string()))
}

/// The person who holds a token.
fn holder(name: &TokenName) -> Result<Principal, ApiError> {
    token_holder(name.as_str()).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// A token that has expired when it is made helps nobody.
fn seconds(number: Option<u64>) -> Result<Option<Duration>, ApiError> {
    match number {
        Some(0) => Err(ApiError::bad_request("expires_s: this is at least 1 second")),
        number => Ok(number.map(Duration::from_secs)),
    }
}
