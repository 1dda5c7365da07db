//! Measures the running daemon. Client and daemon share the machine; BENCHMARKS.md explains what that means.

#![allow(clippy::print_stdout, reason = "the program prints its results")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

mod bare;
mod chats;
mod client;
mod commands;
mod daemon;
mod disk;
mod echo;
mod figure;
mod hostile;
mod load;
mod machine;
mod platform;
mod process;
mod proxy;
mod seed;
mod talk;
mod tasks;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::platform::Platform;

/// Measures `target/release/frontdesk` as it runs, three times each, with the raw limit of the same run
/// beside every figure. Times are microseconds; spreads are min / median / max of the runs.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The limits of the disk and of SQLite, without HTTP.
    Disk(Options),
    /// Latency of one connection, from the request to the commit and the 202.
    P2(Options),
    /// Durable accepts per second with 64 connections.
    P3(Options),
    /// Latency over fake platforms, from an incoming message to the request of the reply, with an agent that answers at once.
    P4(Options),
    /// Conversations: 50 chats, each of which waits for its answer before the next message.
    P5(Options),
    /// Conversations over fake platforms.
    P5Chats(Options),
    /// Conversations while a thousand background tasks wait, beside the same conversations without tasks.
    Tasks(Options),
    /// Start, memory and accepts with 0, 100,000 and 1,000,000 sessions, and their size on disk.
    P6(Options),
    /// An idle gateway, alone and connected to fake platforms: CPU, wake-ups and memory; and the size of the binary.
    Idle(Options),
    /// A thousand hostile connections of each kind: what they cost, and how much they slow down a client with the token.
    Hostile(Options),
    /// All measurements except the hostile connections.
    All(Options),
    /// The server of the raw limit: one row and one commit per POST. Other commands start it themselves.
    #[command(hide = true)]
    Bare(bare::Options),
    /// The bot of the raw limit. Other commands start it themselves.
    #[command(hide = true)]
    Echo(echo::Options),
}

/// Options of all measurements.
#[derive(Args, Clone)]
struct Options {
    /// A short trial: one second for each figure, and no million sessions.
    #[arg(long)]
    quick: bool,
    /// Duration of each measurement, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Number of runs of each measurement.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Path of the daemon.
    #[arg(long, default_value = "target/release/frontdesk")]
    daemon: PathBuf,
    /// Folder for home folders; it must be on the disk to be measured.
    #[arg(long, default_value = "target/load")]
    folder: PathBuf,
    /// Seconds to wait before each run for other programs to become quiet.
    #[arg(long, default_value_t = 120)]
    patience: u64,
    /// A platform to measure; may be given several times. Without it, all of them.
    #[arg(long)]
    platform: Vec<Platform>,
}

impl Options {
    fn span(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { self.seconds })
    }

    fn platforms(&self) -> Vec<Platform> {
        if self.platform.is_empty() { Platform::ALL.to_vec() } else { self.platform.clone() }
    }

    fn quiet(&self) {
        machine::wait_for_quiet(Duration::from_secs(self.patience));
    }
}

fn main() -> Result<()> {
    match Program::parse().what {
        What::Bare(options) => bare::serve(&options),
        What::Echo(options) => echo::run(&options),
        What::Disk(options) => opened(&options, &[commands::disk]),
        What::P2(options) => opened(&options, &[commands::p2]),
        What::P3(options) => opened(&options, &[commands::p3]),
        What::P4(options) => opened(&options, &[chats::p4]),
        What::P5(options) => opened(&options, &[commands::p5]),
        What::P5Chats(options) => opened(&options, &[chats::p5]),
        What::Tasks(options) => opened(&options, &[tasks::tasks]),
        What::P6(options) => opened(&options, &[commands::p6]),
        What::Idle(options) => opened(&options, &[commands::idle]),
        What::Hostile(options) => opened(&options, &[hostile::hostile]),
        What::All(options) => opened(
            &options,
            &[
                commands::disk,
                commands::p2,
                commands::p3,
                chats::p4,
                commands::p5,
                chats::p5,
                tasks::tasks,
                commands::p6,
                commands::idle,
            ],
        ),
    }
}

fn opened(options: &Options, commands: &[fn(&Options) -> Result<()>]) -> Result<()> {
    anyhow::ensure!(
        options.daemon.is_file(),
        "{} is missing: run `cargo build --release` first, or give --daemon",
        options.daemon.display()
    );
    std::fs::create_dir_all(&options.folder)?;
    machine::describe();
    for command in commands {
        command(options)?;
    }
    Ok(())
}
