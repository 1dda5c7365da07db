//! The schema of the WebSocket's frames, in both directions.

#![expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "the types of this module only describe frames, and nothing makes one"
)]

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::endpoint::config::{ReloadReport, ReloadRequest};
use crate::endpoint::job::{Jobs, JobsQuery, RunStarted};
use crate::endpoint::session::{ResetSession, Sessions, SessionsQuery, StoppedSession};
use crate::endpoint::task::{NewTask, SubmittedTask, Tasks, TasksQuery};
use crate::frame::Wire;
use crate::job::JobDetails;
use crate::show::session::SessionDetails;
use crate::task::{Task, TaskDetails};
use crate::ws::call::{Id, Key, TaskName};
use crate::ws::message::ClientMessage;

/// Describes the frames of the WebSocket as JSON Schema: `ServerFrame` and `ClientFrame`. The copy in the repository,
/// `schema/frames.schema.json`, is what the server serves.
pub fn frames() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut sent = settings.clone().for_serialize().into_generator();
    let mut received = settings.for_deserialize().into_generator();
    sent.subschema_for::<ServerFrame>();
    received.subschema_for::<ClientFrame>();
    let mut definitions = received.take_definitions(true);
    definitions.append(&mut sent.take_definitions(true));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frames of Frontdesk's WebSocket",
        "description": "Each frame is one JSON object. `ServerFrame` is what the gateway sends, `ClientFrame` what a client sends.",
        "anyOf": [{"$ref": "#/$defs/ServerFrame"}, {"$ref": "#/$defs/ClientFrame"}],
        "$defs": definitions,
    })
}

/// A frame that the gateway sends: one with a type, or the result of a call.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum ServerFrame {
    Frame(Wire<'static>),
    Result(CallResult),
}

/// The result of a call. Of which kind it is follows from the call that has the same id.
#[derive(Serialize, JsonSchema)]
struct CallResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<FrameId>,
    result: MethodResult,
}

/// The client's id of a frame, which the answers to it repeat.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FrameId {
    Text(String),
    Number(f64),
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum MethodResult {
    Sessions(Sessions),
    Session(SessionDetails),
    Stopped(StoppedSession),
    Reset(ResetSession),
    Jobs(Jobs),
    Job(JobDetails),
    Run(RunStarted),
    Reload(ReloadReport),
    Submitted(SubmittedTask),
    Tasks(Tasks),
    TaskDetails(TaskDetails),
    Task(Task),
    Followed(FollowedSession),
}

/// A session that a client follows from now on.
#[derive(Serialize, JsonSchema)]
struct FollowedSession {
    session: String,
    /// The number of the last stored frame that was sent.
    seq: u64,
}

/// A frame that a client sends: one with a type, or a call. Fields that the gateway does not know are ignored.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum ClientFrame {
    Frame(ClientMessage),
    Call(Call),
}

/// A call of a method, with its parameters.
#[derive(Deserialize, JsonSchema)]
struct Call {
    id: Option<FrameId>,
    #[serde(flatten)]
    method: Method,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "method", content = "params")]
enum Method {
    #[serde(rename = "session.list")]
    SessionList(Option<SessionsQuery>),
    #[serde(rename = "session.get")]
    SessionGet(Key),
    #[serde(rename = "session.kill")]
    SessionKill(Key),
    #[serde(rename = "session.reset")]
    SessionReset(Key),
    #[serde(rename = "cron.list")]
    CronList(Option<JobsQuery>),
    #[serde(rename = "cron.run")]
    CronRun(Id),
    #[serde(rename = "cron.pause")]
    CronPause(Id),
    #[serde(rename = "cron.resume")]
    CronResume(Id),
    #[serde(rename = "config.reload")]
    ConfigReload(Option<ReloadRequest>),
    #[serde(rename = "task.submit")]
    TaskSubmit(KeyedTask),
    #[serde(rename = "task.list")]
    TaskList(Option<TasksQuery>),
    #[serde(rename = "task.get")]
    TaskGet(TaskName),
    #[serde(rename = "task.cancel")]
    TaskCancel(TaskName),
    #[serde(rename = "task.retry")]
    TaskRetry(TaskName),
}

/// A task with the key by which a repetition is recognised.
#[derive(Deserialize, JsonSchema)]
struct KeyedTask {
    #[serde(flatten)]
    task: NewTask,
    idempotency_key: Option<String>,
}
