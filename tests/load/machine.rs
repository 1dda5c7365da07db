//! The machine of the measurement, and how busy it is with other programs.

use std::fs::read_to_string;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Other programs that use more than this share of the machine are reported.
const QUIET: f64 = 0.04;

/// CPU time of all processes since boot, in ticks of 10 ms.
#[derive(Clone, Copy)]
pub struct Busy {
    busy: u64,
    all: u64,
}

impl Busy {
    pub fn now() -> Self {
        let stat = read_to_string("/proc/stat").unwrap_or_default();
        let ticks: Vec<u64> = stat
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .filter_map(|word| word.parse().ok())
            .take(8)
            .collect();
        let all = ticks.iter().sum();
        // Idle time, with and without a pending disk request.
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Self { busy: all - idle, all }
    }

    /// The share of the machine that other processes have used since then; `ours` is the time of the measured ones.
    pub fn others(self, ours: Duration) -> f64 {
        let now = Self::now();
        let ours = ours.as_millis() as f64 / 10.0;
        let all = (now.all - self.all).max(1) as f64;
        (((now.busy - self.busy) as f64 - ours) / all).max(0.0)
    }
}

/// Waits until other programs are quiet, and reports if they do not become quiet.
pub fn wait_for_quiet(patience: Duration) {
    let start = Instant::now();
    loop {
        let before = Busy::now();
        sleep(Duration::from_millis(700));
        let others = before.others(Duration::ZERO);
        if others < QUIET {
            return;
        }
        if start.elapsed() > patience {
            println!(
                "  (the machine did not become quiet: other programs use {:.0} % of it)",
                others * 100.0
            );
            return;
        }
        sleep(Duration::from_secs(1));
    }
}

/// Prints one line about the machine.
pub fn describe() {
    let word = |path: &str| read_to_string(path).unwrap_or_default().trim().to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = word("/proc/cpuinfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim().to_owned())
        })
        .unwrap_or_default();
    let load = word("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or_default();
    println!("{cores} cores ({model}), Linux {}, load average {load}", word("/proc/sys/kernel/osrelease"));
    println!("client and daemon share the cores; spreads are min / median / max; times in us\n");
}
