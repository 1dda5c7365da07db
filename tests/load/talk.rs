//! People who write over a fake platform, and how long a bot takes to answer them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::client::AsyncConnection;
use crate::daemon::Server;
use crate::figure::{Run, histogram};
use crate::load::Meter;
use crate::platform::{CHATS, Platform};
use crate::proxy::Proxy;

/// A message without a reply after this time counts as lost.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

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
    pub platform: Platform,
    pub bot: &'a Server,
    pub fake: &'a Server,
    pub proxy: Proxy,
    pub sent: u64,
}

impl Bench<'_> {
    /// Creates an account for each person.
    pub async fn people(&self) -> Result<()> {
        let mut connection = AsyncConnection::open(self.fake.target.address).await?;
        for person in 0..CHATS {
            let body = self.platform.user(person);
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
            let platform = self.platform;
            people.spawn(async move {
                let (mut connection, mut times) = (AsyncConnection::open(address).await?, histogram()?);
                let mut n = first;
                while start.elapsed() < span {
                    let before = Instant::now();
                    send(platform, &proxy, &mut connection, address, n).await?;
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
            let (platform, proxy, n, due_at) = (self.platform, self.proxy.clone(), self.sent, due.into_std());
            self.sent += 1;
            under_way.spawn(async move {
                let took = send(platform, &proxy, &mut connection, address, n).await?;
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
async fn send(
    platform: Platform,
    proxy: &Proxy,
    connection: &mut AsyncConnection,
    fake: SocketAddr,
    n: u64,
) -> Result<Duration> {
    let reply = proxy.register(n);
    control(connection, fake, "say", &platform.say(n)).await?;
    let waited = tokio::time::timeout(REPLY_TIMEOUT, reply).await;
    Ok(waited.with_context(|| format!("message {n} was not answered"))??)
}

async fn control(connection: &mut AsyncConnection, fake: SocketAddr, act: &str, body: &str) -> Result<()> {
    let status = connection.post(fake, &format!("/control/{act}"), "", body).await?;
    ensure!(status == 200, "{}", connection.answer());
    Ok(())
}
