//! The schedule: start, wait for a moment, kill, start again; and every so often let it come to rest and look.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::agent::Seen;
use crate::daemon::{Daemon, Home};
use crate::database::{self, Database};
use crate::dice::Dice;
use crate::journal::Way;
use crate::oracle::{self, Evidence, Violation};
use crate::report::Tally;
use crate::world::{World, by_way, waverer, writers};
use crate::{clock, config, http, story, ws};

/// After this a message that still waits is stuck.
const REST: Duration = Duration::from_secs(60);
/// How many violations are told in full.
const TOLD: usize = 12;

/// One run.
struct Run {
    world: Arc<World>,
    home: Home,
    dice: Dice,
    kills: u64,
    cycle: u64,
    counter: Tally,
    begun: Instant,
    /// So many of the next lives are very short: a crash loop.
    loops: u64,
}

/// Runs the whole test.
pub fn run() -> Result<ExitCode> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = match number("CRASH_SEED") {
        Some(seed) => seed,
        None => u64::from(getrandom::u32()?),
    };
    let (kills, cycle) = (number("CRASH_KILLS").unwrap_or(300), number("CRASH_CYCLE").unwrap_or(50).max(1));
    println!("crash: seed {seed}, {kills} kills, a look after each {cycle}");
    let folder = tempfile::Builder::new().prefix("frontdesk-crash-").tempdir()?;
    let keep = std::env::var_os("CRASH_KEEP").is_some();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let passed = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut run = Run::new(seed, kills, cycle, folder.path(), listener.local_addr()?)?;
        let mut people = run.people(listener)?;
        let passed = tokio::select! {
            passed = run.drive() => passed,
            // Dropping the run ends the daemon, which would outlive us otherwise.
            () = interrupted() => Err(anyhow!("interrupted")),
        };
        people.shutdown().await;
        passed
    });
    let kept = keep || !matches!(passed, Ok(true));
    if kept {
        println!("crash: the home is kept at {}", folder.keep().display());
    }
    if passed? {
        println!("crash: 1 passed, 0 failed");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("crash: 0 passed, 1 failed; CRASH_SEED={seed} repeats the schedule");
        Ok(ExitCode::FAILURE)
    }
}

/// Returns when somebody ends this test.
async fn interrupted() {
    let Ok(mut term) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

impl Run {
    fn new(
        seed: u64,
        kills: u64,
        cycle: u64,
        folder: &std::path::Path,
        platform: SocketAddr,
    ) -> Result<Self> {
        let home = Home::make(folder, &config::text(folder, platform)?)?;
        let dice = Dice::new(seed);
        let world = World::new(seed, &dice);
        Ok(Self {
            world,
            home,
            dice: dice.fork(2),
            kills,
            cycle,
            counter: Tally::default(),
            begun: clock::moment(),
            loops: 0,
        })
    }

    /// Everybody who talks to the daemon.
    fn people(&self, listener: TcpListener) -> Result<JoinSet<()>> {
        let mut people = JoinSet::new();
        people.spawn(self.world.platform.clone().serve(listener));
        for (n, chats) in by_way(Way::Socket).chunks(3).enumerate() {
            let dice = self.dice.fork(100 + n as u64);
            people.spawn(ws::Client::new(self.world.clone(), chats.to_vec(), dice).run());
        }
        for (n, chat) in by_way(Way::Http).into_iter().enumerate() {
            let dice = self.dice.fork(200 + n as u64);
            people.spawn(http::Client::new(self.world.clone(), vec![chat], dice)?.run());
        }
        people.spawn(writers(self.world.clone(), self.dice.fork(300)));
        people.spawn(waverer(self.world.clone(), self.dice.fork(301)));
        Ok(people)
    }

    async fn drive(&mut self) -> Result<bool> {
        for kill in 1..=self.kills {
            self.life().await.with_context(|| format!("kill {kill}"))?;
            if (kill % self.cycle == 0 || kill == self.kills) && !self.look(kill == self.kills).await? {
                return Ok(false);
            }
        }
        let too_few = self.counter.too_few();
        for what in &too_few {
            println!("crash: {what}");
        }
        Ok(too_few.is_empty())
    }

    /// From a start to a kill.
    async fn life(&mut self) -> Result<()> {
        let mut daemon = Daemon::start(&self.home)?;
        self.counter.kills += 1;
        // The first life makes the token; without it nobody could say anything.
        if self.counter.kills > 1 && self.dice.permille(40) {
            clock::pause_ms(self.dice.range(1, 60)).await;
            self.counter.while_starting += 1;
            daemon.kill().await?;
            self.world.journal.killed();
            return Ok(());
        }
        self.open(&mut daemon).await?;
        self.moment().await;
        let journal = &self.world.journal;
        let (accepts, streams) = (journal.open_accepts(), journal.streaming());
        if self.dice.permille(70) {
            self.counter.while_stopping += 1;
            daemon.kill_stopping(Duration::from_millis(self.dice.range(0, 80))).await?;
        } else {
            daemon.kill().await?;
        }
        self.world.opens(None);
        journal.killed();
        let held = database::held(&self.home.database())?;
        self.counter.open_accept += u64::from(accepts > 0);
        self.counter.running_turn += u64::from(held.running > 0);
        self.counter.streaming += u64::from(streams > 0 || held.streaming > 0);
        self.counter.open_post += u64::from(held.sending > 0);
        Ok(())
    }

    /// Waits for the daemon and lets the clients in.
    async fn open(&mut self, daemon: &mut Daemon) -> Result<()> {
        let (address, took) = daemon.ready(&self.home).await?;
        self.counter.slowest_start = self.counter.slowest_start.max(took);
        self.world.knows(self.home.token()?);
        self.world.opens(Some(address));
        Ok(())
    }

    /// Waits for a moment that is worth a kill: any, or one in the middle of something.
    async fn moment(&mut self) {
        let world = self.world.clone();
        if self.loops == 0 && self.dice.permille(25) {
            self.loops = self.dice.range(3, 8);
        }
        if self.loops > 0 {
            self.loops -= 1;
            return clock::pause_ms(self.dice.range(0, 60)).await;
        }
        let kind = self.dice.range(0, 9);
        clock::pause_ms(self.dice.range(20, if kind < 4 { 1000 } else { 600 })).await;
        let deadline = clock::moment() + Duration::from_millis(300);
        while clock::moment() < deadline {
            let now = match kind {
                0..=3 => true,
                4 | 5 => world.journal.open_accepts() > 0,
                6 | 7 => world.journal.streaming() > 0,
                _ => world.platform.open.load(Ordering::Relaxed) > 0,
            };
            if now {
                break;
            }
            clock::pause_ms(1).await;
        }
        if kind >= 4 && self.dice.permille(500) {
            clock::pause_ms(self.dice.range(0, 4)).await;
        }
    }

    /// Lets everything come to rest, stops the daemon in order, and runs the oracles.
    async fn look(&mut self, last: bool) -> Result<bool> {
        let begun = clock::moment();
        let mut daemon = Daemon::start(&self.home)?;
        self.open(&mut daemon).await?;
        self.world.calm(true);
        let stuck = self.rest().await.err();
        if stuck.is_none() {
            self.catch_up().await?;
        }
        let stopped = daemon.stop().await;
        self.world.opens(None);
        let database = database::read(&self.home.database())?;
        let passed = self.judge(
            &database,
            stuck.map(|stuck| stuck.to_string()),
            stopped.err().map(|e| e.to_string()),
        )?;
        println!(
            "crash: {} kills, {} messages, {} turns, looked for {} ms{}",
            self.counter.kills,
            database.inbound.len(),
            database.turns.len(),
            begun.elapsed().as_millis(),
            if passed { "" } else { ": WRONG" },
        );
        if last || !passed {
            self.counter.print(&self.world.journal.book(), &database, self.begun.elapsed());
        }
        self.world.calm(false);
        Ok(passed)
    }

    /// Returns when nothing waits any more, anywhere.
    async fn rest(&self) -> Result<()> {
        let deadline = clock::moment() + REST;
        let mut quiet = 0;
        while quiet < 2 {
            let totals = self.totals().await?;
            let inside: u64 =
                ["waiting", "running", "outbox"].iter().filter_map(|name| totals[*name].as_u64()).sum();
            let dispatches =
                self.world.journal.book().dispatches.values().filter(|(_, taken)| !taken).count();
            let outside =
                self.world.journal.unaccepted().len() + self.world.platform.unacknowledged() + dispatches;
            quiet = if inside == 0 && outside == 0 { quiet + 1 } else { 0 };
            if clock::moment() > deadline {
                bail!("stuck after {REST:?}: {outside} messages outside, inside {totals}");
            }
            clock::pause_ms(30).await;
        }
        Ok(())
    }

    async fn totals(&self) -> Result<Value> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let address = self.world.address().await;
        let asked =
            client.get(format!("http://{address}/api/status")).bearer_auth(self.world.token()).send().await?;
        Ok(asked.error_for_status()?.json::<Value>().await?["totals"].clone())
    }

    /// Sockets must have shown every line; chats without one are read now, from their beginning.
    async fn catch_up(&self) -> Result<()> {
        let seqs = database::seqs(&self.home.database())?;
        for chat in by_way(Way::Http) {
            let until = seqs.get(&chat.session()).copied().unwrap_or(0);
            if let Err(error) = ws::read_all(&self.world, &chat, until).await {
                self.world.journal.wrong(format!("O2: {error:#}"));
            }
        }
        let deadline = clock::moment() + Duration::from_secs(10);
        for chat in by_way(Way::Socket) {
            let session = chat.session();
            let until = seqs.get(&session).copied().unwrap_or(0);
            let shown = || {
                let book = self.world.journal.book();
                book.frames.get(&session).and_then(|frames| frames.keys().next_back().copied()).unwrap_or(0)
            };
            // What is missing after this the oracle names line by line.
            while shown() < until && clock::moment() < deadline {
                clock::pause_ms(10).await;
            }
        }
        Ok(())
    }

    fn judge(&mut self, database: &Database, stuck: Option<String>, stopped: Option<String>) -> Result<bool> {
        let journal = self.world.journal.clone();
        let book = journal.book();
        let agents: Vec<Seen> = std::fs::read_to_string(self.home.journal())?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        let (took, messages) = (self.world.platform.took(), self.world.platform.messages());
        let evidence = Evidence { book: &book, database, agents: &agents, took: &took, messages: &messages };
        let verdict = oracle::judge(&evidence);
        self.counter.duplicates = verdict.duplicates;
        self.counter.lost = took.iter().filter(|took| took.lost).count();
        self.counter.later = self.world.platform.later();
        self.counter.deltas = journal.deltas.load(Ordering::Relaxed);
        let mut violations: Vec<Violation> = [stuck, stopped, self.leaks()?]
            .into_iter()
            .flatten()
            .map(|what| Violation { event: None, what })
            .collect();
        violations.extend(verdict.violations);
        for violation in violations.iter().take(TOLD) {
            let what: String = violation.what.chars().take(600).collect();
            println!("\nVIOLATION {what}");
            if let Some(event) = &violation.event {
                print!("{}", story::of(&evidence, event)?);
            }
        }
        if violations.len() > TOLD {
            println!("\n... and {} more", violations.len() - TOLD);
        }
        Ok(violations.is_empty())
    }

    /// O9: no text and no token in what the daemon said about itself.
    fn leaks(&self) -> Result<Option<String>> {
        let log = std::fs::read_to_string(self.home.log())?;
        let (mark, token) = (self.world.mark.as_str(), self.world.token());
        // The first start prints the token once, as a link for the person who started it.
        let mut tokens = log.lines().filter(|line| line.contains(&token));
        let link = tokens.next().is_none_or(|line| line.contains("http://"));
        let leak = log.lines().find(|line| line.contains(mark)).or_else(|| tokens.next());
        Ok(match leak {
            Some(line) => Some(format!("O9: in the log: {line}")),
            None if !link => Some("O9: the token is in the log".to_owned()),
            None => None,
        })
    }
}
