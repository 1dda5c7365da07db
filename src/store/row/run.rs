//! Runs of scheduled jobs: which are due, how they are stored, and how they end.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::id::{OutId, RunId, TurnId};
use frontdesk_core::job::{Job, JobId, RunState, SkipReason};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Sender;

use super::{JobChat, OutboxState, Reason, Stopped, UnknownName};

/// The newest run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRun {
    /// The run.
    pub run: RunId,
    /// Its state.
    pub state: RunState,
    /// The time for which it was scheduled.
    pub at: DateTime<Utc>,
}

/// Why a run has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunReason {
    /// It was skipped.
    Skipped(SkipReason),
    /// It has failed.
    Failed(Reason),
}

/// The text form in the database and in the API.
impl fmt::Display for RunReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunReason::Skipped(reason) => f.write_str(reason.name()),
            RunReason::Failed(reason) => reason.fmt(f),
        }
    }
}

impl FromStr for RunReason {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match SkipReason::named(text) {
            Some(reason) => Ok(RunReason::Skipped(reason)),
            None => text.parse().map(RunReason::Failed),
        }
    }
}

/// A stored run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Its job.
    pub job: JobId,
    /// The time for which it was scheduled; of one that somebody asked for, when that was.
    pub scheduled: DateTime<Utc>,
    /// Whether somebody asked for it.
    pub manual: bool,
    /// Its state.
    pub state: RunState,
    /// Why it has no result.
    pub reason: Option<RunReason>,
    /// Of a missed run: the times for which it stands.
    pub missed: Option<MissedTimes>,
    /// Of one that is due: when it may begin.
    pub not_before: DateTime<Utc>,
    /// How often its turn was begun.
    pub attempt: u32,
    /// How often it has failed.
    pub tries: u32,
    /// The turn that works on it, or has.
    pub turn: Option<TurnId>,
    /// The first message of its result, and the state of that message.
    pub result_out: Option<(OutId, OutboxState)>,
    /// Its agent's text, in Markdown; the text so far of one that has no result.
    pub result: Option<String>,
    /// The state of its request to a web server.
    pub hook: Option<HookState>,
    /// When it was decided that it is due.
    pub created: DateTime<Utc>,
    /// When it was begun first.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished: Option<DateTime<Utc>>,
}

/// Scheduled times that have passed without a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedTimes {
    /// The first of them. The last is the time of the run that stands for them.
    pub first: DateTime<Utc>,
    /// How many.
    pub count: u64,
    /// Whether there are more than that.
    pub or_more: bool,
}

/// What is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DueRuns {
    /// How many runs are due now that were not before.
    pub made: u64,
    /// When to look again: the next scheduled time of a job, or the time at which a run that waits may begin. `None` if there
    /// is nothing to wait for.
    pub next: Option<DateTime<Utc>>,
}

/// A run that may begin, if its owner still may.
#[derive(Debug, Clone, PartialEq)]
pub struct RunToEnter {
    /// The run.
    pub run: RunId,
    /// Its job.
    pub job: Job,
    /// The session of the job.
    pub session: SessionKey,
    /// In whose name it runs: to be authorized in the chat of its results.
    pub owner: Sender,
    /// The session in which the job was made.
    pub origin: Option<SessionKey>,
    /// The chat that is told of failures, and of an announcement the one of the results.
    pub chat: Option<JobChat>,
}

/// What becomes of a run that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entrance {
    /// It begins. This is the chat of its results, and the one for which its agent works: of an announcement that of the job,
    /// of a direct delivery the owner's private chat. Runs that send nothing need an address of their account all the same.
    Begin(JobChat),
    /// The same with another text than that of the job, which is read when it begins. Other runs of the job that wait are
    /// skipped, because they would read the same.
    BeginWith(JobChat, String),
    /// There is nothing to do.
    Skip(SkipReason),
    /// Its owner may not write there any more: it is skipped, and its job is paused.
    Revoked,
}

/// What became of a run that was to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// It waits in this session for its turn: the lane is to be woken.
    Begun(SessionKey),
    /// It is skipped.
    Skipped(SkipReason),
    /// It goes on waiting, because an earlier run of its job has not ended.
    Waits,
    /// It has begun already, or has ended.
    Stale,
}

/// A run that was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedRun {
    /// Its session.
    pub session: SessionKey,
    /// Where its result would have gone.
    pub address: Address,
    /// Its turn, whose agent must be told.
    pub stopped: Stopped,
}

/// What a turn knows of the run that it works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnJob {
    /// The run.
    pub run: RunId,
    /// Its job.
    pub job: JobId,
    /// The session of the chat for which it works.
    pub chat: Option<SessionKey>,
    /// Whether anything is sent there.
    pub delivers: bool,
}

/// The state of a run's request to a web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookState {
    /// It is to be sent, perhaps once more.
    Waiting,
    /// It has arrived.
    Sent,
    /// It was given up.
    Dead,
}

impl HookState {
    /// All variants.
    pub const ALL: [HookState; 3] = [HookState::Waiting, HookState::Sent, HookState::Dead];

    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            HookState::Waiting => "waiting",
            HookState::Sent => "sent",
            HookState::Dead => "dead",
        }
    }

    /// The state with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A request to a web server that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookPost {
    /// The run whose result it carries: the same for every attempt.
    pub run: RunId,
    /// Its job.
    pub job: JobId,
    /// Where it goes.
    pub url: String,
    /// JSON, the same bytes for every attempt.
    pub body: String,
    /// How often it was sent without success.
    pub tries: u32,
    /// When the run ended.
    pub ended: DateTime<Utc>,
}

/// How a request to a web server ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookResult {
    /// It has arrived.
    Sent,
    /// It is to be sent again at this time.
    Later(DateTime<Utc>),
    /// It is given up for this reason, in a few words, which the chat is told.
    Dead(String),
}
