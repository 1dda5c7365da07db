//! Reads request bodies: their size, their content type, and their memory.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::FutureExt;
use http_body_util::BodyExt;

use crate::budget::Reserved;
use crate::error::ApiError;
use crate::network::client_network;
use crate::server::ServerState;

/// Refuses a body that is too large by its `Content-Length`, and one whose size is only known once it is decompressed.
pub(crate) fn check_size(headers: &HeaderMap, max: usize) -> Result<(), ApiError> {
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
            "compressed bodies are not accepted: send the body without Content-Encoding",
        )),
        _ => Ok(()),
    }
}

/// Refuses a body whose `Content-Type` is not JSON. A form of another site's page cannot set this header.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let is_allowed = |parameter: &str| match parameter.trim().split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    let is_json = essence.trim().eq_ignore_ascii_case("application/json");
    if is_json && parameters.split(';').all(is_allowed) && kinds.next().is_none() {
        return Ok(());
    }
    let message = "a request with a body needs Content-Type: application/json (in UTF-8), and so does a POST without one";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message))
}

/// How long the body of a client that has not shown who it is may take.
const STRANGERS_TIME: Duration = Duration::from_secs(10);

/// Reads the body of one request.
pub(crate) struct BodyReader<'r> {
    pub(crate) server: &'r ServerState,
    pub(crate) headers: &'r HeaderMap,
    /// The address of a client that has not shown yet who it is. It cannot use the memory of those who have.
    pub(crate) stranger: Option<IpAddr>,
}

impl BodyReader<'_> {
    /// Reads a body of at most `max` bytes within the time limit. Its memory is reserved before its first byte is read,
    /// so that bodies which never end cannot hold more than all bodies may hold together.
    pub(crate) async fn read(&self, body: Body, max: usize) -> Result<(Bytes, Option<Reserved>), ApiError> {
        let Self { server, headers, stranger } = *self;
        check_size(headers, max)?;
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if length == Some(0) || (length.is_none() && !headers.contains_key(header::TRANSFER_ENCODING)) {
            return Ok((Bytes::new(), None));
        }
        let (most, mut has_memory) = (length.unwrap_or(max), false);
        let reading = async {
            let reserved = match stranger {
                None => server.bodies.reserve(most).await,
                Some(ip) => server.strangers_bodies.reserve(client_network(ip), most).await?,
            };
            has_memory = true;
            Ok((collect(body, max).await?, reserved))
        };
        let timeout = server.settings().config.limits.request_timeout();
        let timeout = if stranger.is_some() { timeout.min(STRANGERS_TIME) } else { timeout };
        {
            let mut reading = std::pin::pin!(reading);
            // Nearly every body has arrived already; no timer is started for those.
            if let Some(read) = reading.as_mut().now_or_never() {
                return read;
            }
            tokio::select! {
                read = reading => return read,
                () = server.pause(timeout) => {}
            }
        }
        let late = || {
            ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "the body did not arrive in time: send it again",
            )
        };
        Err(if has_memory { late() } else { ApiError::busy() })
    }
}

async fn collect(mut body: Body, max: usize) -> Result<Bytes, ApiError> {
    // A body of a single frame is not copied.
    let mut whole = Bytes::new();
    let mut more: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body ended early"))?;
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
