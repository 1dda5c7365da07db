//! Tokens: the list, and an admin's changes. The secret of a token is in one answer and nowhere else.

use std::time::Duration;

use axum::http::StatusCode;
use frontdesk_core::address::Principal;
use frontdesk_core::token::{TokenName, TokenScope};
use frontdesk_store::row::TokenRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::{Timestamp, maybe};
use crate::token::{hash_token, make_token, token_holder};

/// A token to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    #[schemars(pattern(r"^[a-z0-9][a-z0-9._-]{0,39}$"))]
    name: String,
    #[schemars(extend("enum" = TokenScope::ALL.map(TokenScope::name)))]
    scope: String,
    /// For how many seconds it is valid; for ever if there is none.
    #[schemars(range(min = 1))]
    expires_s: Option<u64>,
}

/// How long the new secret of a token is valid.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRotation {
    /// In seconds; for ever if there is none.
    #[schemars(range(min = 1))]
    expires_s: Option<u64>,
}

/// Tokens without their secrets.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenList {
    tokens: Vec<ListedToken>,
}

/// A token without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
struct ListedToken {
    name: String,
    #[schemars(extend("enum" = TokenScope::ALL.map(TokenScope::name)))]
    scope: &'static str,
    /// `owner`, `named` or `browser`.
    kind: &'static str,
    /// The person for whom it stands.
    holder: String,
    #[schemars(extend("enum" = ["valid", "expired", "revoked"]))]
    state: &'static str,
    /// Who made it.
    by: String,
    created: Timestamp,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    revoked: Option<Timestamp>,
}

/// A token with its secret, which no other response has.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TokenSecret {
    name: String,
    token: String,
    expires: Option<Timestamp>,
}

/// A token that is revoked, and what ended with it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RevokedToken {
    revoked: String,
    /// Number of its turns that ran.
    running: usize,
    /// Number of its messages that waited.
    waiting: usize,
}

/// Lists every token without its secret, also those that were revoked.
#[utoipa::path(get, path = "/api/tokens", responses((status = 200, body = TokenList)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let rows = request.server.handle.tokens().await?;
    let now = request.server.clock().wall();
    let shown = |row: &TokenRow| {
        let state = match row {
            row if row.revoked.is_some() => "revoked",
            row if row.expires.is_some_and(|expires| expires <= now) => "expired",
            _ => "valid",
        };
        ListedToken {
            name: row.name.as_str().to_owned(),
            scope: row.scope.name(),
            kind: row.kind.name(),
            holder: row.holder.to_string(),
            state,
            by: row.by.clone(),
            created: row.created.into(),
            expires: maybe(row.expires),
            last_used: maybe(row.last_used),
            revoked: maybe(row.revoked),
        }
    };
    Ok(ApiResponse::ok(TokenList { tokens: rows.iter().map(shown).collect() }))
}

/// Makes a token. A repeated request is refused, because nobody can be told the secret a second time.
#[utoipa::path(post, path = "/api/tokens", request_body = NewToken, responses((status = 201, body = TokenSecret), (status = 409)))]
pub(crate) async fn make(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let NewToken { name, scope, expires_s } = request.json()?;
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
    let body = TokenSecret { name: name.to_string(), token: secret, expires: maybe(made.await?) };
    Ok(ApiResponse::json(StatusCode::CREATED, body))
}

/// Replaces the secret of a token. The old one is refused at once, and its sockets close.
#[utoipa::path(post, path = "/api/tokens/{token}/rotate", request_body = TokenRotation, responses((status = 200, body = TokenSecret), (status = 404)))]
pub(crate) async fn rotate(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let TokenRotation { expires_s } = request.json()?;
    let name = parse_name(request.param(0)?)?;
    let secret = make_token().map_err(|_| ApiError::internal())?;
    let (hash, valid_for) = (hash_token(&secret), seconds(expires_s)?);
    let rotated = request.server.handle.rotate_token(name.clone(), hash, valid_for, request.author()?);
    let expires = maybe(rotated.await?);
    Ok(ApiResponse::ok(TokenSecret { name: name.to_string(), token: secret, expires }))
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/api/tokens/{token}", responses((status = 200, body = RevokedToken), (status = 404)))]
pub(crate) async fn revoke(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name = parse_name(request.param(0)?)?;
    let ended = request.server.handle.revoke_token((name.clone(), holder(&name)?), request.author()?).await?;
    Ok(ApiResponse::ok(RevokedToken {
        revoked: name.to_string(),
        running: ended.running.len(),
        waiting: ended.waiting.len(),
    }))
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
