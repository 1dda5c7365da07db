//! Login links: a ticket is made, and a browser exchanges it for a token of its own.

use std::time::Duration;

use axum::http::StatusCode;
use frontdesk_core::token::{Holder, TokenName};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show::time;
use crate::ticket::{LONGEST, Login, USUAL};
use crate::token::{Caller, hash_token, make_token};

/// For how long a browser stays logged in.
const BROWSER: Duration = Duration::from_secs(90 * 24 * 3600);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketRequest {
    /// For how many seconds it is valid.
    expires_s: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    ticket: String,
}

/// Makes a ticket with which one browser can log in as the caller.
pub(crate) async fn ticket(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let TicketRequest { expires_s } = request.json()?;
    let valid_for = expires_s.map_or(USUAL, Duration::from_secs);
    if valid_for.is_zero() || valid_for > LONGEST {
        let longest = LONGEST.as_secs();
        return Err(ApiError::bad_request(format!("expires_s: this is 1 to {longest} seconds")));
    }
    let (server, caller) = (&request.server, request.caller()?);
    let holder: Holder = caller.person.parse().map_err(|_| ApiError::internal())?;
    let login = Login { maker: caller.clone(), holder, scope: caller.scope };
    let secret = server.tickets.make(login, server.now(), valid_for)?;
    let expires = server.clock().wall() + valid_for;
    let body = json!({"ticket": secret, "path": format!("/#ticket={secret}"), "expires": time(expires)});
    Ok(ApiResponse::Json(StatusCode::CREATED, body))
}

/// Exchanges a ticket for the token of a browser.
pub(crate) async fn log_in(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let LoginRequest { ticket } = request.json()?;
    let server = &request.server;
    let login = server.tickets.take(&ticket, server.now()).filter(|login| server.is_valid(&login.maker));
    let Some(Login { maker, holder, scope }) = login else {
        return Err(server.wrong_ticket(request.ip));
    };
    let secret = make_token().map_err(|_| ApiError::internal())?;
    // A name of its own, so that each browser can be logged out alone.
    let name = format!("browser-{}", random::id()?.to_lowercase().replace(['_', '-'], "x"));
    let name: TokenName = name.parse().map_err(|_| ApiError::internal())?;
    let made = server.handle.log_in(
        (name.clone(), holder.clone()),
        scope,
        hash_token(&secret),
        longest(server, &maker),
        maker.author(),
    );
    let expires = made.await?;
    request.peer.slot.authenticate();
    let mut body = shown(name.as_str(), "browser", &holder.to_string(), scope.name());
    body["token"] = secret.into();
    body["expires"] = time(expires).into();
    Ok(ApiResponse::Json(StatusCode::CREATED, body))
}

/// For how long a browser that this caller lets in stays logged in: no longer than the caller's own token is valid.
fn longest(server: &ServerState, maker: &Caller) -> Duration {
    let expires = server.handle.token(maker.hash()).and_then(|row| row.expires);
    let left = expires.map(|at| (at - server.clock().wall()).to_std().unwrap_or_default());
    left.map_or(BROWSER, |left| left.min(BROWSER))
}

/// Who the caller is.
pub(crate) async fn who(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let caller = request.caller()?;
    let row = request.server.handle.token(caller.hash());
    let kind = row.as_ref().map_or("owner", |row| row.kind.name());
    let mut body = shown(caller.name(), kind, &caller.person, caller.scope.name());
    body["expires"] = row.and_then(|row| row.expires).map(time).into();
    Ok(ApiResponse::ok(body))
}

/// Logs the browser out that calls.
pub(crate) async fn log_out(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name: TokenName = request.caller()?.name().parse().map_err(|_| ApiError::internal())?;
    let is_browser = request.server.handle.token(request.caller()?.hash());
    if is_browser.is_none_or(|row| row.kind.name() != "browser") {
        let message =
            "this token did not come from a login link: an admin revokes it (frontdesk tokens revoke)";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_browser", message));
    }
    request.server.handle.log_out(name, request.author()?).await?;
    Ok(ApiResponse::ok(json!({})))
}

fn shown(name: &str, kind: &str, person: &str, scope: &str) -> Value {
    json!({"name": name, "kind": kind, "person": person, "scope": scope})
}
