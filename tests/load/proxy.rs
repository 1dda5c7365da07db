//! A proxy between a fake platform and a bot. It sees every message pass to the bot and every reply pass back, and
//! recognises messages by the marks in their texts. Sockets pass it as well.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::platform::{MARK, mark};

/// The messages that have no reply yet.
#[derive(Clone, Default)]
pub struct Proxy(Arc<Mutex<HashMap<u64, Message>>>);

/// A message without a reply yet.
#[derive(Default)]
struct Message {
    /// When it passed the proxy towards the bot.
    forwarded: Option<Instant>,
    /// Sends the time that the bot took to the task that waits for the reply.
    reply: Option<oneshot::Sender<Duration>>,
}

/// The direction of bytes.
#[derive(Clone, PartialEq)]
enum Direction {
    /// With the addresses of the fake's sockets and of the proxy's, which replace them.
    ToBot(Vec<u8>, Vec<u8>),
    ToFake,
}

impl Proxy {
    fn messages(&self) -> MutexGuard<'_, HashMap<u64, Message>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces a message; the receiver gets the time that the bot took for it.
    pub fn register(&self, n: u64) -> oneshot::Receiver<Duration> {
        let (reply, replied) = oneshot::channel();
        self.messages().insert(n, Message { forwarded: None, reply: Some(reply) });
        replied
    }

    fn record(&self, n: u64, direction: &Direction, now: Instant) {
        let mut messages = self.messages();
        match direction {
            Direction::ToBot(..) => {
                // The response to a reply repeats its text.
                if let Some(message) = messages.get_mut(&n)
                    && message.forwarded.is_none()
                {
                    message.forwarded = Some(now);
                }
            }
            Direction::ToFake => {
                let message = messages
                    .get_mut(&n)
                    .and_then(|message| Some((message.forwarded?, message.reply.take()?)));
                if let Some((forwarded, reply)) = message {
                    messages.remove(&n);
                    // A receiver that stopped waiting has reported it already.
                    reply.send(now - forwarded).ok();
                }
            }
        }
    }

    /// Forwards every connection to the fake, without end.
    pub async fn serve(self, listener: TcpListener, fake: SocketAddr) -> Result<()> {
        let (from, to) = (format!("ws://{fake}"), format!("ws://{}", listener.local_addr()?));
        // What passes keeps its length.
        ensure!(from.len() == to.len(), "the addresses {from} and {to} are not of the same length");
        let to_bot = Direction::ToBot(from.into_bytes(), to.into_bytes());
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((bot, _)) = listener.accept() => {
                    connections.spawn(self.clone().connect(bot, fake, to_bot.clone()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn connect(self, bot: TcpStream, fake: SocketAddr, to_bot: Direction) -> Result<()> {
        let server = TcpStream::connect(fake).await?;
        bot.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_bot, to_bot_stream), (from_fake, to_fake)) = (bot.into_split(), server.into_split());
        // When one direction ends, the other ends too.
        tokio::select! {
            ended = self.clone().pass(from_bot, to_fake, Direction::ToFake) => ended,
            ended = self.pass(from_fake, to_bot_stream, to_bot) => ended,
        }
    }

    async fn pass(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, direction: Direction) -> Result<()> {
        // The buffer begins with the end of the previous read, because a mark may arrive in two pieces.
        let mut bytes = vec![0; 64 * 1024];
        let mut kept = 0;
        loop {
            let read = from.read(&mut bytes[kept..]).await?;
            if read == 0 {
                return Ok(());
            }
            let (now, end) = (Instant::now(), kept + read);
            if let Direction::ToBot(from, to) = &direction {
                replace(&mut bytes[kept..end], from, to);
            }
            let mut next = 0;
            while let Some(at) = bytes[next..end].iter().position(|byte| *byte == b'-').map(|at| next + at) {
                if end - at < MARK {
                    // The rest of the mark may come with the next bytes.
                    next = at;
                    break;
                }
                next = at + 1;
                if let Some(n) = mark(&bytes[at..end]) {
                    self.record(n, &direction, now);
                    next = at + MARK;
                }
            }
            to.write_all(&bytes[kept..end]).await?;
            // Bytes that were scanned already are dropped.
            let from = (end.saturating_sub(MARK - 1)).max(next);
            bytes.copy_within(from..end, 0);
            kept = end - from;
        }
    }
}

/// Replaces an address by another one of the same length, so that the bot's sockets pass the proxy. An address that
/// arrives in two pieces stays: then no message passes the proxy, and the measurement fails.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let mut next = 0;
    while let Some(at) = bytes[next..].iter().position(|byte| *byte == b'w').map(|at| next + at) {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
        next = at + 1;
    }
}

/// A free address for the proxy.
pub async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}
