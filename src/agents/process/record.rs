//! Records on disk of running process groups: a file in `run/` for each, written before the program gets its prompt. If
//! the gateway is killed, nothing ends the group; the next start finds it by its record.
//!
//! All content is in the file name, so a record is never half written: the number of the group, the start time of its
//! leader (in the kernel's ticks), the turn, and the machine's boot id. Together they identify a process for good; the
//! number alone is reused.
//!
//! The information comes from `/proc`. On systems without it (macOS) nothing is recorded, and the next start ends
//! nothing: a signal to the wrong process would be worse than a program that keeps running.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

/// The folder of the records, within the home directory.
pub const FOLDER: &str = "run";

/// Identifies a process group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) group: i32,
    /// The start time of its leader, in the kernel's ticks.
    pub(super) began: u64,
    /// The turn that it was started for, or `none`, as in its environment.
    pub(super) turn: String,
    /// The boot id of the machine.
    pub(super) boot: String,
}

impl Name {
    fn file(&self) -> String {
        let Name { group, began, turn, boot } = self;
        format!("{group}.{began}.{turn}.{boot}")
    }

    /// Parses the name of a record's file.
    pub(super) fn read(file: &str) -> Option<Name> {
        let mut pieces = file.splitn(4, '.');
        let group = pieces.next()?.parse().ok().filter(|group| *group > 1)?;
        let began = pieces.next()?.parse().ok()?;
        let turn = pieces.next()?.to_owned();
        Some(Name { group, began, turn, boot: pieces.next()?.to_owned() })
    }
}

/// The record of a group. Dropping it deletes the file; the group must have ended by then.
pub(super) struct Record(Option<PathBuf>);

impl Record {
    /// Records the group that this process has just begun to lead. The file is not synced: it survives if only the
    /// gateway is killed, and after a crash of the machine the group is gone as well.
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
            warn!(%error, "the record of an ended program was not removed; the next start removes it");
        }
    }
}

/// The kernel's information about a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    /// `Z` and `X` mean that it has exited and was not reaped yet.
    pub(super) state: char,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) began: u64,
}

impl Stat {
    /// `None` if there is no such process.
    pub(super) fn of(process: i32) -> io::Result<Option<Stat>> {
        let Some(text) = known(std::fs::read(format!("/proc/{process}/stat")))? else { return Ok(None) };
        let stat = Stat::read(&String::from_utf8_lossy(&text));
        stat.map(Some).ok_or_else(|| io::Error::other(format!("/proc/{process}/stat cannot be parsed")))
    }

    /// The second field is the program's name, which the program chooses: it may contain spaces and parentheses.
    fn read(text: &str) -> Option<Stat> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |n: usize| fields.get(n - 3).copied();
        Some(Stat {
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            began: field(22)?.parse().ok()?,
        })
    }

    pub(super) fn runs(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// The id of this boot of the machine; `None` where the kernel has none.
pub(super) fn boot() -> io::Result<Option<String>> {
    let text = known(std::fs::read_to_string("/proc/sys/kernel/random/boot_id"))?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|boot| !boot.is_empty()))
}

/// Turns "no such file" into `None`. A process that exits while its file is read gives the same result, and so does a
/// process that the kernel hides because it belongs to another user (`hidepid`), which none of ours does.
pub(super) fn known<T>(read: io::Result<T>) -> io::Result<Option<T>> {
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
        assert_eq!(Stat::read(text), Some(Stat { state: 'R', parent: 1, group: 4711, began: 7_654_321 }));
        assert_eq!(Stat::read("4711 (a) R 1"), None);
    }
}
