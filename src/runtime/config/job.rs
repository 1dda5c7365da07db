//! A job as people write it, in the configuration file and in requests.

use std::time::Duration;

use chrono_tz::Tz;
use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::job::{
    Job, JobDelivery, JobError, JobId, JobIdError, MissedRule, OverlapRule, ScheduleKind, Timing,
};
use frontdesk_core::zone::parse_zone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a job runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSchedule {
    /// How `expr` is read: `cron`, `every` or `at`.
    pub kind: ScheduleKind,
    /// A cron expression (`0 9 * * 1-5`, `@daily`), an interval (`15m`, `1h30m`) or a time (`2026-12-24T18:00`).
    pub expr: String,
    /// The IANA time zone of local times, such as `Europe/Berlin`. Unset means the one of `sessions.reset.timezone`.
    #[serde(default)]
    pub timezone: Option<String>,
}

impl JobSchedule {
    /// What it means. `zone` is used if it names none.
    pub fn timing(&self, zone: Tz) -> Result<Timing, FieldError> {
        let zone = match &self.timezone {
            Some(name) => parse_zone(name).map_err(|error| wrong("schedule.timezone", error))?,
            None => zone,
        };
        Timing::parse(self.kind, &self.expr, zone).map_err(|error| wrong("schedule.expr", error))
    }
}

/// Where the results of a job go: the name of a delivery, or a table where it needs more than that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected \"direct\", \"silent\", {\"mode\": \"announce\", \"to\": CHAT} or {\"mode\": \"webhook\", \"url\": URL}"
)]
pub enum JobTarget {
    /// A delivery that needs nothing else.
    Mode(JobMode),
    /// A delivery with its chat or its URL.
    Table(JobTargetTable),
}

/// How results are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobMode {
    /// To the private chat of the job's owner.
    Direct,
    /// To a chat.
    Announce,
    /// Nowhere: they are in the list of runs.
    Silent,
    /// To a web server.
    Webhook,
}

/// How results are delivered, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobTargetTable {
    /// `announce`, `direct`, `silent` or `webhook`.
    pub mode: JobMode,
    /// With `announce`: the chat, for example `telegram:-100123`.
    #[serde(default)]
    pub to: Option<String>,
    /// With `webhook`: the URL.
    #[serde(default)]
    pub url: Option<String>,
}

impl JobMode {
    fn name(self) -> &'static str {
        match self {
            JobMode::Direct => "direct",
            JobMode::Announce => "announce",
            JobMode::Silent => "silent",
            JobMode::Webhook => "webhook",
        }
    }
}

impl JobTarget {
    /// What it means. An announcement that names no chat goes to `here`, if that is known.
    pub fn delivery(&self, here: Option<&Address>) -> Result<JobDelivery, FieldError> {
        let (mode, to, url) = match self {
            JobTarget::Mode(mode) => (*mode, None, None),
            JobTarget::Table(JobTargetTable { mode, to, url }) => (*mode, to.as_deref(), url.as_deref()),
        };
        let to = to.map(str::parse).transpose();
        let to = to.map_err(|error: AddressError| wrong("delivery.to", error))?;
        let to = to.or_else(|| here.filter(|_| mode == JobMode::Announce).cloned());
        JobDelivery::of(mode.name(), to, url).map_err(|error| wrong("delivery", error))
    }
}

/// What is wrong with one field of a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The field.
    pub field: &'static str,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

pub(crate) fn wrong(field: &'static str, problem: impl ToString) -> FieldError {
    FieldError { field, problem: problem.to_string() }
}

/// A job to be made, as a request describes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobDraft {
    /// Its name; one is made without it.
    pub id: Option<String>,
    /// When it runs.
    pub schedule: JobSchedule,
    /// What is to be done.
    pub task: String,
    /// The agent; the one that answers in the chat without it.
    pub agent: Option<String>,
    /// Where its results go.
    pub delivery: JobTarget,
    /// Whether all runs share one conversation.
    #[serde(default)]
    pub resume_context: bool,
    /// What becomes of missed runs.
    #[serde(default)]
    pub missed: MissedRule,
    /// What becomes of a run while another one has not ended.
    #[serde(default)]
    pub overlap: OverlapRule,
    /// The longest random delay, in seconds.
    #[serde(default)]
    pub jitter_s: u64,
    /// How often a failed run is tried again.
    #[serde(default)]
    pub retries: u32,
}

/// A change of a job. What is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobChange {
    /// When it runs.
    pub schedule: Option<JobSchedule>,
    /// What is to be done.
    pub task: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// Where its results go.
    pub delivery: Option<JobTarget>,
    /// Whether all runs share one conversation.
    pub resume_context: Option<bool>,
    /// What becomes of missed runs.
    pub missed: Option<MissedRule>,
    /// What becomes of a run while another one has not ended.
    pub overlap: Option<OverlapRule>,
    /// The longest random delay, in seconds.
    pub jitter_s: Option<u64>,
    /// How often a failed run is tried again.
    pub retries: Option<u32>,
}

impl JobDraft {
    /// The job. `zone` is used if it names none, `here` is the chat of an announcement that names none, and `agent` says who
    /// answers at an address.
    pub(crate) fn job(
        &self,
        zone: Tz,
        here: Option<&Address>,
        agent: impl FnOnce(Option<&Address>) -> String,
    ) -> Result<Job, FieldError> {
        let delivery = self.delivery.delivery(here)?;
        let to = match &delivery {
            JobDelivery::Announce(address) => Some(address),
            _ => None,
        };
        checked(Job {
            id: id(self.id.as_deref())?,
            agent: self.agent.clone().unwrap_or_else(|| agent(to)),
            timing: self.schedule.timing(zone)?,
            task: self.task.trim().to_owned(),
            resume_context: self.resume_context,
            missed: self.missed,
            overlap: self.overlap,
            jitter: Duration::from_secs(self.jitter_s),
            retries: self.retries,
            delivery,
        })
    }
}

/// The name of a job; a new one if none was given.
fn id(given: Option<&str>) -> Result<JobId, FieldError> {
    let made = || {
        let bits = getrandom::u32().map_err(|error| wrong("id", format!("none could be made: {error}")))?;
        Ok(format!("job-{bits:08x}"))
    };
    let text = given.map_or_else(made, |given| Ok(given.to_owned()))?;
    text.parse().map_err(|error: JobIdError| wrong("id", error))
}

/// A job that passes the checks that its types leave open.
pub(crate) fn checked(job: Job) -> Result<Job, FieldError> {
    match job.check() {
        Ok(()) => Ok(job),
        Err(error @ JobError::Jitter { .. }) => Err(wrong("jitter_s", error)),
        Err(error @ JobError::Retries { .. }) => Err(wrong("retries", error)),
        Err(error) => Err(wrong("task", error)),
    }
}
