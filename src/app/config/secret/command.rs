//! Runs a program that prints a secret, for a limited time and with a limited output.

use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use frontdesk_core::port::Clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::LARGEST;
use crate::clock::SystemClock;

/// How long a program may run.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
/// After this time somebody is told what is waited for.
const QUIET: Duration = Duration::from_secs(2);
/// How long a program that was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(1);

/// How often a program that runs is compared with [`ENDING`].
const LOOK: Duration = Duration::from_millis(100);

/// Whether the process ends, so that no program may run on.
static ENDING: AtomicBool = AtomicBool::new(false);

/// The process ends: programs that print secrets are killed within a moment, and later ones at once.
pub fn end_all() {
    ENDING.store(true, Ordering::Relaxed);
}

/// What the program prints, once it has exited. `still_waits` is called once if that takes a while.
pub fn printed_by(words: &[&str], folder: &Path, still_waits: &dyn Fn()) -> Result<String, String> {
    let [program, arguments @ ..] = words else {
        return Err("the secret's command is empty; write a program and its arguments".into());
    };
    let failed = |what: &str| format!("the secret's command {program} {what}");
    // The program's error output is inherited, because it tells the operator why `op read` or `pass` failed.
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .process_group(0)
        .spawn()
        .map_err(|error| failed(&format!("cannot be run: {error}")))?;
    let (output, status) = match run(&mut child, still_waits) {
        Ok(ended) => ended,
        Err(overrun) => {
            let killed = kill(&mut child).err().map(|error| format!(" (it could not be killed: {error})"));
            return Err(failed(&format!("{overrun}{}", killed.unwrap_or_default())));
        }
    };
    if !status.success() {
        return Err(failed(&format!("failed: {status}")));
    }
    String::from_utf8(output).map_err(|_| format!("what the secret's command {program} prints is not UTF-8"))
}

/// Waits for the end of the program and returns its output. What it leaves running in the background may keep its output
/// open.
fn run(child: &mut Child, still_waits: &dyn Fn()) -> Result<(Vec<u8>, ExitStatus), String> {
    let unwatched = |error: std::io::Error| format!("cannot be waited for: {error}");
    let mut stdout = child.stdout.take();
    if let Some(stdout) = &stdout {
        fcntl_setfl(stdout, OFlags::NONBLOCK).map_err(|error| unwatched(error.into()))?;
    }
    let exit = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).map_err(|e| unwatched(e.into()))?;
    let (clock, mut told, mut output) = (SystemClock::new(), false, Vec::new());
    loop {
        if ENDING.load(Ordering::Relaxed) {
            return Err("was killed, because the gateway stops".to_owned());
        }
        let passed = clock.mono().0;
        if passed >= TIME_LIMIT {
            let seconds = TIME_LIMIT.as_secs();
            return Err(format!("had not ended after {seconds} s and was killed; run it by hand to see why"));
        }
        if passed >= QUIET && !std::mem::replace(&mut told, true) {
            still_waits();
        }
        let mut watched = vec![PollFd::new(&exit, PollFlags::IN)];
        watched.extend(stdout.as_ref().map(|stdout| PollFd::new(stdout, PollFlags::IN)));
        let until = if told { TIME_LIMIT } else { QUIET };
        let has_exited = wait(&mut watched, until.saturating_sub(passed).min(LOOK)).map_err(unwatched)?;
        if let Some(open) = &mut stdout
            && !take(open, &mut output)?
        {
            stdout = None;
        }
        if has_exited {
            return child.wait().map(|status| (output, status)).map_err(unwatched);
        }
    }
}

/// Waits until something is ready; returns whether the first one is.
fn wait(watched: &mut [PollFd<'_>], time: Duration) -> std::io::Result<bool> {
    let time = Timespec::try_from(time).map_err(|_| ErrorKind::InvalidInput)?;
    match poll(watched, Some(&time)) {
        Ok(_) => Ok(watched.first().is_some_and(|first| !first.revents().is_empty())),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes what there is of the output; returns whether more may come.
fn take(stdout: &mut ChildStdout, output: &mut Vec<u8>) -> Result<bool, String> {
    let mut piece = [0; 4096];
    loop {
        match stdout.read(&mut piece) {
            Ok(0) => return Ok(false),
            Ok(n) => output.extend_from_slice(piece.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("printed something that cannot be read: {error}")),
        }
        if output.len() as u64 > LARGEST {
            return Err(format!("printed more than {} KiB and was killed; that is no secret", LARGEST >> 10));
        }
    }
}

/// Kills the program and what it has started.
fn kill(child: &mut Child) -> std::io::Result<()> {
    let pid = Pid::from_child(child);
    kill_process_group(pid, Signal::KILL)?;
    // A program that the kernel holds is not waited for.
    let exit = pidfd_open(pid, PidfdFlags::empty())?;
    wait(&mut [PollFd::new(&exit, PollFlags::IN)], KILLED)?;
    child.try_wait().map(drop)
}
