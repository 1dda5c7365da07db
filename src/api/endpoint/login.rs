//! Login links: a ticket is made, and a browser exchanges it for a token of its own.

use std::time::Duration;

use axum::http::StatusCode;
use frontdesk_core::token::{Holder, TokenName, TokenScope};
use frontdesk_store::row::TokenKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show::{Timestamp, maybe};
use crate::ticket::{LONGEST, Login, USUAL};
use crate::token::{Caller, hash_token, make_token};

/// For how long a browser stays logged in.
const BROWSER: Duration = Duration::from_secs(90 * 24 * 3600);

/// A ticket to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketRequest {
    /// For how many seconds it is valid.
    #[schemars(range(min = 1, max = LONGEST.as_secs()))]
    expires_s: Option<u64>,
}

/// A browser that logs in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    ticket: String,
}

/// A ticket with which one browser can log in.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ticket {
    ticket: String,
    /// What follows the gateway's URL in a login link.
    path: String,
    expires: Timestamp,
}

/// Whom a token stands for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Identity {
    /// The name of the token.
    name: String,
    /// `owner`, `named` or `browser`.
    kind: &'static str,
    person: String,
    #[schemars(extend("enum" = TokenScope::ALL.map(TokenScope::name)))]
    scope: &'static str,
    expires: Option<Timestamp>,
}

/// The token of a browser that has logged in. No other response has it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LoggedIn {
    #[serde(flatten)]
    identity: Identity,
    token: String,
}

/// A browser is logged out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LoggedOut {}

/// Makes a ticket with which one browser can log in as the caller.
#[utoipa::path(post, path = "/api/tickets", request_body = TicketRequest, responses((status = 201, body = Ticket)))]
pub(crate) async fn ticket(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let TicketRequest { expires_s } = request.json()?;
    let valid_for = expires_s.map_or(USUAL, Duration::from_secs);
    if valid_for.is_zero() || valid_for > LONGEST {
        let longest = LONGEST.as_secs();
        return Err(ApiError::bad_request(format!("expires_s: this is 1 to {longest} seconds")));
    }
    let (server, caller) = (&request.server, request.caller()?);
    // What a browser had let in would stay when it is logged out.
    if is_browser(server, caller) {
        let message =
            "a browser makes no login links: frontdesk link makes one, and so does a program with its token";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    }
    let holder: Holder = caller.person.parse().map_err(|_| ApiError::internal())?;
    let login = Login { maker: caller.clone(), holder, scope: caller.scope };
    let secret = server.tickets.make(login, server.now(), valid_for)?;
    let expires = server.clock().wall() + valid_for;
    let body = Ticket { path: format!("/#ticket={secret}"), ticket: secret, expires: expires.into() };
    Ok(ApiResponse::json(StatusCode::CREATED, body))
}

/// Exchanges a ticket for the token of a browser.
#[utoipa::path(post, path = "/api/login", request_body = LoginRequest, responses((status = 201, body = LoggedIn), (status = 401)))]
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
    let identity = Identity {
        name: name.to_string(),
        kind: "browser",
        person: holder.to_string(),
        scope: scope.name(),
        expires: Some(expires.into()),
    };
    Ok(ApiResponse::json(StatusCode::CREATED, LoggedIn { identity, token: secret }))
}

/// Says who the caller is.
#[utoipa::path(get, path = "/api/login", responses((status = 200, body = Identity)))]
pub(crate) async fn who(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let caller = request.caller()?;
    let row = request.server.handle.token(caller.hash());
    let kind = row.as_ref().map_or("owner", |row| row.kind.name());
    Ok(ApiResponse::ok(Identity {
        name: caller.name().to_owned(),
        kind,
        person: caller.person.to_string(),
        scope: caller.scope.name(),
        expires: maybe(row.and_then(|row| row.expires)),
    }))
}

/// Logs the browser out that calls.
#[utoipa::path(delete, path = "/api/login", responses((status = 200, body = LoggedOut), (status = 409)))]
pub(crate) async fn log_out(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name: TokenName = request.caller()?.name().parse().map_err(|_| ApiError::internal())?;
    if !is_browser(&request.server, request.caller()?) {
        let message =
            "this token did not come from a login link: an admin revokes it (frontdesk tokens revoke)";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_browser", message));
    }
    request.server.handle.log_out(name, request.author()?).await?;
    Ok(ApiResponse::ok(LoggedOut {}))
}

/// Whether a caller's token came from a login link.
fn is_browser(server: &ServerState, caller: &Caller) -> bool {
    server.handle.token(caller.hash()).is_some_and(|row| row.kind == TokenKind::Browser)
}

/// For how long a browser that this caller lets in stays logged in: no longer than the caller's own token is valid.
fn longest(server: &ServerState, maker: &Caller) -> Duration {
    let expires = server.handle.token(maker.hash()).and_then(|row| row.expires);
    let left = expires.map(|at| (at - server.clock().wall()).to_std().unwrap_or_default());
    left.map_or(BROWSER, |left| left.min(BROWSER))
}
