//! The order of checks that every request passes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::budget::Reserved;
use crate::connections::Slot;
use crate::endpoint::webhook;
use crate::error::ApiError;
use crate::origin::Page;
use crate::repeat::First;
use crate::server::ServerState;
use crate::token::{Caller, Scope, bearer};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_core::access::Action;
use frontdesk_store::row::Author;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;

/// The header by which the command line says that it is the command line.
const VIA: &str = "frontdesk-via";

/// One method of one path, and who may call it. The router is built from these alone.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) need: Need,
    pub(crate) repeat: Repeat,
    pub(crate) run: fn(Call) -> BoxFuture<'static, Result<Answer, ApiError>>,
}

/// What a caller must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nothing,
    /// Nothing, as often as it likes: a probe that is turned away would take a gateway that is well for dead. Who shows
    /// a token all the same may be told more.
    Probe,
    /// A token of this scope, whose holder may do this.
    Token(Scope, Action),
    /// A platform's own proof, in its headers and its body. The endpoint checks the body's.
    Webhook,
    /// A WebSocket has further ways to show its token: it checks them itself, Origin first.
    Socket,
}

/// What becomes of an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It means nothing here, or the endpoint keeps it in the database.
    Own,
    /// The answer is remembered for a while.
    Remembered,
}

/// A request that passed.
pub(crate) struct Call {
    pub(crate) server: Arc<ServerState>,
    pub(crate) caller: Option<Caller>,
    pub(crate) peer: Peer,
    pub(crate) ip: IpAddr,
    pub(crate) parts: Parts,
    pub(crate) params: Vec<String>,
    pub(crate) body: Bytes,
    /// The body's place in the memory of all bodies.
    reserved: Option<Reserved>,
}

/// What is answered.
pub(crate) enum Answer {
    /// JSON.
    Json(StatusCode, Value),
    /// Anything else.
    Other(Response),
}

/// The other end of a connection, and the slot that it takes up.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) slot: Arc<Slot>,
    pub(crate) stream: Arc<TcpStream>,
}

/// Passes a request through the checks, and carries it out. Its method and path have matched already.
pub(crate) async fn pass(
    server: Arc<ServerState>,
    endpoint: &'static Endpoint,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match checked(server, endpoint, parts, body).await {
        Ok(answer) => answer.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn checked(
    server: Arc<ServerState>,
    endpoint: &'static Endpoint,
    mut parts: Parts,
    body: Body,
) -> Result<Answer, ApiError> {
    let peer = parts.extensions.get::<Peer>().cloned().ok_or_else(ApiError::internal)?;
    let ip = server.client(peer.address, &parts.headers);
    check_size(&parts.headers, server.config.limits.max_body)?;
    if endpoint.method != Method::GET || endpoint.need == Need::Socket {
        check_page(&server, &parts.headers, ip).await?;
    }
    let params = RawPathParams::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| ApiError::bad_request("the path is not valid UTF-8 once its escapes are decoded"))?;
    let params: Vec<String> = params.iter().map(|(_, value)| value.to_owned()).collect();
    let caller = known(&server, endpoint, &peer, ip, &parts.headers, &params)?;
    // Nothing of a body is read before this line, and of those that mean nothing none.
    let (body, reserved) = match (&endpoint.method, endpoint.need) {
        (&Method::POST, Need::Token(..)) => {
            check_kind(&parts.headers)?;
            read(&server, &parts.headers, body).await?
        }
        (_, Need::Webhook) => read(&server, &parts.headers, body).await?,
        _ => (Bytes::new(), None),
    };
    let call = Call { server: server.clone(), caller, peer, ip, parts, params, body, reserved };
    match (endpoint.repeat, call.key()?) {
        (Repeat::Remembered, Some(key)) => once(&server, endpoint, call, &key).await,
        _ => (endpoint.run)(call).await,
    }
}

/// Who calls, by the head of the request alone. Whoever shows the right token or secret draws from a bucket of their
/// own, whatever others at their address do.
fn known(
    server: &ServerState,
    endpoint: &Endpoint,
    peer: &Peer,
    ip: IpAddr,
    headers: &HeaderMap,
    params: &[String],
) -> Result<Option<Caller>, ApiError> {
    match endpoint.need {
        Need::Nothing => server.admit(ip, headers).map(|()| None),
        Need::Probe => Ok(server.recognise(headers, ip, &peer.slot)),
        // It may show its token in its first frame, within seconds.
        Need::Socket => Ok(None),
        Need::Webhook => {
            webhook::check_headers(server, params, headers, ip)?;
            peer.slot.authenticate();
            server.per_webhook.take(&params.to_vec(), server.now()).map_err(ApiError::too_many)?;
            Ok(None)
        }
        Need::Token(scope, action) => {
            let Some(clear) = bearer(headers) else {
                server.admit(ip, headers)?;
                return Err(ApiError::unauthorized());
            };
            let caller = server.login(clear, ip, &peer.slot)?;
            server.authorize(&caller, scope, action)?;
            server.admit_token(&caller)?;
            Ok(Some(caller))
        }
    }
}

/// Carries a request out unless it was carried out before.
async fn once(server: &ServerState, endpoint: &Endpoint, call: Call, key: &str) -> Result<Answer, ApiError> {
    let path = call.parts.uri.path().to_owned();
    match server.repeats.begin(call.token(), key, &path, &call.body)? {
        First::No(status, body) => Ok(Answer::Json(status, body)),
        First::Yes(claim) => {
            let answer = (endpoint.run)(call).await?;
            if let Answer::Json(status, body) = &answer {
                claim.answered(*status, body);
            }
            Ok(answer)
        }
    }
}

/// Refuses what is too large by its own word, and what would have to be unpacked to know.
fn check_size(headers: &HeaderMap, max: usize) -> Result<(), ApiError> {
    if let Some(length) = headers.get(header::CONTENT_LENGTH) {
        let length: u64 = length
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| ApiError::bad_request("Content-Length is not a number"))?;
        if length > max as u64 {
            return Err(ApiError::too_large(max));
        }
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding.as_bytes() != b"identity" => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_encoding",
            "bodies are taken as they are: send it without Content-Encoding",
        )),
        _ => Ok(()),
    }
}

/// Refuses other people's web pages.
async fn check_page(server: &ServerState, headers: &HeaderMap, ip: IpAddr) -> Result<(), ApiError> {
    if server.origins.page(headers) != Page::Foreign {
        return Ok(());
    }
    server.refuse_origin(headers, ip).await;
    let message = "pages of this origin may not call the gateway: add it to gateway.origins";
    Err(ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", message))
}

/// Refuses a body that is not said to be JSON: a form of a foreign page cannot say so.
fn check_kind(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let plain = |parameter: &str| match parameter.trim().split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    let is_json = essence.trim().eq_ignore_ascii_case("application/json");
    if is_json && parameters.split(';').all(plain) && kinds.next().is_none() {
        return Ok(());
    }
    let message = "every POST is JSON: send Content-Type: application/json (in UTF-8), also without a body";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message))
}

/// Reads a body, up to the limit and within the time that one may take. Its memory is reserved before its first byte,
/// so that bodies which never end cannot hold more than there is for all.
async fn read(
    server: &ServerState,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Option<Reserved>), ApiError> {
    let limits = &server.config.limits;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length == Some(0) || (length.is_none() && !headers.contains_key(header::TRANSFER_ENCODING)) {
        return Ok((Bytes::new(), None));
    }
    let (most, mut began) = (length.unwrap_or(limits.max_body), false);
    let reading = async {
        let reserved = server.bodies.reserve(most).await;
        began = true;
        Ok((collect(body, limits.max_body).await?, reserved))
    };
    {
        let mut reading = std::pin::pin!(reading);
        // Nearly every body is there already: no timer is set for those.
        if let Some(read) = reading.as_mut().now_or_never() {
            return read;
        }
        tokio::select! {
            read = reading => return read,
            () = server.pause(limits.request_timeout()) => {}
        }
    }
    let late = || ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body did not come in time");
    Err(if began { late() } else { ApiError::busy() })
}

async fn collect(mut body: Body, max: usize) -> Result<Bytes, ApiError> {
    let mut whole = Bytes::new();
    let mut more: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if more.len() + whole.len() + data.len() > max {
            return Err(ApiError::too_large(max));
        }
        if whole.is_empty() && more.is_empty() {
            whole = data;
        } else {
            more.extend_from_slice(&std::mem::take(&mut whole));
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { whole } else { more.into() })
}

impl Call {
    /// The body as JSON of a known form.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let body = "the body is not the JSON that is expected here";
            ApiError::new(StatusCode::BAD_REQUEST, "bad_json", format!("{body}: {error}"))
        })
    }

    /// Gives the body's memory back: what it said has been read.
    pub(crate) fn forget_body(&mut self) {
        self.body = Bytes::new();
        self.reserved = None;
    }

    /// The query, of a known form.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        Query::try_from_uri(&self.parts.uri)
            .map(|Query(query)| query)
            .map_err(|error| ApiError::bad_request(format!("the query: {}", error.body_text())))
    }

    /// A part of the path, decoded.
    pub(crate) fn param(&self, index: usize) -> Result<&str, ApiError> {
        self.params.get(index).map(String::as_str).ok_or_else(ApiError::internal)
    }

    /// Who calls; only endpoints that need a token have somebody here.
    pub(crate) fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.as_ref().ok_or_else(ApiError::unauthorized)
    }

    /// Who changes something, for the audit. The command line marks itself; only an admin's word is taken for that.
    pub(crate) fn author(&self) -> Result<Author, ApiError> {
        let caller = self.caller()?;
        let via = self.parts.headers.get(VIA).map(HeaderValue::as_bytes);
        Ok(if via == Some(b"cli") && caller.scope == Scope::Admin {
            Author { name: "cli".to_owned(), via: "cli" }
        } else {
            caller.author()
        })
    }

    fn token(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.token)
    }

    /// The `Idempotency-Key`.
    pub(crate) fn key(&self) -> Result<Option<String>, ApiError> {
        let Some(key) = self.parts.headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= 200);
        key.map(|key| Some(key.to_owned())).ok_or_else(|| {
            ApiError::bad_request("an Idempotency-Key has 1 to 200 printable ASCII characters")
        })
    }
}

impl Answer {
    /// 200 with JSON.
    pub(crate) fn ok(body: Value) -> Self {
        Self::Json(StatusCode::OK, body)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Answer::Json(status, body) => {
                (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
            }
            Answer::Other(response) => response,
        }
    }
}
