//! Background tasks: what is submitted, what is stored, and what became of a request.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::budget::{Budget, UsedUp};
use frontdesk_core::id::{OutId, TaskId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Attachment, Sender};
use frontdesk_core::progress::Progress;
use frontdesk_core::task::{TaskProblem, TaskSource, TaskState, cause};

use super::{OutboxState, Reason, Stopped};

/// What is known about a task when it is handed over.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskOrder {
    /// Who hands it over.
    pub owner: Sender,
    /// The session in which that happens; `None` outside of a chat.
    pub origin: Option<SessionKey>,
    /// The chat and the thread to which its result goes.
    pub address: Address,
    /// Whether anything is sent there. If not, the result waits to be fetched.
    pub delivers: bool,
    /// The platform's id of the message that asks for it.
    pub reply_to: Option<String>,
    /// By what it is submitted.
    pub source: TaskSource,
    /// Its title.
    pub title: String,
    /// The text that its agent gets.
    pub text: String,
    /// Files that came with it. They are fetched when its agent begins.
    pub attachments: Vec<Attachment>,
    /// How long its agent may work on it.
    pub limit: Duration,
    /// The task that it runs again.
    pub retry_of: Option<TaskId>,
}

/// A task to be stored.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// The agent that works on it.
    pub agent: String,
    /// The account whose chat it belongs to.
    pub account: AccountId,
    /// What is handed over.
    pub order: TaskOrder,
    /// Names the request: a repetition makes no second task. `None` if it cannot be repeated.
    pub request: Option<String>,
    /// How many tasks may be open.
    pub open: OpenTasks,
    /// The budgets with a limit for which it will count.
    pub budgets: Vec<Budget>,
}

/// How many tasks may be open, which is queued, running or waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTasks {
    /// In all.
    pub total: u32,
    /// Of one person.
    pub per_person: u32,
}

/// How many tasks may run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskPlaces {
    /// In all.
    pub total: u32,
    /// Of one person.
    pub per_person: u32,
    /// Of one chat.
    pub per_chat: u32,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskSubmitted {
    /// It is stored.
    Stored(TaskId),
    /// The same request has stored it before.
    Known(TaskId),
    /// Too many tasks of this person are open.
    PersonFull,
    /// Too many tasks are open.
    Full,
    /// Nothing is left of one of its budgets.
    OverBudget(UsedUp),
}

/// What became of an answer under way that is to go on in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MovedToTask {
    /// It was stopped here, and its messages are a task now.
    Moved(TaskSubmitted, Stopped),
    /// No answer is under way.
    Nothing,
    /// The agent has begun to act, so it cannot begin again elsewhere.
    HasActed,
    /// Others asked for it.
    OfOthers,
    /// Several people asked for it, and a task has one owner.
    OfSeveral,
}

/// Who may cancel or repeat a task, or read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskReach {
    /// The tasks of this person.
    Own(Principal),
    /// The tasks of this person that this session has handed over.
    OwnInChat(Principal, SessionKey),
    /// The tasks that this session has handed over, whoever asked for them.
    Chat(SessionKey),
    /// All tasks.
    All,
}

impl TaskReach {
    /// The owner whose tasks these are; `None` for all tasks.
    pub(crate) fn owner(&self) -> Option<&str> {
        match self {
            TaskReach::Own(person) | TaskReach::OwnInChat(person, _) => Some(person.as_str()),
            TaskReach::Chat(_) | TaskReach::All => None,
        }
    }

    /// The session that has handed them over; `None` for any.
    pub(crate) fn origin(&self) -> Option<&str> {
        match self {
            TaskReach::Chat(session) | TaskReach::OwnInChat(_, session) => Some(session.as_str()),
            TaskReach::Own(_) | TaskReach::All => None,
        }
    }
}

/// A cancelled task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelledTask {
    /// Its session.
    pub session: SessionKey,
    /// Where its result would have gone.
    pub address: Address,
    /// Its turn, whose agent must be told.
    pub stopped: Stopped,
}

/// What became of a request about one task.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskFound<T> {
    /// It was done.
    Done(T),
    /// It has ended, or has not ended yet, so that there is nothing to do.
    NotNow(TaskState),
    /// There is no such task, or it is somebody else's.
    Unknown,
}

/// What a turn knows of the task that it works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnTask {
    /// The task.
    pub id: TaskId,
    /// Its title.
    pub title: String,
    /// The session that has handed it over.
    pub origin: Option<SessionKey>,
    /// Whether anything is sent to its chat.
    pub delivers: bool,
    /// How long its agent may work on it.
    pub limit: Duration,
}

/// A stored task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// The session of its own.
    pub session: SessionKey,
    /// What was handed over.
    pub order: TaskOrder,
    /// Its state.
    pub state: TaskState,
    /// How often it was begun.
    pub attempt: u32,
    /// The turn that works on it, or has.
    pub turn: Option<TurnId>,
    /// How far it is.
    pub progress: Progress,
    /// The message that shows its progress.
    pub progress_out: Option<OutId>,
    /// The first message of its result, and the state of that message.
    pub result_out: Option<(OutId, OutboxState)>,
    /// Its agent's text, in Markdown; the text so far of one that has no result.
    pub result: Option<String>,
    /// Why it has no result.
    pub error: Option<Reason>,
    /// When it was handed over.
    pub created: DateTime<Utc>,
    /// When it was begun first.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished: Option<DateTime<Utc>>,
}

impl TaskRow {
    /// Why it has no result, if it has ended without one.
    pub fn problem(&self) -> Option<TaskProblem> {
        if !self.state.has_ended() || self.state == TaskState::Succeeded {
            return None;
        }
        let limit = self.order.limit;
        let (code, message) = match self.error {
            Some(Reason::Refused(refusal)) => (refusal.name(), Some(refusal.sentence().to_owned())),
            Some(Reason::Failed(failure)) => (failure.name(), cause(self.state, Some(failure), limit)),
            _ => (self.state.name(), cause(self.state, None, limit)),
        };
        let message = message.unwrap_or_else(|| "It has failed.".to_owned());
        Some(TaskProblem { code: code.to_owned(), message })
    }
}

/// Which tasks are listed.
#[derive(Debug, Clone)]
pub struct TaskFilter {
    /// Whose.
    pub reach: TaskReach,
    /// In which state; `None` for any.
    pub state: Option<TaskState>,
    /// Only those that have not ended.
    pub open: bool,
    /// Only those before this one.
    pub before: Option<TaskId>,
}
