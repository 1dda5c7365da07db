//! A socket as a line of texts, with an end to every wait.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::future::FutureExt;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;

use crate::outgoing::Outgoing;
use crate::server::ServerState;
use crate::timed::TOO_MUCH;

/// How long a reader may take nothing at all.
const STALLED: Duration = Duration::from_secs(30);

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client left, or the network did.
    Gone,
    /// It sent something that no frame can be.
    Unreadable,
    /// It sent a frame that is larger than it may be.
    TooLarge,
    /// It sent more than may be sent before a token.
    TooLargeForAStranger,
    /// It sent bytes where texts are spoken.
    Binary,
    /// It does not read, and more waits for it than may.
    TooSlow,
    /// It showed no valid token.
    Unauthorized(&'static str),
    /// Its token is not valid any more.
    Revoked,
    /// The gateway stops.
    Stopping,
    /// Something is wrong with us.
    Fault,
}

/// A socket.
pub(crate) struct Line {
    server: Arc<ServerState>,
    socket: WebSocket,
}

impl Line {
    pub(crate) fn new(server: Arc<ServerState>, socket: WebSocket) -> Self {
        Self { server, socket }
    }

    /// The next text of the client.
    pub(crate) async fn hear(&mut self) -> Result<Utf8Bytes, End> {
        loop {
            if let Some(text) = self.hear_any().await? {
                return Ok(text);
            }
        }
    }

    /// The next frame of the client: a text, or only a sign of life.
    pub(crate) async fn hear_any(&mut self) -> Result<Option<Utf8Bytes>, End> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Ok(Some(text)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_))) => Err(End::Binary),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            // axum hides what kind of error it is; its text starts with tungstenite's name for it.
            Some(Err(error)) => Err(match error.to_string() {
                text if text.starts_with("Space limit exceeded") => End::TooLarge,
                text if text.contains(TOO_MUCH) => End::TooLargeForAStranger,
                text if text.starts_with("UTF-8") || text.contains("protocol error") => End::Unreadable,
                _ => End::Gone,
            }),
        }
    }

    /// Writes a text and sees it off.
    pub(crate) async fn say(&mut self, text: Utf8Bytes) -> Result<(), End> {
        let Self { server, socket } = self;
        unless_stalled(server, None, socket.send(Message::Text(text))).await
    }

    /// The same with JSON.
    pub(crate) async fn say_json(&mut self, value: &Value) -> Result<(), End> {
        self.say(value.to_string().into()).await
    }

    /// Writes a text with those that follow; `out` is what waits meanwhile.
    pub(crate) async fn feed(&mut self, text: Utf8Bytes, out: &Outgoing) -> Result<(), End> {
        let Self { server, socket } = self;
        unless_stalled(server, Some(out), socket.feed(Message::Text(text))).await
    }

    /// Sees everything off that was fed.
    pub(crate) async fn flush(&mut self, out: &Outgoing) -> Result<(), End> {
        let Self { server, socket } = self;
        unless_stalled(server, Some(out), socket.flush()).await
    }

    /// Asks for a sign of life.
    pub(crate) async fn ping(&mut self) -> Result<(), End> {
        let Self { server, socket } = self;
        unless_stalled(server, None, socket.send(Message::Ping(Default::default()))).await
    }

    /// Says why, and hangs up. Whether it was heard does not matter any more.
    pub(crate) async fn close(mut self, end: End) {
        let Some((code, reason)) = farewell(&end) else { return };
        let goodbye = Message::Close(Some(CloseFrame { code, reason: reason.as_ref().into() }));
        let socket = &mut self.socket;
        let said = async {
            if socket.send(goodbye).await.is_ok() {
                // The client's own close, so that nothing of ours is lost when the connection is torn down.
                while let Some(Ok(_)) = socket.next().await {}
            }
        };
        tokio::select! {
            () = said => {}
            () = self.server.pause(GOODBYE) => {}
        }
    }
}

/// The code and the reason with which a socket is closed.
fn farewell(end: &End) -> Option<(u16, Cow<'static, str>)> {
    Some(match end {
        End::Gone => return None,
        End::Unreadable => (close_code::PROTOCOL, "this is no frame".into()),
        End::TooLarge => (close_code::SIZE, "a frame was larger than gateway.limits.max_frame".into()),
        End::TooLargeForAStranger => {
            (close_code::SIZE, "the first frame must show the token and be small".into())
        }
        End::Binary => (close_code::UNSUPPORTED, "only texts are spoken here".into()),
        End::TooSlow => (close_code::AGAIN, "too much was waiting for you: come back and resume".into()),
        End::Unauthorized(reason) => (close_code::POLICY, (*reason).into()),
        End::Revoked => (close_code::POLICY, "this token is not valid any more".into()),
        End::Stopping => (close_code::AWAY, "the gateway is stopping".into()),
        End::Fault => (close_code::ERROR, "something went wrong on our side".into()),
    })
}

/// Writes, and gives up on a reader who takes nothing: for too long, or until too much waits.
async fn unless_stalled(
    server: &ServerState,
    out: Option<&Outgoing>,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), End> {
    let mut write = std::pin::pin!(write);
    // Nearly every write goes through at once: no timer is set for those.
    if let Some(written) = write.as_mut().now_or_never() {
        return written.map_err(|_| End::Gone);
    }
    let too_much = async {
        match out {
            Some(out) => out.overrun().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        written = write => written.map_err(|_| End::Gone),
        () = too_much => Err(End::TooSlow),
        () = server.stop.cancelled() => Err(End::Stopping),
        () = server.pause(STALLED) => Err(End::TooSlow),
    }
}
