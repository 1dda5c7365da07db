//! Scheduled jobs and their runs, as JSON.

use chrono::{DateTime, Utc};
use frontdesk_core::job::{JobDelivery, JobState, RunFailure, RunState, SkipReason};
use frontdesk_core::task::title_of;
use frontdesk_store::row::{JobRow, OutboxState, Reason, RunReason, RunRow};
use schemars::JsonSchema;
use serde::Serialize;

use crate::show::{Timestamp, escaped, maybe};

/// How much of a result a list shows, in bytes.
const LISTED: usize = 4096;

/// A scheduled job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Job {
    id: String,
    title: String,
    schedule: Schedule,
    agent: String,
    delivery: Delivery,
    /// Whether all runs share one conversation.
    resume_context: bool,
    missed: &'static str,
    overlap: &'static str,
    jitter_s: u64,
    retries: u32,
    /// Who made it: the configuration, or a person by one of the interfaces.
    source: &'static str,
    owner: String,
    owner_name: Option<String>,
    origin: Option<String>,
    session: String,
    #[schemars(extend("enum" = JobState::ALL.map(JobState::name)))]
    state: &'static str,
    /// Why it does not run.
    reason: Option<&'static str>,
    /// Number of its last runs that failed, one after another.
    failures: u32,
    /// When it is due.
    next: Option<Timestamp>,
    last: Option<LastRun>,
    created: Timestamp,
    updated: Timestamp,
}

/// When a job runs.
#[derive(Debug, Serialize, JsonSchema)]
struct Schedule {
    /// `cron`, `every` or `at`.
    kind: &'static str,
    expr: String,
    timezone: &'static str,
}

/// Where the results of a job go.
#[derive(Debug, Serialize, JsonSchema)]
struct Delivery {
    /// `direct`, `announce`, `silent` or `webhook`.
    mode: &'static str,
    to: Option<String>,
    url: Option<String>,
}

/// The last run of a job.
#[derive(Debug, Serialize, JsonSchema)]
struct LastRun {
    run: String,
    state: &'static str,
    at: Timestamp,
}

/// A job with the whole of what is to be done, and its next times.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct JobDetails {
    #[serde(flatten)]
    job: Job,
    /// What is to be done.
    task: String,
    upcoming: Vec<Timestamp>,
}

/// One run of a job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Run {
    /// For example `r5`.
    id: String,
    job: String,
    state: &'static str,
    /// When it was due.
    scheduled: Timestamp,
    /// Whether somebody started it by hand.
    manual: bool,
    missed: Option<MissedRuns>,
    attempt: u32,
    tries: u32,
    turn: Option<String>,
    /// The result; a list has its beginning only.
    text: Option<String>,
    error: Option<RunError>,
    /// The state of its webhook.
    webhook: Option<&'static str>,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    /// Whether the result was sent.
    delivered: Option<bool>,
}

/// The runs that a run stands for, because the gateway was not there.
#[derive(Debug, Serialize, JsonSchema)]
struct MissedRuns {
    from: Timestamp,
    count: u64,
    /// Whether there were more than were counted.
    or_more: bool,
}

/// Why a run has no result.
#[derive(Debug, Serialize, JsonSchema)]
struct RunError {
    code: String,
    message: &'static str,
}

impl From<&JobRow> for Job {
    fn from(row: &JobRow) -> Self {
        let job = &row.job;
        let (to, url) = match &job.delivery {
            JobDelivery::Announce(address) => (Some(address.as_str().to_owned()), None),
            JobDelivery::Webhook(url) => (None, Some(url.to_string())),
            JobDelivery::Direct | JobDelivery::Silent => (None, None),
        };
        Self {
            id: job.id.as_str().to_owned(),
            title: title_of(&job.task),
            schedule: Schedule {
                kind: job.timing.kind().name(),
                expr: job.timing.expr().to_owned(),
                timezone: job.timing.zone().name(),
            },
            agent: job.agent.clone(),
            delivery: Delivery { mode: job.delivery.name(), to, url },
            resume_context: job.resume_context,
            missed: job.missed.name(),
            overlap: job.overlap.name(),
            jitter_s: job.jitter.as_secs(),
            retries: job.retries,
            source: row.source.name(),
            owner: row.owner.id.as_str().to_owned(),
            owner_name: row.owner.name.as_deref().map(escaped),
            origin: row.origin.as_ref().map(|origin| origin.as_str().to_owned()),
            session: row.session.as_str().to_owned(),
            state: row.state.name(),
            reason: row.reason.map(|reason| reason.name()),
            failures: row.failures,
            next: maybe(row.next),
            last: row.last.map(|last| LastRun {
                run: last.run.to_string(),
                state: last.state.name(),
                at: last.at.into(),
            }),
            created: row.created.into(),
            updated: row.updated.into(),
        }
    }
}

impl JobDetails {
    pub(crate) fn new(row: &JobRow, upcoming: &[DateTime<Utc>]) -> Self {
        let upcoming = upcoming.iter().map(|at| (*at).into()).collect();
        Self { job: row.into(), task: row.job.task.clone(), upcoming }
    }
}

impl Run {
    /// A run in a list, with the beginning of its result.
    pub(crate) fn listed(run: &RunRow) -> Self {
        let mut shown = Self::from(run);
        if let Some(text) = run.result.as_deref().filter(|text| text.len() > LISTED) {
            shown.text = Some(format!("{}…", &text[..text.floor_char_boundary(LISTED)]));
        }
        shown
    }
}

impl From<&RunRow> for Run {
    fn from(run: &RunRow) -> Self {
        let missed = run.missed.map(|missed| MissedRuns {
            from: missed.first.into(),
            count: missed.count,
            or_more: missed.or_more,
        });
        Self {
            id: run.id.to_string(),
            job: run.job.as_str().to_owned(),
            state: run.state.name(),
            scheduled: run.scheduled.into(),
            manual: run.manual,
            missed,
            attempt: run.attempt,
            tries: run.tries,
            turn: run.turn.map(|turn| turn.to_string()),
            text: run.result.clone(),
            error: error(run),
            webhook: run.hook.map(|hook| hook.name()),
            started: maybe(run.started),
            finished: maybe(run.finished),
            delivered: run.result_out.map(|(_, state)| state == OutboxState::Sent),
        }
    }
}

/// Why a run has no result.
fn error(run: &RunRow) -> Option<RunError> {
    let Some(reason) = run.reason else {
        let is_reported = run.state == RunState::Failed;
        let message = RunFailure::Reported.sentence();
        return is_reported.then(|| RunError { code: "agent_error".to_owned(), message });
    };
    let message = match reason {
        RunReason::Skipped(reason) => skipped(reason),
        RunReason::Failed(Reason::Failed(failure)) => RunFailure::Turn(failure).sentence(),
        RunReason::Failed(Reason::Interrupted) => RunFailure::CutOff.sentence(),
        RunReason::Failed(Reason::Refused(refusal)) => refusal.sentence(),
        RunReason::Failed(_) => RunFailure::Reported.sentence(),
    };
    Some(RunError { code: reason.to_string(), message })
}

fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Overlap => "An earlier run had not ended.",
        SkipReason::Revoked => "The owner of the job has lost access.",
        SkipReason::Paused => "The job was paused before it began.",
        SkipReason::Stopped => "Somebody stopped it.",
        SkipReason::Budget => "A budget of its owner, its chat or its agent was used up.",
        SkipReason::Unchanged => "The file of the heartbeat says the same as before.",
        SkipReason::Empty => "The file of the heartbeat is gone or empty.",
    }
}
