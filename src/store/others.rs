//! Which other programs read the database.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::file::index_of;

/// Where the kernel lists the locks of every process.
const LOCKS: &str = "/proc/locks";
/// The bytes of the log's shared index that a reader locks while its transaction lasts, one of the five.
const READ_MARKS: std::ops::RangeInclusive<u64> = 123..=127;

/// The other processes with a read transaction, each with its id and its program. Opens no file of the database:
/// closing one would drop the locks that this process holds on it.
pub(crate) fn readers(database: &Path) -> Vec<String> {
    let (Ok(index), Ok(locks)) = (fs::metadata(index_of(database)), fs::read_to_string(LOCKS)) else {
        return Vec::new();
    };
    let mut found: Vec<u32> = locks.lines().filter_map(|line| reader(line, index.ino())).collect();
    found.sort_unstable();
    found.dedup();
    found.retain(|pid| *pid != std::process::id());
    found.into_iter().map(described).collect()
}

/// The process of a line such as `1: POSIX  ADVISORY  READ 4711 08:01:1234 124 124`, if it reads this index.
fn reader(line: &str, index: u64) -> Option<u32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "POSIX", _, _, pid, file, start, _] = fields[..] else { return None };
    let inode: u64 = file.rsplit(':').next()?.parse().ok()?;
    let start: u64 = start.parse().ok()?;
    (inode == index && READ_MARKS.contains(&start)).then(|| pid.parse().ok()).flatten()
}

fn described(pid: u32) -> String {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("process {pid} ({})", name.trim().escape_debug()),
        Err(_) => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lock_on_a_read_mark_of_this_index_names_a_reader() {
        let line =
            |start: &str, inode: &str| format!("7: POSIX  ADVISORY  READ 4711 00:2f:{inode} {start} {start}");
        assert_eq!(reader(&line("124", "99"), 99), Some(4711));
        assert_eq!(reader(&line("128", "99"), 99), None, "the lock that every open connection holds");
        assert_eq!(reader(&line("124", "98"), 99), None);
        assert_eq!(reader("7: FLOCK  ADVISORY  WRITE 4711 00:2f:99 0 EOF", 99), None);
        assert_eq!(reader("", 99), None);
    }
}
