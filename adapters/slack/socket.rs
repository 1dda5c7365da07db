//! Socket Mode: envelopes in, acknowledgements out, and the change from one socket to the next.
//!
//! What was missed before the first socket was open is read from the channels' histories meanwhile (`history`).
//!
//! One socket is read at a time. When Slack warns that it will close it, a second one is opened meanwhile, and both are read
//! until the first is closed, so that nothing is missed in between.

use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use frontdesk_core::port::{AdapterError, Mono};
use frontdesk_core::retry::Backoff;
use frontdesk_kit::timer::{self, TimePoint, Timer};
use frontdesk_kit::websocket::WebSocket;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::CHANNEL;
use crate::error::Fault;
use crate::gap::Gap;
use crate::intake::{self, Envelope, Intake, Kind, Stored};
use crate::receive::Receiving;

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

/// What an operator has to do if Socket Mode is off.
const OFF: &str = "Socket Mode was switched off on the app's page; switch it on again";
/// After this time the position is stored, if no event has done that.
const POSITION: Duration = Duration::from_secs(60);
/// If nothing was read for longer, because the queue was full, Slack may have given up sending some events.
const LONGEST_UNREAD: TimeDelta = TimeDelta::minutes(1);
/// A socket that Slack exchanges sooner is no reason to open another one at once.
const SHORT_LIVED: Duration = Duration::from_secs(60);

/// A connection by Socket Mode: at most two sockets.
pub(crate) struct Connection<'a>(pub Receiving<'a>);

/// What a frame asks for.
#[derive(Debug)]
enum Next {
    Nothing,
    /// The envelope of this id is to be stored.
    Envelope(String, Envelope),
    /// Another socket, because this one will be closed.
    Another,
    /// Socket Mode was switched off.
    Off,
}

/// A socket. Only one that has said hello shows that Slack is there: a proxy accepts and closes sockets as well.
struct Open {
    number: u64,
    socket: WebSocket,
    greeted: bool,
    /// Slack has announced that it will close it.
    is_ending: bool,
}

/// The socket that is read, and the one that replaces it once it is closed.
struct Sockets<'c> {
    connection: &'c Connection<'c>,
    current: Open,
    next: Option<Open>,
    /// The next socket while it is being opened.
    dialling: Option<BoxFuture<'c, Result<WebSocket, AdapterError>>>,
    exchange: Exchange,
    /// The number of sockets so far.
    count: u64,
}

type Slot = frontdesk_kit::intake::Slot<Envelope, Stored>;

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

    /// The next socket could not be opened. That is tried again.
    fn failed(&mut self, error: &AdapterError, timer: &Timer) {
        self.soon += 1;
        let pause = Backoff::default().delay(self.soon, timer::random());
        let after = if let AdapterError::Later { after, .. } = error { *after } else { Duration::ZERO };
        self.due = Some(timer.mono() + pause.max(after));
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

impl<'c> Sockets<'c> {
    fn of_one(connection: &'c Connection<'c>, socket: WebSocket) -> Self {
        let current = Open { number: 0, socket, greeted: false, is_ending: false };
        Self { connection, current, next: None, dialling: None, exchange: Exchange::default(), count: 1 }
    }

    fn opened(&mut self, socket: WebSocket) -> Open {
        let number = self.count;
        self.count += 1;
        Open { number, socket, greeted: false, is_ending: false }
    }

    /// The next frame, and the number of its socket; none unless `reads`. Opens the next socket meanwhile if one is wanted.
    /// Cancel-safe.
    async fn frame(&mut self, reads: bool) -> (u64, Received) {
        let timer = self.connection.0.workspace.timer();
        loop {
            let next = async {
                match &mut self.next {
                    Some(open) => (open.number, open.socket.next().await),
                    None => std::future::pending().await,
                }
            };
            let dialled = async {
                match &mut self.dialling {
                    Some(dialling) => dialling.await,
                    None => std::future::pending().await,
                }
            };
            let due = self.exchange.due;
            tokio::select! {
                frame = self.current.socket.next(), if reads => return (self.current.number, frame),
                frame = next, if reads => return frame,
                dialled = dialled => self.dialled(dialled),
                () = timer.until(due.unwrap_or_default()), if due.is_some() => {
                    self.exchange.begins(timer);
                    self.dialling = Some(self.connection.dial().boxed());
                }
            }
        }
    }

    /// The next socket is open, or cannot be opened. The current one is read until Slack closes it.
    fn dialled(&mut self, dialled: Result<WebSocket, AdapterError>) {
        self.dialling = None;
        match dialled {
            Ok(socket) => self.next = Some(self.opened(socket)),
            Err(error) => {
                let receiving = &self.connection.0;
                tracing::warn!(
                    channel = CHANNEL, account = %receiving.app.account, %error,
                    "the socket that Slack will close cannot be replaced yet; it stays in use, and another attempt follows"
                );
                self.exchange.failed(&error, receiving.workspace.timer());
            }
        }
    }

    /// The frame, or `None` if a socket has ended and the other one goes on.
    fn received(&mut self, number: u64, frame: Received) -> Result<Option<Message>, AdapterError> {
        let why = match frame {
            Some(Ok(frame)) => return Ok(Some(frame)),
            Some(Err(error)) => self.connection.0.api.clean(&error.to_string()),
            None => "Slack has closed the socket".to_owned(),
        };
        match (self.next.take(), number == self.current.number) {
            // The old socket has been closed, as Slack said.
            (Some(next), true) if next.greeted => self.replace(next),
            // It was closed before the next one was in use. What Slack had to say in between is in the histories only, which the
            // next connection reads.
            (_, true) => return Err(AdapterError::Lost(why)),
            (_, false) => {}
        }
        Ok(None)
    }

    /// The socket of this number, or the current one if that is closed.
    fn of(&mut self, number: u64) -> &mut Open {
        match &mut self.next {
            Some(next) if next.number == number => next,
            _ => &mut self.current,
        }
    }

    /// The current socket is closed, and the next one takes its place.
    fn replace(&mut self, next: Open) {
        self.current = next;
        self.exchange_if_ending();
    }

    /// Slack has announced that it will close this socket. It may say so of the next one before the current one is closed.
    fn will_close(&mut self, number: u64) {
        self.of(number).is_ending = true;
        self.exchange_if_ending();
    }

    /// Has another socket opened if the current one will be closed and none is on its way.
    fn exchange_if_ending(&mut self) {
        let is_coming = self.next.is_some() || self.dialling.is_some() || self.exchange.due.is_some();
        if self.current.is_ending && !is_coming {
            self.exchange.is_wanted(self.connection.0.workspace.timer());
        }
    }

    /// Sends an acknowledgement, and all others that are ready, each over the socket of its envelope.
    async fn acknowledge<F>(&mut self, first: F::Output, stored: &mut FuturesUnordered<F>)
    where
        F: Future<Output = Option<(u64, Message)>>,
    {
        let mut ready = Some(first);
        while let Some(one) = ready {
            if let Some((number, message)) = one {
                note(self.of(number).socket.feed(message).await);
            }
            ready = stored.next().now_or_never().flatten();
        }
        for open in [Some(&mut self.current), self.next.as_mut()].into_iter().flatten() {
            note(open.socket.flush().await);
        }
    }
}

/// An acknowledgement that cannot be sent does no harm: reading finds out that the socket is closed.
fn note(sent: Result<(), tungstenite::Error>) {
    if let Err(error) = sent {
        tracing::debug!(%error, "an acknowledgement could not be sent, and the event will come again");
    }
}

impl Connection<'_> {
    /// Receives until the connection ends.
    pub(crate) async fn run(&self) -> Result<(), AdapterError> {
        let mut sockets = Sockets::of_one(self, self.dial().await?);
        let missed = self.0.missed().await?;
        let gap = Gap::new(missed.is_none());
        let (queue, arrivals) = intake::queue();
        let mut taking = pin!(Intake::new(self.0.receiver(), &gap, missed.as_ref(), arrivals).run());
        let mut reading = pin!(self.0.reads(missed.as_ref(), &gap));
        let mut stored: FuturesUnordered<_> = FuturesUnordered::new();
        // A frame is read only if there is space for what it may bring.
        let mut slot = None;
        let timer = self.0.workspace.timer();
        let mut position_at = timer.now();
        let patience = Duration::from_secs(self.0.settings.patience_seconds);
        let mut silent_at = timer.mono() + patience;
        let mut read_at = timer.wall();
        loop {
            let (number, frame) = tokio::select! {
                frame = sockets.frame(slot.is_some()) => frame,
                Some(first) = stored.next() => {
                    sockets.acknowledge(first, &mut stored).await;
                    continue;
                }
                error = &mut taking => return Err(error),
                free = queue.slot(), if slot.is_none() => {
                    // Nothing was read meanwhile.
                    (slot, silent_at) = (free, silent_at.max(timer.mono() + patience));
                    if timer.wall() - read_at >= LONGEST_UNREAD {
                        self.0.lost(read_at);
                    }
                    continue;
                }
                error = &mut reading => return Err(error),
                () = timer.until(silent_at), if slot.is_some() => return Err(silence(patience)),
            };
            let Some(frame) = sockets.received(number, frame)? else { continue };
            if sockets.of(number).shows_life(&frame) {
                silent_at = timer.mono() + patience;
                self.0.heard();
            }
            self.store_position(&gap, &mut position_at);
            let Message::Text(text) = frame else { continue };
            match self.frame(&text) {
                Next::Envelope(id, envelope) => {
                    read_at = envelope.at;
                    let taken = slot.take().map(|slot: Slot| slot.fill(envelope));
                    stored.extend(taken.map(|taken| acknowledgement(number, id, taken)));
                }
                Next::Another => sockets.will_close(number),
                Next::Nothing => {}
                Next::Off => return Err(AdapterError::Setup(OFF.to_owned())),
            }
        }
    }

    /// Stores the position once a minute, if no event does that.
    fn store_position(&self, gap: &Gap, last: &mut TimePoint) {
        let timer = self.0.workspace.timer();
        if gap.is_closed() && timer.is_past(*last, POSITION) {
            *last = timer.now();
            gap.store_position();
        }
    }

    async fn dial(&self) -> Result<WebSocket, AdapterError> {
        let connect = Duration::from_secs(self.0.settings.connect_seconds);
        tokio::select! {
            dialled = self.0.api.socket(LONGEST_FRAME) => dialled.map_err(Fault::for_connection),
            () = self.0.workspace.timer().pause(connect) => Err(AdapterError::Lost("the socket cannot be opened in time".to_owned())),
        }
    }

    /// Reads a text frame.
    fn frame(&self, text: &str) -> Next {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            tracing::debug!("a frame of Slack's cannot be read");
            return Next::Nothing;
        };
        if frame.kind == "disconnect" {
            let reason = frame.reason.unwrap_or_default();
            tracing::debug!(reason, "Slack will close a socket");
            return if reason == "link_disabled" { Next::Off } else { Next::Another };
        }
        let (Some(id), Some(payload)) = (frame.envelope_id, frame.payload) else { return Next::Nothing };
        let kind = match frame.kind.as_str() {
            "events_api" => Kind::Event,
            "slash_commands" => Kind::Command,
            // An unknown kind becomes a dead letter.
            _ => Kind::Interaction,
        };
        let at = self.0.workspace.timer().wall();
        Next::Envelope(id, Envelope { kind, raw: payload.get().to_owned(), at })
    }
}

/// Waits until an envelope is stored. Returns the acknowledgement with the number of the socket that it came from; `None` if
/// the envelope must come again.
async fn acknowledgement(
    number: u64,
    id: String,
    stored: oneshot::Receiver<Stored>,
) -> Option<(u64, Message)> {
    let acknowledgement = match stored.await.ok()?.answer {
        None => json!({"envelope_id": id}),
        Some(answer) => json!({"envelope_id": id, "payload": answer}),
    };
    Some((number, Message::text(acknowledgement.to_string())))
}

fn silence(patience: Duration) -> AdapterError {
    AdapterError::Lost(format!("Slack sent nothing for {patience:?} (patience_seconds)"))
}
