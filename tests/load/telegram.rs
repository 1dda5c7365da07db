//! A fake Telegram in a separate process, and a proxy between it and a bot. The proxy sees every message pass to the bot
//! and every reply pass back. It recognises messages by marks in their text: `=00000042=` is message 42.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::client::AsyncConnection;
use crate::daemon::Server;
use crate::figure::{Run, histogram};
use crate::load::Meter;

/// The number of people who write.
pub const CHATS: u64 = 50;
/// The id of the first person.
pub const FIRST: u64 = 1000;
/// The token of the fake's default bot.
pub const TOKEN: &str = "123456:TEST-token";
/// A mark is `=`, eight digits and `=`.
const MARK: usize = 10;
/// A message without a reply after this time counts as lost.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

/// The person who sent a message.
pub fn chat(n: u64) -> u64 {
    FIRST + n % CHATS
}

/// The proxy between the fake and the bot.
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
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    ToBot,
    ToFake,
}

impl Proxy {
    fn messages(&self) -> MutexGuard<'_, HashMap<u64, Message>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, n: u64) -> oneshot::Receiver<Duration> {
        let (reply, replied) = oneshot::channel();
        self.messages().insert(n, Message { forwarded: None, reply: Some(reply) });
        replied
    }

    fn record(&self, n: u64, direction: Direction, now: Instant) {
        let mut messages = self.messages();
        match direction {
            Direction::ToBot => {
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
    pub async fn serve(self, listener: TcpListener, fake: SocketAddr) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((bot, _)) = listener.accept() => {
                    connections.spawn(self.clone().connect(bot, fake));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn connect(self, bot: TcpStream, fake: SocketAddr) -> Result<()> {
        let server = TcpStream::connect(fake).await?;
        bot.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_bot, to_bot), (from_fake, to_fake)) = (bot.into_split(), server.into_split());
        // When one direction ends, the other ends too.
        tokio::select! {
            ended = self.clone().pass(from_bot, to_fake, Direction::ToFake) => ended,
            ended = self.pass(from_fake, to_bot, Direction::ToBot) => ended,
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
            let mut next = 0;
            while let Some(at) = bytes[next..end].iter().position(|byte| *byte == b'=').map(|at| next + at) {
                if end - at < MARK {
                    // The rest of the mark may come with the next bytes.
                    next = at;
                    break;
                }
                next = at + 1;
                if let Some(n) = number(&bytes[at..end]) {
                    self.record(n, direction, now);
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

/// The number of the mark at the beginning of the bytes.
pub fn number(bytes: &[u8]) -> Option<u64> {
    let mark = bytes.get(..MARK).filter(|mark| mark[MARK - 1] == b'=')?;
    std::str::from_utf8(&mark[1..MARK - 1]).ok()?.parse().ok()
}

/// Which time of a message is measured.
#[derive(Clone, Copy, PartialEq)]
pub enum Clock {
    /// From the update to the reply, both as they pass the proxy.
    Bot,
    /// From the person's request to the reply, including the time of the fake.
    Person,
}

/// When people write.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Each person waits for the reply before the next message.
    Closed,
    /// At a fixed rate, whether or not earlier messages were answered.
    Open { per_second: u32, clock: Clock },
}

/// The bot that is measured, with the fake and the people who write to it. Messages are numbered over all measurements.
pub struct Bench<'a> {
    pub bot: &'a Server,
    pub fake: &'a Server,
    pub proxy: Proxy,
    pub sent: u64,
}

impl Bench<'_> {
    /// Creates an account for each person.
    pub async fn people(&self) -> Result<()> {
        let mut connection = AsyncConnection::open(self.fake.target.address).await?;
        for person in FIRST..FIRST + CHATS {
            let body = format!(r#"{{"id":{person},"name":"P{person}"}}"#);
            control(&mut connection, self.fake.target.address, "user", &body).await?;
        }
        Ok(())
    }

    pub async fn measure(&mut self, span: Duration, pace: Pace) -> Result<Run> {
        match pace {
            Pace::Closed => self.closed(span).await,
            Pace::Open { per_second, clock } => self.open(span, per_second, clock).await,
        }
    }

    async fn closed(&mut self, span: Duration) -> Result<Run> {
        let meter = Meter::with(self.bot, &[self.fake.process()]);
        let start = Instant::now();
        let mut people = JoinSet::new();
        for person in 0..CHATS {
            let (proxy, address, first) = (self.proxy.clone(), self.fake.target.address, self.sent + person);
            people.spawn(async move {
                let (mut connection, mut times) = (AsyncConnection::open(address).await?, histogram()?);
                let mut n = first;
                while start.elapsed() < span {
                    let before = Instant::now();
                    send(&proxy, &mut connection, address, n).await?;
                    times.record(u64::try_from(before.elapsed().as_nanos())?)?;
                    n += CHATS;
                }
                Ok::<_, anyhow::Error>((times, n))
            });
        }
        let mut all = histogram()?;
        while let Some(done) = people.join_next().await {
            let (times, next) = done??;
            all.add(times)?;
            self.sent = self.sent.max(next.next_multiple_of(CHATS));
        }
        Ok(meter.end(all))
    }

    async fn open(&mut self, span: Duration, per_second: u32, clock: Clock) -> Result<Run> {
        let pace = Duration::from_secs(1) / per_second;
        let address = self.fake.target.address;
        let mut connections = Vec::new();
        for _ in 0..8 {
            connections.push(AsyncConnection::open(address).await?);
        }
        let meter = Meter::with(self.bot, &[self.fake.process()]);
        let start = tokio::time::Instant::now();
        let (mut all, mut under_way) = (histogram()?, JoinSet::new());
        let mut due = start;
        while start.elapsed() < span {
            tokio::time::sleep_until(due).await;
            while let Some(done) = under_way.try_join_next() {
                connections.push(recorded(done?, &mut all)?);
            }
            let mut connection = match connections.pop() {
                Some(connection) => connection,
                None => recorded(under_way.join_next().await.context("no message is under way")??, &mut all)?,
            };
            let (proxy, n, due_at) = (self.proxy.clone(), self.sent, due.into_std());
            self.sent += 1;
            under_way.spawn(async move {
                let took = send(&proxy, &mut connection, address, n).await?;
                Ok((connection, if clock == Clock::Bot { took } else { due_at.elapsed() }))
            });
            due += pace;
        }
        while let Some(done) = under_way.join_next().await {
            recorded(done?, &mut all)?;
        }
        Ok(meter.end(all))
    }
}

fn recorded(done: Result<(AsyncConnection, Duration)>, all: &mut Histogram<u64>) -> Result<AsyncConnection> {
    let (connection, took) = done?;
    all.record(u64::try_from(took.as_nanos())?)?;
    Ok(connection)
}

/// Sends a message and waits for the reply; returns the time that the bot took.
async fn send(proxy: &Proxy, connection: &mut AsyncConnection, fake: SocketAddr, n: u64) -> Result<Duration> {
    let (reply, person) = (proxy.register(n), chat(n));
    let body = format!(r#"{{"chat":{person},"from":{person},"text":"={n:08}= hello, this is a message"}}"#);
    control(connection, fake, "say", &body).await?;
    let waited = tokio::time::timeout(REPLY_TIMEOUT, reply).await;
    Ok(waited.with_context(|| format!("message {n} was not answered"))??)
}

async fn control(connection: &mut AsyncConnection, fake: SocketAddr, act: &str, body: &str) -> Result<()> {
    let length = body.len();
    let request = format!(
        "POST /control/{act} HTTP/1.1\r\nhost: {fake}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let status = connection.ask(request.as_bytes()).await?;
    ensure!(status == 200, "{}", connection.answer());
    Ok(())
}

/// A free address for the proxy.
pub async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}
