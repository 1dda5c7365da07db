//! Ends the programs of a gateway that was killed, before the next gateway claims a turn.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use frontdesk_core::port::Clock;
use rustix::process::{Pid, Signal, kill_process_group};
use tracing::{info, warn};

use super::environment;
use super::program::media;
use super::record::{FOLDER, Name, Stat, boot};
use super::strays;

/// The maximum wait for killed processes to disappear.
const EXIT_TIMEOUT: Duration = Duration::from_secs(5);
/// The interval between two checks whether they have disappeared.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Ends all programs that an earlier gateway of this home directory left running, and waits until they are gone. No
/// other gateway may run in this home directory meanwhile. A process that has left the group of a program that is gone
/// already, or runs on another machine, is not found.
pub async fn end_leftovers(home: &Path, clock: &dyn Clock) -> io::Result<()> {
    let Some(boot) = boot()? else { return Ok(()) };
    let mut ended = Vec::new();
    let mut marks = HashSet::new();
    for (path, name) in records(home)? {
        if name.boot == boot && is_ours(&name, home)? {
            marks.extend(members(name.group)?.into_iter().filter_map(strays::of));
            kill(&name)?;
            ended.push((path, name));
        } else {
            forget(&path);
        }
    }
    if ended.is_empty() {
        return Ok(());
    }
    for mark in marks {
        strays::end(mark).await;
    }
    info!(groups = ended.len(), "ended the programs that an earlier gateway left running");
    let deadline = clock.mono() + EXIT_TIMEOUT;
    loop {
        let mut left = Vec::new();
        for (path, name) in ended {
            match members(name.group)?.is_empty() {
                true => forget(&path),
                false => left.push((path, name)),
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        if clock.mono() >= deadline {
            warn!(groups = left.len(), "programs of an earlier gateway still run after SIGKILL");
            return Ok(());
        }
        ended = left;
        clock.sleep_until(clock.mono() + CHECK_INTERVAL).await;
    }
}

/// All records that can be parsed.
fn records(home: &Path) -> io::Result<Vec<(PathBuf, Name)>> {
    let folder = match std::fs::read_dir(home.join(FOLDER)) {
        Ok(folder) => folder,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut records = Vec::new();
    for entry in folder {
        let entry = entry?;
        match entry.file_name().to_str().and_then(Name::read) {
            Some(name) => records.push((entry.path(), name)),
            None => {
                warn!(file = ?entry.file_name(), "a file in the folder of program records is not a record")
            }
        }
    }
    Ok(records)
}

/// Whether the group with this number is the group that was recorded.
fn is_ours(name: &Name, home: &Path) -> io::Result<bool> {
    if let Some(leader) = Stat::of(name.group)? {
        // The kernel does not reuse the number of a group that has members. So if the number now belongs to another
        // process, the group has ended.
        return Ok(leader.began == name.began);
    }
    // The leader has exited. The remaining processes are ours if they have the environment that their program was
    // given.
    let wanted = [
        format!("{}={}", environment::TURN, name.turn),
        format!("{}={}", environment::MEDIA, media(home).display()),
    ];
    for process in members(name.group)? {
        let Ok(environment) = std::fs::read(format!("/proc/{process}/environ")) else { continue };
        let carries =
            |wanted: &String| environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes());
        if wanted.iter().all(carries) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The running processes of a group.
fn members(group: i32) -> io::Result<Vec<i32>> {
    let mut members = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if Stat::of(process)?.is_some_and(|stat| stat.group == group && stat.runs()) {
            members.push(process);
        }
    }
    Ok(members)
}

fn kill(name: &Name) -> io::Result<()> {
    let Some(group) = Pid::from_raw(name.group) else { return Ok(()) };
    match kill_process_group(group, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(rustix::io::Errno::PERM) => {
            warn!(
                group = name.group,
                "a program of an earlier gateway runs as another user and was not ended"
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn forget(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        warn!(%error, "the record of an ended program was not removed");
    }
}
