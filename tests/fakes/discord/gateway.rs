//! The gateway: one task per socket. It identifies or resumes a session and delivers the session's dispatches.

mod sessions;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::http::Request;
use axum::response::IntoResponse;
use frontdesk_fakes::{Call, Cut, Response, Shared, Way, Work};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::id::Id;
use crate::world::World;

/// The longest frame of a client.
const LONGEST: usize = 4096;
/// How many frames a client may send in a minute.
const PER_MINUTE: usize = 120;

/// How the gateway behaves, and what operators have asked of connections.
#[derive(Debug)]
pub struct Gateway {
    pub interval_ms: i64,
    /// How long a session waits for a client that was cut off.
    pub window_ms: i64,
    /// Whether clients get neither dispatches nor acknowledgements, while their sockets stay open.
    pub deaf: bool,
    /// Whether heartbeats are not acknowledged.
    pub unacknowledged: bool,
    /// Whether clients get no dispatches, not even that their session has begun, while heartbeats are acknowledged.
    pub unconfirmed: bool,
    /// Where sessions are resumed, if that is not where they are begun.
    pub resumed_at: Option<String>,
    next: u64,
    /// What is to be done with open connections.
    orders: HashMap<u64, VecDeque<Order>>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            interval_ms: 41_250,
            window_ms: 180_000,
            deaf: false,
            unacknowledged: false,
            unconfirmed: false,
            resumed_at: None,
            next: 1,
            orders: HashMap::new(),
        }
    }
}

impl Gateway {
    /// Asks the same of every open connection.
    pub fn order(&mut self, order: &Order) {
        self.orders.values_mut().for_each(|orders| orders.push_back(order.clone()));
    }

    /// How many sockets were opened.
    pub fn opened(&self) -> u64 {
        self.next - 1
    }

    /// How many sockets are open.
    pub fn connections(&self) -> usize {
        self.orders.len()
    }
}

/// What an operator asks of a connection.
#[derive(Debug, Clone)]
pub enum Order {
    /// Closes it with this code.
    Close(u16),
    /// Drops the connection without a word.
    Drop,
    /// Asks the client to connect again (op 7).
    Reconnect,
    /// Says that the session is not valid (op 9).
    Invalidate { resumable: bool },
    /// Sends this frame.
    Send(String),
}

/// What follows from a frame of a client.
enum Next {
    Send(Value),
    Close(u16),
    /// The session is this bot's, and everything after this number is to be delivered.
    Deliver {
        bot: Id,
        session: String,
        after: u64,
    },
    Nothing,
}

#[derive(Deserialize)]
struct Frame {
    op: u64,
    #[serde(default)]
    d: Value,
}

/// Answers the request for a socket.
pub async fn connect(shared: &Arc<Shared<World>>, request: Request<Incoming>) -> Result<Response, Cut> {
    let query = request.uri().query().unwrap_or_default();
    let version = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "v");
    let known = version.is_some_and(|(_, version)| version == "10");
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let own = shared.clone();
    let open = move |socket: WebSocket| async move {
        let number = own.change(|world| {
            let number = world.gateway.next;
            world.gateway.next += 1;
            world.gateway.orders.insert(number, VecDeque::new());
            number
        });
        let connection =
            Connection { shared: own.clone(), socket, number, session: None, frames: VecDeque::new() };
        own.background(connection.run(known));
    };
    let call = Call::new(Id::default(), "gateway", Id::default(), Map::new());
    let work = Work::Wait(Box::new(move |_| {
        Box::pin(async move {
            match upgrade {
                Ok(upgrade) => upgrade.on_upgrade(open).into_response(),
                Err(rejection) => rejection.into_response(),
            }
        })
    }));
    shared.serve(call, work).await
}

struct Connection {
    shared: Arc<Shared<World>>,
    socket: WebSocket,
    number: u64,
    /// The bot, its session, and the last dispatch that was sent here.
    session: Option<(Id, String, u64)>,
    /// When the client sent frames in the last minute.
    frames: VecDeque<i64>,
}

impl Connection {
    async fn run(mut self, known_version: bool) {
        let ended = match known_version {
            true => self.serve().await,
            false => Some(4012),
        };
        let number = self.number;
        self.shared.change(|world| world.disconnected(number, ended));
        if let Some(code) = ended {
            self.close(code).await;
        }
    }

    /// Serves until the connection ends; returns the code with which this side closes it.
    async fn serve(&mut self) -> Option<u16> {
        let shared = self.shared.clone();
        let mut cuts = shared.cuts();
        let interval = shared.state().gateway.interval_ms;
        self.send(json!({"op": 10, "s": null, "t": null, "d": {"heartbeat_interval": interval}})).await?;
        loop {
            let changed = shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(end) = self.obey().await {
                return end;
            }
            self.deliver().await?;
            tokio::select! {
                frame = self.socket.recv() => match self.read(frame).await {
                    Ok(()) => {}
                    Err(end) => return end,
                },
                () = changed => {}
                _ = cuts.changed() => return None,
            }
        }
    }

    /// Does what operators have asked for; returns the end, if that is one.
    async fn obey(&mut self) -> Option<Option<u16>> {
        let number = self.number;
        let next = |world: &mut World| world.gateway.orders.get_mut(&number).and_then(VecDeque::pop_front);
        while let Some(order) = {
            let mut state = self.shared.state();
            next(&mut state)
        } {
            match order {
                Order::Close(code) => return Some(Some(code)),
                Order::Drop => return Some(None),
                Order::Send(frame) => self.socket.send(Message::text(frame)).await.unwrap_or(()),
                Order::Reconnect => {
                    self.send(json!({"op": 7, "s": null, "t": null, "d": null})).await.unwrap_or(())
                }
                Order::Invalidate { resumable } => {
                    // A client that may resume does so on this connection.
                    self.session = None;
                    if !resumable {
                        self.shared.change(|world| world.end_session(number));
                    }
                    self.send(json!({"op": 9, "s": null, "t": null, "d": resumable})).await.unwrap_or(());
                }
            }
        }
        None
    }

    /// Sends the dispatches that wait.
    async fn deliver(&mut self) -> Option<()> {
        loop {
            let due = {
                let world = self.shared.state();
                world.due(self.number, self.session.as_ref())
            };
            if due.is_empty() {
                return Some(());
            }
            for dispatch in due {
                self.socket.send(Message::text(&*dispatch.frame)).await.ok()?;
                let Some((bot, _, sent)) = &mut self.session else { continue };
                *sent = dispatch.seq;
                let bot = *bot;
                if dispatch.number != 0 {
                    self.shared.change(|world| {
                        let now = world.now_ms();
                        world.common.journal.delivered(bot, dispatch.number, now, Way::Socket);
                    });
                }
            }
        }
    }

    /// Takes one frame of the client. The error says how the connection ends.
    async fn read(&mut self, frame: Option<Result<Message, axum::Error>>) -> Result<(), Option<u16>> {
        let frame = match frame {
            Some(Ok(Message::Text(text))) => text.to_string(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(1005, |frame| frame.code);
                let number = self.number;
                // A client that says goodbye has no session any more.
                if matches!(code, 1000 | 1001) {
                    self.shared.change(|world| world.end_session(number));
                }
                return Err(None);
            }
            Some(Ok(Message::Binary(_))) => return Err(Some(4002)),
            Some(Err(_)) | None => return Err(None),
        };
        let now = self.shared.clock.now_ms();
        self.frames.push_back(now);
        self.frames.retain(|at| now - at < 60_000);
        if self.frames.len() > PER_MINUTE {
            return Err(Some(4008));
        }
        let parsed = serde_json::from_str::<Frame>(&frame).ok().filter(|_| frame.len() <= LONGEST);
        let Some(frame) = parsed else { return Err(Some(4002)) };
        let (number, session) = (self.number, self.session.clone());
        match self.shared.change(|world| world.take(number, session.as_ref(), &frame)) {
            Next::Send(answer) => self.send(answer).await.ok_or(None)?,
            Next::Close(code) => return Err(Some(code)),
            Next::Deliver { bot, session, after } => self.session = Some((bot, session, after)),
            Next::Nothing => {}
        }
        Ok(())
    }

    async fn send(&mut self, frame: Value) -> Option<()> {
        self.socket.send(Message::text(frame.to_string())).await.ok()
    }

    async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code, reason: "".into() };
        // The client may have gone, which is as good.
        self.socket.send(Message::Close(Some(frame))).await.ok();
        while let Some(Ok(_)) = self.socket.recv().await {}
    }
}
