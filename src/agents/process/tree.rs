//! The processes that a program has started, and what these have started. With a prefix (`run_with`) the program itself
//! is one of them.

use std::collections::HashMap;
use std::io;

use super::record::Stat;

/// A process that cannot be taken for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Member {
    pub(super) process: i32,
    began: u64,
}

/// The running processes beneath this one and the process itself, parents before their children. Empty where the kernel
/// does not list processes.
pub(super) fn of(root: i32) -> io::Result<Vec<Member>> {
    let mut children: HashMap<i32, Vec<Member>> = HashMap::new();
    let mut found = Vec::new();
    let Some(list) = super::record::known(std::fs::read_dir("/proc"))? else { return Ok(found) };
    for entry in list {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Some(stat) = Stat::of(process)?.filter(Stat::runs) else { continue };
        let member = Member { process, began: stat.began };
        match process == root {
            true => found.push(member),
            false => children.entry(stat.parent).or_default().push(member),
        }
    }
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        if let Some(more) = children.remove(&parent.process) {
            found.extend(more);
        }
        next += 1;
    }
    Ok(found)
}

impl Member {
    /// Sends SIGTERM. The handle makes sure that the number does not belong to another process by now.
    #[cfg(target_os = "linux")]
    pub(super) fn terminate(self) -> io::Result<()> {
        use rustix::io::Errno;
        use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

        let Some(pid) = Pid::from_raw(self.process) else { return Ok(()) };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if Stat::of(self.process)?.is_none_or(|stat| stat.began != self.began) {
            return Ok(());
        }
        match pidfd_send_signal(&handle, Signal::TERM) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn terminate(self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_processes_beneath_a_program_are_found_in_any_group_and_session() {
        let script = "setsid sh -c 'sleep 1000 & wait' & sleep 1000 & wait";
        let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let root = i32::try_from(child.id()).unwrap();
        let found = loop {
            let found = of(root).unwrap();
            // Two shells, one of them in a session of its own, and two sleepers.
            if found.len() >= 4 {
                break found;
            }
            std::thread::yield_now();
        };
        assert_eq!(found[0].process, root);
        assert!(of(i32::MAX).unwrap().is_empty());
        for member in found {
            member.terminate().unwrap();
        }
        child.wait().unwrap();
    }
}
