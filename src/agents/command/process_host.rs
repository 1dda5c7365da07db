//! What all processes of one agent share.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delta::AgentError;
use frontdesk_core::port::{Clock, Turn};
use frontdesk_core::retry::is_shortage;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::process::Process;
use super::program::Program;
use super::{Config, SideEffects};
use crate::Host;

pub(super) struct ProcessHost {
    pub(super) name: String,
    pub(super) program: Program,
    pub(super) home: PathBuf,
    /// Whether a run needs approval like a tool call.
    pub(super) ask: bool,
    pub(super) max_line: usize,
    pub(super) max_answer: usize,
    pub(super) grace: Duration,
    pub(super) clock: Arc<dyn Clock>,
    /// All tasks of all processes. Stopping waits for them.
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl ProcessHost {
    pub(super) fn new(name: &str, config: &Config, host: &Host) -> Self {
        Self {
            name: name.into(),
            program: Program::new(name, config, host),
            // Programs run in another directory, where a relative path would mean something else.
            home: std::path::absolute(&host.home).unwrap_or_else(|_| host.home.clone()),
            ask: config.side_effects == SideEffects::Assume,
            max_line: config.max_line,
            max_answer: config.max_answer,
            grace: Duration::from_secs(config.grace),
            clock: host.clock.clone(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Starts the program for a turn. `facts` is the file with the turn's facts, for a program of one turn. Cancelling
    /// `end` ends the program with SIGTERM.
    pub(super) async fn start(
        &self,
        turn: &Turn,
        facts: Option<&Path>,
        end: CancellationToken,
    ) -> Result<Process, AgentError> {
        if self.stop.is_cancelled() {
            return Err(AgentError::Unavailable("the gateway stops".into()));
        }
        self.program.make_folders().await.map_err(|why| self.not_started(&why))?;
        Process::start(self, turn, facts, end).map_err(|why| self.not_started(&why))
    }

    /// A shortage of descriptors, processes or memory is temporary, and nothing has begun: the turn can wait.
    pub(super) fn not_started(&self, why: &io::Error) -> AgentError {
        let detail = self.program.cannot_start(why);
        if is_shortage(why) { AgentError::Later(detail) } else { AgentError::Unavailable(detail) }
    }

    pub(super) fn too_long(&self) -> AgentError {
        AgentError::Failed(format!("its answer is longer than {} bytes (max_answer)", self.max_answer))
    }

    /// Ends every process and waits until all are reaped.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
