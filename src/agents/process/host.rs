//! What all processes of one agent share.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontdesk_core::cause::Cause;
use frontdesk_core::delta::AgentError;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Clock;
use frontdesk_core::retry::is_shortage;
use frontdesk_http::proxy::Access;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::child::{Ending, Prefix, Process, Started, Supervision};
use super::program::{Program, ProgramConfig, Start};
use crate::Host;

/// Starts the processes of one agent and owns their tasks.
pub struct ProcessHost {
    /// The agent's name, for the log.
    pub name: String,
    /// Cancelled when the agent stops.
    pub stop: CancellationToken,
    pub(super) supervision: Supervision,
    program: Program,
    proxy: Option<Access>,
}

impl ProcessHost {
    /// The host for the agent `name`. Starts nothing and touches no file.
    pub fn new(name: &str, config: ProgramConfig, ending: Ending, host: &Host) -> Self {
        // Programs run in another directory, where a relative path would mean something else.
        let home = std::path::absolute(&host.home).unwrap_or_else(|_| host.home.clone());
        let end_strays = config.end_strays;
        let program = Program::new(name, config, &home, &host.env);
        let prefix = match (program.has_prefix(), program.is_sandboxed()) {
            (false, _) => Prefix::None,
            (true, false) => Prefix::Relays,
            (true, true) => Prefix::Sandbox,
        };
        let (clock, tasks) = (host.clock.clone(), TaskTracker::new());
        Self {
            name: name.into(),
            stop: CancellationToken::new(),
            program,
            proxy: host.proxy.clone(),
            supervision: Supervision { home, clock, tasks, ending, prefix, end_strays },
        }
    }

    /// Starts the program. Cancelling `end` ends it as [`Process::retire`] does.
    pub async fn start(&self, start: Start<'_>, end: CancellationToken) -> Result<Process, AgentError> {
        if self.stop.is_cancelled() {
            return Err(AgentError::Unavailable("the gateway stops".into()));
        }
        let session = start.turn.map(|turn| &turn.session);
        let not_started = |why| self.not_started(session, &why);
        self.program.make_folders(session).await.map_err(not_started)?;
        let proxy =
            self.proxy.as_ref().map(|proxy| proxy.grant(&self.name)).transpose().map_err(not_started)?;
        let command = self.program.command(&start, proxy.as_ref()).map_err(not_started)?;
        let program = Started { command, agent: &self.name, turn: start.turn, proxy };
        Process::start(&self.supervision, program, self.program.limits(), end).map_err(not_started)
    }

    /// Why a program could not be started. A shortage of descriptors, processes or memory is temporary, and nothing has
    /// begun: the turn can wait.
    pub fn not_started(&self, session: Option<&SessionKey>, why: &io::Error) -> AgentError {
        let cause = Cause::plain(self.program.cannot_start(session, why));
        if is_shortage(why) { AgentError::Later(cause) } else { AgentError::Unavailable(cause) }
    }

    /// Counts a program that could not be started, or that ended before it could be used.
    pub fn spawn_failed(&self) {
        metrics::counter!("frontdesk_agent_spawn_failures_total", "agent" => self.name.clone()).increment(1);
    }

    /// Why the program could not be started now, if that can be seen without starting it.
    pub fn problem(&self) -> Option<String> {
        self.program.problem()
    }

    /// Where the program is that would be started now. Behind a prefix it may be in another file system.
    pub fn program(&self) -> Option<PathBuf> {
        self.program.find(self.program.path())
    }

    /// Where a program is that the agent's program would find by its name.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        self.program.find(OsStr::new(name))
    }

    /// The gateway's home directory, as an absolute path.
    pub fn home(&self) -> &Path {
        &self.supervision.home
    }

    /// The clock for every wait.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.supervision.clock
    }

    /// How long a program has to end by itself when it is asked to.
    pub fn ending(&self) -> Ending {
        self.supervision.ending
    }

    /// Ends every process and waits until all are reaped.
    pub async fn close(&self) {
        self.stop.cancel();
        self.supervision.tasks.close();
        self.supervision.tasks.wait().await;
    }
}
