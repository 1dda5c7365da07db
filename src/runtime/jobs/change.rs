//! Jobs are made, changed, run, paused and removed.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::id::RunId;
use frontdesk_core::job::{Job, JobDelivery, JobId};
use frontdesk_store::StoreError;
use frontdesk_store::row::{Author, JobCreated, JobFound, JobPatch, JobPlace, JobReach, JobRow, NewJob};

use crate::config::{FieldError, JobChange, checked};
use crate::error::{GatewayError, JobFault, JobVerb};
use crate::settings::Settings;
use crate::shared::Shared;

/// One job.
pub(crate) async fn find(shared: &Shared, id: &JobId, reach: JobReach) -> Result<JobRow, GatewayError> {
    let row = shared.store.job(id, reach).await?;
    row.ok_or_else(|| JobFault::Unknown(id.clone()).into())
}

/// Stores a job whose place and permissions are decided. A repetition of a request returns the first job.
pub(crate) async fn create(shared: &Arc<Shared>, new: NewJob) -> Result<JobRow, GatewayError> {
    check_agent(&shared.settings(), &new.job.agent)?;
    let job = new.job.clone();
    let to_store = shared.clone();
    let created = async move {
        let created = to_store.store.create_job(new, to_store.time.wall()).await?;
        to_store.work.jobs.note();
        Ok(created)
    };
    match to_its_end(shared, created).await? {
        JobCreated::Stored(row) => Ok(*row),
        JobCreated::Known(row) if is_same(&row.job, &job) => Ok(*row),
        JobCreated::Known(_) => Err(JobFault::Conflict.into()),
        JobCreated::IdTaken => Err(JobFault::Exists(job.id).into()),
        JobCreated::Over => Err(JobFault::Over(job.id).into()),
        JobCreated::PersonFull => Err(JobFault::PersonFull.into()),
        JobCreated::Full => Err(JobFault::Full.into()),
    }
}

/// Whether a repeated request asks for the same job. Its name may have been made.
fn is_same(stored: &Job, asked: &Job) -> bool {
    *stored == Job { id: stored.id.clone(), ..asked.clone() }
}

/// Changes a job that is not in the file. Its owner must be allowed to have it run where its results go then.
pub(crate) async fn change(
    shared: &Arc<Shared>,
    id: &JobId,
    reach: JobReach,
    change: JobChange,
    author: Author,
) -> Result<JobRow, GatewayError> {
    let row = find(shared, id, reach.clone()).await?;
    let settings = shared.settings();
    let patch = patch(shared, &settings, &row, change)?;
    checked(patch.applied(&row.job)).map_err(|error| GatewayError::Invalid(error.to_string()))?;
    let (to_change, id) = (shared.clone(), id.clone());
    let changed = async move {
        let now = to_change.time.wall();
        let found = to_change.store.patch_job(&id, reach, patch, author, now).await?;
        to_change.work.jobs.note();
        done(found, &id, JobVerb::Change)
    };
    to_its_end(shared, changed).await
}

fn patch(
    shared: &Shared,
    settings: &Settings,
    row: &JobRow,
    change: JobChange,
) -> Result<JobPatch, GatewayError> {
    let invalid = |error: FieldError| GatewayError::Invalid(error.to_string());
    let zone = row.job.timing.zone();
    let timing = change.schedule.map(|schedule| schedule.timing(zone)).transpose().map_err(invalid)?;
    let delivery = match change.delivery {
        None => None,
        Some(target) => {
            let delivery = target.delivery(None).map_err(invalid)?;
            shared.check_job_place(settings, &row.owner, &delivery)?;
            Some((delivery.clone(), moved(shared, settings, row, &delivery)?))
        }
    };
    if let Some(agent) = &change.agent {
        check_agent(settings, agent)?;
    }
    Ok(JobPatch {
        timing,
        delivery,
        task: change.task.map(|task| task.trim().to_owned()),
        agent: change.agent,
        resume_context: change.resume_context,
        missed: change.missed,
        overlap: change.overlap,
        jitter: change.jitter_s.map(Duration::from_secs),
        retries: change.retries,
    })
}

/// Where a job belongs whose results go elsewhere now. Its session stays, so the account must be the same.
fn moved(
    shared: &Shared,
    settings: &Settings,
    row: &JobRow,
    delivery: &JobDelivery,
) -> Result<JobPlace, GatewayError> {
    let place = shared.job_place(settings, &row.owner.id, delivery);
    match place.account == *row.session.account() || place.chat.is_none() {
        true => Ok(JobPlace { account: row.session.account().clone(), ..place }),
        false => Err(GatewayError::Invalid(
            "delivery: a job cannot move to another account: make a new one there".to_owned(),
        )),
    }
}

/// Removes a job that is not in the file, and stops its runs.
pub(crate) async fn remove(
    shared: &Arc<Shared>,
    id: &JobId,
    reach: JobReach,
    author: Author,
) -> Result<(), GatewayError> {
    let (to_remove, id) = (shared.clone(), id.clone());
    let removed = async move {
        let found = to_remove.store.delete_job(&id, reach, author, to_remove.time.wall()).await?;
        let stopped = done(found, &id, JobVerb::Change)?;
        to_remove.stop_runs(stopped).await;
        to_remove.work.jobs.note();
        Ok(())
    };
    to_its_end(shared, removed).await
}

/// Keeps a job from running until it is resumed.
pub(crate) async fn pause(
    shared: &Arc<Shared>,
    id: &JobId,
    reach: JobReach,
    author: Author,
) -> Result<JobRow, GatewayError> {
    let (to_pause, id) = (shared.clone(), id.clone());
    let found = async move {
        let found = to_pause.store.pause_job(&id, reach, author, to_pause.time.wall()).await?;
        to_pause.work.jobs.note();
        done(found, &id, JobVerb::Pause)
    };
    to_its_end(shared, found).await
}

/// Lets a job run again, from its next scheduled time on.
pub(crate) async fn resume(
    shared: &Arc<Shared>,
    id: &JobId,
    reach: JobReach,
    author: Author,
) -> Result<JobRow, GatewayError> {
    let row = find(shared, id, reach.clone()).await?;
    shared.check_job_place(&shared.settings(), &row.owner, &row.job.delivery)?;
    let (to_resume, id) = (shared.clone(), id.clone());
    let found = async move {
        let found = to_resume.store.resume_job(&id, reach, author, to_resume.time.wall()).await?;
        to_resume.work.jobs.note();
        done(found, &id, JobVerb::Resume)
    };
    to_its_end(shared, found).await
}

/// Runs a job now.
pub(crate) async fn run_now(
    shared: &Arc<Shared>,
    id: &JobId,
    reach: JobReach,
    author: Author,
) -> Result<RunId, GatewayError> {
    if !shared.settings().config.cron.enabled {
        return Err(JobFault::NotNow("scheduled jobs are switched off (cron.enabled)".to_owned()).into());
    }
    let (to_run, id) = (shared.clone(), id.clone());
    let found = async move {
        let found = to_run.store.run_job_now(&id, reach, author, to_run.time.wall()).await?;
        to_run.work.jobs.note();
        done(found, &id, JobVerb::Run)
    };
    to_its_end(shared, found).await
}

fn done<T>(found: JobFound<T>, id: &JobId, verb: JobVerb) -> Result<T, GatewayError> {
    Err(match found {
        JobFound::Done(done) => return Ok(done),
        JobFound::Unknown => JobFault::Unknown(id.clone()),
        JobFound::Config => JobFault::OfFile(id.clone()),
        JobFound::NotNow(state) => JobFault::not_now(id, state, verb),
        JobFound::Over => JobFault::Over(id.clone()),
    }
    .into())
}

fn check_agent(settings: &Settings, agent: &str) -> Result<(), GatewayError> {
    if settings.agents.contains_key(agent) {
        return Ok(());
    }
    let known: Vec<&str> = settings.agents.keys().map(String::as_str).collect();
    Err(GatewayError::Invalid(format!("there is no agent {agent:?}; there are: {}", known.join(", "))))
}

/// Runs an operation that continues if the caller disconnects, because due jobs begin and agents are stopped after it.
async fn to_its_end<T: Send + 'static>(
    shared: &Shared,
    operation: impl Future<Output = Result<T, GatewayError>> + Send + 'static,
) -> Result<T, GatewayError> {
    shared.work.finished(operation, StoreError::Closed.into()).await
}
