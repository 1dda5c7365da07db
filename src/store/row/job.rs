//! Scheduled jobs: how they are stored and listed, and the outcomes of requests about them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::job::{
    Job, JobDelivery, JobId, JobSource, JobState, MissedRule, OverlapRule, PauseReason, Timing,
};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Sender;

use super::{LastRun, StoppedRun};

/// A chat that hears of a job, with the session in whose conversation its messages are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobChat {
    /// The chat.
    pub address: Address,
    /// Its session; `None` for an address without a conversation.
    pub session: Option<SessionKey>,
}

/// Where a job belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPlace {
    /// The account in whose name its session is kept. Its runs begin only while that is configured.
    pub account: AccountId,
    /// The chat that is told of failures and of missed runs; with [`JobDelivery::Announce`] the chat of the results too.
    /// `None` if no chat is told.
    pub chat: Option<JobChat>,
}

/// A job to be stored.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The job.
    pub job: Job,
    /// Where it belongs.
    pub place: JobPlace,
    /// By what it is made.
    pub source: JobSource,
    /// Who makes it: it runs in their name.
    pub owner: Sender,
    /// The session in which that happens; `None` outside of a chat.
    pub origin: Option<SessionKey>,
    /// Names the request: a repetition makes no second job. `None` if it cannot be repeated.
    pub request: Option<String>,
    /// How many jobs there may be.
    pub most: MostJobs,
}

/// How many jobs there may be, in whatever state; those of the file do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostJobs {
    /// In all.
    pub total: u32,
    /// Of one person.
    pub per_person: u32,
}

/// What became of a new job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobCreated {
    /// It is stored.
    Stored(Box<JobRow>),
    /// The same request has stored it before.
    Known(Box<JobRow>),
    /// Another job has this id.
    IdTaken,
    /// It would never run: its time is over.
    Over,
    /// This person has too many jobs.
    PersonFull,
    /// There are too many jobs.
    Full,
}

/// A job of the configuration file.
#[derive(Debug, Clone)]
pub struct ConfigJob {
    /// The job.
    pub job: Job,
    /// Where it belongs.
    pub place: JobPlace,
    /// In whose name it runs.
    pub owner: Sender,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Tells whether its table has changed: the same text for the same table.
    pub digest: String,
}

/// What has changed with the configuration file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobsSynced {
    /// New jobs.
    pub added: Vec<JobId>,
    /// Jobs that are different now.
    pub changed: Vec<JobId>,
    /// Jobs that the file does not have any more.
    pub removed: Vec<JobId>,
    /// Jobs that were not taken over, because a job that was made at run time has this id.
    pub clashes: Vec<JobId>,
    /// Jobs whose only time is over.
    pub over: Vec<JobId>,
    /// Runs of removed jobs that were stopped.
    pub stopped: Vec<StoppedRun>,
}

/// A change of a job; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct JobPatch {
    /// When it runs. Its intervals begin anew.
    pub timing: Option<Timing>,
    /// What is to be done.
    pub task: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// Where its results go, and where it belongs then.
    pub delivery: Option<(JobDelivery, JobPlace)>,
    /// Whether all runs share one conversation.
    pub resume_context: Option<bool>,
    /// What becomes of missed runs.
    pub missed: Option<MissedRule>,
    /// What becomes of a run while another one has not ended.
    pub overlap: Option<OverlapRule>,
    /// The longest random delay.
    pub jitter: Option<Duration>,
    /// How often a failed run is tried again.
    pub retries: Option<u32>,
}

impl JobPatch {
    /// The job with these changes.
    pub fn applied(&self, job: &Job) -> Job {
        Job {
            id: job.id.clone(),
            agent: self.agent.clone().unwrap_or_else(|| job.agent.clone()),
            timing: self.timing.clone().unwrap_or_else(|| job.timing.clone()),
            task: self.task.clone().unwrap_or_else(|| job.task.clone()),
            delivery: self.delivery.as_ref().map_or_else(|| job.delivery.clone(), |(to, _)| to.clone()),
            resume_context: self.resume_context.unwrap_or(job.resume_context),
            missed: self.missed.unwrap_or(job.missed),
            overlap: self.overlap.unwrap_or(job.overlap),
            jitter: self.jitter.unwrap_or(job.jitter),
            retries: self.retries.unwrap_or(job.retries),
        }
    }
}

/// Who may see and change a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobReach {
    /// The jobs of this person.
    Own(Principal),
    /// The jobs that were made in this session, by whomever.
    Chat(SessionKey),
    /// All jobs.
    All,
}

impl JobReach {
    /// The owner whose jobs these are; `None` for any.
    pub(crate) fn owner(&self) -> Option<&str> {
        match self {
            JobReach::Own(person) => Some(person.as_str()),
            JobReach::Chat(_) | JobReach::All => None,
        }
    }

    /// The session in which they were made; `None` for any.
    pub(crate) fn origin(&self) -> Option<&str> {
        match self {
            JobReach::Chat(session) => Some(session.as_str()),
            JobReach::Own(_) | JobReach::All => None,
        }
    }
}

/// What became of a request about one job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobFound<T> {
    /// It was done.
    Done(T),
    /// There is no such job, or it is out of reach.
    Unknown,
    /// It is a job of the configuration file, which is changed and removed there.
    Config,
    /// It is in this state already, or a run that somebody asked for has not ended.
    NotNow(JobState),
    /// Its time is over: it would never run again.
    Over,
}

/// Which jobs are listed.
#[derive(Debug, Clone)]
pub struct JobFilter {
    /// Whose.
    pub reach: JobReach,
    /// In which state; `None` for any.
    pub state: Option<JobState>,
    /// Only those after this one.
    pub after: Option<JobId>,
}

/// A stored job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    /// The job.
    pub job: Job,
    /// The session of its own.
    pub session: SessionKey,
    /// By what it was made.
    pub source: JobSource,
    /// In whose name it runs.
    pub owner: Sender,
    /// The session in which it was made.
    pub origin: Option<SessionKey>,
    /// The chat that is told of failures, and of an announcement the one of the results.
    pub chat: Option<JobChat>,
    /// Its state.
    pub state: JobState,
    /// Why it is paused or disabled.
    pub reason: Option<PauseReason>,
    /// How many of its runs have failed in a row.
    pub failures: u32,
    /// The time from which its intervals are counted.
    pub anchor: DateTime<Utc>,
    /// When its next run is due; `None` if there is none, and while it is not active.
    pub next: Option<DateTime<Utc>>,
    /// Its newest run.
    pub last: Option<LastRun>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When somebody changed it last.
    pub updated: DateTime<Utc>,
}

/// A job that was paused or disabled by the gateway, which admins are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobAlarm {
    /// The job.
    pub job: JobId,
    /// Why it does not run.
    pub reason: PauseReason,
}
