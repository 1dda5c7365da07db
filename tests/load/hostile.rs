//! Many hostile connections without a token: what they cost the daemon, and how much they slow down a client with the
//! token.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Options;
use crate::client::Connection;
use crate::daemon::{Home, Server, Turns};
use crate::figure::{Run, Spread, ratio, show};
use crate::load;
use crate::process::Process;

/// The number of connections of each kind.
const CROWD: usize = 1000;

/// The pause of a connection before it repeats its request, or connects again.
const PACE: Duration = Duration::from_secs(1);

/// One byte less than a megabyte.
static SHORT: [u8; 999_999] = [b'x'; 999_999];

/// How many requests a second the client with the token sends.
const ASKS: u32 = 100;

/// The limits: memory of the daemon, and slowdown of the client with the token.
const MOST: f64 = 64.0;

/// What the hostile connections do.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Silence,
    ShortBody,
    LargeFirstFrame,
    NeverReading,
    SlowHead,
    LargeOrigin,
    WrongToken,
    TokenInUrl,
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::Silence, "connections that send nothing"),
    (Kind::ShortBody, "bodies of 1 MB, one byte short"),
    (Kind::LargeFirstFrame, "first WebSocket frames of 1 MB, one byte short"),
    (Kind::NeverReading, "requests for the page without reading the responses"),
    (Kind::SlowHead, "heads that come byte by byte"),
    (Kind::LargeOrigin, "foreign origins of 15 and 31 KB"),
    (Kind::WrongToken, "wrong tokens"),
    (Kind::TokenInUrl, "tokens in URLs"),
];

/// Measures each kind on a new daemon: first without the connections, then with them.
pub fn hostile(options: &Options) -> Result<()> {
    println!(
        "\nHostile: {CROWD} connections of each kind on 127.0.0.1; POST /api/chat wait=false with the right token, \
         open loop, {ASKS} a second"
    );
    let mut worst: (f64, f64) = (0.0, 0.0);
    for (kind, name) in KINDS {
        let (mut quiet, mut beside) = (Vec::new(), Vec::new());
        let (mut grown, mut logged, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.runs {
            options.quiet();
            let home = Home::new(&options.folder, Turns::Answered)?;
            let server = Server::daemon(&options.daemon, &home)?;
            let ask = || load::open(&server, options.span(), ASKS, |n| format!("known{}", n % 50));
            ask()?;
            quiet.push(ask()?);
            let before = (server.process().memory(), log_size(&home)?);
            let crowd = Crowd::open(kind, &server)?;
            beside.push(ask()?);
            let observed = crowd.close()?;
            grown.push(observed.peak.saturating_sub(before.0) as f64 / 1e6);
            logged.push((log_size(&home)? - before.1) as f64 / 1e3);
            fresh.push(observed.fresh.as_secs_f64() * 1e3);
            println!("    {} connections were made, {} requests sent", observed.made, observed.sent);
        }
        show(&format!("{name}: the right token before"), &quiet);
        show(&format!("{name}: the right token meanwhile"), &beside);
        ratio("p99 over before", &beside, &quiet, Run::p99);
        worst.0 = grown.iter().copied().fold(worst.0, f64::max);
        // The median of the runs, because every single run has disturbances of the machine.
        let mut slower: Vec<f64> = beside.iter().zip(&quiet).map(|(a, b)| a.p99() / b.p99()).collect();
        slower.sort_by(f64::total_cmp);
        worst.1 = slower.get(slower.len() / 2).copied().unwrap_or_default().max(worst.1);
        println!(
            "    RSS + {} MB at most   log + {} KB   slowest new connection with the token {} ms",
            Spread::of(grown).show(1),
            Spread::of(logged).show(1),
            Spread::of(fresh).show(1)
        );
    }
    println!(
        "  worst kind: RSS + {:.1} MB (at most {MOST}), p99 {:.2}x (median of the runs; under 2)",
        worst.0, worst.1
    );
    Ok(())
}

fn log_size(home: &Home) -> Result<u64> {
    Ok(std::fs::metadata(home.log())?.len())
}

/// The hostile connections.
struct Crowd {
    runtime: tokio::runtime::Runtime,
    watch: std::thread::JoinHandle<Result<(u64, Duration)>>,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count {
    made: AtomicU64,
    sent: AtomicU64,
    over: AtomicBool,
}

struct Observed {
    peak: u64,
    fresh: Duration,
    made: u64,
    sent: u64,
}

impl Crowd {
    /// Opens the connections; returns when each has been tried once.
    fn open(kind: Kind, server: &Server) -> Result<Self> {
        let count = Arc::new(Count::default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let address = server.target.address;
        {
            let count = count.clone();
            runtime.handle().spawn(async move {
                let mut tasks = JoinSet::new();
                for n in 0..CROWD {
                    let count = count.clone();
                    tasks.spawn(async move {
                        // The connections are opened one after another, with small gaps.
                        tokio::time::sleep(PACE * u32::try_from(n).unwrap_or(0) / CROWD as u32).await;
                        loop {
                            // An error is expected: the daemon may close any of these connections.
                            let _ended = one(kind, address, n, &count).await;
                            tokio::time::sleep(PACE).await;
                        }
                    });
                }
                while tasks.join_next().await.is_some() {}
            });
        }
        let watch = {
            let (count, process, token) = (count.clone(), server.process(), server.target.token.clone());
            std::thread::spawn(move || measure(&count, process, address, &token))
        };
        sleep(2 * PACE);
        Ok(Self { runtime, watch, count })
    }

    /// Closes all connections and returns what was measured while they were open.
    fn close(self) -> Result<Observed> {
        self.count.over.store(true, Ordering::Relaxed);
        let (peak, fresh) =
            self.watch.join().map_err(|_| anyhow::anyhow!("the measuring thread panicked"))??;
        self.runtime.shutdown_background();
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Ok(Observed { peak, fresh, made: count(&self.count.made), sent: count(&self.count.sent) })
    }
}

/// The largest memory of the daemon, and the slowest new connection with the token.
fn measure(count: &Count, process: Process, address: SocketAddr, token: &str) -> Result<(u64, Duration)> {
    let (mut peak, mut slowest) = (0, Duration::ZERO);
    let request =
        format!("GET /api/status HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n");
    while !count.over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let mut connection = Connection::open(address)?;
        let status =
            connection.ask(request.as_bytes()).context("the client with the token was disconnected")?;
        ensure!(status == 200, "the client with the token got {status}: {}", connection.answer());
        slowest = slowest.max(begun.elapsed());
        peak = peak.max(process.memory());
        sleep(Duration::from_millis(100));
    }
    Ok((peak, slowest))
}

/// Runs one hostile connection until the daemon closes it.
async fn one(kind: Kind, address: SocketAddr, n: usize, count: &Count) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    count.made.fetch_add(1, Ordering::Relaxed);
    let head = format!("POST /api/chat HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
    let once = match kind {
        Kind::Silence => Vec::new(),
        Kind::ShortBody => {
            // Half of them request a path that needs no token.
            let get = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n");
            let request =
                format!("{}content-length: 1000000\r\n\r\n", if n.is_multiple_of(2) { head } else { get });
            request.into_bytes()
        }
        Kind::LargeFirstFrame => large_frame(address),
        Kind::NeverReading => {
            format!("GET /app.js HTTP/1.1\r\nhost: {address}\r\n\r\n").repeat(20_000).into_bytes()
        }
        Kind::SlowHead => return slowly(&mut stream, head.as_bytes(), count).await,
        Kind::LargeOrigin => {
            let origin = "x".repeat(if n.is_multiple_of(2) { 15_000 } else { 31_000 });
            let request = format!("{head}origin: https://{n}.{origin}\r\ncontent-length: 0\r\n\r\n");
            return again(&mut stream, request.as_bytes(), count).await;
        }
        Kind::WrongToken => {
            let request = format!("{head}authorization: Bearer wrong-{n}\r\ncontent-length: 0\r\n\r\n");
            return again(&mut stream, request.as_bytes(), count).await;
        }
        Kind::TokenInUrl => {
            let request = format!("GET /ws?token=wrong-{n} HTTP/1.1\r\nhost: {address}\r\n\r\n");
            return again(&mut stream, request.as_bytes(), count).await;
        }
    };
    count.sent.fetch_add(1, Ordering::Relaxed);
    let mut written = stream.write_all(&once).await;
    if written.is_ok() && matches!(kind, Kind::ShortBody | Kind::LargeFirstFrame) {
        written = stream.write_all(&SHORT).await;
    }
    if kind == Kind::NeverReading {
        // Nothing is read, so only a failed write shows that the connection was closed.
        written?;
        return std::future::pending().await;
    }
    drop(once);
    let mut waste = [0; 1024];
    while stream.read(&mut waste).await? > 0 {}
    Ok(())
}

/// Sends the same request again and again, and reads the responses.
async fn again(stream: &mut TcpStream, request: &[u8], count: &Count) -> std::io::Result<()> {
    let mut waste = [0; 4096];
    loop {
        count.sent.fetch_add(1, Ordering::Relaxed);
        stream.write_all(request).await?;
        if stream.read(&mut waste).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(PACE).await;
    }
}

async fn slowly(stream: &mut TcpStream, head: &[u8], count: &Count) -> std::io::Result<()> {
    count.sent.fetch_add(1, Ordering::Relaxed);
    for byte in head {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(PACE).await;
    }
    Ok(())
}

/// An upgrade, and the head of a text frame of 1 MB.
fn large_frame(address: SocketAddr) -> Vec<u8> {
    let mut bytes = format!(
        "GET /ws HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes();
    bytes.extend([0x81, 0xff]);
    bytes.extend(1_000_000_u64.to_be_bytes());
    bytes.extend([0; 4]);
    bytes
}
