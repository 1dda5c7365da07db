//! By what a job was made, and why it does not run.

/// By what a job was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobSource {
    /// The configuration file.
    Config,
    /// A command in a chat.
    Chat,
    /// The HTTP interface.
    Api,
    /// The command line.
    Cli,
    /// An agent's tool.
    Agent,
}

impl JobSource {
    /// All variants.
    pub const ALL: [JobSource; 5] =
        [JobSource::Config, JobSource::Chat, JobSource::Api, JobSource::Cli, JobSource::Agent];

    /// The name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            JobSource::Config => "config",
            JobSource::Chat => "chat",
            JobSource::Api => "api",
            JobSource::Cli => "cli",
            JobSource::Agent => "agent",
        }
    }

    /// The source with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// Why a job is paused or disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseReason {
    /// Somebody asked for it.
    Asked,
    /// The configuration file says so.
    File,
    /// Its owner has lost access.
    Revoked,
    /// It has failed too often in a row, or it was to run once and has failed.
    Failures,
    /// Its schedule cannot be read any more.
    Unreadable,
}

impl PauseReason {
    /// All variants.
    pub const ALL: [PauseReason; 5] = [
        PauseReason::Asked,
        PauseReason::File,
        PauseReason::Revoked,
        PauseReason::Failures,
        PauseReason::Unreadable,
    ];

    /// The name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            PauseReason::Asked => "asked",
            PauseReason::File => "file",
            PauseReason::Revoked => "revoked",
            PauseReason::Failures => "failures",
            PauseReason::Unreadable => "unreadable",
        }
    }

    /// The reason with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}
