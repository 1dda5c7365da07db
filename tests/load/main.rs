//! Measures the running daemon. Client and daemon share the machine; BENCHMARKS.md says what that means.

#![allow(clippy::print_stdout, reason = "it is a program that prints figures")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

mod bare;
mod client;
mod commands;
mod daemon;
mod disk;
mod echo;
mod figure;
mod hostile;
mod load;
mod machine;
mod process;
mod seed;
mod telegram;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Measures `target/release/frontdesk` as it runs, three times each, with the raw limit of the same run
/// beside every figure. Times are microseconds; spreads are min / median / max of the runs.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// What the disk and SQLite can do alone, without HTTP.
    Disk(Options),
    /// One connection, bytes to committed to 202.
    P2(Options),
    /// Durable accepts a second with 64 connections.
    P3(Options),
    /// Over a fake Telegram: from a message in to the reply's request out, with an agent that answers at once.
    P4(Options),
    /// Whole conversations: 50 chats, each waits for its answer before it speaks again.
    P5(Options),
    /// The same over a fake Telegram.
    P5Telegram(Options),
    /// Start, memory and accepts with 0, 100,000 and 1,000,000 sessions, and their size on disk.
    P6(Options),
    /// A gateway that nobody speaks to: CPU, wake-ups, memory; and the binary's size.
    Idle(Options),
    /// A thousand strangers of each kind: what they cost, and what the right token notices.
    Hostile(Options),
    /// All of them but the strangers.
    All(Options),
    /// The raw limit's server: a row and a commit per POST. The other commands start it themselves.
    #[command(hide = true)]
    Bare(bare::Options),
    /// The raw limit's bot. The other commands start it themselves.
    #[command(hide = true)]
    Echo(echo::Options),
}

/// How to measure.
#[derive(Args, Clone)]
struct Options {
    /// One second for each figure, and no million sessions: to see that it works.
    #[arg(long)]
    quick: bool,
    /// How many seconds each figure is measured.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often each figure is measured.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The daemon.
    #[arg(long, default_value = "target/release/frontdesk")]
    daemon: PathBuf,
    /// Where homes are made: it must lie on the disk that is to be measured.
    #[arg(long, default_value = "target/load")]
    folder: PathBuf,
    /// How many seconds to wait, before each run, for other programs to leave the machine alone.
    #[arg(long, default_value_t = 120)]
    patience: u64,
}

impl Options {
    fn span(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { self.seconds })
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
        What::P4(options) => opened(&options, &[commands::p4]),
        What::P5(options) => opened(&options, &[commands::p5]),
        What::P5Telegram(options) => opened(&options, &[commands::p5_telegram]),
        What::P6(options) => opened(&options, &[commands::p6]),
        What::Idle(options) => opened(&options, &[commands::idle]),
        What::Hostile(options) => opened(&options, &[hostile::hostile]),
        What::All(options) => opened(
            &options,
            &[
                commands::disk,
                commands::p2,
                commands::p3,
                commands::p4,
                commands::p5,
                commands::p5_telegram,
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
