//! A running program with its pipes and the tasks that serve them.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use frontdesk_core::cause::Cause;
use frontdesk_core::port::{Clock, Turn};
use frontdesk_http::proxy::Grant;
use rustix::process::Signal;
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::environment::NO_TURN;
use super::group::Group;
use super::input::Input;
use super::output::Output;
use super::record::Record;
use super::rlimits::{self, Limits};
use super::starter;
use super::stderr::Stderr;
use super::strays;

/// How long a program has to end by itself. First its stdin is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ending {
    /// Between closing stdin and SIGTERM. Zero means that both happen at once.
    pub after_eof: Duration,
    /// Between SIGTERM and SIGKILL.
    pub after_sigterm: Duration,
}

/// What stands between the gateway and a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Nothing.
    None,
    /// A prefix that passes SIGTERM on, or that is replaced by the program.
    Relays,
    /// A sandbox that ends at once, and everything in it, when it gets SIGTERM.
    Sandbox,
}

/// What the tasks of a process need.
pub(super) struct Supervision {
    pub(super) home: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    /// All tasks of all processes. Stopping waits for them.
    pub(super) tasks: TaskTracker,
    pub(super) ending: Ending,
    pub(super) prefix: Prefix,
    pub(super) end_strays: bool,
}

/// What is started.
pub(super) struct Started<'a> {
    pub(super) command: Command,
    pub(super) agent: &'a str,
    /// `None` for a program that is started ahead.
    pub(super) turn: Option<&'a Turn>,
    /// Its right to use the proxy, which ends with it.
    pub(super) proxy: Option<Grant>,
}

/// A running program. Dropping it kills the whole group at once. A task waits for the exit.
pub struct Process {
    /// Its stdin. The pipe is closed when this is taken and dropped and everything queued has been written.
    pub input: Option<Input>,
    /// Its stdout.
    pub output: Output<ChildStdout>,
    /// Its stderr.
    pub stderr: Stderr,
    group: Arc<Group>,
    exit: Arc<OnceLock<ExitStatus>>,
    gone: CancellationToken,
    end: CancellationToken,
    prefix: Prefix,
    retired: bool,
}

impl Process {
    /// Starts a program for a turn, or ahead of one. It is on record and has its limits when this returns, so before it
    /// can get a prompt.
    pub(super) fn start(
        supervision: &Supervision,
        program: Started<'_>,
        limits: &Limits,
        end: CancellationToken,
    ) -> io::Result<Self> {
        let Supervision { home, clock, tasks, ending, prefix, end_strays } = supervision;
        let Started { mut command, agent, turn, proxy } = program;
        let mark = strays::mark()?;
        command.env(strays::VARIABLE, &mark);
        let mut child = starter::spawn(command)?;
        let group = Arc::new(Group::led_by(&child, *prefix == Prefix::Sandbox));
        // From here on every early return kills the group.
        let killed = KilledOnDrop(group.clone());
        let leader =
            child.id().ok_or_else(|| io::Error::other("the program exited before it could be recorded"))?;
        let record = Record::of(home, leader, &turn.map_or(NO_TURN.into(), |turn| turn.id.to_string()))?;
        match prefix {
            Prefix::None => rlimits::apply(limits, leader)?,
            Prefix::Relays | Prefix::Sandbox => rlimits::apply_beneath(limits, leader)?,
        }
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("no pipes"));
        };
        let gone = CancellationToken::new();
        let exit = Arc::new(OnceLock::new());
        let reaper = Reaper {
            group: killed,
            record,
            _proxy: proxy,
            exit: exit.clone(),
            gone: gone.clone(),
            end: end.clone(),
            clock: clock.clone(),
            ending: *ending,
            mark: end_strays.then_some(mark),
        };
        tasks.spawn(reaper.run(child));
        Ok(Self {
            input: Some(Input::open(tasks, stdin, end.clone(), gone.clone())),
            output: Output::new(stdout, gone.clone()),
            stderr: Stderr::read(tasks, agent, turn, Output::new(stderr, gone.clone())),
            group,
            exit,
            gone,
            end,
            prefix: *prefix,
            retired: false,
        })
    }

    /// Ends the program in the background: closes its stdin, then sends SIGTERM and at last SIGKILL to its group, each
    /// if the program has not exited in time (see [`Ending`]).
    pub fn retire(mut self) {
        self.end.cancel();
        self.retired = true;
    }

    /// Kills the whole group at once. Behind a prefix that passes signals on, the program is asked to end first: SIGKILL
    /// cannot be passed on, and the program may be out of our reach (another user's, or in a container).
    pub fn kill(&self) {
        match self.prefix {
            Prefix::Relays => self.end.cancel(),
            Prefix::None | Prefix::Sandbox => self.group.kill(),
        }
    }

    /// Whether it has exited and is reaped.
    pub fn has_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    /// Cancelled once it has exited and is reaped.
    pub fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }

    /// Waits until it is reaped.
    pub async fn exited(&self) -> Option<ExitStatus> {
        self.gone.cancelled().await;
        self.exit.get().copied()
    }

    /// Whether a signal has ended it, also one that a shell or a sandbox reports as an exit code. `false` until it is reaped.
    pub fn was_killed(&self) -> bool {
        let status = self.exit.get();
        status.is_some_and(|status| status.signal().is_some() || status.code().is_some_and(|code| code > 128))
    }

    /// How it ended: its exit code or signal, and the last line on stderr, which may quote the prompt.
    pub async fn failure(&self) -> Cause {
        let end = match self.exited().await {
            Some(status) => match (status.code(), status.signal()) {
                // A shell and a sandbox report a signal that ended their program this way.
                (Some(code), _) => format!("exit code {code}{}", limit_behind(code - 128)),
                (None, Some(signal)) => format!("signal {signal}{}", limit_behind(signal)),
                (None, None) => status.to_string(),
            },
            None => "exit code unknown".into(),
        };
        Cause::quoting(end, self.stderr.last_line().await)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.retired {
            self.kill();
        }
    }
}

/// Which limit a signal stands for.
fn limit_behind(signal: i32) -> &'static str {
    if signal == Signal::XCPU.as_raw() {
        ", the limit of its processor time"
    } else if signal == Signal::XFSZ.as_raw() {
        ", the limit of a file's size"
    } else {
        ""
    }
}

/// Owns the child, so that every child is reaped whatever happens to its turn.
struct Reaper {
    group: KilledOnDrop,
    /// Declared after `group`, so that dropping this kills the group before the record is deleted.
    record: Record,
    _proxy: Option<Grant>,
    exit: Arc<OnceLock<ExitStatus>>,
    gone: CancellationToken,
    end: CancellationToken,
    clock: Arc<dyn Clock>,
    ending: Ending,
    /// The mark of processes that have left the group, if they are to be ended.
    mark: Option<OsString>,
}

impl Reaper {
    async fn run(mut self, mut child: Child) {
        let exit = self.wait(&mut child).await;
        if let Some(mark) = self.mark.take()
            && !exit.as_ref().is_ok_and(ExitStatus::success)
        {
            strays::end(mark).await;
        }
        match exit {
            Ok(status) => {
                self.exit.get_or_init(|| status);
            }
            Err(why) => warn!(%why, "cannot wait for an agent's process"),
        }
        self.gone.cancel();
        drop(self.record);
    }

    async fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let group = &self.group.0;
        let mut exit = std::pin::pin!(group.reap(child));
        tokio::select! {
            status = &mut exit => return status,
            // The task that writes to stdin ends as well, which closes the pipe.
            () = self.end.cancelled() => {}
        }
        let Ending { after_eof, after_sigterm } = self.ending;
        if !after_eof.is_zero() {
            tokio::select! {
                status = &mut exit => return status,
                () = self.clock.sleep_until(self.clock.mono() + after_eof) => {}
            }
        }
        group.terminate();
        tokio::select! {
            status = &mut exit => return status,
            () = self.clock.sleep_until(self.clock.mono() + after_sigterm) => group.kill(),
        }
        exit.await
    }
}

/// Kills the group if the async runtime shuts down.
struct KilledOnDrop(Arc<Group>);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}
