//! Method calls over the WebSocket: the same operations as over HTTP.

use frontdesk_core::access::Action;
use frontdesk_core::key::SessionKey;
use frontdesk_core::task::TaskSource;
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::endpoint::{config, job, session, task};
use crate::error::ApiError;
use crate::job::JobDetails;
use crate::json_fault;
use crate::server::ServerState;
use crate::show::session::SessionDetails;
use crate::task::{Task, TaskDetails};
use crate::token::{Caller, Scope};

/// A method, and the scope and the permission that it needs.
struct Method {
    name: &'static str,
    scope: Scope,
    action: Action,
    run: for<'a> fn(&'a ServerState, &'a Caller, Value) -> BoxFuture<'a, Result<Value, ApiError>>,
}

/// Every method. A method that is not listed here does not exist.
static METHODS: &[Method] = &[
    Method {
        name: "session.list",
        scope: Scope::Read,
        action: Action::Write,
        run: |server, caller, params| Box::pin(async move { shown(list(server, caller, params).await?) }),
    },
    Method {
        name: "session.get",
        scope: Scope::Read,
        action: Action::Write,
        run: |server, caller, params| Box::pin(async move { shown(get(server, caller, params).await?) }),
    },
    Method {
        name: "session.kill",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| Box::pin(async move { shown(kill(server, caller, params).await?) }),
    },
    Method {
        name: "session.reset",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| Box::pin(async move { shown(reset(server, caller, params).await?) }),
    },
    Method {
        name: "cron.list",
        scope: Scope::Read,
        action: Action::Write,
        run: |server, caller, params| Box::pin(async move { shown(jobs(server, caller, params).await?) }),
    },
    Method {
        name: "cron.run",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| Box::pin(async move { shown(run_job(server, caller, params).await?) }),
    },
    Method {
        name: "cron.pause",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| {
            Box::pin(async move { shown(pause_job(server, caller, params).await?) })
        },
    },
    Method {
        name: "cron.resume",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| {
            Box::pin(async move { shown(resume_job(server, caller, params).await?) })
        },
    },
    Method {
        name: "config.reload",
        scope: Scope::Admin,
        action: Action::Administer,
        run: |server, caller, params| Box::pin(async move { shown(reload(server, caller, params).await?) }),
    },
    Method {
        name: "task.submit",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| {
            Box::pin(async move { shown(submit_task(server, caller, params).await?) })
        },
    },
    Method {
        name: "task.list",
        scope: Scope::Read,
        action: Action::Write,
        run: |server, caller, params| {
            Box::pin(async move { shown(list_tasks(server, caller, params).await?) })
        },
    },
    Method {
        name: "task.get",
        scope: Scope::Read,
        action: Action::Write,
        run: |server, caller, params| Box::pin(async move { shown(get_task(server, caller, params).await?) }),
    },
    Method {
        name: "task.cancel",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| {
            Box::pin(async move { shown(cancel_task(server, caller, params).await?) })
        },
    },
    Method {
        name: "task.retry",
        scope: Scope::Admin,
        action: Action::Write,
        run: |server, caller, params| {
            Box::pin(async move { shown(retry_task(server, caller, params).await?) })
        },
    },
];

/// The session that a call is about.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SessionName")]
pub(crate) struct Key {
    key: String,
}

/// The task that a call is about.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct TaskName {
    task: String,
    /// The same for every repetition of one request.
    idempotency_key: Option<String>,
}

/// The job that a call is about.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "JobName")]
pub(crate) struct Id {
    id: String,
}

/// The names of all methods.
pub(crate) fn method_names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// Carries out a call.
pub(crate) async fn call(
    server: &ServerState,
    caller: &Caller,
    method: &str,
    params: Value,
) -> Result<Value, ApiError> {
    let Some(method) = METHODS.iter().find(|known| known.name == method) else {
        let names: Vec<_> = method_names().collect();
        let mut error =
            ApiError::not_found(format!("there is no method {method:?}; there are {}", names.join(", ")));
        error.code = "unknown_method".into();
        return Err(error);
    };
    server.authorize(caller, method.scope, method.action)?;
    (method.run)(server, caller, params).await
}

fn shown<T: Serialize>(result: T) -> Result<Value, ApiError> {
    serde_json::to_value(result).map_err(|error| {
        tracing::error!(%error, "a result could not be serialized");
        ApiError::internal()
    })
}

async fn list(server: &ServerState, caller: &Caller, params: Value) -> Result<session::Sessions, ApiError> {
    let which = if params.is_null() { session::SessionsQuery::default() } else { parse(params)? };
    session::sessions(server, caller, which).await
}

/// The session that a call names, if the caller may do something there that needs this scope.
fn named(server: &ServerState, caller: &Caller, scope: Scope, params: Value) -> Result<SessionKey, ApiError> {
    let Key { key } = parse(params)?;
    let key = session::key(&key)?;
    server.authorize_session(caller, scope, &key)?;
    Ok(key)
}

async fn get(server: &ServerState, caller: &Caller, params: Value) -> Result<SessionDetails, ApiError> {
    session::session(server, &named(server, caller, Scope::Read, params)?).await
}

async fn kill(
    server: &ServerState,
    caller: &Caller,
    params: Value,
) -> Result<session::StoppedSession, ApiError> {
    session::cancel(server, &named(server, caller, Scope::Admin, params)?, &caller.author()).await
}

async fn reset(
    server: &ServerState,
    caller: &Caller,
    params: Value,
) -> Result<session::ResetSession, ApiError> {
    session::reset_session(server, &named(server, caller, Scope::Admin, params)?, &caller.author()).await
}

async fn jobs(server: &ServerState, caller: &Caller, params: Value) -> Result<job::Jobs, ApiError> {
    let which = if params.is_null() { job::JobsQuery::default() } else { parse(params)? };
    job::jobs(server, caller, which).await
}

async fn run_job(server: &ServerState, caller: &Caller, params: Value) -> Result<job::RunStarted, ApiError> {
    let Id { id } = parse(params)?;
    job::run_now(server, caller, &id, caller.author()).await
}

async fn pause_job(server: &ServerState, caller: &Caller, params: Value) -> Result<JobDetails, ApiError> {
    let Id { id } = parse(params)?;
    job::paused(server, caller, &id, caller.author()).await
}

async fn resume_job(server: &ServerState, caller: &Caller, params: Value) -> Result<JobDetails, ApiError> {
    let Id { id } = parse(params)?;
    job::resumed(server, caller, &id, caller.author()).await
}

async fn reload(server: &ServerState, caller: &Caller, params: Value) -> Result<Value, ApiError> {
    let wanted = if params.is_null() { config::ReloadRequest::default() } else { parse(params)? };
    config::take_over(server, &wanted, caller.author()).await
}

/// Hands over a task. The key is beside the fields of the task, as the header is beside the body over HTTP.
async fn submit_task(
    server: &ServerState,
    caller: &Caller,
    mut params: Value,
) -> Result<task::SubmittedTask, ApiError> {
    let key = params.as_object_mut().and_then(|params| params.remove("idempotency_key"));
    let key: Option<String> = key.map_or(Ok(None), parse_any)?;
    let source = TaskSource::WebSocket;
    task::submit_task(server, caller, parse(params)?, source, checked(key.as_deref())?).await
}

async fn list_tasks(server: &ServerState, caller: &Caller, params: Value) -> Result<task::Tasks, ApiError> {
    let which = if params.is_null() { task::TasksQuery::default() } else { parse(params)? };
    task::tasks(server, caller, which).await
}

async fn get_task(server: &ServerState, caller: &Caller, params: Value) -> Result<TaskDetails, ApiError> {
    let TaskName { task, .. } = parse(params)?;
    task::task(server, caller, &task).await
}

async fn cancel_task(server: &ServerState, caller: &Caller, params: Value) -> Result<Task, ApiError> {
    let TaskName { task, .. } = parse(params)?;
    task::cancel_task(server, caller, &task, caller.author()).await
}

async fn retry_task(server: &ServerState, caller: &Caller, params: Value) -> Result<Task, ApiError> {
    let TaskName { task, idempotency_key } = parse(params)?;
    task::retry_task(server, caller, &task, checked(idempotency_key.as_deref())?).await
}

/// A key, unless it is empty or too long.
fn checked(key: Option<&str>) -> Result<Option<&str>, ApiError> {
    match key.is_none_or(|key| !key.is_empty() && key.len() <= 200) {
        true => Ok(key),
        false => Err(ApiError::bad_request("an idempotency_key has 1 to 200 bytes")),
    }
}

fn parse<T: DeserializeOwned>(params: Value) -> Result<T, ApiError> {
    if params.is_array() {
        return Err(ApiError::bad_request("params: it is a list and must be an object"));
    }
    parse_any(params)
}

fn parse_any<T: DeserializeOwned>(params: Value) -> Result<T, ApiError> {
    serde_json::from_value(params)
        .map_err(|error| ApiError::bad_request(format!("params: {}", json_fault::words(&error))))
}
