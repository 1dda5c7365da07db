//! Connections: how they are taken, how long they last, and how they end.

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

use crate::connections::{Admission, Slot};
use crate::gate::Peer;
use crate::limit::client;
use crate::route;
use crate::server::ServerState;
use crate::timed::{Timed, linger};

/// The longest head of a request, in bytes; what hyper holds of a request or an answer at once is no more either.
const HEAD: usize = 16 * 1024;

/// How many bytes the kernel holds for a client who does not read. Linux doubles it.
const SEND_BUFFER: usize = 128 * 1024;

/// How long an answer that is being written may take once the door closes.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// After an error that concerns the listener itself (no more files), the next try waits this long.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a new connection waits for another one to end before it is turned away.
const TURN: Duration = Duration::from_secs(2);

/// How often the log is told of refusals that it was spared.
const SUMMARY: Duration = Duration::from_secs(60);

/// What a connection is told for which there is no place.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    content-length: 74\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
    {\"error\":{\"code\":\"busy\",\"message\":\"too many connections: try again soon\"}}";

/// Takes connections until the house stops, and waits for those that are open.
pub(crate) async fn run(server: Arc<ServerState>, listener: TcpListener) {
    let router = route::router(server.clone());
    let mut summary = Box::pin(server.pause(SUMMARY));
    // A lack of descriptors is logged when it begins and when it ends, not at each of its tries.
    let mut lacking = false;
    loop {
        let accepted = tokio::select! {
            () = server.stop.cancelled() => break,
            () = &mut summary => {
                server.refusals.sum_up(server.now());
                summary = Box::pin(server.pause(SUMMARY));
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                if std::mem::take(&mut lacking) {
                    tracing::info!("connections are taken again");
                }
                match slot(&server, address).await {
                    Some(slot) => {
                        server.tasks.spawn(connection(server.clone(), router.clone(), stream, address, slot));
                    }
                    None => turn_away(&stream),
                }
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut lacking, true) {
                    tracing::error!(%error, "no connection can be taken for now; trying again");
                }
                metrics::counter!("frontdesk_accept_errors_total").increment(1);
                server.connections.drop_oldest();
                tokio::select! {
                    () = server.stop.cancelled() => break,
                    () = server.pause(PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    server.tasks.close();
    server.tasks.wait().await;
    server.refusals.end();
}

/// A slot for a new connection. When all are taken, a stranger's ends for it; when there is none, nobody's does.
async fn slot(server: &ServerState, address: SocketAddr) -> Option<Arc<Slot>> {
    let one = (!server.origins.is_proxy(address)).then(|| client(address.ip()));
    let until = server.now() + TURN;
    loop {
        match server.connections.admit(one) {
            Admission::Taken(slot) => return Some(slot),
            Admission::Full => return None,
            Admission::Soon if server.now() >= until => return None,
            Admission::Soon => tokio::select! {
                () = server.stop.cancelled() => return None,
                () = server.connections.left() => {}
                () = server.pause(PAUSE) => {}
            },
        }
    }
}

async fn connection(
    server: Arc<ServerState>,
    router: Router,
    stream: TcpStream,
    address: SocketAddr,
    slot: Arc<Slot>,
) {
    if let Err(error) = set_up(&stream) {
        tracing::debug!(%error, "a connection was gone before it began");
        return;
    }
    let stream = Arc::new(stream);
    let peer = Peer { address, slot: slot.clone(), stream: stream.clone() };
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let busy = peer.slot.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let answer = route::answer(&server, router.clone(), request);
        async move {
            let answer = answer.await;
            drop(busy);
            Ok::<_, Infallible>(answer)
        }
    });
    let timed = Timed::new(stream.clone(), slot.clone(), server.clock().clone());
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(server.config.limits.request_timeout())
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(timed), service)
        .with_upgrades();
    let mut serving = Box::pin(serving);
    let mut by_itself = false;
    let ended = tokio::select! {
        ended = serving.as_mut() => {
            by_itself = true;
            ended
        }
        () = slot.dropped() => Ok(()),
        () = idle(&server, &slot) => Ok(()),
        () = server.stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                ended = serving.as_mut() => ended,
                () = server.pause(LAST_WORDS) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(serving);
    // A socket goes on elsewhere, and lingers there.
    if by_itself && !slot.is_upgraded() {
        linger(&server, &stream, &slot).await;
    }
}

fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER)?;
    Ok(())
}

/// Returns when a stranger has asked for nothing for a while. A connection on which a token was shown may rest as long
/// as a head may take to come.
async fn idle(server: &ServerState, slot: &Slot) {
    let mut before = Some(0);
    loop {
        server.pause(server.config.limits.auth_timeout()).await;
        if slot.is_authenticated() {
            return std::future::pending().await;
        }
        let now = slot.resting_after();
        if now.is_some() && now == before {
            return;
        }
        before = now;
    }
}

/// Says why and hangs up. Whether it was heard does not matter.
fn turn_away(stream: &TcpStream) {
    metrics::counter!("frontdesk_connections_refused_total").increment(1);
    if let Err(error) = stream.try_write(FULL) {
        tracing::debug!(%error, "a connection that was turned away had gone");
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
    fn the_word_to_those_turned_away_is_as_long_as_it_says() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
