//! Processes that have left their program's group. A program can be killed with its group, but what it has started in
//! sessions of their own (as pi starts the commands of its model) stays. It is recognised by a variable in its
//! environment that has another value for each start of a program.

use std::ffi::OsString;
use std::io;

/// The variable that tells the starts of programs apart.
pub(super) const VARIABLE: &str = "FRONTDESK_PROCESS";

/// A value for one start.
pub(super) fn mark() -> io::Result<OsString> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
}

/// Kills every process whose environment has this mark. Does nothing where the kernel does not show environments.
#[cfg(target_os = "linux")]
pub(super) async fn end(mark: OsString) {
    let ended = tokio::task::spawn_blocking(move || linux::end(&mark)).await;
    match ended {
        Ok(Ok(0)) => {}
        Ok(Ok(ended)) => tracing::info!(ended, "ended processes that an agent's program had left behind"),
        Ok(Err(error)) => tracing::warn!(%error, "what an agent's program has left behind was not ended"),
        Err(error) => tracing::warn!(%error, "the search for what an agent's program has left behind failed"),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) async fn end(_mark: OsString) {}

/// The mark of a process; `None` if it has none or is gone.
#[cfg(target_os = "linux")]
pub(super) fn of(process: i32) -> Option<OsString> {
    linux::of(process)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn of(_process: i32) -> Option<OsString> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::{OsStr, OsString};
    use std::io;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    /// A process can start another one while all are listed.
    const ROUNDS: usize = 5;

    pub(super) fn of(process: i32) -> Option<OsString> {
        let environment = std::fs::read(format!("/proc/{process}/environ")).ok()?;
        let begin = format!("{}=", super::VARIABLE);
        let value =
            environment.split(|byte| *byte == 0).find_map(|one| one.strip_prefix(begin.as_bytes()))?;
        Some(OsString::from_vec(value.to_vec()))
    }

    pub(super) fn end(mark: &OsStr) -> io::Result<usize> {
        let mut ended = 0;
        for _ in 0..ROUNDS {
            let before = ended;
            for entry in std::fs::read_dir("/proc")? {
                let process = entry?.file_name();
                let process = std::str::from_utf8(process.as_bytes()).ok().and_then(|name| name.parse().ok());
                if let Some(process) = process
                    && kill(process, mark)?
                {
                    ended += 1;
                }
            }
            if ended == before {
                break;
            }
        }
        Ok(ended)
    }

    /// Whether the process had the mark and was killed. The handle makes sure that it is the process whose environment
    /// was read, even if its number is used again meanwhile.
    fn kill(process: i32, mark: &OsStr) -> io::Result<bool> {
        if of(process).as_deref() != Some(mark) {
            return Ok(false);
        }
        let Some(pid) = Pid::from_raw(process) else { return Ok(false) };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::SRCH) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if of(process).as_deref() != Some(mark) {
            return Ok(false);
        }
        match pidfd_send_signal(&handle, Signal::KILL) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH | Errno::PERM) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
