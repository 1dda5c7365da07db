//! Accepts connections, serves requests on them, and closes them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use crate::client_stream::{ClientStream, linger};
use crate::connections::{ConnectionSlot, SlotDecision};
use crate::network::client_network;
use crate::request::Peer;
use crate::route;
use crate::server::ServerState;

/// Maximum bytes of a request's head. Also the size of hyper's read and write buffers.
const MAX_HEAD: usize = 16 * 1024;

/// The size of a socket's send buffer in the kernel, in bytes. Linux doubles it.
const SEND_BUFFER: usize = 128 * 1024;

/// How long a response in progress may take once the server stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// How long to wait after an error of the listener itself, such as too many open files.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// How long a new connection waits for another one to close before it is refused.
const SLOT_WAIT: Duration = Duration::from_secs(2);

/// How often a summary of unlogged refusals is logged.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(60);

/// The response to a connection for which there is no slot.
const NO_SLOT_RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    content-length: 81\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
    {\"error\":{\"code\":\"busy\",\"message\":\"too many connections: try again in a moment\"}}";

/// Accepts connections until the server stops, and waits until those that are open have closed.
pub(crate) async fn run(server: Arc<ServerState>, listener: TcpListener) {
    let router = route::router(server.clone());
    let mut summary = Box::pin(server.pause(SUMMARY_INTERVAL));
    // A lack of descriptors is logged when it begins and when it ends, not at every attempt.
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            () = server.stop.cancelled() => break,
            () = &mut summary => {
                server.refusals.log_summary_if_due(server.now());
                summary = Box::pin(server.pause(SUMMARY_INTERVAL));
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                if std::mem::take(&mut failing) {
                    tracing::info!("connections are accepted again");
                }
                match acquire_slot(&server, address).await {
                    Some(slot) => {
                        server.tasks.spawn(serve_connection(
                            server.clone(),
                            router.clone(),
                            stream,
                            address,
                            slot,
                        ));
                    }
                    None => refuse(&stream),
                }
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "no connection can be accepted; trying again");
                }
                metrics::counter!("frontdesk_accept_errors_total").increment(1);
                server.connections.close_oldest();
                tokio::select! {
                    () = server.stop.cancelled() => break,
                    () = server.pause(ERROR_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    server.tasks.close();
    server.tasks.wait().await;
    server.refusals.log_summary();
}

/// A slot for a new connection. If there is none, the oldest unauthenticated connection is closed; `None` if every
/// connection is authenticated.
async fn acquire_slot(server: &ServerState, address: SocketAddr) -> Option<Arc<ConnectionSlot>> {
    let client = (!server.settings().origins.is_proxy(address)).then(|| client_network(address.ip()));
    let until = server.now() + SLOT_WAIT;
    loop {
        match server.connections.admit(client) {
            SlotDecision::Granted(slot) => return Some(slot),
            SlotDecision::Full => return None,
            SlotDecision::Wait if server.now() >= until => return None,
            SlotDecision::Wait => tokio::select! {
                () = server.stop.cancelled() => return None,
                () = server.connections.closed() => {}
                () = server.pause(ERROR_PAUSE) => {}
            },
        }
    }
}

async fn serve_connection(
    server: Arc<ServerState>,
    router: Router,
    stream: TcpStream,
    address: SocketAddr,
    slot: Arc<ConnectionSlot>,
) {
    if let Err(error) = set_up(&stream) {
        tracing::debug!(%error, "a connection closed before it was set up");
        return;
    }
    let stream = Arc::new(stream);
    let peer = Peer { address, slot: slot.clone(), stream: stream.clone() };
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let guard = peer.slot.begin_request();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let response = route::respond(&server, router.clone(), request);
        async move {
            let response = response.await;
            drop(guard);
            Ok::<_, Infallible>(response)
        }
    });
    let client_stream = ClientStream::new(stream.clone(), slot.clone(), server.clock().clone());
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(server.settings().config.limits.request_timeout())
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(client_stream), service)
        .with_upgrades();
    let mut serving = Box::pin(serving);
    let mut finished = false;
    let ended = tokio::select! {
        ended = serving.as_mut() => {
            finished = true;
            ended
        }
        () = slot.close_requested() => Ok(()),
        () = idle_without_token(&server, &slot) => Ok(()),
        () = server.stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                ended = serving.as_mut() => ended,
                () = server.pause(SHUTDOWN_GRACE) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(serving);
    // A WebSocket outlives this function, and lingers by itself.
    if finished && !slot.is_upgraded() {
        linger(&server, &stream, &slot).await;
    }
}

fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER)?;
    Ok(())
}

/// Returns when a connection without a token has sent no request for a while. An authenticated connection may be idle
/// for as long as a request's head may take.
async fn idle_without_token(server: &ServerState, slot: &ConnectionSlot) {
    let mut before = Some(0);
    loop {
        server.pause(server.settings().config.limits.auth_timeout()).await;
        if slot.is_authenticated() {
            return std::future::pending().await;
        }
        let now = slot.requests_if_idle();
        if now.is_some() && now == before {
            return;
        }
        before = now;
    }
}

/// Refuses a connection. Errors are ignored, because nothing follows.
fn refuse(stream: &TcpStream) {
    metrics::counter!("frontdesk_connections_refused_total").increment(1);
    if let Err(error) = stream.try_write(NO_SLOT_RESPONSE) {
        tracing::debug!(%error, "a refused connection had closed already");
    }
}

fn is_about_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_has_the_right_content_length() {
        let text = std::str::from_utf8(NO_SLOT_RESPONSE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
