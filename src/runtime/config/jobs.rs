//! Scheduled jobs: those that the file has, and the limits of all.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use frontdesk_core::address::{AddressError, Principal};
use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::job::{HEARTBEAT, JobDelivery, MissedRule, OverlapRule};
use frontdesk_store::row::MostJobs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job::{FieldError, JobDraft, JobSchedule, JobTarget, wrong};

/// Maximum number of jobs in the file.
const MOST: usize = 1000;

/// Scheduled jobs: whether they run, and how many there may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cron {
    /// Whether scheduled jobs run. While they do not, the times that pass count as missed.
    pub enabled: bool,
    /// Maximum number of jobs that are made with the API, the command line and the agents' tool; further ones are refused.
    pub max_jobs: u32,
    /// Maximum number of such jobs of one person.
    pub per_person: u32,
    /// The key of the signature (HMAC-SHA256) with which results are posted to web servers. Jobs with the delivery `webhook`
    /// need it.
    #[serde(skip_serializing)]
    pub webhook_secret: Option<Secret>,
}

impl Default for Cron {
    fn default() -> Self {
        Self { enabled: true, max_jobs: 500, per_person: 50, webhook_secret: None }
    }
}

impl Cron {
    fn check(&self) -> Result<(), ConfigError> {
        for (path, value) in [("cron.max_jobs", self.max_jobs), ("cron.per_person", self.per_person)] {
            if value == 0 {
                return Err(ConfigError::new(path, "must be at least 1"));
            }
        }
        let is_short = |secret: &Secret| secret.expose().len() < 16;
        if self.webhook_secret.as_ref().is_some_and(is_short) {
            return Err(ConfigError::new("cron.webhook_secret", "must have at least 16 characters"));
        }
        Ok(())
    }

    /// How many jobs there may be besides those of the file.
    pub(crate) fn most(&self) -> MostJobs {
        MostJobs { total: self.max_jobs, per_person: self.per_person }
    }
}

/// A scheduled job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfiguredJob {
    /// Its name: letters from a to z, digits, `-` and `_`.
    pub id: String,
    /// What the agent is to do at each run.
    pub task: String,
    /// The agent that works on it. Unset means the one that answers in the chat that gets the results.
    #[serde(default)]
    pub agent: Option<String>,
    /// In whose name it runs, for example `telegram:123456789`: they must be allowed to write in the chat that gets the
    /// results. Unset means the operator.
    #[serde(default)]
    pub owner: Option<String>,
    /// Where results go: `direct` (the owner's private chat), `silent` (nowhere), `{ mode = "announce", to = "telegram:-100123" }`
    /// or `{ mode = "webhook", url = "https://example.com/jobs" }`.
    pub delivery: JobTarget,
    /// Whether all runs share one conversation. If not, each run begins a new one.
    #[serde(default)]
    pub resume_context: bool,
    /// What becomes of runs that could not begin in time: `run_once` makes up for all of them with one run, `skip` with
    /// none, and `all` with each, up to a hundred.
    #[serde(default)]
    pub missed: MissedRule,
    /// What becomes of a run that is due while another run of the job has not ended: `skip` or `queue`.
    #[serde(default)]
    pub overlap: OverlapRule,
    /// Maximum random delay of a run, in seconds, so that many jobs of one time do not begin at once.
    #[serde(default)]
    pub jitter_s: u64,
    /// How often a failed run is tried again, with growing pauses.
    #[serde(default)]
    pub retries: u32,
    /// Whether it runs. `false` pauses it and keeps the list of its runs.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it runs.
    pub schedule: JobSchedule,
}

fn yes() -> bool {
    true
}

impl ConfiguredJob {
    /// The job as a request would describe it.
    pub(crate) fn draft(&self) -> JobDraft {
        JobDraft {
            id: Some(self.id.clone()),
            schedule: self.schedule.clone(),
            task: self.task.clone(),
            agent: self.agent.clone(),
            delivery: self.delivery.clone(),
            resume_context: self.resume_context,
            missed: self.missed,
            overlap: self.overlap,
            jitter_s: self.jitter_s,
            retries: self.retries,
        }
    }

    /// In whose name it runs; `None` for the operator.
    pub(crate) fn owner(&self) -> Result<Option<Principal>, FieldError> {
        let Some(owner) = &self.owner else { return Ok(None) };
        owner.parse().map(Some).map_err(|error: AddressError| wrong("owner", error))
    }
}

/// Checks the jobs of the file, and what they need of `cron`.
pub(super) fn check(cron: &Cron, jobs: &[ConfiguredJob]) -> Result<(), ConfigError> {
    cron.check()?;
    if jobs.len() > MOST {
        return Err(ConfigError::new("jobs", format!("there are more than {MOST} jobs")));
    }
    let mut ids = BTreeSet::new();
    for (n, configured) in jobs.iter().enumerate() {
        let at = |FieldError { field, problem }| ConfigError::new(format!("jobs[{n}].{field}"), problem);
        // UTC stands for the default zone and an empty name for the default agent: neither can be wrong here.
        let job = configured.draft().job(Tz::UTC, None, |_| String::new()).map_err(at)?;
        let owner = configured.owner().map_err(at)?;
        if job.id.as_str() == HEARTBEAT {
            let problem = "the heartbeat is set up in [heartbeat]: choose another id for this job";
            return Err(at(wrong("id", problem)));
        }
        if !ids.insert(job.id) {
            let problem = format!("another job has the id {:?}: choose a different one", configured.id);
            return Err(at(wrong("id", problem)));
        }
        match job.delivery {
            JobDelivery::Webhook(_) if cron.webhook_secret.is_none() => {
                return Err(at(wrong("delivery", NO_SECRET)));
            }
            JobDelivery::Direct if owner.is_none() => {
                let problem = "the delivery direct needs an `owner`, whose private chat gets the results";
                return Err(at(wrong("delivery", problem)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Why a job cannot post its results.
pub(crate) const NO_SECRET: &str =
    "the delivery webhook needs a key for its signature: set cron.webhook_secret";
