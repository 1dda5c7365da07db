//! The schedule: start, wait for a moment, kill, start again; and every so often let it come to rest and look.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::cast::{self, ANNA, BERT, CARL, NORA, STAN};
use crate::daemon::{Daemon, Home};
use crate::dice::Dice;
use crate::evidence::Evidence;
use crate::moment::{Moment, open_accepts};
use crate::oracle::{self, Violation};
use crate::report::Tally;
use crate::world::World;
use crate::{clock, database, people, proof, story, strangers, weather};

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
    address: Option<SocketAddr>,
}

/// Runs the whole test.
pub fn run() -> Result<ExitCode> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = match number("CRASH_SEED") {
        Some(seed) => seed,
        None => u64::from(getrandom::u32()?),
    };
    let (kills, cycle) = (number("CRASH_KILLS").unwrap_or(300), number("CRASH_CYCLE").unwrap_or(50).max(1));
    println!("crash over telegram: seed {seed}, {kills} kills, a look after each {cycle}");
    let folder = tempfile::Builder::new().prefix("frontdesk-crash-").tempdir()?;
    let keep = std::env::var_os("CRASH_KEEP").is_some();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let passed = runtime.block_on(async {
        let mut run = Run::new(seed, kills, cycle, folder.path()).await?;
        people::begin(&run.world).await;
        let mut people = run.people();
        let passed = tokio::select! {
            passed = run.drive() => passed,
            // Dropping the run ends the daemon, which would outlive us otherwise.
            () = interrupted() => Err(anyhow!("interrupted")),
            () = anyone_gone(&mut people) => Err(anyhow!("somebody in the cast has gone")),
        };
        people.shutdown().await;
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

/// Nobody ends by themselves, but by a panic: an act that was impossible.
async fn anyone_gone(people: &mut JoinSet<()>) {
    people.join_next().await;
}

impl Run {
    async fn new(seed: u64, kills: u64, cycle: u64, folder: &std::path::Path) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let world = World::new(seed, http).await?;
        let home = Home::make(folder, &cast::config(folder, &world.api.url())?)?;
        let dice = Dice::new(seed).fork(2);
        let (counter, begun) = (Tally::default(), clock::moment());
        Ok(Self { world, home, dice, kills, cycle, counter, begun, loops: 0, address: None })
    }

    /// Everybody who writes.
    fn people(&self) -> JoinSet<()> {
        let mut all = JoinSet::new();
        let world = || self.world.clone();
        for person in [ANNA, BERT, CARL, NORA, STAN] {
            all.spawn(people::talker(world(), person, self.dice.fork(person.unsigned_abs())));
        }
        all.spawn(people::crowd(world(), self.dice.fork(100)));
        all.spawn(people::workers(world(), self.dice.fork(101)));
        all.spawn(people::guests(world(), self.dice.fork(102)));
        all.spawn(people::admins(world(), self.dice.fork(103)));
        all.spawn(people::echo(world(), self.dice.fork(104)));
        all.spawn(strangers::come(world(), self.dice.fork(105)));
        all
    }

    async fn drive(&mut self) -> Result<bool> {
        weather::bad(&self.world, false);
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
        let born = clock::now();
        let mut daemon = Daemon::start(&self.home)?;
        self.counter.kills += 1;
        // The first life makes the token, which is looked for later.
        if self.counter.kills > 1 && self.dice.permille(40) {
            clock::pause_ms(self.dice.range(1, 60)).await;
            self.counter.while_starting += 1;
            daemon.kill().await?;
            self.world.book().kills.push(clock::now());
            return Ok(());
        }
        let (_, took) = daemon.ready(&self.home).await?;
        self.counter.slowest_start = self.counter.slowest_start.max(took);
        self.moment(born).await;
        let accepts = open_accepts(&self.world, born);
        if self.dice.permille(70) {
            self.counter.while_stopping += 1;
            daemon.kill_stopping(Duration::from_millis(self.dice.range(0, 80))).await?;
        } else {
            daemon.kill().await?;
        }
        self.world.book().kills.push(clock::now());
        let held = database::held(&self.home.database())?;
        self.counter.open_accept += u64::from(accepts > 0);
        self.counter.running_turn += u64::from(held.running > 0);
        self.counter.streaming += u64::from(held.streaming > 0);
        self.counter.open_post += u64::from(held.sending > 0);
        self.counter.fetching += u64::from(held.fetching > 0);
        self.counter.open_command += u64::from(held.commands > 0);
        Ok(())
    }

    /// Waits for a moment that is worth a kill: any, or one in the middle of something.
    async fn moment(&mut self, born: u64) {
        let world = self.world.clone();
        if self.loops == 0 && self.dice.permille(25) {
            self.loops = self.dice.range(3, 8);
        }
        if self.loops > 0 {
            self.loops -= 1;
            return clock::pause_ms(self.dice.range(0, 60)).await;
        }
        let moment = Moment::of(self.dice.range(0, 12));
        clock::pause_ms(self.dice.range(20, if moment == Moment::Any { 1000 } else { 500 })).await;
        let deadline = clock::moment() + Duration::from_millis(700);
        while clock::moment() < deadline && !moment.is_now(&world, born) {
            clock::pause_ms(1).await;
        }
        if moment == Moment::Command {
            self.counter.at_command += 1;
        }
        if moment != Moment::Any && self.dice.permille(500) {
            clock::pause_ms(self.dice.range(0, 4)).await;
        }
    }

    /// Lets everything come to rest, stops the daemon in order, and runs the oracles.
    async fn look(&mut self, last: bool) -> Result<bool> {
        let begun = clock::moment();
        self.world.calm(true);
        // Whoever is in the middle of something finishes it.
        clock::pause_ms(300).await;
        weather::clear(&self.world);
        let mut daemon = Daemon::start(&self.home)?;
        self.address = Some(daemon.ready(&self.home).await?.0);
        let stuck = self.rest().await.err().map(|stuck| stuck.to_string());
        let stopped = daemon.stop().await.err().map(|error| error.to_string());
        let evidence = Evidence::gather(&self.world, &self.home, &self.home.token()?).await?;
        let mut verdict = oracle::judge(&evidence);
        let wrong = [stuck, stopped].into_iter().flatten().map(|what| Violation { update: None, what });
        verdict.violations.splice(0..0, wrong);
        let passed = verdict.violations.is_empty();
        tell(&evidence, &verdict.violations)?;
        println!(
            "crash: {} kills, {} acts, {} turns, looked for {} ms{}",
            self.counter.kills,
            evidence.book.acts.len(),
            evidence.database.turns.len(),
            begun.elapsed().as_millis(),
            if passed { "" } else { ": WRONG" },
        );
        if last || !passed {
            self.counter.print(&evidence, &verdict, self.begun.elapsed());
        }
        let proven = !passed || !last || proof::prove(&evidence);
        weather::bad(&self.world, (self.counter.kills / self.cycle) % 2 == 1);
        self.world.calm(false);
        Ok(passed && proven)
    }

    /// Returns when nothing waits any more, anywhere.
    async fn rest(&self) -> Result<()> {
        let deadline = clock::moment() + REST;
        let mut quiet = 0;
        while quiet < 3 {
            let totals = self.totals().await?;
            let inside: u64 =
                ["waiting", "running", "outbox"].iter().filter_map(|name| totals[*name].as_u64()).sum();
            let outside = self.world.api.journal().unconfirmed();
            quiet = if inside == 0 && outside == 0 { quiet + 1 } else { 0 };
            if clock::moment() > deadline {
                bail!("stuck after {REST:?}: {outside} updates outside, inside {totals}");
            }
            clock::pause_ms(30).await;
        }
        Ok(())
    }

    async fn totals(&self) -> Result<Value> {
        let address = self.address.context("it does not run")?;
        let asked =
            self.world.http.get(format!("http://{address}/api/status")).bearer_auth(self.home.token()?);
        Ok(asked.send().await?.error_for_status()?.json::<Value>().await?["totals"].clone())
    }
}

fn tell(evidence: &Evidence, violations: &[Violation]) -> Result<()> {
    for violation in violations.iter().take(TOLD) {
        let what: String = violation.what.chars().take(700).collect();
        println!("\nVIOLATION {what}");
        if let Some(update) = violation.update {
            print!("{}", story::of(evidence, update)?);
        }
    }
    if violations.len() > TOLD {
        println!("\n... and {} more", violations.len() - TOLD);
    }
    Ok(())
}
