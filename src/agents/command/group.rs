//! A process group that can be signalled from anywhere, and never after it has gone.

use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tracing::warn;

use crate::running::lock;

/// `None` once the leader is reaped: from then on the number may belong to somebody else.
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

    /// Waits for the leader, reaps it and kills what is left of the group. All under one lock, so that no
    /// signal from another thread falls between the reaping and the forgetting.
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
