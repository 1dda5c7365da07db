//! Resources used by a process, as counted by the kernel.

use std::fs::{read_dir, read_to_string};
use std::time::Duration;

/// A process.
#[derive(Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    pub fn this() -> Self {
        Self(std::process::id())
    }

    /// User and system time of all its threads. The kernel counts in ticks of 10 ms.
    pub fn cpu(self) -> Duration {
        let stat = read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        // The name, in parentheses, may contain anything; the numbers follow it.
        let numbers = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: u64 =
            numbers.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory in bytes.
    pub fn memory(self) -> u64 {
        status(&format!("/proc/{}/status", self.0), "VmRSS:") * 1024
    }

    /// The number of voluntary context switches of its threads: how often they slept and were woken.
    pub fn wakes(self) -> u64 {
        let Ok(threads) = read_dir(format!("/proc/{}/task", self.0)) else { return 0 };
        threads
            .flatten()
            .map(|thread| status(&thread.path().join("status").to_string_lossy(), "voluntary_ctxt_switches:"))
            .sum()
    }
}

fn status(path: &str, field: &str) -> u64 {
    let status = read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
