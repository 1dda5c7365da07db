//! The states of a run of a job, and why one did not happen.

/// The state of a run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Its time has come, and it waits to begin.
    Due,
    /// Its agent works on it.
    Running,
    /// It has a result.
    Succeeded,
    /// It has none.
    Failed,
    /// It did not happen, or was stopped.
    Skipped,
    /// Its time passed while the gateway could not begin it. One such row stands for all times that one decision has counted
    /// as missed.
    Missed,
}

impl RunState {
    /// All variants.
    pub const ALL: [RunState; 6] = [
        RunState::Due,
        RunState::Running,
        RunState::Succeeded,
        RunState::Failed,
        RunState::Skipped,
        RunState::Missed,
    ];

    /// The name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            RunState::Due => "due",
            RunState::Running => "running",
            RunState::Succeeded => "succeeded",
            RunState::Failed => "failed",
            RunState::Skipped => "skipped",
            RunState::Missed => "missed",
        }
    }

    /// The state with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether this state is final.
    pub fn has_ended(self) -> bool {
        !matches!(self, RunState::Due | RunState::Running)
    }
}

/// Why a run was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// An earlier run of its job had not ended.
    Overlap,
    /// The owner of its job has lost access.
    Revoked,
    /// Its job was paused before it began.
    Paused,
    /// Somebody stopped it.
    Stopped,
    /// A budget of its owner, its chat or its agent was used up.
    Budget,
    /// The file of the heartbeat says the same as before.
    Unchanged,
    /// The file of the heartbeat is gone or empty.
    Empty,
}

impl SkipReason {
    /// All variants.
    pub const ALL: [SkipReason; 7] = [
        SkipReason::Overlap,
        SkipReason::Revoked,
        SkipReason::Paused,
        SkipReason::Stopped,
        SkipReason::Budget,
        SkipReason::Unchanged,
        SkipReason::Empty,
    ];

    /// The name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            SkipReason::Overlap => "overlap",
            SkipReason::Revoked => "revoked",
            SkipReason::Paused => "paused",
            SkipReason::Stopped => "stopped",
            SkipReason::Budget => "budget",
            SkipReason::Unchanged => "unchanged",
            SkipReason::Empty => "empty",
        }
    }

    /// The reason with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}
