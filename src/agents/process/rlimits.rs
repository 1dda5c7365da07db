//! Limits of the kernel on a program.
//!
//! Two limits are absent on purpose. The address space (`RLIMIT_AS`) of Node, Go or Java is many times the memory that
//! they use, and a limit on it ends them at the start. The number of processes (`RLIMIT_NPROC`) counts all processes of
//! the user, the gateway's included.

use std::collections::HashSet;
use std::io;

use super::tree;

/// The limits on one program; each process that the program starts inherits them. No program writes a memory dump when
/// it crashes: dumps contain prompts and secrets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of a file that the program writes, in bytes. A write beyond it fails, or ends the program.
    pub file: Option<u64>,
    /// Maximum processor time of one process, in seconds. Beyond it the program gets SIGXCPU, and SIGKILL a second
    /// later.
    pub cpu: Option<u64>,
}

/// Sets the limits of a process that has just started and has not got its prompt yet. It is done from outside, because
/// code between fork and exec cannot be written safely.
#[cfg(target_os = "linux")]
pub(super) fn apply(limits: &Limits, process: u32) -> io::Result<()> {
    use rustix::io::Errno;
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    let process = process.ok_or_else(|| io::Error::other("the program has no process id"))?;
    let set = |resource, soft: u64, hard: u64| {
        // A limit of the gateway is inherited and cannot be raised.
        let ours = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let new = Rlimit { current: Some(soft.min(ours)), maximum: Some(hard.min(ours)) };
        match prlimit(Some(process), resource, new) {
            // It has exited already.
            Ok(_) | Err(Errno::SRCH) => Ok(()),
            Err(error) => {
                let error = io::Error::from(error);
                Err(io::Error::new(error.kind(), format!("its limits cannot be set: {error}")))
            }
        }
    };
    // Fails for a program that runs as another user (`sudo`): the kernel writes no dump of such a program.
    if let Err(error) = set(Resource::Core, 0, 0) {
        tracing::debug!(%error, "an agent's program may write a memory dump");
    }
    if let Some(bytes) = limits.file {
        set(Resource::Fsize, bytes, bytes)?;
    }
    if let Some(seconds) = limits.cpu {
        set(Resource::Cpu, seconds, seconds.saturating_add(1))?;
    }
    Ok(())
}

/// The same for a process and everything that it has started, in as many rounds as find a new process: what a process
/// with limits starts has them.
pub(super) fn apply_beneath(limits: &Limits, process: u32) -> io::Result<()> {
    apply(limits, process)?;
    let root = i32::try_from(process).map_err(io::Error::other)?;
    let mut limited = HashSet::new();
    loop {
        let mut more = tree::of(root)?;
        more.retain(|member| limited.insert(*member));
        if more.is_empty() {
            return Ok(());
        }
        for member in more {
            apply(limits, u32::try_from(member.process).map_err(io::Error::other)?)?;
        }
    }
}

/// Other systems cannot limit a process from outside.
#[cfg(not(target_os = "linux"))]
pub(super) fn apply(limits: &Limits, _process: u32) -> io::Result<()> {
    match *limits == Limits::default() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::Unsupported, "this system cannot limit a program")),
    }
}
