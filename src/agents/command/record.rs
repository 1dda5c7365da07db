//! What is known on disk of every process group while it lives: a file in `run/`, which is there before the program
//! has its prompt. If the gateway is killed, nobody is left to end the group; the next start finds it by its record.
//!
//! All that a record says is in its name, so that none is ever half written: the group's number, when its leader
//! began (in the kernel's ticks), the turn, and the machine's boot. Together they name a process for good: a number
//! alone is given to somebody else some day.
//!
//! The kernel says all this in `/proc`. Where there is none (macOS), nothing is recorded and nothing is ended by the
//! next start: a signal that hits the wrong process is worse than one that is left out.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

/// The folder of the records of running programs, beneath the home.
pub const FOLDER: &str = "run";

/// Names a process group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) group: i32,
    /// When its leader began.
    pub(super) began: u64,
    /// The turn that it was started for, as it is in its environment.
    pub(super) turn: String,
    /// The machine's boot.
    pub(super) boot: String,
}

impl Name {
    fn file(&self) -> String {
        let Name { group, began, turn, boot } = self;
        format!("{group}.{began}.{turn}.{boot}")
    }

    /// Reads the name of a record's file.
    pub(super) fn read(file: &str) -> Option<Name> {
        let mut pieces = file.splitn(4, '.');
        let group = pieces.next()?.parse().ok().filter(|group| *group > 1)?;
        let began = pieces.next()?.parse().ok()?;
        let turn = pieces.next()?.to_owned();
        Some(Name { group, began, turn, boot: pieces.next()?.to_owned() })
    }
}

/// The record of a group. Dropping it forgets the group, which must be gone by then.
pub(super) struct Record(Option<PathBuf>);

impl Record {
    /// Writes down the group that this process has just begun to lead. The kernel keeps the file if only we are
    /// killed, and after a crash of the machine there is no group any more: it need not be on the platter.
    pub(super) fn of(home: &Path, leader: u32, turn: &str) -> io::Result<Record> {
        let group = i32::try_from(leader).map_err(io::Error::other)?;
        let Some((boot, stat)) = boot()?.zip(Stat::of(group)?) else { return Ok(Record(None)) };
        let name = Name { group, began: stat.began, turn: turn.to_owned(), boot };
        let folder = home.join(FOLDER);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let path = folder.join(name.file());
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Record(Some(path)))
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = std::fs::remove_file(&path)
        {
            warn!(%error, "the record of a program that has ended was not removed; the next start does");
        }
    }
}

/// What the kernel says of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    /// `Z` and `X` have ended and only wait for their parent.
    pub(super) state: char,
    pub(super) group: i32,
    pub(super) began: u64,
}

impl Stat {
    /// `None` where there is no such process.
    pub(super) fn of(process: i32) -> io::Result<Option<Stat>> {
        let Some(text) = known(std::fs::read(format!("/proc/{process}/stat")))? else { return Ok(None) };
        let stat = Stat::read(&String::from_utf8_lossy(&text));
        stat.map(Some).ok_or_else(|| io::Error::other(format!("/proc/{process}/stat is not understood")))
    }

    /// The second field is a name that a program chooses: it may hold blanks and parentheses of its own.
    fn read(text: &str) -> Option<Stat> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |n: usize| fields.get(n - 3).copied();
        Some(Stat {
            state: field(3)?.chars().next()?,
            group: field(5)?.parse().ok()?,
            began: field(22)?.parse().ok()?,
        })
    }

    pub(super) fn runs(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// This boot of the machine; `None` where the kernel does not say.
pub(super) fn boot() -> io::Result<Option<String>> {
    let text = known(std::fs::read_to_string("/proc/sys/kernel/random/boot_id"))?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|boot| !boot.is_empty()))
}

/// What is there to be read. A process that has ended while it was looked at is not there either, nor is one that the
/// kernel hides because it is another user's (`hidepid`): no program of ours is.
fn known<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let name = Name { group: 4711, began: 99, turn: "t12".into(), boot: "0e1b-22".into() };
        assert_eq!(Name::read(&name.file()), Some(name));
        for odd in ["", "x", "4711", "4711.99.t12", "1.99.t12.b", "-5.99.t12.b", "0.1.t.b", "4711.x.t12.b"] {
            assert_eq!(Name::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_programs_name_cannot_forge_its_start() {
        let text = "4711 (a) S 1 1 1 ) R 1 4711 4711 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 7654321 1 2 3\n";
        assert_eq!(Stat::read(text), Some(Stat { state: 'R', group: 4711, began: 7_654_321 }));
        assert_eq!(Stat::read("4711 (a) R 1"), None);
    }
}
