//! Load in a closed or an open loop; every response is timed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::client::{AsyncConnection, Connection};
use crate::daemon::Server;
use crate::figure::{Run, histogram};
use crate::machine::Busy;
use crate::process::Process;

/// A typical message.
pub const TEXT: &str = "hello, this is a message";

/// How long before its due time an open-loop request stops sleeping and spins, because sleeping wakes late.
const SPIN: Duration = Duration::from_micros(200);

/// Counts what server, client and others use during a run.
pub struct Meter {
    server: Process,
    cpu: Duration,
    /// Other processes of the measurement: the client, and a platform in a separate process.
    ours: Vec<(Process, Duration)>,
    busy: Busy,
    start: Instant,
}

impl Meter {
    pub fn start(server: &Server) -> Self {
        Self::with(server, &[])
    }

    /// Starts a count. The CPU of this process and of `ours` belongs to the measurement as well.
    pub fn with(server: &Server, ours: &[Process]) -> Self {
        let server = server.process();
        let ours = std::iter::once(Process::this()).chain(ours.iter().copied());
        let ours = ours.map(|process| (process, process.cpu())).collect();
        Self { server, cpu: server.cpu(), ours, busy: Busy::now(), start: Instant::now() }
    }

    /// Ends the count and returns the run with the duration of each request.
    pub fn end(self, times: hdrhistogram::Histogram<u64>) -> Run {
        let span = self.start.elapsed();
        let cpu = self.server.cpu() - self.cpu;
        let ours: Vec<Duration> = self.ours.iter().map(|(process, before)| process.cpu() - *before).collect();
        let others = self.busy.others(cpu + ours.iter().sum::<Duration>());
        let platform = ours.get(1).copied().unwrap_or_default();
        Run { times, span, cpu, platform, memory: self.server.memory(), others }
    }
}

/// One connection; each request is sent after the previous response.
pub fn closed(server: &Server, span: Duration, chat: impl Fn(u64) -> String) -> Result<Run> {
    one(server, span, None, chat)
}

/// One connection; requests are due at a fixed rate, and each is timed from its due time.
pub fn open(server: &Server, span: Duration, per_second: u32, chat: impl Fn(u64) -> String) -> Result<Run> {
    one(server, span, Some(Duration::from_secs(1) / per_second), chat)
}

fn one(server: &Server, span: Duration, pace: Option<Duration>, chat: impl Fn(u64) -> String) -> Result<Run> {
    let mut connection = Connection::open(server.target.address)?;
    let (mut request, mut times) = (Vec::new(), histogram()?);
    let meter = Meter::start(server);
    let start = Instant::now();
    for n in 0.. {
        server.target.prompt(&mut request, &chat(n), TEXT, false);
        let mut before = Instant::now();
        if let Some(pace) = pace {
            before = start + pace * u32::try_from(n)?;
            wait_until(before);
        }
        let status = connection.ask(&request)?;
        ensure!(status == server.target.taken, "{}", connection.answer());
        times.record(u64::try_from(before.elapsed().as_nanos())?)?;
        if start.elapsed() > span {
            break;
        }
    }
    Ok(meter.end(times))
}

fn wait_until(moment: Instant) {
    let left = moment.saturating_duration_since(Instant::now());
    if left > SPIN {
        sleep(left - SPIN);
    }
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
}

/// Many connections on one thread, each in a closed loop. With `wait` a request waits for the agent's answer, not only
/// for the commit.
pub fn many(
    server: &Server,
    span: Duration,
    connections: u64,
    wait: bool,
    chat: fn(u64, u64) -> String,
) -> Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let meter = Meter::start(server);
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for index in 0..connections {
            let mut target = server.target.clone();
            if wait && target.taken == 202 {
                target.taken = 200;
            }
            tasks.spawn(async move {
                let mut connection = AsyncConnection::open(target.address).await?;
                let (mut request, mut times) = (Vec::new(), histogram()?);
                for n in 0.. {
                    target.prompt(&mut request, &chat(index, n), TEXT, wait);
                    let before = Instant::now();
                    let status = connection.ask(&request).await?;
                    ensure!(status == target.taken, "{}", connection.answer());
                    times.record(u64::try_from(before.elapsed().as_nanos())?)?;
                    if start.elapsed() > span {
                        break;
                    }
                }
                Ok(times)
            });
        }
        let mut all = histogram()?;
        while let Some(times) = tasks.join_next().await {
            all.add(times??)?;
        }
        Ok(meter.end(all))
    })
}
