//! A request that passed its checks, as endpoints get it, and their response.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_core::key::{KeyError, SessionKey};
use frontdesk_store::row::Author;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::budget::Reserved;
use crate::connections::ConnectionSlot;
use crate::error::ApiError;
use crate::json_fault;
use crate::server::ServerState;
use crate::token::{Caller, Scope};

/// The header by which the command line identifies itself.
const VIA: &str = "frontdesk-via";

/// A request that passed its checks.
pub(crate) struct ApiRequest {
    pub(crate) server: Arc<ServerState>,
    pub(crate) identity: Identity,
    pub(crate) peer: Peer,
    /// The client's address, behind trusted proxies.
    pub(crate) ip: IpAddr,
    pub(crate) parts: Parts,
    /// The decoded parameters of the path.
    pub(crate) params: Vec<String>,
    pub(crate) body: Bytes,
    /// The memory of the body.
    pub(crate) reserved: Option<Reserved>,
    /// The body of an upload, which is not read yet; empty elsewhere.
    pub(crate) stream: Mutex<Body>,
}

/// Who sent a request, as its token or secret shows.
pub(crate) enum Identity {
    /// Nobody, on endpoints that need no token, or somebody whom only the body shows.
    Unknown,
    /// A platform or another sender of events, which has shown its secret.
    Sender,
    /// The holder of a token.
    Caller(Caller),
    /// The agent of this session.
    Agent(SessionKey),
}

/// The response of an endpoint.
pub(crate) enum ApiResponse {
    Json(StatusCode, Value),
    Other(Response),
}

/// The other end of a connection, with its slot.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) slot: Arc<ConnectionSlot>,
    pub(crate) stream: Arc<TcpStream>,
}

impl ApiRequest {
    /// The session whose key is the path's first parameter, if the caller may do something there that needs this scope.
    pub(crate) fn session(&self, scope: Scope) -> Result<SessionKey, ApiError> {
        let key =
            self.param(0)?.parse().map_err(|error: KeyError| ApiError::bad_request(error.to_string()))?;
        self.server.authorize_session(self.caller()?, scope, &key)?;
        Ok(key)
    }

    /// Reads the body, which is a JSON object: a list with the fields in their order is refused.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let refused = |why: String| {
            let body = "the body is not valid for this request";
            ApiError::new(StatusCode::BAD_REQUEST, "bad_json", format!("{body}: {why}"))
        };
        if self.body.trim_ascii_start().starts_with(b"[") {
            return Err(refused("it is a list and must be an object".to_owned()));
        }
        let mut body = serde_json::Deserializer::from_slice(&self.body);
        let read =
            serde_path_to_error::deserialize(&mut body).map_err(|error| match error.path().to_string() {
                root if root == "." => refused(json_fault::words(error.inner())),
                path => refused(format!("{path}: {}", json_fault::words(error.inner()))),
            })?;
        body.end().map_err(|error| refused(json_fault::words(&error)))?;
        Ok(read)
    }

    /// Refuses a body that says anything, where a request has no fields.
    pub(crate) fn check_bare(&self) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct NoFields {}

        if self.body.is_empty() { Ok(()) } else { self.json().map(|NoFields {}| ()) }
    }

    /// Releases the memory of the body once it has been read.
    pub(crate) fn release_body(&mut self) {
        self.body = Bytes::new();
        self.reserved = None;
    }

    /// Reads the query.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        Query::try_from_uri(&self.parts.uri)
            .map(|Query(query)| query)
            .map_err(|error| ApiError::bad_request(format!("the query: {}", error.body_text())))
    }

    /// A parameter of the path.
    pub(crate) fn param(&self, index: usize) -> Result<&str, ApiError> {
        self.params.get(index).map(String::as_str).ok_or_else(ApiError::internal)
    }

    /// The caller, on endpoints that need a token.
    pub(crate) fn caller(&self) -> Result<&Caller, ApiError> {
        match &self.identity {
            Identity::Caller(caller) => Ok(caller),
            Identity::Unknown | Identity::Sender | Identity::Agent(_) => Err(ApiError::unauthorized()),
        }
    }

    /// The author of a change, for the audit. The command line's header is trusted only with an admin's token.
    pub(crate) fn author(&self) -> Result<Author, ApiError> {
        let caller = self.caller()?;
        let via = self.parts.headers.get(VIA).map(HeaderValue::as_bytes);
        Ok(if via == Some(b"cli") && caller.scope == Scope::Admin {
            Author { name: "cli".to_owned(), via: "cli" }
        } else {
            caller.author()
        })
    }

    /// The caller's id on the web channel; empty without a caller.
    pub(crate) fn person(&self) -> &str {
        self.caller().map_or("", |caller| &caller.person)
    }

    /// The `Idempotency-Key`.
    pub(crate) fn idempotency_key(&self) -> Result<Option<String>, ApiError> {
        let Some(key) = self.parts.headers.get("idempotency-key") else { return Ok(None) };
        let is_printable = |key: &&str| key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let key = key.to_str().ok().filter(|key| (1..=200).contains(&key.len())).filter(is_printable);
        key.map(|key| Some(key.to_owned())).ok_or_else(|| {
            ApiError::bad_request("an Idempotency-Key has 1 to 200 printable ASCII characters")
        })
    }
}

impl ApiResponse {
    /// 200 with JSON.
    pub(crate) fn ok<T: Serialize>(body: T) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// A status with JSON.
    pub(crate) fn json<T: Serialize>(status: StatusCode, body: T) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => Self::Json(status, body),
            // This does not happen with the bodies of this crate: their maps have only strings as keys.
            Err(error) => {
                tracing::error!(%error, "a response could not be serialized");
                Self::Other(ApiError::internal().into_response())
            }
        }
    }
}

impl IntoResponse for ApiResponse {
    fn into_response(self) -> Response {
        match self {
            ApiResponse::Json(status, body) => {
                (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
            }
            ApiResponse::Other(response) => response,
        }
    }
}
