//! Checks a request, authenticates its caller, and calls its endpoint.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use frontdesk_core::access::Action;
use frontdesk_core::port::WebhookProof;
use futures_util::future::BoxFuture;

use crate::body::{self, BodyReader};
use crate::endpoint::hook;
use crate::error::ApiError;
use crate::idempotency::Lookup;
use crate::origin::PageOrigin;
use crate::request::{ApiRequest, ApiResponse, Identity, Peer};
use crate::server::ServerState;
use crate::token::{Scope, bearer, user};

/// Maximum bytes of a body with a login ticket.
const MAX_LOGIN_BODY: usize = 1024;

/// One method of one path, and who may call it.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) idempotency: Idempotency,
    pub(crate) run: fn(ApiRequest) -> BoxFuture<'static, Result<ApiResponse, ApiError>>,
}

/// What an endpoint's handler says about itself.
pub(crate) struct Description {
    /// The handler's module.
    pub(crate) tag: &'static str,
    pub(crate) handler: &'static str,
    pub(crate) path: String,
    pub(crate) operation: utoipa::openapi::path::Operation,
}

/// What a caller of an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Public,
    /// Nothing, and without a rate limit: a monitor would take a healthy gateway for dead if a probe were refused. A
    /// caller with a token may be told more.
    Probe,
    /// A login ticket in the body.
    Ticket,
    /// A token of this scope, whose holder may do this.
    Token(Scope, Action),
    /// A token that may write. The body is a file, which the endpoint reads itself.
    Upload,
    /// A platform's secret or signature in the headers and the body. The endpoint checks the body.
    Webhook,
    /// The secret of the sender of an event, or its signature. The endpoint checks the body.
    Event,
    /// The token of an agent ([`ToolTokens`](crate::tool_token::ToolTokens)).
    Tools,
    /// A token in one of several places, after the origin. The handshake checks it.
    WebSocket,
}

/// What an `Idempotency-Key` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idempotency {
    /// No response is kept: the key has no effect, or the endpoint stores it in the database.
    NoReplay,
    /// A repeated request gets the first response, for a while.
    Replay,
    /// As `Replay`, for a request without fields: its body must be empty or `{}`.
    ReplayBare,
}

/// Checks a request whose method and path match an endpoint, and carries it out.
pub(crate) async fn dispatch(
    server: Arc<ServerState>,
    endpoint: &'static Endpoint,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match checked(server, endpoint, parts, body).await {
        Ok(response) => response.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn checked(
    server: Arc<ServerState>,
    endpoint: &'static Endpoint,
    mut parts: Parts,
    body: Body,
) -> Result<ApiResponse, ApiError> {
    let peer = parts.extensions.get::<Peer>().cloned().ok_or_else(ApiError::internal)?;
    let ip = server.client(peer.address, &parts.headers);
    let max_body = server.settings().config.limits.max_body;
    // The size of a file has a limit of its own.
    let is_upload = endpoint.access == Access::Upload;
    body::check_size(&parts.headers, if is_upload { usize::MAX } else { max_body })?;
    if endpoint.method != Method::GET || endpoint.access == Access::WebSocket {
        check_origin(&server, &parts.headers, ip).await?;
    }
    let params = RawPathParams::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| ApiError::bad_request("the path is not valid UTF-8 once its escapes are decoded"))?;
    let params: Vec<String> = params.iter().map(|(_, value)| value.to_owned()).collect();
    let identity = authenticate(&server, endpoint, &peer, ip, &parts.headers, &params)?;
    let (body, stream) = if is_upload { (Body::empty(), body) } else { (body, Body::empty()) };
    // No body is read before the caller is authenticated, except where only the body shows who it is, and none where a body
    // has no meaning.
    let reader = BodyReader {
        server: &server,
        headers: &parts.headers,
        stranger: matches!(identity, Identity::Unknown).then_some(ip),
    };
    let (body, reserved) = match (&endpoint.method, endpoint.access) {
        (&Method::POST | &Method::PATCH, Access::Token(..) | Access::Tools) => {
            body::check_content_type(&parts.headers)?;
            reader.read(body, max_body).await?
        }
        (_, Access::Ticket) => {
            body::check_content_type(&parts.headers)?;
            reader.read(body, MAX_LOGIN_BODY).await?
        }
        (_, Access::Webhook) => reader.read(body, max_body).await?,
        (_, Access::Event) => reader.read(body, server.hook(&params)?.max_bytes.min(max_body)).await?,
        _ => (Bytes::new(), None),
    };
    let request = ApiRequest {
        server: server.clone(),
        identity,
        peer,
        ip,
        parts,
        params,
        body,
        reserved,
        stream: Mutex::new(stream),
    };
    if endpoint.idempotency == Idempotency::ReplayBare {
        request.check_bare()?;
    }
    match (endpoint.idempotency, request.idempotency_key()?) {
        (Idempotency::Replay | Idempotency::ReplayBare, Some(key)) => {
            run_once(&server, endpoint, request, &key).await
        }
        _ => (endpoint.run)(request).await,
    }
}

/// Authenticates the caller by the request's head. A valid token or secret has a rate limit of its own, whatever other
/// clients with the same address do.
fn authenticate(
    server: &ServerState,
    endpoint: &Endpoint,
    peer: &Peer,
    ip: IpAddr,
    headers: &HeaderMap,
    params: &[String],
) -> Result<Identity, ApiError> {
    match endpoint.access {
        Access::Public | Access::Ticket => {
            server.limit_without_token(ip, headers).map(|()| Identity::Unknown)
        }
        Access::Probe => {
            Ok(server.identify(headers, ip, &peer.slot).map_or(Identity::Unknown, Identity::Caller))
        }
        // It may send its token in its first frame.
        Access::WebSocket => Ok(Identity::Unknown),
        Access::Webhook => {
            let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
            let (account, webhook) = server.webhook(params)?;
            if !webhook.admits(&header) {
                return Err(server.refuse_forged(&account.to_string(), ip));
            }
            match webhook.proof() {
                WebhookProof::Head => server.limit_webhook(&account, &peer.slot).map(|()| Identity::Sender),
                WebhookProof::Body => Ok(Identity::Unknown),
            }
        }
        Access::Event => hook::check_head(server, params, headers, ip),
        Access::Tools => {
            let session = server.authenticate_agent(token(server, headers, ip)?, ip, &peer.slot)?;
            server.settings().per_agent.take(&session, server.now()).map_err(ApiError::too_many)?;
            Ok(Identity::Agent(session))
        }
        Access::Upload => caller(server, peer, ip, headers, Scope::Admin, Action::Write),
        Access::Token(scope, action) => caller(server, peer, ip, headers, scope, action),
    }
}

/// The holder of a token of this scope, who may do this.
fn caller(
    server: &ServerState,
    peer: &Peer,
    ip: IpAddr,
    headers: &HeaderMap,
    scope: Scope,
    action: Action,
) -> Result<Identity, ApiError> {
    let caller = server.authenticate(token(server, headers, ip)?, user(headers)?, ip, &peer.slot)?;
    server.authorize(&caller, scope, action)?;
    server.limit_token(&caller)?;
    Ok(Identity::Caller(caller))
}

/// The token of a request. One without a token is counted.
fn token<'h>(server: &ServerState, headers: &'h HeaderMap, ip: IpAddr) -> Result<&'h str, ApiError> {
    let Some(token) = bearer(headers) else {
        server.limit_without_token(ip, headers)?;
        return Err(ApiError::unauthorized());
    };
    Ok(token)
}

/// Carries a request out, unless a request with the same key was carried out before.
async fn run_once(
    server: &ServerState,
    endpoint: &Endpoint,
    request: ApiRequest,
    key: &str,
) -> Result<ApiResponse, ApiError> {
    let path = request.parts.uri.path().to_owned();
    match server.idempotency.begin(request.person(), key, &path, &request.body)? {
        Lookup::Answered(status, body) => Ok(ApiResponse::Json(status, body)),
        Lookup::New(pending) => {
            let response = (endpoint.run)(request).await?;
            if let ApiResponse::Json(status, body) = &response {
                pending.answered(*status, body);
            }
            Ok(response)
        }
    }
}

/// Refuses requests of other sites' pages.
async fn check_origin(server: &ServerState, headers: &HeaderMap, ip: IpAddr) -> Result<(), ApiError> {
    if server.settings().origins.page(headers) != PageOrigin::Foreign {
        return Ok(());
    }
    server.note_foreign_origin(headers, ip).await;
    let message = "pages of this origin may not call the gateway: add it to gateway.origins";
    Err(ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", message))
}
