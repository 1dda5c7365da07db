//! A client's WebSocket, with a time limit for every write.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::future::FutureExt;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;

use crate::client_stream::TOO_MANY_BYTES;
use crate::frame_queue::FrameQueue;
use crate::server::ServerState;
use crate::ws::dialect::Dialect;

/// A client is disconnected when a write to it makes no progress for this long.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Disconnect {
    /// The client closed the connection, or the network failed.
    Closed,
    /// The client sent something that is not a WebSocket text frame.
    Unreadable,
    /// The client sent a frame that is larger than the limit.
    TooLarge,
    /// The client sent more than is allowed before its token.
    TooLargeWithoutToken,
    /// The client sent a binary frame.
    Binary,
    /// The client reads too slowly: more waits for it than is allowed.
    TooSlow,
    /// The client showed no valid token.
    Unauthorized(&'static str),
    /// The client's token was revoked.
    Revoked,
    /// The gateway stops.
    Stopping,
    /// An internal error.
    Internal,
}

/// A client's WebSocket.
pub(crate) struct ClientSocket {
    server: Arc<ServerState>,
    socket: WebSocket,
    dialect: Dialect,
}

impl ClientSocket {
    pub(crate) fn new(server: Arc<ServerState>, socket: WebSocket, dialect: Dialect) -> Self {
        Self { server, socket, dialect }
    }

    /// Waits for the client's next text frame.
    pub(crate) async fn receive_text(&mut self) -> Result<Utf8Bytes, Disconnect> {
        loop {
            if let Some(text) = self.receive().await? {
                return Ok(text);
            }
        }
    }

    /// Waits for the client's next frame: a text, or `None` for a ping or a pong.
    pub(crate) async fn receive(&mut self) -> Result<Option<Utf8Bytes>, Disconnect> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Ok(Some(self.dialect.received(text))),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_))) => Err(Disconnect::Binary),
            Some(Ok(Message::Close(_))) | None => Err(Disconnect::Closed),
            // axum hides the kind of the error, but its text begins with tungstenite's name for it.
            Some(Err(error)) => Err(match error.to_string() {
                text if text.starts_with("Space limit exceeded") => Disconnect::TooLarge,
                text if text.contains(TOO_MANY_BYTES) => Disconnect::TooLargeWithoutToken,
                text if text.starts_with("UTF-8") || text.contains("protocol error") => {
                    Disconnect::Unreadable
                }
                _ => Disconnect::Closed,
            }),
        }
    }

    /// Writes a text and flushes it.
    pub(crate) async fn send(&mut self, text: Utf8Bytes) -> Result<(), Disconnect> {
        let Self { server, socket, dialect } = self;
        let Some(text) = dialect.sent(text, || server.clock().wall()) else { return Ok(()) };
        with_timeout(server, None, socket.send(Message::Text(text))).await
    }

    /// Writes JSON and flushes it.
    pub(crate) async fn send_json(&mut self, value: &Value) -> Result<(), Disconnect> {
        self.send(value.to_string().into()).await
    }

    /// Writes a text without flushing it. Meanwhile `queue` must not overrun.
    pub(crate) async fn feed(&mut self, text: Utf8Bytes, queue: &FrameQueue) -> Result<(), Disconnect> {
        let Self { server, socket, dialect } = self;
        let Some(text) = dialect.sent(text, || server.clock().wall()) else { return Ok(()) };
        with_timeout(server, Some(queue), socket.feed(Message::Text(text))).await
    }

    /// Flushes what was fed. Meanwhile `queue` must not overrun.
    pub(crate) async fn flush(&mut self, queue: &FrameQueue) -> Result<(), Disconnect> {
        let Self { server, socket, .. } = self;
        with_timeout(server, Some(queue), socket.flush()).await
    }

    pub(crate) async fn ping(&mut self) -> Result<(), Disconnect> {
        let Self { server, socket, .. } = self;
        with_timeout(server, None, socket.send(Message::Ping(Default::default()))).await
    }

    /// Closes the connection with the code and the reason of `end`. Errors are ignored, because nothing follows.
    pub(crate) async fn close(mut self, end: Disconnect) {
        let Some((code, reason)) = close_frame(&end) else { return };
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.as_ref().into() }));
        let socket = &mut self.socket;
        let closed = async {
            if socket.send(frame).await.is_ok() {
                // Waits for the client's close frame, so that nothing we wrote is lost when the connection is closed.
                while let Some(Ok(_)) = socket.next().await {}
            }
        };
        tokio::select! {
            () = closed => {}
            () = self.server.pause(CLOSE_TIMEOUT) => {}
        }
    }
}

/// The code and the reason of the close frame.
fn close_frame(end: &Disconnect) -> Option<(u16, Cow<'static, str>)> {
    Some(match end {
        Disconnect::Closed => return None,
        Disconnect::Unreadable => (close_code::PROTOCOL, "this is no frame".into()),
        Disconnect::TooLarge => (close_code::SIZE, "a frame was larger than gateway.limits.max_frame".into()),
        Disconnect::TooLargeWithoutToken => {
            (close_code::SIZE, "the first frame must contain the token and be small".into())
        }
        Disconnect::Binary => (close_code::UNSUPPORTED, "only text frames are accepted".into()),
        Disconnect::TooSlow => {
            (close_code::AGAIN, "too many frames were waiting for this client: reconnect and resume".into())
        }
        Disconnect::Unauthorized(reason) => (close_code::POLICY, (*reason).into()),
        Disconnect::Revoked => (close_code::POLICY, "this token is no longer valid".into()),
        Disconnect::Stopping => (close_code::AWAY, "the gateway is stopping".into()),
        Disconnect::Internal => (close_code::ERROR, "something went wrong in the gateway".into()),
    })
}

/// Carries out a write, and gives up on a client that takes nothing for too long or whose queue overruns meanwhile.
async fn with_timeout(
    server: &ServerState,
    queue: Option<&FrameQueue>,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), Disconnect> {
    let mut write = std::pin::pin!(write);
    // Nearly every write finishes at once; no timer is started for those.
    if let Some(written) = write.as_mut().now_or_never() {
        return written.map_err(|_| Disconnect::Closed);
    }
    let overrun = async {
        match queue {
            Some(queue) => queue.overrun().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        written = write => written.map_err(|_| Disconnect::Closed),
        () = overrun => Err(Disconnect::TooSlow),
        () = server.stop.cancelled() => Err(Disconnect::Stopping),
        () = server.pause(WRITE_TIMEOUT) => Err(Disconnect::TooSlow),
    }
}
