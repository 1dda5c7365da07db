//! How a run of a job ends: in the transaction that ends its turn, with the message that tells its chat.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::{RunId, TurnId};
use frontdesk_core::job::{
    AfterFailure, DISABLED_AFTER, HEARTBEAT, JobId, JobNotice, JobState, PauseReason, RunFailure, RunState,
    SkipReason,
};
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_core::retry::Backoff;
use frontdesk_core::visible::is_visible;
use rusqlite::params;

use crate::fault::Outcome;
use crate::part_key::TextKey;
use crate::row::{Claim, Finish, JobChat, JobRow, Reason, RunReason, TurnState};
use crate::sql::{at, maybe_parsed, ms, parsed, small};
use crate::turn::OpenTurn;
use crate::tx::Tx;

use super::read::by_id;
use super::state::{has_open_runs, pause, settle, skip};
use super::tell::{hook_body, outgoing, over_budget};

/// The pause before a failed run is tried again.
const RETRY: Backoff =
    Backoff { base: Duration::from_secs(30), factor: 2.0, jitter: 0.0, cap: Duration::from_secs(3600) };

/// A run whose turn has ended.
#[derive(Debug, Clone)]
pub(crate) struct EndedRun {
    pub(crate) run: RunId,
    pub(crate) job: JobRow,
    pub(crate) scheduled: DateTime<Utc>,
    /// Its state now: one that is due is tried again.
    pub(crate) state: RunState,
    pub(crate) error: Option<Reason>,
    /// The delivery of its job when it began, and the chat of its result.
    delivery: String,
    chat: JobChat,
    /// What its failure means for the job, if the chat is told of it.
    then: Option<AfterFailure>,
    /// What its agent had said before it was cut off.
    so_far: Option<String>,
}

impl EndedRun {
    /// Whether its chat gets what its agent says.
    fn delivers(&self) -> bool {
        matches!(self.delivery.as_str(), "announce" | "direct")
    }

    /// The chat that is told what has become of it: the one of its result, or that of its job.
    pub(super) fn told(&self) -> Option<&JobChat> {
        Some(&self.chat).filter(|_| self.delivers()).or(self.job.chat.as_ref())
    }

    /// Why it has no result.
    pub(super) fn failure(&self) -> RunFailure {
        match self.error {
            Some(Reason::Failed(failure)) => RunFailure::Turn(failure),
            Some(Reason::Interrupted) => RunFailure::CutOff,
            Some(Reason::Refused(_)) => RunFailure::Refused,
            _ => RunFailure::Reported,
        }
    }
}

/// What is stored of a run on which a turn works.
struct OpenRun {
    job: JobId,
    scheduled: DateTime<Utc>,
    manual: bool,
    tries: u32,
    delivery: String,
    chat: JobChat,
}

/// How a turn has ended, for its run.
enum RunEnd {
    Succeeded,
    /// `again`: nothing was done yet, so that it may be tried again.
    Failed {
        again: bool,
    },
    Skipped(SkipReason),
}

fn end_of(turn: &OpenTurn, state: TurnState, error: Option<Reason>, end: AnswerEnd) -> RunEnd {
    match (state, error) {
        (TurnState::Done, _) if !end.is_failure() => RunEnd::Succeeded,
        (_, Some(Reason::Refused(Refusal::Revoked | Refusal::AuthorRevoked))) => {
            RunEnd::Skipped(SkipReason::Revoked)
        }
        (_, Some(Reason::Refused(Refusal::Budget))) => RunEnd::Skipped(SkipReason::Budget),
        (TurnState::Cancelled | TurnState::Superseded, _) => RunEnd::Skipped(SkipReason::Stopped),
        (TurnState::Refused | TurnState::Interrupted, _) => RunEnd::Failed { again: false },
        (_, Some(Reason::Failed(Failure::AgentGone))) => RunEnd::Failed { again: false },
        _ => RunEnd::Failed { again: turn.acted.is_none() },
    }
}

/// The turn that worked on a run has ended. Returns the run as it is now.
pub(crate) fn ended(
    tx: &Tx<'_>,
    run: RunId,
    turn: &OpenTurn,
    state: TurnState,
    (error, end): (Option<Reason>, AnswerEnd),
    now: DateTime<Utc>,
) -> Outcome<Option<EndedRun>> {
    let Some(open) = open_run(tx, run, turn)? else { return Ok(None) };
    let Some(job) = by_id(tx, &open.job)? else { return Ok(None) };
    let mut then = None;
    let state = match end_of(turn, state, error, end) {
        RunEnd::Succeeded => {
            end_run(tx, run, RunState::Succeeded, None, now)?;
            tx.run("UPDATE job SET failures = 0 WHERE id = ?1", [job.job.id.as_str()])?;
            settle(tx, &job.job.id)?;
            RunState::Succeeded
        }
        RunEnd::Failed { again: true } if open.tries < job.job.retries => {
            try_again(tx, run, open.tries + 1, now)?;
            RunState::Due
        }
        RunEnd::Failed { .. } => {
            end_run(tx, run, RunState::Failed, error.map(RunReason::Failed), now)?;
            then = failed(tx, &job, open.manual, now)?;
            RunState::Failed
        }
        RunEnd::Skipped(reason) => {
            skip(tx, run, reason, now)?;
            if reason == SkipReason::Revoked && job.state == JobState::Active {
                pause(tx, &job.job.id, (JobState::Paused, PauseReason::Revoked), true, now)?;
            }
            settle(tx, &job.job.id)?;
            RunState::Skipped
        }
    };
    let OpenRun { scheduled, delivery, chat, .. } = open;
    let so_far = turn.so_far.clone().filter(|_| state == RunState::Failed);
    Ok(Some(EndedRun { run, job, scheduled, state, error, delivery, chat, then, so_far }))
}

fn open_run(tx: &Tx<'_>, run: RunId, turn: &OpenTurn) -> Outcome<Option<OpenRun>> {
    tx.one(
        "SELECT job_id, scheduled_at, manual, tries, coalesce(delivery, 'silent'), chat_key FROM run
         WHERE id = ?1 AND state IN ('due', 'running')",
        [run.0],
        |row| {
            Ok(OpenRun {
                job: parsed(row, 0)?,
                scheduled: at(row, 1)?,
                manual: row.get(2)?,
                tries: small(row, 3)?,
                delivery: row.get(4)?,
                chat: JobChat { address: turn.address.clone(), session: maybe_parsed(row, 5)? },
            })
        },
    )
}

fn end_run(
    tx: &Tx<'_>,
    run: RunId,
    state: RunState,
    reason: Option<RunReason>,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tx.run(
        "UPDATE run SET state = ?2, reason = ?3, tries = tries + (?2 = 'failed'), finished_at = ?4 WHERE id = ?1",
        params![run.0, state.name(), reason.map(|reason| reason.to_string()), ms(now)],
    )
    .map(drop)
}

/// A failed run waits for its next try, for which it enters its session once more.
fn try_again(tx: &Tx<'_>, run: RunId, tries: u32, now: DateTime<Utc>) -> Outcome<()> {
    let pause = TimeDelta::from_std(RETRY.delay(tries, 0.5)).unwrap_or(TimeDelta::hours(1));
    tx.run(
        "UPDATE run SET state = 'due', tries = ?2, message_id = NULL, waits = 1, not_before = ?3 WHERE id = ?1",
        params![run.0, tries, ms(now + pause)],
    )
    .map(drop)
}

/// A run has failed for good. Returns what that means for its job, if the chat is told: of the first failure in a row, of one
/// that disables the job, and of a run that somebody has asked for.
fn failed(tx: &Tx<'_>, job: &JobRow, manual: bool, now: DateTime<Utc>) -> Outcome<Option<AfterFailure>> {
    let (id, failures) = (&job.job.id, job.failures.saturating_add(1));
    tx.run("UPDATE job SET failures = ?2 WHERE id = ?1", params![id.as_str(), failures])?;
    let is_active = job.state == JobState::Active;
    let disabled = (JobState::Disabled, PauseReason::Failures);
    if is_active && job.next.is_none() && !has_open_runs(tx, id)? {
        pause(tx, id, disabled, false, now)?;
        return Ok(Some(AfterFailure::RanOnce));
    }
    // The heartbeat is never disabled: the watchdog tells people when none is completed.
    let is_heartbeat = id.as_str() == HEARTBEAT;
    if is_active && failures >= DISABLED_AFTER && !is_heartbeat {
        pause(tx, id, disabled, true, now)?;
        return Ok(Some(AfterFailure::Disabled { failures }));
    }
    Ok((failures == 1 || manual).then_some(AfterFailure::GoesOn))
}

/// Tells whoever gets the results of a job how a run has ended.
pub(crate) fn report(tx: &Tx<'_>, ended: &EndedRun, finish: &Finish) -> Outcome<()> {
    let answer = finish.answer.as_deref().or(ended.so_far.as_deref()).unwrap_or_default();
    let to_chat = ended.delivers();
    let said = if to_chat { finish.shown.as_deref().unwrap_or(answer) } else { answer };
    let key = TextKey::run(ended.run);
    let first = match (ended.state, ended.then) {
        (RunState::Succeeded, _) if to_chat => {
            let outgoing = outgoing(&ended.chat, finish.now);
            let first = if is_visible(said) { outgoing.text(tx, &key, said)? } else { None };
            outgoing.files(tx, &key, &finish.media)?;
            first
        }
        (RunState::Failed, Some(then)) => {
            // Only those who get the results see what was said.
            let said = if to_chat { said } else { "" };
            let notice = JobNotice::Failed { why: ended.failure(), said, then };
            match ended.told() {
                Some(chat) => outgoing(chat, finish.now).text(tx, &key, &notice.text(&ended.job.job.id))?,
                None => None,
            }
        }
        (RunState::Skipped, _) => {
            if let Some(Notice::UsedUp { budget, .. }) = &finish.notice {
                over_budget(tx, ended, *budget, finish.now)?;
            }
            None
        }
        _ => None,
    };
    if let Some(first) = first {
        tx.run("UPDATE run SET result_out = ?2 WHERE id = ?1", [ended.run.0, first.0])?;
    }
    let is_hooked = match ended.state {
        RunState::Succeeded => is_visible(answer),
        RunState::Failed => true,
        _ => false,
    };
    if ended.delivery == "webhook" && is_hooked {
        tx.run(
            "UPDATE run SET hook_state = 'waiting', hook_body = ?2, hook_next_at = ?3 WHERE id = ?1",
            params![ended.run.0, hook_body(ended, answer), ms(finish.now)],
        )?;
    }
    Ok(())
}

/// The turn that worked on a run is marked dead, because its end cannot be stored as it is. The chat is told so if that can
/// be stored; if not, the run has failed all the same.
pub(crate) fn turn_is_dead(tx: &Tx<'_>, turn: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    let run = "SELECT run_id FROM turn WHERE id = ?1 AND run_id IS NOT NULL";
    let Some(run) = tx.one(run, [turn.0], |row| row.get(0).map(RunId))? else { return Ok(()) };
    let error = Some(Reason::Failed(Failure::Internal));
    let told = tx.apart(|| {
        let Some(turn) = OpenTurn::by_id(tx, turn)? else { return Ok(()) };
        match ended(tx, run, &turn, TurnState::Dead, (error, AnswerEnd::Whole), now)? {
            Some(ended) => {
                let claim = Claim { id: turn.id, fence: 0 };
                report(tx, &ended, &Finish::bare(claim, Ending::Dead, now))
            }
            None => Ok(()),
        }
    });
    match told {
        Err(fault) if !fault.takes_the_group() => {
            tracing::error!(%run, cause = %fault.error(), "the end of a run of a job cannot be told");
            end_run(tx, run, RunState::Failed, error.map(RunReason::Failed), now)
        }
        told => told,
    }
}
