//! A process group that can be signalled from anywhere, and never after it has ended.

use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tracing::warn;

use crate::running_turns::lock;

/// `None` once the leader is reaped: from then on its number may belong to another process.
pub(super) struct Group(Mutex<Option<Pid>>);

impl Group {
    pub(super) fn led_by(child: &Child) -> Self {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self(Mutex::new(pid))
    }

    pub(super) fn terminate(&self) {
        signal(*lock(&self.0), Signal::TERM);
    }

    pub(super) fn kill(&self) {
        signal(*lock(&self.0), Signal::KILL);
    }

    /// Waits for the leader, reaps it and kills the rest of the group. The lock is held during the reaping, so that no
    /// signal from another thread is sent after the number has become free.
    pub(super) async fn reap(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let mut wait = std::pin::pin!(child.wait());
        std::future::poll_fn(|context| {
            let mut pid = lock(&self.0);
            let exit = Future::poll(Pin::as_mut(&mut wait), context);
            if exit.is_ready() {
                signal(pid.take(), Signal::KILL);
            }
            exit
        })
        .await
    }
}

fn signal(pid: Option<Pid>, signal: Signal) {
    let Some(pid) = pid else { return };
    match kill_process_group(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(why) => warn!(group = pid.as_raw_nonzero().get(), %why, "cannot signal a process group"),
    }
}
