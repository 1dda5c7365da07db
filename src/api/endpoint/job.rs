//! Scheduled jobs: made, listed, looked at, changed, run, paused and removed.

use axum::http::StatusCode;
use frontdesk_core::id::{IdError, RunId};
use frontdesk_core::job::{JobId, JobIdError, JobSource, JobState};
use frontdesk_runtime::JobRequest;
use frontdesk_runtime::config::{JobChange, JobDraft};
use frontdesk_store::row::{Author, JobFilter, JobReach, JobRow};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::job;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::token::Caller;

/// How many of its next times a job shows.
const UPCOMING: usize = 5;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    state: Option<String>,
    #[serde(alias = "after")]
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    #[serde(alias = "before")]
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Makes a job. With an `Idempotency-Key` it is made once, also across a restart.
pub(crate) async fn create(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let draft: JobDraft = request.json()?;
    let (server, caller) = (&request.server, request.caller()?);
    let source = if request.author()?.via == "cli" { JobSource::Cli } else { JobSource::Api };
    let key = request.idempotency_key()?.map(|key| {
        // A token's id may contain any character, so its length separates it from the key.
        let token = request.person();
        format!("{}:{token}/{key}", token.len())
    });
    let asked = JobRequest { owner: caller.principal.clone(), source, key, draft };
    let made = server.handle.create_job(asked).await?;
    Ok(ApiResponse::Json(StatusCode::CREATED, whole(server, &made)))
}

/// Jobs, in the order of their names.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query = request.query()?;
    Ok(ApiResponse::ok(jobs(&request.server, request.caller()?, query).await?))
}

/// The jobs that a caller may see, in the order of their names, as JSON. HTTP and the WebSocket use this.
pub(crate) async fn jobs(server: &ServerState, caller: &Caller, query: JobsQuery) -> Result<Value, ApiError> {
    let after = query.cursor.as_deref().map(id).transpose()?;
    let state = query.state.as_deref().map(state).transpose()?;
    let filter = JobFilter { reach: reach(server, caller), state, after };
    let limit = list::row_limit(query.limit);
    let jobs = server.handle.jobs(filter, limit).await?;
    let next = jobs.last().filter(|_| jobs.len() >= limit as usize).map(|row| row.job.id.to_string());
    let shown: Vec<Value> = jobs.iter().map(job::row).collect();
    Ok(json!({"jobs": shown, "next": next}))
}

pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, caller) = (&request.server, request.caller()?);
    let row = server.handle.job(&id(request.param(0)?)?, reach(server, caller)).await?;
    Ok(ApiResponse::ok(whole(server, &row)))
}

/// Changes a job. What the body leaves out stays as it is.
pub(crate) async fn change(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let change: JobChange = request.json()?;
    let (server, caller) = (&request.server, request.caller()?);
    let (id, author) = (id(request.param(0)?)?, request.author()?);
    let row = server.handle.change_job(&id, reach(server, caller), change, author).await?;
    Ok(ApiResponse::ok(whole(server, &row)))
}

pub(crate) async fn remove(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, caller) = (&request.server, request.caller()?);
    let (id, author) = (id(request.param(0)?)?, request.author()?);
    server.handle.remove_job(&id, reach(server, caller), author).await?;
    Ok(ApiResponse::ok(json!({"removed": id.as_str()})))
}

/// Runs a job now.
pub(crate) async fn run(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let body = run_now(&request.server, request.caller()?, request.param(0)?, request.author()?).await?;
    Ok(ApiResponse::Json(StatusCode::ACCEPTED, body))
}

pub(crate) async fn pause(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let row = paused(&request.server, request.caller()?, request.param(0)?, request.author()?).await?;
    Ok(ApiResponse::ok(row))
}

pub(crate) async fn resume(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let row = resumed(&request.server, request.caller()?, request.param(0)?, request.author()?).await?;
    Ok(ApiResponse::ok(row))
}

/// The runs of a job, the newest first.
pub(crate) async fn runs(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: RunsQuery = request.query()?;
    let before = query.cursor.as_deref().map(run_id).transpose()?;
    let (server, caller) = (&request.server, request.caller()?);
    let limit = list::row_limit(query.limit);
    let runs = server.handle.job_runs(&id(request.param(0)?)?, reach(server, caller), before, limit).await?;
    let next = runs.last().filter(|_| runs.len() >= limit as usize).map(|run| run.id.to_string());
    let shown: Vec<Value> = runs.iter().map(job::run).collect();
    let json = json!({"runs": shown, "next": next}).to_string();
    let reserved = server.reserve_unread(json.len()).await?;
    Ok(list::reserved_response(json, reserved))
}

/// One run of a job, with the whole of its result.
pub(crate) async fn one_run(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, caller) = (&request.server, request.caller()?);
    let (id, asked) = (id(request.param(0)?)?, run_id(request.param(1)?)?);
    let run = server.handle.job_run(&id, reach(server, caller), asked).await?;
    let json = job::whole_run(&run).to_string();
    let reserved = server.reserve_unread(json.len()).await?;
    Ok(list::reserved_response(json, reserved))
}

pub(crate) async fn run_now(
    server: &ServerState,
    caller: &Caller,
    job: &str,
    author: Author,
) -> Result<Value, ApiError> {
    let run = server.handle.run_job(&id(job)?, reach(server, caller), author).await?;
    Ok(json!({"run": run.to_string()}))
}

pub(crate) async fn paused(
    server: &ServerState,
    caller: &Caller,
    job: &str,
    author: Author,
) -> Result<Value, ApiError> {
    let row = server.handle.pause_job(&id(job)?, reach(server, caller), author).await?;
    Ok(whole(server, &row))
}

pub(crate) async fn resumed(
    server: &ServerState,
    caller: &Caller,
    job: &str,
    author: Author,
) -> Result<Value, ApiError> {
    let row = server.handle.resume_job(&id(job)?, reach(server, caller), author).await?;
    Ok(whole(server, &row))
}

fn whole(server: &ServerState, row: &JobRow) -> Value {
    job::whole(row, &server.handle.job_times(row, UPCOMING))
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
