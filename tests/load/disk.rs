//! The limits of the disk and of SQLite, without HTTP.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use hdrhistogram::Histogram;

use crate::bare::{GROUP, Table};
use crate::figure::{Run, histogram};

/// Appends 4 KB and syncs, again and again.
pub fn append(folder: &Path, span: Duration) -> Result<Run> {
    let home = tempfile::tempdir_in(folder)?;
    let mut file = OpenOptions::new().create(true).append(true).open(home.path().join("append"))?;
    let block = [7; 4096];
    measure(span, |_| {
        file.write_all(&block)?;
        Ok(file.sync_data()?)
    })
}

/// One row per commit.
pub fn rows(folder: &Path, span: Duration) -> Result<Run> {
    let home = tempfile::tempdir_in(folder)?;
    let mut table = Table::open(&home.path().join("rows.db"))?;
    measure(span, |_| Ok(table.insert("hello, this is a message").map(drop)?))
}

/// The four commits that a message needs at least: accepted, claimed, finished, sent.
pub fn chain(folder: &Path, span: Duration) -> Result<Run> {
    let home = tempfile::tempdir_in(folder)?;
    let mut table = Table::open(&home.path().join("chain.db"))?;
    measure(span, |_| four_commits(&mut table))
}

/// The same at a fixed rate. The thread and the processor sleep between two messages, and everything that follows takes
/// longer than in a loop that is always busy: the disk's interrupts have to wake them.
pub fn paced_chain(folder: &Path, span: Duration, per_second: u32) -> Result<Run> {
    let home = tempfile::tempdir_in(folder)?;
    let mut table = Table::open(&home.path().join("chain.db"))?;
    let (start, pace, mut times) = (Instant::now(), Duration::from_secs(1) / per_second, histogram()?);
    for n in 0.. {
        let due = start + pace * n;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if start.elapsed() > span {
            break;
        }
        let before = Instant::now();
        four_commits(&mut table)?;
        times.record(u64::try_from(before.elapsed().as_nanos())?)?;
    }
    Ok(without_server(times, start))
}

fn four_commits(table: &mut Table) -> Result<()> {
    let n = table.insert("hello, this is a message")?;
    for step in ["claimed", "finished", "sent"] {
        table.update(n, step)?;
    }
    Ok(())
}

/// A request to the writer thread.
struct Step {
    /// For a row that exists already.
    row: Option<u64>,
    done: mpsc::SyncSender<u64>,
}

/// The four commits of [`chain`] for many messages at once, committed in groups.
pub fn chains(folder: &Path, span: Duration, producers: usize) -> Result<Run> {
    let home = tempfile::tempdir_in(folder)?;
    let mut table = Table::open(&home.path().join("chains.db"))?;
    let (steps, arrived) = mpsc::channel::<Step>();
    let start = Instant::now();
    let threads: Vec<_> = (0..producers)
        .map(|_| {
            let steps = steps.clone();
            std::thread::spawn(move || {
                let (done, stored) = mpsc::sync_channel(1);
                measure(span, |_| {
                    let mut row = None;
                    for _ in 0..4 {
                        steps.send(Step { row, done: done.clone() })?;
                        row = Some(stored.recv()?);
                    }
                    Ok(())
                })
            })
        })
        .collect();
    drop(steps);
    while let Ok(first) = arrived.recv() {
        let group: Vec<Step> = std::iter::once(first).chain(arrived.try_iter().take(GROUP - 1)).collect();
        let mut rows = Vec::with_capacity(group.len());
        table.together(|table| {
            for step in &group {
                rows.push(match step.row {
                    None => table.insert("hello, this is a message")?,
                    Some(n) => table.update(n, "a step further").map(|()| n)?,
                });
            }
            Ok(())
        })?;
        for (step, row) in group.iter().zip(rows) {
            step.done.send(row)?;
        }
    }
    let mut times = histogram()?;
    for thread in threads {
        times.add(thread.join().map_err(|_| anyhow!("a producer panicked"))??.times)?;
    }
    Ok(without_server(times, start))
}

fn measure(span: Duration, mut step: impl FnMut(u64) -> Result<()>) -> Result<Run> {
    let (mut times, start) = (histogram()?, Instant::now());
    for n in 0.. {
        let before = Instant::now();
        step(n)?;
        times.record(u64::try_from(before.elapsed().as_nanos())?)?;
        if start.elapsed() > span {
            break;
        }
    }
    Ok(without_server(times, start))
}

/// A run in which no server took part.
fn without_server(times: Histogram<u64>, start: Instant) -> Run {
    let (span, cpu, platform) = (start.elapsed(), Duration::ZERO, Duration::ZERO);
    Run { times, span, cpu, platform, memory: 0, others: 0.0 }
}
