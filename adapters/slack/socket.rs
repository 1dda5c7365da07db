//! Socket Mode: envelopes in, acknowledgements out, and the change from one socket to the next.
//!
//! What was missed before the first socket was open is read from the channels' histories meanwhile (`history`).
//!
//! One socket is read at a time. When Slack warns that it will close it, a second one is opened, and both are read until
//! the first is closed, so that nothing is missed in between.

use std::time::Duration;

use frontdesk_core::port::{AdapterError, Mono};
use frontdesk_core::retry::Backoff;
use frontdesk_kit::timer::{self, TimePoint, Timer};
use frontdesk_kit::websocket::WebSocket;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::history::Missed;
use crate::inbound::Payload;
use crate::receive::{Receiving, Taken};

/// The longest frame, in bytes. Slack's events are far smaller.
const LONGEST_FRAME: usize = 16 * 1024 * 1024;

/// A frame of Slack's. Its payload is kept as it arrived.
#[derive(Deserialize)]
struct Frame<'f> {
    #[serde(rename = "type", default)]
    kind: String,
    envelope_id: Option<String>,
    reason: Option<String>,
    #[serde(borrow)]
    payload: Option<&'f RawValue>,
}

/// After this time the position is stored, if no event has done that.
const POSITION: Duration = Duration::from_secs(60);
/// A socket that Slack exchanges sooner is no reason to open another one at once.
const SHORT_LIVED: Duration = Duration::from_secs(60);

/// A connection by Socket Mode: at most two sockets.
pub(crate) struct Connection<'a>(pub Receiving<'a>);

/// What a frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Nothing,
    /// Another socket, because this one will be closed.
    Another,
    /// Socket Mode was switched off.
    Off,
}

/// A socket. Only one that has said hello shows that Slack is there: a proxy accepts and closes sockets as well.
struct Open {
    socket: WebSocket,
    greeted: bool,
}

/// The socket that is read, and the one that replaces it once it is closed.
struct Sockets {
    current: Open,
    next: Option<Open>,
    exchange: Exchange,
}

/// When the next socket is opened. Each one that follows soon after the one before waits longer.
#[derive(Default)]
struct Exchange {
    due: Option<Mono>,
    last: Option<TimePoint>,
    soon: u32,
}

impl Exchange {
    /// Slack will close the current socket.
    fn is_wanted(&mut self, timer: &Timer) {
        let is_soon = self.last.is_some_and(|last| !timer.is_past(last, SHORT_LIVED));
        self.soon = if is_soon { self.soon + 1 } else { 0 };
        let pause = match self.soon {
            0 => Duration::ZERO,
            soon => Backoff::default().delay(soon, timer::random()),
        };
        self.due = Some(timer.mono() + pause);
    }

    /// The next socket is being opened.
    fn begins(&mut self, timer: &Timer) {
        (self.due, self.last) = (None, Some(timer.now()));
    }
}

type Received = Option<Result<Message, tungstenite::Error>>;

impl Open {
    /// Whether a frame shows that Slack is at the other end: an envelope, or anything but a close after the hello.
    fn shows_life(&mut self, frame: &Message) -> bool {
        match frame {
            Message::Text(text) if !self.greeted => {
                let frame = serde_json::from_str::<Frame<'_>>(text);
                self.greeted = frame.is_ok_and(|frame| frame.kind == "hello" || frame.envelope_id.is_some());
            }
            Message::Close(_) => return false,
            _ => {}
        }
        self.greeted
    }
}

impl Sockets {
    /// The next frame, and whether it is of the current socket.
    async fn frame(&mut self) -> (bool, Received) {
        let next = async {
            match &mut self.next {
                Some(open) => open.socket.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            frame = self.current.socket.next() => (true, frame),
            frame = next => (false, frame),
        }
    }

    /// The frame, or `None` if a socket has ended and the other one goes on.
    fn received(&mut self, is_current: bool, frame: Received) -> Result<Option<Message>, String> {
        let why = match frame {
            Some(Ok(frame)) => return Ok(Some(frame)),
            Some(Err(error)) => error.to_string(),
            None => "Slack has closed the socket".to_owned(),
        };
        match self.next.take() {
            // The old socket has been closed, as Slack said.
            Some(next) if is_current => self.current = next,
            None if is_current => return Err(why),
            _ => {}
        }
        Ok(None)
    }

    fn of(&mut self, is_current: bool) -> &mut Open {
        match &mut self.next {
            Some(next) if !is_current => next,
            _ => &mut self.current,
        }
    }
}

impl Connection<'_> {
    /// Receives until the connection ends.
    pub(crate) async fn run(&self) -> Result<(), AdapterError> {
        let current = self.dial().await?;
        let mut sockets = Sockets { current, next: None, exchange: Exchange::default() };
        // Replies to single people are sent while reading goes on.
        let mut sentences = JoinSet::new();
        let missed = self.0.missed().await?;
        let mut reading = Box::pin(read(missed.as_ref()));
        let mut unread = missed.as_ref();
        let timer = self.0.workspace.timer();
        let mut stored = timer.now();
        let patience = Duration::from_secs(self.0.settings.patience_seconds);
        let mut silent_at = timer.mono() + patience;
        loop {
            let exchange_at = sockets.exchange.due;
            let (is_current, frame) = tokio::select! {
                frame = sockets.frame() => frame,
                read = &mut reading, if unread.is_some() => {
                    read?;
                    unread = None;
                    self.0.is_read().await;
                    continue;
                }
                () = timer.until(silent_at) => {
                    return Err(AdapterError::Lost(format!("no sign of life for {patience:?}")));
                }
                () = timer.until(exchange_at.unwrap_or_default()), if exchange_at.is_some() => {
                    sockets.exchange.begins(timer);
                    sockets.next = Some(self.dial().await?);
                    continue;
                }
                Some(_) = sentences.join_next() => continue,
            };
            let frame = sockets.received(is_current, frame);
            let frame = frame.map_err(|why| AdapterError::Lost(self.0.api.clean(&why)))?;
            let Some(frame) = frame else { continue };
            let open = sockets.of(is_current);
            if open.shows_life(&frame) {
                silent_at = timer.mono() + patience;
                self.0.heard();
            }
            if unread.is_none() && timer.is_past(stored, POSITION) {
                stored = timer.now();
                self.0.store_position().await;
            }
            let Message::Text(text) = frame else { continue };
            match self.frame(&text, &mut open.socket, &mut sentences, unread).await? {
                Next::Another if is_current && sockets.next.is_none() && exchange_at.is_none() => {
                    sockets.exchange.is_wanted(timer);
                }
                Next::Nothing | Next::Another => {}
                Next::Off => {
                    let off = "Socket Mode was switched off on the app's page; switch it on again";
                    return Err(AdapterError::Setup(off.to_owned()));
                }
            }
        }
    }

    async fn dial(&self) -> Result<Open, AdapterError> {
        let connect = Duration::from_secs(self.0.settings.connect_seconds);
        tokio::select! {
            dialled = self.0.api.socket(LONGEST_FRAME) => match dialled {
                Ok(socket) => Ok(Open { socket, greeted: false }),
                Err(fault) => Err(fault.for_connection()),
            },
            () = self.0.workspace.timer().pause(connect) => Err(AdapterError::Lost("the socket cannot be opened in time".to_owned())),
        }
    }

    /// Handles a text frame: pushes what an envelope brings, and acknowledges it when it is committed.
    async fn frame(
        &self,
        text: &str,
        socket: &mut WebSocket,
        sentences: &mut JoinSet<()>,
        unread: Option<&Missed<'_>>,
    ) -> Result<Next, AdapterError> {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            tracing::debug!("a frame of Slack's cannot be read");
            return Ok(Next::Nothing);
        };
        if frame.kind == "disconnect" {
            let reason = frame.reason.unwrap_or_default();
            tracing::debug!(reason, "Slack will close a socket");
            return Ok(if reason == "link_disabled" { Next::Off } else { Next::Another });
        }
        let (Some(id), Some(payload)) = (frame.envelope_id, frame.payload) else { return Ok(Next::Nothing) };
        let raw = payload.get();
        let payload = match frame.kind.as_str() {
            "events_api" => Payload::Event(raw),
            "slash_commands" => Payload::Command(raw),
            // An unknown kind becomes a dead letter.
            _ => Payload::Interaction(raw),
        };
        // While older messages are read, the position must not move.
        let position = self.0.workspace.position().filter(|_| unread.is_none());
        let acknowledgement = match self.0.receiver().take(payload, position, unread, sentences).await? {
            Taken::Not => return Ok(Next::Nothing),
            Taken::Stored { answer: None } => json!({"envelope_id": id}),
            Taken::Stored { answer: Some(answer) } => json!({"envelope_id": id, "payload": answer}),
        };
        let sent = socket.send(Message::text(acknowledgement.to_string())).await;
        if let Err(error) = sent {
            tracing::debug!(%error, "an acknowledgement could not be sent, and the event will come again");
        }
        Ok(Next::Nothing)
    }
}

async fn read(missed: Option<&Missed<'_>>) -> Result<(), AdapterError> {
    match missed {
        Some(missed) => missed.read().await,
        None => Ok(()),
    }
}
