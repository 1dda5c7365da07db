//! This run of the process: since when it runs, whether it is stopping, and what an admin asked of it.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Stop;
use frontdesk_core::tool::ToolEndpoint;
use tokio::sync::watch;

/// Where a program finds the tools of a session.
pub type ToolEndpoints = Arc<dyn Fn(&SessionKey) -> ToolEndpoint + Send + Sync>;

/// Why a request of an admin is refused that the program would not carry out.
pub(crate) const EMBEDDED: &str = "This gateway is part of another program, and only that can stop it, restart it or change its configuration.";

/// A request of an admin that concerns the whole process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// To end.
    Stop,
    /// To end and begin again.
    Restart,
    /// To read the configuration again.
    Reload,
}

pub(crate) struct Process {
    /// The boot id, which owns claimed rows.
    pub(crate) boot: String,
    pub(crate) started: DateTime<Utc>,
    /// Set when no more messages are taken.
    pub(crate) closing: Stop,
    /// Set when running turns must be released for the next start.
    pub(crate) drain: Stop,
    /// Whether the program does what an admin asks for.
    pub(crate) obeys_admins: bool,
    /// What an admin asked for.
    pub(crate) wanted: watch::Sender<Option<Lifecycle>>,
    /// The commands that an earlier boot has accepted and not run.
    pub(crate) earlier_commands: OnceLock<Vec<MessageId>>,
    /// Why the configuration file cannot be used.
    pub(crate) config_error: watch::Sender<Option<String>>,
    /// What the last reload could not do after it had applied the configuration.
    pub(crate) reload_unfinished: watch::Sender<Vec<String>>,
    /// Where programs find the tools, if a server serves them.
    pub(crate) tool_endpoints: Option<ToolEndpoints>,
}

impl Process {
    /// Whether an earlier boot has accepted this command.
    pub(crate) fn is_of_earlier_boot(&self, command: MessageId) -> bool {
        self.earlier_commands.get().is_some_and(|commands| commands.contains(&command))
    }

    pub(crate) fn new(
        boot: String,
        started: DateTime<Utc>,
        obeys_admins: bool,
        tool_endpoints: Option<ToolEndpoints>,
    ) -> Self {
        Self {
            boot,
            started,
            closing: Stop::new(),
            drain: Stop::new(),
            obeys_admins,
            wanted: watch::Sender::new(None),
            earlier_commands: OnceLock::new(),
            config_error: watch::Sender::new(None),
            reload_unfinished: watch::Sender::new(Vec::new()),
            tool_endpoints,
        }
    }
}
