//! The WebSocket handshake: protocol selection and authentication.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use crate::client_stream::linger;
use crate::connections::ConnectionSlot;
use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse, Peer};
use crate::server::ServerState;
use crate::token::{Caller, bearer, user};
use crate::ws::connection::Connection;
use crate::ws::dialect::Dialect;
use crate::ws::message::{ClientFrame, ClientMessage};
use crate::ws::socket::{ClientSocket, Disconnect};

/// The prefix of a token that is offered as a subprotocol, because browsers cannot set a header.
const BEARER: &str = "bearer.";

/// The size of tungstenite's read and write buffers in bytes: small, because there may be 10,000 sockets.
const BUFFER: usize = 2048;

/// Maximum bytes that are read from a socket before its token.
const FIRST_FRAME: usize = 16 * 1024;

/// Opens a WebSocket; the frames have a schema of their own. The token may be a header, the subprotocol `bearer.TOKEN` beside
/// `frontdesk.v1`, or the first frame. A request with a wrong token is refused here; a client without a token may send it
/// in its first frame, within a few seconds.
#[utoipa::path(get, path = "/ws", responses((status = 101, description = "The connection is a WebSocket from now on"), (status = 401), (status = 426)))]
pub(crate) async fn upgrade(mut request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let headers = request.parts.headers.clone();
    let caller = match token(&headers)? {
        Some(token) => {
            let caller =
                request.server.authenticate(token, user(&headers)?, request.ip, &request.peer.slot)?;
            request.server.limit_token(&caller)?;
            Some(caller)
        }
        None => None,
    };
    let upgrade =
        WebSocketUpgrade::from_request_parts(&mut request.parts, &()).await.map_err(|rejection| {
            let status = rejection.into_response().status();
            let mut error = ApiError::bad_request("this path is a WebSocket: request an upgrade");
            if status == StatusCode::UPGRADE_REQUIRED {
                error.status = status;
            }
            error
        })?;
    let ApiRequest { server, peer, ip, .. } = request;
    let settings = server.settings();
    let limits = &settings.config.limits;
    let mut upgrade = upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(limits.max_frame)
        .max_frame_size(limits.max_frame);
    let selected = selected(&headers);
    let dialect = selected.as_ref().and_then(|protocol| Dialect::named(protocol.to_str().ok()?));
    if let Some(protocol) = selected {
        upgrade.set_selected_protocol(protocol);
    }
    peer.slot.upgrade();
    if caller.is_none() {
        peer.slot.limit_reading(FIRST_FRAME);
    }
    // axum spawns the task itself; the tracker's token lets a stopping server wait for it.
    let task = server.tasks.token();
    let response = upgrade
        .on_failed_upgrade(|error| tracing::debug!(%error, "a WebSocket upgrade failed"))
        .on_upgrade(move |socket| async move {
            let socket = ClientSocket::new(server.clone(), socket, dialect.unwrap_or(Dialect::Own));
            serve(server, socket, caller, peer, ip).await;
            drop(task);
        });
    Ok(ApiResponse::Other(response))
}

/// The token of a request, from its header or from the offered subprotocols.
fn token(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    if headers.contains_key(header::AUTHORIZATION) {
        return bearer(headers).map(Some).ok_or_else(ApiError::unauthorized);
    }
    Ok(offered(headers).find_map(|protocol| protocol.strip_prefix(BEARER)))
}

/// The subprotocol to select: the first that is known, or a lone token, because browsers close the connection if none of the offered
/// subprotocols is selected.
fn selected(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut bearer = None;
    for protocol in offered(headers) {
        if Dialect::named(protocol).is_some() {
            return HeaderValue::from_str(protocol).ok();
        }
        if protocol.starts_with(BEARER) {
            bearer = Some(protocol);
        }
    }
    bearer.and_then(|protocol| HeaderValue::from_str(protocol).ok())
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

async fn serve(
    server: Arc<ServerState>,
    mut socket: ClientSocket,
    caller: Option<Caller>,
    peer: Peer,
    ip: IpAddr,
) {
    let caller = match caller {
        Some(caller) => Ok(caller),
        None => first_frame(&server, &mut socket, &peer.slot, ip).await,
    };
    let end = match caller {
        Ok(caller) => {
            let _counted = server.hub.connect();
            Connection::new(server.clone(), caller, ip).serve(&mut socket).await
        }
        Err(end) => end,
    };
    tracing::debug!(%ip, ?end, "a WebSocket connection ended");
    socket.close(end).await;
    linger(&server, &peer.stream, &peer.slot).await;
}

/// Waits for the frame with the token. Nothing else is accepted before it.
async fn first_frame(
    server: &Arc<ServerState>,
    socket: &mut ClientSocket,
    slot: &ConnectionSlot,
    ip: IpAddr,
) -> Result<Caller, Disconnect> {
    let text = tokio::select! {
        text = socket.receive_text() => text?,
        () = server.pause(server.settings().config.limits.auth_timeout()) => return Err(Disconnect::Unauthorized("no token came in time")),
        () = slot.close_requested() => return Err(Disconnect::Closed),
        () = server.stop.cancelled() => return Err(Disconnect::Stopping),
    };
    let result = match ClientFrame::read(&text) {
        Ok(ClientFrame { message: ClientMessage::Auth { token, user }, .. }) => {
            server.authenticate(&token, user.as_deref(), ip, slot)
        }
        _ => Err(ApiError::unauthorized()),
    };
    match result {
        Ok(caller) => Ok(caller),
        Err(error) => {
            socket.send_json(&error.frame(None)).await?;
            Err(Disconnect::Unauthorized(
                "the first frame must be {\"type\":\"auth\",\"token\":...} with a valid token",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(protocols: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::SEC_WEBSOCKET_PROTOCOL, protocols.parse().unwrap())])
    }

    #[test]
    fn our_protocol_is_selected_and_a_token_only_if_it_is_alone() {
        let chosen =
            |protocols: &str| selected(&offer(protocols)).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(chosen("frontdesk.v1, bearer.abc").as_deref(), Some("frontdesk.v1"));
        assert_eq!(chosen("bearer.abc,frontdesk.v1").as_deref(), Some("frontdesk.v1"));
        assert_eq!(chosen("bearer.abc").as_deref(), Some("bearer.abc"));
        assert_eq!(chosen("bearer.abc, kobold.v0").as_deref(), Some("kobold.v0"));
        assert_eq!(chosen("chat"), None);
    }

    #[test]
    fn a_header_takes_precedence_over_a_protocol() {
        let mut headers = offer("frontdesk.v1, bearer.abc");
        assert_eq!(token(&headers).unwrap(), Some("abc"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer xyz"));
        assert_eq!(token(&headers).unwrap(), Some("xyz"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic xyz"));
        assert!(token(&headers).is_err());
        assert_eq!(token(&HeaderMap::new()).unwrap(), None);
    }
}
