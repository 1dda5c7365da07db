//! What all turns of one `command` agent share.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::agent::Capabilities;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::AgentError;

use super::{Config, SideEffects};
use crate::Host;
use crate::process::{Ending, Limits, ProcessHost, ProgramConfig};

pub(super) struct TurnHost {
    pub(super) processes: Arc<ProcessHost>,
    /// Whether a run needs approval like a tool call.
    pub(super) ask: bool,
    pub(super) max_line: usize,
    pub(super) max_answer: usize,
    pub(super) capabilities: Capabilities,
}

impl TurnHost {
    pub(super) fn new(name: &str, config: &Config, host: &Host) -> Self {
        let env = config.env.iter().map(|(name, value)| (name.into(), value.expose().into())).collect();
        let program = ProgramConfig {
            section: None,
            command: config.command.clone(),
            cwd: config.cwd.clone(),
            cwd_per_session: config.cwd_per_session,
            env,
            inherit_env: config.inherit_env.clone(),
            limits: Limits { file: config.max_file, cpu: config.max_cpu },
            confinement: config.confinement(),
            end_strays: false,
            installed: None,
        };
        let ending = Ending { after_eof: Duration::ZERO, after_sigterm: Duration::from_secs(config.grace) };
        Self {
            processes: Arc::new(ProcessHost::new(name, program, ending, host)),
            ask: config.side_effects == SideEffects::Assume,
            max_line: config.max_line,
            max_answer: config.max_answer,
            capabilities: config.capabilities(),
        }
    }

    pub(super) fn too_long(&self) -> AgentError {
        AgentError::Failed(Cause::plain(format!(
            "its answer is longer than {} bytes (max_answer)",
            self.max_answer
        )))
    }
}
