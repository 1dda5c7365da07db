//! Scheduled jobs: made, listed, looked at, changed, run, paused and removed.

use axum::http::StatusCode;
use frontdesk_core::id::{IdError, RunId};
use frontdesk_core::job::{JobId, JobIdError, JobSource, JobState};
use frontdesk_runtime::JobRequest;
use frontdesk_runtime::config::{JobChange, JobDraft};
use frontdesk_store::row::{Author, JobFilter, JobReach, JobRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::job::{Job, JobDetails, Run};
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::token::Caller;

/// How many of its next times a job shows.
const UPCOMING: usize = 5;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    #[schemars(extend("enum" = JobState::ALL.map(JobState::name)))]
    state: Option<String>,
    /// `next` of the page before.
    #[schemars(pattern(r"^[A-Za-z0-9_-]{1,64}$"))]
    #[serde(alias = "after")]
    cursor: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunsQuery {
    /// `next` of the page before.
    #[schemars(pattern(r"^r[0-9]{1,18}$"))]
    #[serde(alias = "before")]
    cursor: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct NewJob(JobDraft);

#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ChangedJob(JobChange);

/// Scheduled jobs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Jobs {
    jobs: Vec<Job>,
    next: Option<String>,
}

/// The runs of a job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Runs {
    runs: Vec<Run>,
    next: Option<String>,
}

/// A run that has begun.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunStarted {
    run: String,
}

/// A job that is removed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemovedJob {
    removed: String,
}

/// Makes a job. With an `Idempotency-Key` it is made once, also across a restart.
#[utoipa::path(post, path = "/api/cron/jobs", request_body = NewJob, responses((status = 201, body = JobDetails), (status = 404), (status = 409)))]
pub(crate) async fn create(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let NewJob(draft) = request.json()?;
    let (server, caller) = (&request.server, request.caller()?);
    let source = if request.author()?.via == "cli" { JobSource::Cli } else { JobSource::Api };
    let key = request.idempotency_key()?.map(|key| {
        // A token's id may contain any character, so its length separates it from the key.
        let token = request.person();
        format!("{}:{token}/{key}", token.len())
    });
    let asked = JobRequest { owner: caller.principal.clone(), source, key, draft };
    let made = server.handle.create_job(asked).await?;
    Ok(ApiResponse::json(StatusCode::CREATED, whole(server, &made)))
}

/// Lists jobs in the order of their names.
#[utoipa::path(get, path = "/api/cron/jobs", params(JobsQuery), responses((status = 200, body = Jobs)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query = request.query()?;
    Ok(ApiResponse::ok(jobs(&request.server, request.caller()?, query).await?))
}

/// The jobs that a caller may see, in the order of their names. HTTP and the WebSocket use this.
pub(crate) async fn jobs(server: &ServerState, caller: &Caller, query: JobsQuery) -> Result<Jobs, ApiError> {
    let after = query.cursor.as_deref().map(id).transpose()?;
    let state = query.state.as_deref().map(state).transpose()?;
    let filter = JobFilter { reach: reach(server, caller), state, after };
    let limit = list::row_limit(query.limit)?;
    let jobs = server.handle.jobs(filter, limit).await?;
    let next = jobs.last().filter(|_| jobs.len() >= limit as usize).map(|row| row.job.id.to_string());
    Ok(Jobs { jobs: jobs.iter().map(Job::from).collect(), next })
}

/// One job with the whole of what is to be done.
#[utoipa::path(get, path = "/api/cron/jobs/{job}", responses((status = 200, body = JobDetails), (status = 404)))]
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, caller) = (&request.server, request.caller()?);
    let row = server.handle.job(&id(request.param(0)?)?, reach(server, caller)).await?;
    Ok(ApiResponse::ok(whole(server, &row)))
}

/// Changes a job. What the body leaves out stays as it is.
#[utoipa::path(patch, path = "/api/cron/jobs/{job}", request_body = ChangedJob, responses((status = 200, body = JobDetails), (status = 404), (status = 409)))]
pub(crate) async fn change(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let ChangedJob(change) = request.json()?;
    let (server, caller) = (&request.server, request.caller()?);
    let (id, author) = (id(request.param(0)?)?, request.author()?);
    let row = server.handle.change_job(&id, reach(server, caller), change, author).await?;
    Ok(ApiResponse::ok(whole(server, &row)))
}

/// Removes a job.
#[utoipa::path(delete, path = "/api/cron/jobs/{job}", responses((status = 200, body = RemovedJob), (status = 404), (status = 409)))]
pub(crate) async fn remove(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, caller) = (&request.server, request.caller()?);
    let (id, author) = (id(request.param(0)?)?, request.author()?);
    server.handle.remove_job(&id, reach(server, caller), author).await?;
    Ok(ApiResponse::ok(RemovedJob { removed: id.as_str().to_owned() }))
}

/// Runs a job now.
#[utoipa::path(post, path = "/api/cron/jobs/{job}/run", responses((status = 202, body = RunStarted), (status = 404), (status = 409)))]
pub(crate) async fn run(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let body = run_now(&request.server, request.caller()?, request.param(0)?, request.author()?).await?;
    Ok(ApiResponse::json(StatusCode::ACCEPTED, body))
}

/// Pauses a job.
#[utoipa::path(post, path = "/api/cron/jobs/{job}/pause", responses((status = 200, body = JobDetails), (status = 404), (status = 409)))]
pub(crate) async fn pause(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let row = paused(&request.server, request.caller()?, request.param(0)?, request.author()?).await?;
    Ok(ApiResponse::ok(row))
}

/// Lets a paused job run again.
#[utoipa::path(post, path = "/api/cron/jobs/{job}/resume", responses((status = 200, body = JobDetails), (status = 404), (status = 409)))]
pub(crate) async fn resume(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let row = resumed(&request.server, request.caller()?, request.param(0)?, request.author()?).await?;
    Ok(ApiResponse::ok(row))
}

/// Lists the runs of a job, the newest first.
#[utoipa::path(get, path = "/api/cron/jobs/{job}/runs", params(RunsQuery), responses((status = 200, body = Runs), (status = 404)))]
pub(crate) async fn runs(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: RunsQuery = request.query()?;
    let before = query.cursor.as_deref().map(run_id).transpose()?;
    let (server, caller) = (&request.server, request.caller()?);
    let limit = list::row_limit(query.limit)?;
    let runs = server.handle.job_runs(&id(request.param(0)?)?, reach(server, caller), before, limit).await?;
    let next = runs.last().filter(|_| runs.len() >= limit as usize).map(|run| run.id.to_string());
    server.large_response(&Runs { runs: runs.iter().map(Run::listed).collect(), next }).await
}

/// One run of a job, with the whole of its result.
#[utoipa::path(get, path = "/api/cron/jobs/{job}/runs/{run}", responses((status = 200, body = Run), (status = 404)))]
pub(crate) async fn one_run(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, caller) = (&request.server, request.caller()?);
    let (id, asked) = (id(request.param(0)?)?, run_id(request.param(1)?)?);
    let run = server.handle.job_run(&id, reach(server, caller), asked).await?;
    server.large_response(&Run::from(&run)).await
}

pub(crate) async fn run_now(
    server: &ServerState,
    caller: &Caller,
    job: &str,
    author: Author,
) -> Result<RunStarted, ApiError> {
    let run = server.handle.run_job(&id(job)?, reach(server, caller), author).await?;
    Ok(RunStarted { run: run.to_string() })
}

pub(crate) async fn paused(
    server: &ServerState,
    caller: &Caller,
    job: &str,
    author: Author,
) -> Result<JobDetails, ApiError> {
    let row = server.handle.pause_job(&id(job)?, reach(server, caller), author).await?;
    Ok(whole(server, &row))
}

pub(crate) async fn resumed(
    server: &ServerState,
    caller: &Caller,
    job: &str,
    author: Author,
) -> Result<JobDetails, ApiError> {
    let row = server.handle.resume_job(&id(job)?, reach(server, caller), author).await?;
    Ok(whole(server, &row))
}

fn whole(server: &ServerState, row: &JobRow) -> JobDetails {
    JobDetails::new(row, &server.handle.job_times(row, UPCOMING))
}

/// The jobs that the caller may see and change.
fn reach(server: &ServerState, caller: &Caller) -> JobReach {
    server.handle.job_reach(&caller.principal)
}

fn state(name: &str) -> Result<JobState, ApiError> {
    JobState::named(name).ok_or_else(|| {
        let names = JobState::ALL.map(JobState::name).join(", ");
        ApiError::bad_request(format!("state: there is no {name:?}; there are {names}"))
    })
}

fn run_id(text: &str) -> Result<RunId, ApiError> {
    text.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))
}

fn id(text: &str) -> Result<JobId, ApiError> {
    text.parse().map_err(|error: JobIdError| ApiError::bad_request(error.to_string()))
}
