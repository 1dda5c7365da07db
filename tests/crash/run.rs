//! The schedule: start the gateway, wait for a kill point, kill it, start again; and from time to time let everything
//! come to rest and check.

mod reload;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::agent::Kind;
use crate::agent::model::Model;
use crate::channel::background::Background;
use crate::channel::teams::Teams;
use crate::channel::teams::discord::Discord;
use crate::channel::teams::slack::Slack;
use crate::channel::telegram::Telegram;
use crate::channel::web::Web;
use crate::channel::{Channel, KillPoint};
use crate::daemon::{Daemon, Home};
use crate::harness::Harness;
use crate::observed::Observed;
use crate::oracle::proof::Proof;
use crate::oracle::{self, Violation};
use crate::random::Random;
use crate::report::Counts;
use crate::{clock, config, database, history};

/// If nothing that waits has ended in this time, it is stuck.
const REST: Duration = Duration::from_secs(60);
/// How many chats reloads have beyond those of a run with kills, so that 50 talk.
const MORE_CHATS: usize = 28;
/// The channels that can be tested alone; work in the background needs the chats of another one.
const ALONE: [&str; 4] = ["web", "telegram", "discord", "slack"];
/// How many violations are printed in full.
const PRINTED: usize = 12;

struct Run {
    harness: Arc<Harness>,
    channels: Vec<Box<dyn Channel>>,
    home: Home,
    /// The model behind the main agent, if it has one.
    _model: Option<Model>,
    /// By how much everything takes longer than with the programs of the test.
    slowness: u32,
    http: reqwest::Client,
    random: Random,
    kills: u64,
    /// Number of reloads that are made instead of kills.
    reloads: u64,
    cycle: u64,
    /// Whether only one channel is tested.
    is_alone: bool,
    counts: Counts,
    proof: Proof,
    started: Instant,
    /// How many of the next processes are killed at once: a crash loop.
    loop_left: u64,
}

/// Runs the whole test.
pub fn run() -> Result<ExitCode> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = match number("CRASH_SEED") {
        Some(seed) => seed,
        None => u64::from(getrandom::u32()?),
    };
    let (kills, cycle) = (number("CRASH_KILLS").unwrap_or(300), number("CRASH_CYCLE").unwrap_or(50).max(1));
    let reloads = number("CRASH_RELOADS").unwrap_or(0);
    let what = if reloads > 0 { format!("{reloads} reloads") } else { format!("{kills} kills") };
    let kind = Kind::chosen()?;
    println!("crash: seed {seed}, {what}, a check after each {cycle}, the main agent is {kind:?}");
    let folder = tempfile::Builder::new().prefix("frontdesk-crash-").tempdir()?;
    let keep = std::env::var_os("CRASH_KEEP").is_some();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(if kind == Kind::Program { 2 } else { 4 })
        .enable_all()
        .build()?;
    let passed = runtime.block_on(async {
        let mut run = Run::new((seed, kind), (kills, reloads), cycle, folder.path()).await?;
        let mut clients = JoinSet::new();
        let harness = run.harness.clone();
        clients.spawn(async move { harness.notes_lateness().await });
        for channel in &run.channels {
            channel.start(&mut clients, &Random::new(seed)).await;
        }
        let passed = tokio::select! {
            passed = run.all() => passed,
            // Dropping the run kills the gateway, which would stay otherwise.
            () = interrupted() => Err(anyhow!("interrupted")),
            // No client ends, except by a panic.
            _ = clients.join_next() => Err(anyhow!("a client has ended")),
        };
        clients.shutdown().await;
        passed
    });
    if keep || !matches!(passed, Ok(true)) {
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
    async fn new(
        (seed, kind): (u64, Kind),
        (kills, reloads): (u64, u64),
        cycle: u64,
        folder: &Path,
    ) -> Result<Self> {
        let harness = Harness::new(seed, kind);
        let model = match kind {
            Kind::Program => None,
            Kind::OpenAi | Kind::Pi => Some(Model::start(kind, folder).await?),
        };
        let alone = std::env::var("CRASH_CHANNEL").ok().filter(|name| !name.is_empty());
        harness.set_alone(alone.is_some());
        let more = if reloads > 0 { MORE_CHATS } else { 0 };
        let mut channels: Vec<Box<dyn Channel>> =
            vec![Box::new(Web::new(harness.clone(), Telegram::operator_chat(), more))];
        // A model does not tell which of the runs of a job it works on: they all ask the same.
        if kind == Kind::Program && alone.is_none() {
            let chats = Telegram::work_chats();
            channels.push(Box::new(Background::new(harness.clone(), folder, chats).await?));
        }
        channels.push(Box::new(Teams::new(harness.clone(), folder, Discord::new(seed).await?)));
        channels.push(Box::new(Teams::new(harness.clone(), folder, Slack::new(seed).await?)));
        // A reload switches off what stands last in the configuration: one of the bots.
        channels.push(Box::new(Telegram::new(harness.clone(), seed).await?));
        if let Some(name) = &alone {
            ensure!(
                ALONE.contains(&name.as_str()),
                "CRASH_CHANNEL is {name:?}, and must be one of {ALONE:?}"
            );
            channels.retain(|channel| channel.name() == name);
        }
        Ok(Self {
            harness,
            home: Home::create(folder, &config::text(folder, &channels, model.as_ref())?)?,
            _model: model,
            slowness: kind.slowness(),
            channels,
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?,
            random: Random::new(seed).fork(2),
            kills,
            reloads,
            cycle,
            is_alone: alone.is_some(),
            counts: Counts::default(),
            proof: Proof::new(),
            started: clock::instant(),
            loop_left: 0,
        })
    }

    async fn all(&mut self) -> Result<bool> {
        if self.reloads > 0 { self.all_reloads().await } else { self.all_kills().await }
    }

    async fn all_kills(&mut self) -> Result<bool> {
        self.set_faults(true, false);
        for kill in 1..=self.kills {
            self.one_kill().await.with_context(|| format!("kill {kill}"))?;
            let last = kill == self.kills;
            if (kill % self.cycle == 0 || last) && !self.check(last).await? {
                return Ok(false);
            }
        }
        // With other agents the kills do not spread in the same way, and nothing is done in the background.
        if self.harness.kind != Kind::Program || self.is_alone {
            return Ok(true);
        }
        let too_few = self.counts.too_few();
        for what in &too_few {
            println!("crash: {what}");
        }
        Ok(too_few.is_empty())
    }

    fn set_faults(&self, on: bool, reorder: bool) {
        self.channels.iter().for_each(|channel| channel.set_faults(on, reorder));
    }

    /// From a start to a kill.
    async fn one_kill(&mut self) -> Result<()> {
        let since = clock::now();
        let mut daemon = Daemon::start(&self.home)?;
        self.counts.kills += 1;
        // The first process makes the token; without it no client could connect.
        if self.counts.kills > 1 && self.random.permille(40) {
            clock::sleep_ms(self.random.range(1, 60)).await;
            self.counts.while_starting += 1;
            daemon.kill().await?;
            self.harness.journal().killed();
            return Ok(());
        }
        self.ready(&mut daemon).await?;
        self.wait_for_kill_point(since).await;
        let at: Vec<_> = self
            .channels
            .iter()
            .flat_map(|channel| channel.kill_points().iter().map(move |point| (channel, *point)))
            .filter(|(channel, point)| channel.is_at(*point, since))
            .map(|(channel, point)| (channel.name(), point))
            .collect();
        if self.random.permille(70) {
            self.counts.while_stopping += 1;
            daemon.kill_stopping(Duration::from_millis(self.random.range(0, 80))).await?;
        } else {
            daemon.kill().await?;
        }
        self.harness.set_address(None);
        self.harness.journal().killed();
        let held = database::held(&self.home.database())?;
        for point in at {
            *self.counts.kill_points.entry(point).or_default() += 1;
        }
        self.counts.running += u64::from(held.running > 0);
        self.counts.streaming += u64::from(held.streaming > 0);
        self.counts.sending += u64::from(held.sending > 0);
        self.counts.fetching += u64::from(held.fetching > 0);
        self.counts.open_command += u64::from(held.commands > 0);
        self.counts.asking += u64::from(held.asking > 0);
        self.counts.tasks += u64::from(held.tasks > 0);
        self.counts.runs += u64::from(held.runs > 0);
        self.counts.webhooks += u64::from(held.webhooks > 0);
        self.counts.events += u64::from(held.events > 0);
        Ok(())
    }

    /// Waits for the gateway and lets the clients in.
    async fn ready(&mut self, daemon: &mut Daemon) -> Result<()> {
        let (address, took) = daemon.ready(&self.home).await?;
        self.counts.slowest_start = self.counts.slowest_start.max(took);
        self.harness.set_token(self.home.token()?);
        self.harness.journal().starts.push(clock::now());
        self.harness.set_address(Some(address));
        Ok(())
    }

    /// Waits for the time of the kill: any time, or a kill point of one of the channels.
    async fn wait_for_kill_point(&mut self, since: i64) {
        if self.loop_left == 0 && self.random.permille(25) {
            self.loop_left = self.random.range(3, 8);
        }
        if self.loop_left > 0 {
            self.loop_left -= 1;
            return clock::sleep_ms(self.random.range(0, 60)).await;
        }
        let slowness = u64::from(self.slowness);
        if self.random.permille(230) {
            return clock::sleep_ms(self.random.range(20, 1000) * slowness).await;
        }
        clock::sleep_ms(self.random.range(20, 500) * slowness).await;
        let kill_points: Vec<(usize, KillPoint)> = (0..self.channels.len())
            .flat_map(|index| self.channels[index].kill_points().iter().map(move |point| (index, *point)))
            .collect();
        let (index, point) = kill_points[self.random.index(kill_points.len())];
        let deadline = clock::instant() + Duration::from_millis(700) * self.slowness;
        while clock::instant() < deadline && !self.channels[index].is_at(point, since) {
            clock::sleep_ms(1).await;
        }
        if self.random.permille(500) {
            clock::sleep_ms(self.random.range(0, 4)).await;
        }
    }

    /// Starts the gateway, lets everything come to rest, stops it in order, and runs the oracle.
    async fn check(&mut self, last: bool) -> Result<bool> {
        self.calm().await;
        let mut daemon = Daemon::start(&self.home)?;
        self.ready(&mut daemon).await?;
        self.judge(daemon, last).await
    }

    /// Lets nothing new happen.
    async fn calm(&self) {
        self.harness.set_quiet(true);
        // Clients that are in the middle of something finish it.
        clock::sleep_ms(300).await;
        self.set_faults(false, false);
    }

    /// Lets everything come to rest in a running gateway, stops it in order, and runs the oracle.
    async fn judge(&mut self, daemon: Daemon, last: bool) -> Result<bool> {
        let begun = clock::instant();
        let mut wrong = Vec::new();
        match self.rest().await {
            Ok(()) => {
                for channel in &self.channels {
                    channel.catch_up(&self.home.database()).await?;
                }
            }
            Err(stuck) => wrong.push(stuck.to_string()),
        }
        wrong.extend(daemon.stop().await.err().map(|error| error.to_string()));
        let left = self.home.processes().into_iter();
        wrong.extend(left.map(|process| format!("O6: a process of an agent is left: {process}")));
        self.harness.set_address(None);
        let observed = Observed::read(&self.harness, &self.home, &self.channels).await?;
        self.counts.count_work(&observed);
        let mut verdict = oracle::judge(&observed);
        let wrong = wrong.into_iter().map(|what| Violation { event: None, what });
        verdict.violations.splice(0..0, wrong);
        let passed = verdict.violations.is_empty();
        print_violations(&observed, &verdict.violations)?;
        println!(
            "crash: {} kills, {} reloads, {} chats, {} events, {} turns, checked for {} ms{}",
            self.counts.kills,
            self.counts.reloads,
            observed.journal.chats(),
            observed.journal.events.len(),
            observed.database.turns.len(),
            begun.elapsed().as_millis(),
            if passed { "" } else { ": WRONG" },
        );
        if last || !passed {
            self.counts.print(&observed, &verdict, self.started.elapsed());
        }
        // The oracle itself is tested after kills and with the agents of the test, which give it more to find.
        let is_proof = self.reloads == 0 && self.harness.kind == Kind::Program && !self.is_alone;
        let proven = !passed || !is_proof || self.proof.attempt(&observed, last);
        if last && is_proof {
            for what in self.proof.untried() {
                println!("crash: could not be falsified: {what}");
            }
        }
        self.set_faults(true, (self.counts.kills / self.cycle) % 2 == 1);
        self.harness.set_quiet(false);
        Ok(passed && proven)
    }

    /// Returns when nothing waits any more, inside the gateway or outside.
    async fn rest(&self) -> Result<()> {
        // A part that met a network fault after several interrupted attempts pauses for minutes.
        let pause = database::longest_pause(&self.home.database())?;
        let patience = REST * self.slowness + pause;
        let mut deadline = clock::instant() + patience;
        let (mut quiet, mut least, mut ended) = (0, u64::MAX, 0);
        while quiet < 3 {
            let totals = self.totals().await?;
            let inside: u64 =
                ["waiting", "running", "outbox"].iter().filter_map(|name| totals[*name].as_u64()).sum();
            let inside = inside + database::open_work(&self.home.database())?;
            let outside: usize = self.channels.iter().map(|channel| channel.unaccepted()).sum();
            quiet = if inside == 0 && outside == 0 { quiet + 1 } else { 0 };
            // On a busy machine it takes long, and it is not stuck as long as it becomes less or turns end: a platform may hand
            // over many missed messages at once.
            let turns = database::ended_turns(&self.home.database())?;
            if inside + (outside as u64) < least || turns > ended {
                (least, ended) = (least.min(inside + outside as u64), turns);
                deadline = clock::instant() + patience;
            }
            if clock::instant() > deadline {
                bail!(
                    "stuck after {REST:?} and a pause of {pause:?}: {outside} events outside, inside {totals}"
                );
            }
            clock::sleep_ms(30).await;
        }
        Ok(())
    }

    async fn totals(&self) -> Result<Value> {
        let address = self.harness.address().await;
        let asked = self.http.get(format!("http://{address}/api/status")).bearer_auth(self.harness.token());
        Ok(asked.send().await?.error_for_status()?.json::<Value>().await?["totals"].clone())
    }
}

fn print_violations(observed: &Observed, violations: &[Violation]) -> Result<()> {
    for violation in violations.iter().take(PRINTED) {
        let what: String = violation.what.chars().take(700).collect();
        println!("\nVIOLATION {what}");
        if let Some(event) = &violation.event {
            print!("{}", history::of(observed, event)?);
        }
    }
    if violations.len() > PRINTED {
        println!("\n... and {} more", violations.len() - PRINTED);
    }
    Ok(())
}
