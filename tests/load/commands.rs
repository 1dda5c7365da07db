//! The measurements, one function per command.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use crate::bare::Commit;
use crate::daemon::{Home, Server, Turns};
use crate::figure::{Run, Spread, ratio, show};
use crate::machine::Busy;
use crate::{Options, disk as raw, load, seed};

/// The number of chats over which load is spread, unless the data says otherwise.
const CHATS: u64 = 2_000;

/// The server of the raw limit.
struct Bare(Server);

impl Bare {
    fn start(options: &Options, commit: Commit) -> Result<(tempfile::TempDir, Self)> {
        let folder = tempfile::tempdir_in(&options.folder)?;
        let server = Server::bare(folder.path(), commit)?;
        Ok((folder, Self(server)))
    }
}

pub fn disk(options: &Options) -> Result<()> {
    println!("Disk and SQLite alone, without HTTP");
    let (folder, span) = (&options.folder, options.span());
    show("append 4 KB + fdatasync", &repeat(options, || raw::append(folder, span))?);
    show("one row per FULL commit, one thread", &repeat(options, || raw::rows(folder, span))?);
    show("four FULL commits per message, one thread", &repeat(options, || raw::chain(folder, span))?);
    let chains = repeat(options, || raw::chains(folder, span, 50))?;
    show("four grouped commits per message, 50 threads", &chains);
    Ok(())
}

pub fn p2(options: &Options) -> Result<()> {
    println!("\nP2: POST /api/chat wait=false, one kept connection, {CHATS} known chats");
    let span = options.span();
    let closed = |server: &Server| load::closed(server, span, known);
    let open = |server: &Server| load::open(server, span, 200, known);
    beside(options, "closed loop", Commit::Inline, Turns::Held, &closed)?;
    beside(options, "closed loop, raw limit with a writer thread", Commit::Group, Turns::Held, &closed)?;
    beside(options, "open loop, 200 a second", Commit::Inline, Turns::Held, &open)?;
    beside(options, "open loop, 200 a second", Commit::Inline, Turns::Answered, &open)?;
    beside(options, "closed loop", Commit::Inline, Turns::Answered, &closed)
}

pub fn p3(options: &Options) -> Result<()> {
    println!("\nP3: POST /api/chat wait=false, 64 kept connections, closed loop, 4,096 chats");
    let span = options.span();
    let many = |server: &Server| load::many(server, span, 64, false, |c, n| format!("c{c}-{}", n % 64));
    beside(options, "64 connections", Commit::Group, Turns::Held, &many)?;
    beside(options, "64 connections", Commit::Group, Turns::Answered, &many)
}

/// Measures the raw limit and the daemon in turn, each on a new database.
fn beside(
    options: &Options,
    name: &str,
    commit: Commit,
    turns: Turns,
    measure: &dyn Fn(&Server) -> Result<Run>,
) -> Result<()> {
    let (mut limits, mut runs, mut answered) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.runs {
        options.quiet();
        let (_folder, bare) = Bare::start(options, commit)?;
        limits.push(measure(&bare.0)?);
        drop(bare);
        let home = Home::new(&options.folder, turns)?;
        let server = Server::daemon(&options.daemon, &home)?;
        prepare(&server, turns)?;
        let before = seed::answered(&home.database())?;
        let run = measure(&server)?;
        answered.push((seed::answered(&home.database())? - before) as f64 / run.span.as_secs_f64());
        runs.push(run);
    }
    show(&format!("raw limit ({}): {name}", commit.name()), &limits);
    show(&format!("daemon, turns {}: {name}", turns_name(turns)), &runs);
    ratio("p50 over raw", &runs, &limits, Run::p50);
    ratio("p99 over raw", &runs, &limits, Run::p99);
    ratio("rate over raw", &runs, &limits, Run::rate);
    if turns == Turns::Answered {
        println!("    answered meanwhile, a second: {}", Spread::of(answered).show(0));
    }
    Ok(())
}

fn turns_name(turns: Turns) -> &'static str {
    match turns {
        Turns::Held => "held (accepts alone)",
        Turns::Answered => "answered by echo meanwhile (answers compete with accepts)",
    }
}

/// Sends one message from each chat, so that the daemon knows them.
fn prepare(server: &Server, turns: Turns) -> Result<()> {
    if turns == Turns::Held {
        server.hold()?;
    }
    let warm = Duration::from_millis(700);
    load::many(server, warm, 64, false, |c, n| format!("c{c}-{}", n % 64))?;
    load::many(server, warm, 64, false, |c, n| known(c + 64 * n))?;
    // Messages of the warm-up are answered before the measurement, if the agent answers at all.
    sleep(if turns == Turns::Answered { 3 * warm } else { warm / 7 });
    Ok(())
}

fn known(n: u64) -> String {
    format!("known{}", n % CHATS)
}

pub fn p5(options: &Options) -> Result<()> {
    println!("\nP5 (internal path): 50 chats, POST /api/chat wait=true, closed loop, echo agent");
    let chains = repeat(options, || raw::chains(&options.folder, options.span(), 50))?;
    let runs = repeat(options, || {
        let home = Home::new(&options.folder, Turns::Answered)?;
        let server = Server::daemon(&options.daemon, &home)?;
        let chat = |c, _| format!("chat{c}");
        load::many(&server, options.span() / 5, 50, true, chat)?;
        load::many(&server, options.span(), 50, true, chat)
    })?;
    show("raw limit: four grouped commits per message, 50 threads, no HTTP", &chains);
    show("daemon: message in to answer out", &runs);
    ratio("rate over raw", &runs, &chains, Run::rate);
    Ok(())
}

pub fn p6(options: &Options) -> Result<()> {
    println!("\nP6: with existing sessions");
    let sizes: &[i64] = if options.quick { &[0, 100_000] } else { &[0, 100_000, 1_000_000] };
    let bare =
        repeat(options, || Bare::start(options, Commit::Inline).map(|(_folder, bare)| bare.0.ready_in))?;
    println!("  raw limit, spawn to first 200 of the bare server: {} ms", millis(&bare));
    let firsts = repeat(options, || {
        let home = Home::new(&options.folder, Turns::Held)?;
        Ok(Server::daemon(&options.daemon, &home)?.ready_in)
    })?;
    println!("  first start, without a home folder: {} ms", millis(&firsts));
    sizes.iter().try_for_each(|&sessions| with_sessions(options, sessions))
}

fn with_sessions(options: &Options, sessions: i64) -> Result<()> {
    let home = Home::new(&options.folder, Turns::Held)?;
    Server::daemon(&options.daemon, &home)?.stop()?;
    let (empty, _) = seed::sizes(&home.database())?;
    seed::fill(&home.database(), sessions)?;
    let (full, file) = seed::sizes(&home.database())?;
    println!("  {sessions} sessions");
    if sessions > 0 {
        let each = (full - empty) as f64 / sessions as f64;
        println!(
            "    session and epoch: {each:.0} bytes each on disk; whole file {:.0} MB",
            file as f64 / 1e6
        );
    }
    let (mut starts, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        options.quiet();
        let server = Server::daemon(&options.daemon, &home)?;
        starts.push(server.ready_in);
        sleep(Duration::from_secs(1));
        memory.push(server.process().memory() as f64 / 1e6);
        server.stop()?;
    }
    println!("    spawn to ready {} ms   RSS idle {} MB", millis(&starts), Spread::of(memory).show(1));
    let server = Server::daemon(&options.daemon, &home)?;
    server.hold()?;
    let chat = |n: u64| if sessions == 0 { known(n) } else { seed::chat(n.cast_signed(), sessions) };
    load::closed(&server, Duration::from_secs(1), chat)?;
    let (mut limits, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        options.quiet();
        let (_folder, bare) = Bare::start(options, Commit::Inline)?;
        limits.push(load::closed(&bare.0, options.span(), chat)?);
        drop(bare);
        runs.push(load::closed(&server, options.span(), chat)?);
    }
    show("raw limit (inline), one connection", &limits);
    show("accept, turns held, one connection, a different session each time", &runs);
    ratio("p50 over raw", &runs, &limits, Run::p50);
    ratio("p99 over raw", &runs, &limits, Run::p99);
    Ok(())
}

fn millis(times: &[Duration]) -> String {
    Spread::of(times.iter().map(|time| time.as_secs_f64() * 1e3)).show(1)
}

pub fn idle(options: &Options) -> Result<()> {
    println!("\nP10: an idle gateway with the default configuration, web channel only");
    let home = Home::plain(&options.folder)?;
    let alone = idle_with(options, &home)?;
    for platform in options.platforms() {
        let name = platform.name();
        println!("  connected to {name} as well, nobody writes");
        let fake = Server::fake(&options.daemon, platform)?;
        let home = Home::chats(&options.folder, &[(platform, fake.target.address)])?;
        let memory = idle_with(options, &home)?;
        println!("    RSS above that without accounts: {:.1} MB", memory - alone);
    }
    println!("  connected to all of them");
    let fakes = options.platforms().into_iter();
    let fakes = fakes.map(|platform| Ok((platform, Server::fake(&options.daemon, platform)?)));
    let fakes = fakes.collect::<Result<Vec<_>>>()?;
    let addresses: Vec<_> = fakes.iter().map(|(platform, fake)| (*platform, fake.target.address)).collect();
    let home = Home::chats(&options.folder, &addresses)?;
    let memory = idle_with(options, &home)?;
    println!("    RSS above that without accounts: {:.1} MB", memory - alone);
    println!("\nP11: the program");
    let binary = std::fs::metadata(&options.daemon)?.len();
    println!("  {}: {:.1} MB", options.daemon.display(), binary as f64 / 1e6);
    Ok(())
}

/// Watches a gateway of which nobody wants anything; returns the median of its memory in MB.
fn idle_with(options: &Options, home: &Home) -> Result<f64> {
    let span = Duration::from_secs(if options.quick { 3 } else { 20 });
    let server = Server::daemon(&options.daemon, home)?;
    let process = server.process();
    sleep(Duration::from_secs(2));
    let (mut cpu, mut wakes, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.runs {
        let (before, woken, busy) = (process.cpu(), process.wakes(), Busy::now());
        sleep(span);
        let used = process.cpu() - before;
        cpu.push(used.as_secs_f64() / span.as_secs_f64() * 100.0);
        wakes.push((process.wakes() - woken) as f64 / span.as_secs_f64());
        memory.push(process.memory() as f64 / 1e6);
        println!("    {:?} of CPU in {span:?}; others used {:.0} %", used, busy.others(used) * 100.0);
    }
    let memory = Spread::of(memory);
    println!(
        "    CPU {} %   wake-ups a second {}   RSS {} MB",
        Spread::of(cpu).show(2),
        Spread::of(wakes).show(1),
        memory.show(1)
    );
    Ok(memory.median())
}

/// Repeats a measurement, each time after other programs have become quiet.
pub fn repeat<T>(options: &Options, measure: impl Fn() -> Result<T>) -> Result<Vec<T>> {
    (0..options.runs)
        .map(|_| {
            options.quiet();
            measure()
        })
        .collect()
}
