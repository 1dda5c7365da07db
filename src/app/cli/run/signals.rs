//! The signals that stop the gateway or let it read its configuration again.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinError;

use super::super::{Failure, screen};

/// The signals that the gateway handles.
pub(super) struct Signals {
    pub(super) stop: StopSignals,
    pub(super) hangup: Signal,
}

/// The signals that stop the gateway.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Signals, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(format!("cannot listen for signals: {error}")));
        let (terminate, interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        Ok(Signals { stop: StopSignals { terminate, interrupt }, hangup: listen(SignalKind::hangup())? })
    }
}

impl StopSignals {
    /// Waits for the next signal, and returns its name.
    pub(super) async fn recv(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Does something that may run programs that print secrets; `None` if a signal to stop came meanwhile, which ends them.
    pub(super) async fn unless_stopped<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Failure> {
        let failed = |error: JoinError| Failure::new(format!("the configuration was not read: {error}"));
        let mut working = tokio::task::spawn_blocking(work);
        let name = tokio::select! {
            done = &mut working => return done.map(Some).map_err(failed),
            name = self.recv() => name,
        };
        frontdesk::config::end_secret_commands();
        working.await.map_err(failed)?;
        screen::note(&format!("{name}: stopped while the configuration was read"));
        Ok(None)
    }
}
