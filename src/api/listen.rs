//! Connections: how many, how long, and how they end.

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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::gate::Peer;
use crate::house::House;
use crate::route;

/// The longest head of a request, in bytes.
const HEAD: usize = 32 * 1024;

/// How long an answer that is being written may take once the door closes.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// After an error that concerns the listener itself (no more files), the next try waits this long.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection is told for which there is no place.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    content-length: 74\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
    {\"error\":{\"code\":\"busy\",\"message\":\"too many connections: try again soon\"}}";

/// Takes connections until the house stops, and waits for those that are open.
pub(crate) async fn run(house: Arc<House>, listener: TcpListener) {
    let router = route::router(house.clone());
    let places = Arc::new(Semaphore::new(house.config.limits.max_connections.min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            () = house.stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => match places.clone().try_acquire_owned() {
                Ok(place) => {
                    house.tasks.spawn(connection(house.clone(), router.clone(), stream, address, place));
                }
                Err(_) => turn_away(&stream),
            },
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection could be taken");
                house.pause(PAUSE).await;
            }
        }
    }
    drop(listener);
    house.tasks.close();
    house.tasks.wait().await;
}

async fn connection(
    house: Arc<House>,
    router: Router,
    stream: TcpStream,
    address: SocketAddr,
    place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return;
    }
    let peer = Peer { address, place: Arc::new(place) };
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let answer = route::answer(&house, router.clone(), request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(house.config.limits.request_timeout())
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = house.stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                ended = serving => ended,
                () = house.pause(LAST_WORDS) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
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
