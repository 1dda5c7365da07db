//! Errors of operations on a running gateway.

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::ask::AskError;
use frontdesk_core::id::TaskId;
use frontdesk_core::task::TaskState;
use frontdesk_store::StoreError;

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
    /// An answer does not count.
    #[error(transparent)]
    Ask(#[from] AskError),
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
