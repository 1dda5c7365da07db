//! Scheduled jobs: what is to be done, when, and who is told of the result.
//!
//! A run of a job is named by the job and the time for which it was scheduled, so that none happens twice. Which runs are
//! due is decided in `due`.

mod delivery;
mod due;
mod id;
mod origin;
mod rules;
mod run;
#[cfg(test)]
mod tests;
mod timing;
mod told;

use std::time::Duration;

pub use delivery::JobDelivery;
pub use due::{CATCH_UP, Due, Missed, PUNCTUAL, Timetable};
pub use id::{JobId, JobIdError};
pub use origin::{JobSource, PauseReason};
pub use rules::{MissedRule, OverlapRule};
pub use run::{RunState, SkipReason};
pub use timing::{ScheduleKind, Timing};
pub use told::{AfterFailure, DISABLED_AFTER, JobNotice, RunFailure};

/// The id of the heartbeat, which is a job that is made from the section `[heartbeat]` of the configuration.
pub const HEARTBEAT: &str = "heartbeat";
/// The longest random delay of a run.
const LONGEST_JITTER: Duration = Duration::from_secs(3600);
/// Maximum number of times that a failed run is tried again.
const MOST_RETRIES: u32 = 10;
/// Maximum length of what is to be done, in bytes.
const LONGEST_TASK: usize = 64 * 1024;

/// A job, whoever has made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// The agent that works on it.
    pub agent: String,
    /// When it runs.
    pub timing: Timing,
    /// What is to be done: the prompt of each run.
    pub task: String,
    /// Where the results go.
    pub delivery: JobDelivery,
    /// Whether all runs share one conversation. If not, each begins a new one.
    pub resume_context: bool,
    /// What becomes of runs that could not begin in time.
    pub missed: MissedRule,
    /// What becomes of a run that is due while another one has not ended.
    pub overlap: OverlapRule,
    /// The longest random delay of a run, so that many jobs of one time do not begin at once.
    pub jitter: Duration,
    /// How often a failed run is tried again.
    pub retries: u32,
}

impl Job {
    /// Checks what its types leave open.
    pub fn check(&self) -> Result<(), JobError> {
        if self.task.trim().is_empty() {
            return Err(JobError::NoTask);
        }
        if self.task.len() > LONGEST_TASK {
            return Err(JobError::LongTask { length: self.task.len() });
        }
        if self.jitter > LONGEST_JITTER {
            return Err(JobError::Jitter { seconds: self.jitter.as_secs() });
        }
        if self.retries > MOST_RETRIES {
            return Err(JobError::Retries { given: self.retries });
        }
        Ok(())
    }
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It runs when it is due.
    Active,
    /// Somebody stopped it for now, or its owner has lost access.
    Paused,
    /// It has failed too often in a row.
    Disabled,
    /// It has no further run.
    Done,
}

impl JobState {
    /// All variants.
    pub const ALL: [JobState; 4] = [JobState::Active, JobState::Paused, JobState::Disabled, JobState::Done];

    /// The name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Active => "active",
            JobState::Paused => "paused",
            JobState::Disabled => "disabled",
            JobState::Done => "done",
        }
    }

    /// The state with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why a job is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Nothing is to be done.
    #[error("the job has no task: write what the agent is to do")]
    NoTask,
    /// What is to be done is too long.
    #[error("a task of {length} bytes is too long: use at most {LONGEST_TASK}")]
    LongTask {
        /// How many bytes.
        length: usize,
    },
    /// The random delay is too long.
    #[error("a jitter of {seconds} seconds is too long: use at most {}", LONGEST_JITTER.as_secs())]
    Jitter {
        /// How many seconds.
        seconds: u64,
    },
    /// Too many retries.
    #[error("{given} retries are too many: use at most {MOST_RETRIES}")]
    Retries {
        /// How many.
        given: u32,
    },
    /// The delivery is unknown.
    #[error("{given:?} is not a delivery: use announce, direct, silent or webhook")]
    Delivery {
        /// What was given.
        given: String,
    },
    /// An announcement has no chat.
    #[error("the delivery announce needs a chat: add `to`, such as \"telegram:123456789\"")]
    NoChat,
    /// A web server has no address.
    #[error("the delivery webhook needs a `url` that begins with https:// or http://")]
    NoUrl,
    /// Only an announcement has a chat.
    #[error("only the delivery announce has a chat: leave out `to`, or use announce")]
    HasChat,
    /// Only a web server has an address.
    #[error("only the delivery webhook has a URL: leave out `url`, or use webhook")]
    HasUrl,
}
