//! Scheduled jobs, for the API, the command line and the page.

use chrono::{DateTime, Utc};
use frontdesk_core::access::{Action, Context, Decision, Requester};
use frontdesk_core::address::Principal;
use frontdesk_core::id::RunId;
use frontdesk_core::job::{JobId, JobSource};
use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_store::row::{Author, JobFilter, JobReach, JobRow, NewJob, RunRow};

use super::{GatewayError, GatewayHandle};
use crate::config::{JobChange, JobDraft};
use crate::jobs;

/// A job as a client makes it.
#[derive(Debug, Clone)]
pub struct JobRequest {
    /// Who makes it. It runs with their permissions.
    pub owner: Principal,
    /// By what it is made.
    pub source: JobSource,
    /// The same for every repetition of one request, and different for all others; `None` if it is not repeated.
    pub key: Option<String>,
    /// The job.
    pub draft: JobDraft,
}

impl GatewayHandle {
    /// The jobs that somebody may see and change: their own, and as an admin all.
    pub fn job_reach(&self, who: &Principal) -> JobReach {
        match self.authorize(Requester::person(who), Context::Dm, Action::Administer) {
            Decision::Allow => JobReach::All,
            Decision::Pair | Decision::Deny(_) => JobReach::Own(who.clone()),
        }
    }

    /// Jobs, in the order of their names.
    pub async fn jobs(&self, filter: JobFilter, limit: u32) -> Result<Vec<JobRow>, GatewayError> {
        Ok(self.0.store.jobs(filter, limit).await?)
    }

    /// One job.
    pub async fn job(&self, id: &JobId, reach: JobReach) -> Result<JobRow, GatewayError> {
        jobs::find(&self.0, id, reach).await
    }

    /// The runs of a job, the newest first.
    pub async fn job_runs(
        &self,
        id: &JobId,
        reach: JobReach,
        before: Option<RunId>,
        limit: u32,
    ) -> Result<Vec<RunRow>, GatewayError> {
        jobs::find(&self.0, id, reach).await?;
        Ok(self.0.store.runs(id, before, limit).await?)
    }

    /// One run of a job.
    pub async fn job_run(&self, id: &JobId, reach: JobReach, run: RunId) -> Result<RunRow, GatewayError> {
        jobs::find(&self.0, id, reach).await?;
        let found = self.0.store.run(run).await?.filter(|found| found.job == *id);
        found.ok_or_else(|| GatewayError::NotFound(format!("run {run} of {id}")))
    }

    /// The next scheduled times of a job, at most `most` of them.
    pub fn job_times(&self, job: &JobRow, most: usize) -> Vec<DateTime<Utc>> {
        jobs::upcoming(job, most)
    }

    /// Makes a job. A repetition of a request returns the first one.
    pub async fn create_job(&self, request: JobRequest) -> Result<JobRow, GatewayError> {
        let settings = self.0.settings();
        let JobRequest { owner, source, key, draft } = request;
        let agent = |to: Option<&_>| match to {
            Some(address) => self.0.agent_at(&settings, address).to_owned(),
            None => settings.default_agent.clone(),
        };
        let job = draft.job(settings.resets.zone(), None, agent);
        let job = job.map_err(|error| GatewayError::Invalid(error.to_string()))?;
        let owner = Sender::new(owner, SenderKind::Person);
        self.0.check_job_place(&settings, &owner, &job.delivery)?;
        let place = self.0.job_place(&settings, &owner.id, &job.delivery);
        let most = settings.config.cron.most();
        jobs::create(&self.0, NewJob { job, place, source, owner, origin: None, request: key, most }).await
    }

    /// Changes a job that is not in the file.
    pub async fn change_job(
        &self,
        id: &JobId,
        reach: JobReach,
        change: JobChange,
        author: Author,
    ) -> Result<JobRow, GatewayError> {
        jobs::change(&self.0, id, reach, change, author).await
    }

    /// Removes a job that is not in the file.
    pub async fn remove_job(&self, id: &JobId, reach: JobReach, author: Author) -> Result<(), GatewayError> {
        jobs::remove(&self.0, id, reach, author).await
    }

    /// Keeps a job from running until it is resumed.
    pub async fn pause_job(
        &self,
        id: &JobId,
        reach: JobReach,
        author: Author,
    ) -> Result<JobRow, GatewayError> {
        jobs::pause(&self.0, id, reach, author).await
    }

    /// Lets a job run again, from its next scheduled time on.
    pub async fn resume_job(
        &self,
        id: &JobId,
        reach: JobReach,
        author: Author,
    ) -> Result<JobRow, GatewayError> {
        jobs::resume(&self.0, id, reach, author).await
    }

    /// Runs a job now, in addition to its schedule.
    pub async fn run_job(&self, id: &JobId, reach: JobReach, author: Author) -> Result<RunId, GatewayError> {
        jobs::run_now(&self.0, id, reach, author).await
    }
}
