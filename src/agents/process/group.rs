//! A process group that can be signalled from anywhere, and never after it has ended.

use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tracing::warn;

use super::tree;
use crate::running_turns::lock;

pub(super) struct Group {
    /// `None` once the leader is reaped: from then on its number may belong to another process.
    leader: Mutex<Option<Pid>>,
    /// Whether the leader is a sandbox that ends at once, and everything in it, when it is asked to end. Then those in it
    /// are asked.
    is_sandbox: bool,
}

impl Group {
    pub(super) fn led_by(child: &Child, is_sandbox: bool) -> Self {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { leader: Mutex::new(pid), is_sandbox }
    }

    pub(super) fn terminate(&self) {
        let leader = lock(&self.leader);
        if self.is_sandbox && leader.is_some_and(ask_those_beneath) {
            return;
        }
        signal(*leader, Signal::TERM);
    }

    pub(super) fn kill(&self) {
        signal(*lock(&self.leader), Signal::KILL);
    }

    /// Waits for the leader, reaps it and kills the rest of the group. The lock is held during the reaping, so that no
    /// signal from another thread is sent after the number has become free.
    pub(super) async fn reap(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let mut wait = std::pin::pin!(child.wait());
        std::future::poll_fn(|context| {
            let mut pid = lock(&self.leader);
            let exit = Future::poll(Pin::as_mut(&mut wait), context);
            if exit.is_ready() {
                signal(pid.take(), Signal::KILL);
            }
            exit
        })
        .await
    }
}

/// Sends SIGTERM to every process beneath this one. Returns whether there was one.
fn ask_those_beneath(leader: Pid) -> bool {
    let asked = tree::of(leader.as_raw_nonzero().get()).and_then(|members| {
        let beneath = members.iter().skip(1);
        beneath.clone().try_for_each(|member| member.terminate())?;
        Ok(beneath.len() > 0)
    });
    asked.unwrap_or_else(|why| {
        warn!(%why, "cannot ask a program in a sandbox to end");
        false
    })
}

fn signal(pid: Option<Pid>, signal: Signal) {
    let Some(pid) = pid else { return };
    match kill_process_group(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(why) => warn!(group = pid.as_raw_nonzero().get(), %why, "cannot signal a process group"),
    }
}
