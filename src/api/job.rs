//! Scheduled jobs and their runs, as JSON.

use chrono::{DateTime, Utc};
use frontdesk_core::job::{JobDelivery, RunFailure, RunState, SkipReason};
use frontdesk_core::task::title_of;
use frontdesk_store::row::{JobRow, OutboxState, Reason, RunReason, RunRow};
use serde_json::{Value, json};

use crate::show::{escaped, time};

/// How much of a result a list shows, in bytes.
const LISTED: usize = 4096;
/// A job in a list.
pub(crate) fn row(row: &JobRow) -> Value {
    let job = &row.job;
    let (to, url) = match &job.delivery {
        JobDelivery::Announce(address) => (Some(address.as_str()), None),
        JobDelivery::Webhook(url) => (None, Some(url.as_str())),
        JobDelivery::Direct | JobDelivery::Silent => (None, None),
    };
    let last = row
        .last
        .map(|last| json!({"run": last.run.to_string(), "state": last.state.name(), "at": time(last.at)}));
    json!({
        "id": job.id.as_str(),
        "title": title_of(&job.task),
        "schedule": {"kind": job.timing.kind().name(), "expr": job.timing.expr(), "timezone": job.timing.zone().name()},
        "agent": job.agent,
        "delivery": {"mode": job.delivery.name(), "to": to, "url": url},
        "resume_context": job.resume_context,
        "missed": job.missed.name(),
        "overlap": job.overlap.name(),
        "jitter_s": job.jitter.as_secs(),
        "retries": job.retries,
        "source": row.source.name(),
        "owner": row.owner.id.as_str(),
        "owner_name": row.owner.name.as_deref().map(escaped),
        "origin": row.origin.as_ref().map(|origin| origin.as_str()),
        "session": row.session.as_str(),
        "state": row.state.name(),
        "reason": row.reason.map(|reason| reason.name()),
        "failures": row.failures,
        "next": row.next.map(time),
        "last": last,
        "created": time(row.created),
        "updated": time(row.updated),
    })
}

/// A job with the whole of what is to be done, and its next times.
pub(crate) fn whole(job: &JobRow, upcoming: &[DateTime<Utc>]) -> Value {
    let mut shown = row(job);
    shown["task"] = job.job.task.as_str().into();
    shown["upcoming"] = upcoming.iter().map(|at| time(*at)).collect();
    shown
}

/// A run in a list, with the beginning of its result.
pub(crate) fn run(run: &RunRow) -> Value {
    let mut shown = whole_run(run);
    if let Some(text) = run.result.as_deref().filter(|text| text.len() > LISTED) {
        shown["text"] = format!("{}…", &text[..text.floor_char_boundary(LISTED)]).into();
    }
    shown
}

/// A run.
pub(crate) fn whole_run(run: &RunRow) -> Value {
    let missed = run
        .missed
        .map(|missed| json!({"from": time(missed.first), "count": missed.count, "or_more": missed.or_more}));
    let delivered = run.result_out.map(|(_, state)| state == OutboxState::Sent);
    json!({
        "id": run.id.to_string(),
        "job": run.job.as_str(),
        "state": run.state.name(),
        "scheduled": time(run.scheduled),
        "manual": run.manual,
        "missed": missed,
        "attempt": run.attempt,
        "tries": run.tries,
        "turn": run.turn.map(|turn| turn.to_string()),
        "text": run.result,
        "error": error(run),
        "webhook": run.hook.map(|hook| hook.name()),
        "started": run.started.map(time),
        "finished": run.finished.map(time),
        "delivered": delivered,
    })
}

/// Why a run has no result.
fn error(run: &RunRow) -> Option<Value> {
    let Some(reason) = run.reason else {
        let is_reported = run.state == RunState::Failed;
        let message = RunFailure::Reported.sentence();
        return is_reported.then(|| json!({"code": "agent_error", "message": message}));
    };
    let message = match reason {
        RunReason::Skipped(reason) => skipped(reason),
        RunReason::Failed(Reason::Failed(failure)) => RunFailure::Turn(failure).sentence(),
        RunReason::Failed(Reason::Interrupted) => RunFailure::CutOff.sentence(),
        RunReason::Failed(Reason::Refused(refusal)) => refusal.sentence(),
        RunReason::Failed(_) => RunFailure::Reported.sentence(),
    };
    Some(json!({"code": reason.to_string(), "message": message}))
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
