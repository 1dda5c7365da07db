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
const PATIENCE: Duration = Duration::from_secs(20);

/// The person who sent a message.
pub fn chat(n: u64) -> u64 {
    FIRST + n % CHATS
}

/// The proxy between the fake and the bot.
#[derive(Clone, Default)]
pub struct Wire(Arc<Mutex<HashMap<u64, Message>>>);

/// A message without a reply yet.
#[derive(Default)]
struct Message {
    /// When it passed the proxy towards the bot.
    came: Option<Instant>,
    /// Receives the time that the bot took.
    told: Option<oneshot::Sender<Duration>>,
}

/// The direction of bytes.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    ToBot,
    ToFake,
}

impl Wire {
    fn messages(&self) -> MutexGuard<'_, HashMap<u64, Message>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, n: u64) -> oneshot::Receiver<Duration> {
        let (told, reply) = oneshot::channel();
        self.messages().insert(n, Message { came: None, told: Some(told) });
        reply
    }

    fn sees(&self, n: u64, way: Way, now: Instant) {
        let mut messages = self.messages();
        match way {
            Way::ToBot => {
                // The response to a reply repeats its text.
                if let Some(message) = messages.get_mut(&n)
                    && message.came.is_none()
                {
                    message.came = Some(now);
                }
            }
            Way::ToFake => {
                let message =
                    messages.get_mut(&n).and_then(|message| Some((message.came?, message.told.take()?)));
                if let Some((came, told)) = message {
                    messages.remove(&n);
                    // A receiver that stopped waiting has reported it already.
                    told.send(now - came).ok();
                }
            }
        }
    }

    /// Forwards every connection to the fake, without end.
    pub async fn serve(self, listener: TcpListener, fake: SocketAddr) {
        let mut lines = JoinSet::new();
        loop {
            tokio::select! {
                Ok((bot, _)) = listener.accept() => {
                    lines.spawn(self.clone().connect(bot, fake));
                }
                Some(_) = lines.join_next() => {}
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
            ended = self.clone().pass(from_bot, to_fake, Way::ToFake) => ended,
            ended = self.pass(from_fake, to_bot, Way::ToBot) => ended,
        }
    }

    async fn pass(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way) -> Result<()> {
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
                    self.sees(n, way, now);
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

/// A bot with its fake and its people. Messages are numbered over all measurements with it.
pub struct Stage<'a> {
    pub bot: &'a Server,
    pub fake: &'a Server,
    pub wire: Wire,
    pub said: u64,
}

impl Stage<'_> {
    /// Creates an account for each person.
    pub async fn people(&self) -> Result<()> {
        let mut line = AsyncConnection::open(self.fake.target.address).await?;
        for person in FIRST..FIRST + CHATS {
            let body = format!(r#"{{"id":{person},"name":"P{person}"}}"#);
            control(&mut line, self.fake.target.address, "user", &body).await?;
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
            let (wire, address, first) = (self.wire.clone(), self.fake.target.address, self.said + person);
            people.spawn(async move {
                let (mut line, mut times) = (AsyncConnection::open(address).await?, histogram()?);
                let mut n = first;
                while start.elapsed() < span {
                    let before = Instant::now();
                    say(&wire, &mut line, address, n).await?;
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
            self.said = self.said.max(next.next_multiple_of(CHATS));
        }
        Ok(meter.end(all))
    }

    async fn open(&mut self, span: Duration, per_second: u32, clock: Clock) -> Result<Run> {
        let pace = Duration::from_secs(1) / per_second;
        let address = self.fake.target.address;
        let mut lines = Vec::new();
        for _ in 0..8 {
            lines.push(AsyncConnection::open(address).await?);
        }
        let meter = Meter::with(self.bot, &[self.fake.process()]);
        let start = tokio::time::Instant::now();
        let (mut all, mut under_way) = (histogram()?, JoinSet::new());
        let mut due = start;
        while start.elapsed() < span {
            tokio::time::sleep_until(due).await;
            while let Some(done) = under_way.try_join_next() {
                lines.push(kept(done?, &mut all)?);
            }
            let mut line = match lines.pop() {
                Some(line) => line,
                None => kept(under_way.join_next().await.context("nobody is under way")??, &mut all)?,
            };
            let (wire, n, due_at) = (self.wire.clone(), self.said, due.into_std());
            self.said += 1;
            under_way.spawn(async move {
                let took = say(&wire, &mut line, address, n).await?;
                Ok((line, if clock == Clock::Bot { took } else { due_at.elapsed() }))
            });
            due += pace;
        }
        while let Some(done) = under_way.join_next().await {
            kept(done?, &mut all)?;
        }
        Ok(meter.end(all))
    }
}

fn kept(done: Result<(AsyncConnection, Duration)>, all: &mut Histogram<u64>) -> Result<AsyncConnection> {
    let (line, took) = done?;
    all.record(u64::try_from(took.as_nanos())?)?;
    Ok(line)
}

/// Sends a message and waits for the reply; returns the time that the bot took.
async fn say(wire: &Wire, line: &mut AsyncConnection, fake: SocketAddr, n: u64) -> Result<Duration> {
    let (reply, person) = (wire.expect(n), chat(n));
    let body = format!(r#"{{"chat":{person},"from":{person},"text":"={n:08}= hello, this is a message"}}"#);
    control(line, fake, "say", &body).await?;
    let waited = tokio::time::timeout(PATIENCE, reply).await;
    Ok(waited.with_context(|| format!("message {n} was not answered"))??)
}

async fn control(line: &mut AsyncConnection, fake: SocketAddr, act: &str, body: &str) -> Result<()> {
    let length = body.len();
    let request = format!(
        "POST /control/{act} HTTP/1.1\r\nhost: {fake}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let status = line.ask(request.as_bytes()).await?;
    ensure!(status == 200, "{}", line.answer());
    Ok(())
}

/// A free address for the proxy.
pub async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}
