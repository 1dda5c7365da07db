//! Signals: those that end the chat, and those of a shell that stops and continues its jobs.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::Failure;

/// Stops a job of a shell.
const SUSPEND: i32 = rustix::process::Signal::TSTP.as_raw();
/// Continues it.
const CONTINUE: i32 = rustix::process::Signal::CONT.as_raw();

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// End, because of the signal with this name.
    End(&'static str),
    /// Stop until the process is continued.
    Suspend,
    /// The process was continued.
    Continue,
}

/// The signals that the chat handles.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    quit: Signal,
    suspend: Signal,
    resume: Signal,
}

impl Signals {
    pub fn listen() -> Result<Signals, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(format!("cannot listen for signals: {error}")));
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
            quit: listen(SignalKind::quit())?,
            suspend: listen(SignalKind::from_raw(SUSPEND))?,
            resume: listen(SignalKind::from_raw(CONTINUE))?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End("SIGTERM"),
            _ = self.interrupt.recv() => Asked::End("SIGINT"),
            _ = self.hangup.recv() => Asked::End("SIGHUP"),
            _ = self.quit.recv() => Asked::End("SIGQUIT"),
            _ = self.suspend.recv() => Asked::Suspend,
            _ = self.resume.recv() => Asked::Continue,
        }
    }
}
