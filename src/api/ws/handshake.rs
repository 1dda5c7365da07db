//! How a socket begins: whose page, whose token.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use crate::connections::Slot;
use crate::error::ApiError;
use crate::gate::{Answer, Call, Peer};
use crate::server::ServerState;
use crate::timed::linger;
use crate::token::{Caller, bearer};
use crate::ws::connection::Connection;
use crate::ws::line::{End, Line};
use crate::ws::word::{Says, Word};

/// The protocol that the door speaks.
const PROTOCOL: &str = "frontdesk.v1";

/// In front of a token that is offered as a protocol: browsers can set no header.
const BEARER: &str = "bearer.";

/// Bytes that tungstenite reads at once, and gathers before it writes: small, for there may be 10,000 sockets.
const BUFFER: usize = 2048;

/// How many bytes are read of a socket on which no token was shown yet.
const FIRST_FRAME: usize = 16 * 1024;

/// Makes a socket of a request. A token that is shown and wrong is refused here; who shows none has a few
/// seconds to do so in the first frame.
pub(crate) async fn upgrade(mut call: Call) -> Result<Answer, ApiError> {
    let headers = call.parts.headers.clone();
    let caller = match shown(&headers)? {
        Some(clear) => {
            let caller = call.server.login(clear, call.ip, &call.peer.slot)?;
            call.server.admit_token(&caller)?;
            Some(caller)
        }
        None => None,
    };
    let upgrade = WebSocketUpgrade::from_request_parts(&mut call.parts, &()).await.map_err(|rejection| {
        let status = rejection.into_response().status();
        let mut error = ApiError::bad_request("this is a WebSocket: ask for an upgrade");
        if status == StatusCode::UPGRADE_REQUIRED {
            error.status = status;
        }
        error
    })?;
    let Call { server, peer, ip, .. } = call;
    let limits = &server.config.limits;
    let mut upgrade = upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(limits.max_frame)
        .max_frame_size(limits.max_frame);
    if let Some(protocol) = selected(&headers) {
        upgrade.set_selected_protocol(protocol);
    }
    peer.slot.upgrade();
    if caller.is_none() {
        peer.slot.limit_reading(FIRST_FRAME);
    }
    // axum spawns what follows; the token makes it one of the house's tasks all the same.
    let task = server.tasks.token();
    let response = upgrade
        .on_failed_upgrade(|error| tracing::debug!(%error, "a socket was gone before it began"))
        .on_upgrade(move |socket| async move {
            serve(server, socket, caller, peer, ip).await;
            drop(task);
        });
    Ok(Answer::Other(response))
}

/// The token that a request shows, in a header or among the offered protocols.
fn shown(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    if headers.contains_key(header::AUTHORIZATION) {
        return bearer(headers).map(Some).ok_or_else(ApiError::unauthorized);
    }
    Ok(offered(headers).find_map(|protocol| protocol.strip_prefix(BEARER)))
}

/// The protocol to select: ours, or the lone token, for browsers hang up if none of theirs is taken.
fn selected(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut bearer = None;
    for protocol in offered(headers) {
        if protocol == PROTOCOL {
            return Some(HeaderValue::from_static(PROTOCOL));
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

async fn serve(server: Arc<ServerState>, socket: WebSocket, caller: Option<Caller>, peer: Peer, ip: IpAddr) {
    let mut line = Line::new(server.clone(), socket);
    let caller = match caller {
        Some(caller) => Ok(caller),
        None => first_frame(&server, &mut line, &peer.slot, ip).await,
    };
    let end = match caller {
        Ok(caller) => {
            metrics::gauge!("frontdesk_websockets").increment(1.0);
            let end = Connection::new(server.clone(), caller, ip).serve(&mut line).await;
            metrics::gauge!("frontdesk_websockets").decrement(1.0);
            end
        }
        Err(end) => end,
    };
    tracing::debug!(%ip, ?end, "a socket ended");
    line.close(end).await;
    linger(&server, &peer.stream, &peer.slot).await;
}

/// Waits for the frame with the token. Nothing else is read before it.
async fn first_frame(
    server: &Arc<ServerState>,
    line: &mut Line,
    slot: &Slot,
    ip: IpAddr,
) -> Result<Caller, End> {
    let text = tokio::select! {
        text = line.hear() => text?,
        () = server.pause(server.config.limits.auth_timeout()) => return Err(End::Unauthorized("no token came in time")),
        () = slot.dropped() => return Err(End::Gone),
        () = server.stop.cancelled() => return Err(End::Stopping),
    };
    let result = match Word::read(&text) {
        Ok(Word { says: Says::Auth { token }, .. }) => server.login(&token, ip, slot),
        _ => Err(ApiError::unauthorized()),
    };
    match result {
        Ok(caller) => Ok(caller),
        Err(error) => {
            line.say_json(&error.frame(None)).await?;
            Err(End::Unauthorized(
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
    fn our_protocol_is_selected_and_a_token_never_unless_it_is_alone() {
        let chosen =
            |protocols: &str| selected(&offer(protocols)).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(chosen("frontdesk.v1, bearer.abc").as_deref(), Some("frontdesk.v1"));
        assert_eq!(chosen("bearer.abc,frontdesk.v1").as_deref(), Some("frontdesk.v1"));
        assert_eq!(chosen("bearer.abc").as_deref(), Some("bearer.abc"));
        assert_eq!(chosen("chat"), None);
    }

    #[test]
    fn a_header_goes_before_a_protocol() {
        let mut headers = offer("frontdesk.v1, bearer.abc");
        assert_eq!(shown(&headers).unwrap(), Some("abc"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer xyz"));
        assert_eq!(shown(&headers).unwrap(), Some("xyz"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic xyz"));
        assert!(shown(&headers).is_err());
        assert_eq!(shown(&HeaderMap::new()).unwrap(), None);
    }
}
