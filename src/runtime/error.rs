//! Errors of operations on a running gateway.

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::ask::AskError;
use frontdesk_core::group::LookupError;
use frontdesk_core::id::TaskId;
use frontdesk_core::job::{JobId, JobState};
use frontdesk_core::port::Busy;
use frontdesk_core::task::TaskState;
use frontdesk_store::StoreError;

use crate::media::UploadError;

/// Why an operation failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GatewayError {
    /// The named object does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// No channel has the name that was given.
    #[error(transparent)]
    NoSuchChannel(#[from] NoSuchChannel),
    /// The request is wrong; the text says what to write instead.
    #[error("{0}")]
    Invalid(String),
    /// A background task cannot be handed over, cancelled or run again.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A scheduled job cannot be made or changed.
    #[error(transparent)]
    Job(#[from] JobFault),
    /// A file is not taken.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// An answer does not count.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A platform does not describe its groups.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// Nothing is accepted at the moment.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why something cannot be done with a background task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// Too many tasks of its owner are open.
    #[error("too many of your background tasks are open: wait until one has ended, or cancel one")]
    PersonFull,
    /// Too many tasks are open.
    #[error("too many background tasks are open at the moment: try again later")]
    Full,
    /// Nothing is left of one of its budgets; the text says when it is open again.
    #[error("{0}")]
    OverBudget(String),
    /// Its owner may not write to the chat that is to get its result.
    #[error("the owner of a task must be allowed to write in the chat that gets its result")]
    NotAllowed,
    /// Another task has the key of this request.
    #[error("this key was already used for a different task: use a new one")]
    Conflict,
    /// It cannot be cancelled.
    #[error("{0} has already ended ({1})")]
    Ended(TaskId, TaskState),
    /// It cannot be run again.
    #[error("{0} has not ended yet ({1}): cancel it first, or wait")]
    Open(TaskId, TaskState),
}

/// Why something cannot be done with a scheduled job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobFault {
    /// There is none of this name, or it is somebody else's.
    #[error("there is no scheduled job {0}")]
    Unknown(JobId),
    /// Another job has this name.
    #[error("there is a scheduled job {0} already: choose a different id")]
    Exists(JobId),
    /// It is in the configuration file.
    #[error("{0} is a job of the configuration file: change it there")]
    OfFile(JobId),
    /// It is not in a state in which that can be done.
    #[error("{0}")]
    NotNow(String),
    /// It would never run.
    #[error("the time of {0} is over, so it would never run: choose a time that is to come")]
    Over(JobId),
    /// Its owner has too many jobs.
    #[error("you have too many scheduled jobs: remove one first")]
    PersonFull,
    /// There are too many jobs.
    #[error("there are too many scheduled jobs: remove one first")]
    Full,
    /// Its owner may not write to the chat that is to get its results.
    #[error("the owner of a job must be allowed to write in the chat that gets its results")]
    NotAllowed,
    /// Another job has the key of this request.
    #[error("this key was already used for a different job: use a new one")]
    Conflict,
}

impl JobFault {
    /// Something cannot be done with a job in this state.
    pub(crate) fn not_now(id: &JobId, state: JobState, verb: JobVerb) -> Self {
        JobFault::NotNow(match (verb, state) {
            (JobVerb::Run, _) => format!("a run of {id} that somebody asked for has not ended yet"),
            (JobVerb::Pause, state) => format!("{id} is {} and cannot be paused", state.name()),
            (JobVerb::Resume, JobState::Active) => format!("{id} is active already"),
            (JobVerb::Resume, state) => format!("{id} is {} and cannot be resumed", state.name()),
            (JobVerb::Change, state) => format!("{id} is {} and cannot be changed", state.name()),
        })
    }
}

/// What is to be done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobVerb {
    Run,
    Pause,
    Resume,
    Change,
}
