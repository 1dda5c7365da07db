//! What chats and web servers are told of a job.

use chrono::{DateTime, Utc};
use frontdesk_core::budget::UsedUp;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::{RunId, TurnId};
use frontdesk_core::job::{JobNotice, RunState};
use serde_json::json;

use crate::fault::Outcome;
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::row::{JobChat, JobRow};
use crate::spend;
use crate::tx::Tx;

use super::ending::EndedRun;

/// What goes to a chat that hears of a job.
pub(super) fn outgoing(chat: &JobChat, now: DateTime<Utc>) -> Outgoing<'_> {
    Outgoing {
        turn: None,
        about: &[],
        session: chat.session.as_ref(),
        address: &chat.address,
        reply_to: None,
        kind: PostKind::Result,
        audience: None,
        now,
    }
}

/// Tells the chat of a job that runs of it were missed. `run` stands for them.
pub(crate) fn missed(
    tx: &Tx<'_>,
    job: &JobRow,
    run: RunId,
    notice: &JobNotice<'_>,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tell(tx, job, &TextKey::run_missed(run), notice, now)
}

/// Tells the chat of a job that a web server has not taken the result of a run.
pub(crate) fn undelivered(
    tx: &Tx<'_>,
    job: &JobRow,
    run: RunId,
    why: &str,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tell(tx, job, &TextKey::run_undelivered(run), &JobNotice::Undelivered { why }, now)
}

/// Tells the chat of a job that a run was skipped because a budget is used up: once a day.
pub(super) fn over_budget(tx: &Tx<'_>, ended: &EndedRun, budget: UsedUp, now: DateTime<Utc>) -> Outcome<()> {
    let Some(chat) = ended.told() else { return Ok(()) };
    let job = &ended.job.job.id;
    let notice = JobNotice::UsedUp { budget, at: now };
    outgoing(chat, now)
        .text(tx, &TextKey::job_over_budget(job, budget.day.number), &notice.text(job))
        .map(drop)
}

/// Tells the chat of a run that has ended which of its budgets are nearly used up.
pub(crate) fn warn(tx: &Tx<'_>, ended: &EndedRun, turn: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    let Some(chat) = ended.told() else { return Ok(()) };
    spend::warn(tx, turn, |key, budget| {
        let notice = JobNotice::NearlyUsedUp { budget, at: now };
        outgoing(chat, now).text(tx, key, &notice.text(&ended.job.job.id)).map(drop)
    })
}

fn tell(tx: &Tx<'_>, job: &JobRow, key: &TextKey, notice: &JobNotice<'_>, now: DateTime<Utc>) -> Outcome<()> {
    let Some(chat) = &job.chat else { return Ok(()) };
    outgoing(chat, now).text(tx, key, &notice.text(&job.job.id)).map(drop)
}

/// The body of the request that tells a web server how a run has ended.
pub(super) fn hook_body(ended: &EndedRun, text: &str) -> String {
    let mut body = json!({
        "job": ended.job.job.id.as_str(),
        "run": ended.run.to_string(),
        "scheduled": ended.scheduled.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        "state": ended.state.name(),
        "text": text,
    });
    if ended.state == RunState::Failed {
        let code = ended.error.map_or_else(|| "agent_error".to_owned(), |reason| reason.to_string());
        body["error"] = json!({"code": code, "message": ended.failure().sentence()});
    }
    body.to_string()
}
