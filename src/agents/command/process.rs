//! A running program with its pipes and the tasks that serve them.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use frontdesk_core::port::{Clock, Turn};
use tokio::process::{Child, ChildStdout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::group::Group;
use super::input::Input;
use super::output::Output;
use super::process_host::ProcessHost;
use super::record::Record;
use super::stderr::Stderr;

/// Dropping it kills the whole group at once. The reaper task waits for the exit.
pub(super) struct Process {
    /// The pipe is closed when this is taken and dropped and everything queued has been written.
    pub(super) input: Option<Input>,
    pub(super) output: Output<ChildStdout>,
    pub(super) stderr: Stderr,
    group: Arc<Group>,
    exit: Arc<OnceLock<ExitStatus>>,
    gone: CancellationToken,
    end: CancellationToken,
    retired: bool,
}

impl Process {
    pub(super) fn start(
        host: &ProcessHost,
        turn: &Turn,
        facts: Option<&Path>,
        end: CancellationToken,
    ) -> io::Result<Self> {
        let mut child = host.program.command(turn, facts).spawn()?;
        let group = Arc::new(Group::led_by(&child));
        // From here on every early return kills the group.
        let killed = KilledOnDrop(group.clone());
        let leader = child.id().ok_or_else(|| io::Error::other("it was reaped before it was begun"))?;
        let record = Record::of(&host.home, leader, &turn.id.to_string())?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("no pipes"));
        };
        let gone = CancellationToken::new();
        let exit = Arc::new(OnceLock::new());
        let reaper = Reaper {
            group: killed,
            record,
            exit: exit.clone(),
            gone: gone.clone(),
            end: end.clone(),
            clock: host.clock.clone(),
            grace: host.grace,
        };
        host.tasks.spawn(reaper.run(child));
        Ok(Self {
            input: Some(Input::open(&host.tasks, stdin, end.clone(), gone.clone())),
            output: Output::new(stdout, gone.clone()),
            stderr: Stderr::read(host, turn, Output::new(stderr, gone.clone())),
            group,
            exit,
            gone,
            end,
            retired: false,
        })
    }

    /// Ends the program in the background: closes its stdin, sends SIGTERM and, after the grace period, SIGKILL.
    pub(super) fn retire(mut self) {
        self.end.cancel();
        self.retired = true;
    }

    pub(super) fn kill(&self) {
        self.group.kill();
    }

    pub(super) fn has_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    /// Waits until it is reaped.
    pub(super) async fn exited(&self) -> Option<ExitStatus> {
        self.gone.cancelled().await;
        self.exit.get().copied()
    }

    /// How it ended: its exit code or signal, and the last line on stderr. That line may quote the prompt, so this text
    /// is for the owner and the log, never for a chat.
    pub(super) async fn failure_detail(&self) -> String {
        let end = match self.exited().await {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => status.to_string(),
            },
            None => "exit code unknown".into(),
        };
        match self.stderr.last_line().await {
            line if line.is_empty() => end,
            line => format!("{end}: {line}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.retired {
            self.group.kill();
        }
    }
}

/// Owns the child, so that every child is reaped whatever happens to its turn.
struct Reaper {
    group: KilledOnDrop,
    /// Declared after `group`, so that dropping this kills the group before the record is deleted.
    record: Record,
    exit: Arc<OnceLock<ExitStatus>>,
    gone: CancellationToken,
    end: CancellationToken,
    clock: Arc<dyn Clock>,
    grace: Duration,
}

impl Reaper {
    async fn run(self, mut child: Child) {
        match self.wait(&mut child).await {
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
            () = self.end.cancelled() => group.terminate(),
        }
        tokio::select! {
            status = &mut exit => return status,
            () = self.clock.sleep_until(self.clock.mono() + self.grace) => group.kill(),
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
