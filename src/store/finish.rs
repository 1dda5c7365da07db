//! T3: a turn ends, its messages with it, and every part of its answer is in the outbox, in one commit.

use chrono::{DateTime, Utc};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::Ending;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::TurnId;
use frontdesk_core::notice::{Failure, Notice};
use rusqlite::params;

use crate::answer::{answer, cut, take_back};
use crate::ask::withdraw;
use crate::fault::Outcome;
use crate::job::EndedRun;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{Claim, Fenced, Finish, Reason, StreamedPart, TaskRow, TurnState};
use crate::sql::{int, ms};
use crate::streaming::{Settled, settle};
use crate::turn::{OpenTurn, used};
use crate::tx::Tx;
use crate::{Result, Store, job, spend, task};

impl Store {
    /// Notes before the first tool that the agent is about to act (T2b): from here on the turn is not run
    /// again. `so_far` is what it said until now; a later call replaces that, and keeps the time.
    pub async fn side_effect(
        &self,
        claim: Claim<TurnId>,
        so_far: String,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let noted = tx.run(
                "UPDATE turn SET side_effect_at = coalesce(side_effect_at, ?3), answer = ?4
                 WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                params![claim.id.0, claim.fence, ms(now), so_far],
            )?;
            Ok(Fenced::if_changed(noted))
        })
        .await
    }

    /// Ends a turn (T3).
    pub async fn finish(&self, finish: Finish) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, finish.claim)? else { return Ok(Fenced::Stale) };
            end(tx, &turn, &finish).map(Fenced::Done)
        })
        .await
    }

    /// The agent died: the turn is to run once more. The attempt counts as a death, and what it has used is counted.
    pub async fn requeue(
        &self,
        claim: Claim<TurnId>,
        usage: Option<Usage>,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let queued = tx.run(
                "UPDATE turn SET state = 'queued', owner = NULL WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                [claim.id.0, claim.fence],
            )?;
            if let Some(usage) = usage.as_ref().filter(|_| queued > 0) {
                spend::add(tx, claim.id, usage)?;
            }
            task::waits_again(tx, claim.id, now)?;
            job::waits_again(tx, claim.id)?;
            Ok(Fenced::if_changed(queued))
        })
        .await
    }

    /// The agent could not even be started: the turn waits again as if it had not been claimed. What was put on disk
    /// for the tool call that is the start itself has not happened either.
    pub async fn not_begun(&self, claim: Claim<TurnId>, now: DateTime<Utc>) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let queued = tx.run(
                "UPDATE turn SET state = 'queued', owner = NULL, attempt = attempt - 1, side_effect_at = NULL,
                                 answer = NULL
                 WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                [claim.id.0, claim.fence],
            )?;
            task::waits_again(tx, claim.id, now)?;
            job::waits_again(tx, claim.id)?;
            Ok(Fenced::if_changed(queued))
        })
        .await
    }

    /// An orderly stop gives a turn back: it runs again at the next start, and the attempt is no death. A turn
    /// that has acted cannot run again: it ends here as interrupted, and its notice is on its way. What the attempt has used
    /// is counted.
    pub async fn release(
        &self,
        claim: Claim<TurnId>,
        usage: Option<Usage>,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            if let Some(usage) = &usage {
                spend::add(tx, turn.id, usage)?;
            }
            if turn.acted.is_some() {
                interrupt(tx, &turn, now)?;
                return Ok(Fenced::Done(()));
            }
            let released = tx.run(
                "UPDATE turn SET state = 'queued', owner = NULL, released = released + 1 WHERE id = ?1",
                [turn.id.0],
            )?;
            task::waits_again(tx, turn.id, now)?;
            job::waits_again(tx, turn.id)?;
            Ok(Fenced::if_changed(released))
        })
        .await
    }
}

/// Ends a turn that was cut off after its agent had acted: what it had said is delivered, and it is not run
/// again.
pub(crate) fn interrupt(tx: &Tx<'_>, turn: &OpenTurn, now: DateTime<Utc>) -> Outcome<()> {
    let so_far = turn.so_far.clone().unwrap_or_default();
    let finish = Finish {
        error: Some(Reason::Interrupted),
        notice: Some(Notice::Interrupted { so_far }),
        ..Finish::bare(turn.claim(), Ending::Dead, now)
    };
    end(tx, turn, &finish)
}

impl Finish {
    /// An end without an answer or a notice.
    pub fn bare(claim: Claim<TurnId>, ending: Ending, now: DateTime<Utc>) -> Self {
        Self {
            claim,
            ending,
            answer: None,
            end: AnswerEnd::Whole,
            own: None,
            parts: Vec::new(),
            media: Vec::new(),
            withheld: Vec::new(),
            shown: None,
            error: None,
            notice: None,
            usage: None,
            by_hook: false,
            now,
        }
    }
}

/// Ends a turn that is open, whoever holds it.
pub(crate) fn end(tx: &Tx<'_>, turn: &OpenTurn, finish: &Finish) -> Outcome<()> {
    match close(tx, turn, finish)? {
        EndedWork::Task(None) | EndedWork::Run(None) => return Ok(()),
        EndedWork::Task(Some(task)) => {
            task::report(tx, &task, finish)?;
            return if task.order.delivers { warn(tx, turn, finish.now) } else { Ok(()) };
        }
        EndedWork::Run(Some(run)) => {
            job::report(tx, &run, finish)?;
            return job::warn(tx, &run, turn.id, finish.now);
        }
        EndedWork::None => {}
    }
    let outgoing = turn.outgoing(finish.now);
    let (first, last) = finish.notice.as_ref().map_or((None, None), |notice| match notice {
        // Whoever waits for the answer must not miss it.
        Notice::AnsweredBy(_) => (Some(notice), None),
        _ => (None, Some(notice)),
    });
    if let Some(notice) = first {
        outgoing.notice(tx, turn.id, notice)?;
    }
    let streamed = StreamedPart::of(tx, turn.id)?;
    let is_told = match &streamed {
        Some(streamed) if finish.parts.is_empty() && !finish.withheld.is_empty() => {
            take_back(tx, streamed, finish.now).map(|()| false)?
        }
        Some(streamed) if finish.parts.is_empty() => cut(tx, turn, finish, streamed)?,
        streamed => answer(tx, turn, streamed.as_ref(), finish.parts.clone(), finish.now).map(|()| false)?,
    };
    outgoing.files(tx, &TextKey::answer(turn.id), &finish.media)?;
    for (n, withheld) in finish.withheld.iter().enumerate() {
        outgoing.withheld(tx, TextKey::answer(turn.id).withheld(n), withheld)?;
    }
    if finish.withheld.iter().any(|withheld| withheld.failed) {
        outgoing.notice(tx, turn.id, &Notice::Gap)?;
    }
    if let Some(notice) = last.filter(|_| !is_told) {
        outgoing.notice(tx, turn.id, notice)?;
    }
    warn(tx, turn, finish.now)
}

/// Tells the chat of a turn which of its budgets are nearly used up.
fn warn(tx: &Tx<'_>, turn: &OpenTurn, now: DateTime<Utc>) -> Outcome<()> {
    spend::warn(tx, turn.id, |key, budget| {
        turn.outgoing(now).notice_as(tx, key, &Notice::NearlyUsedUp { budget, at: now }).map(drop)
    })
}

/// Ends a turn without an answer, which somebody else may hold. Returns whether its streamed message says so.
pub(crate) fn cancel(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    ending: Ending,
    error: Option<Reason>,
    now: DateTime<Utc>,
) -> Outcome<bool> {
    // The history keeps what was shown. The process that runs the turn may know of more, and stores it then.
    let known = turn.so_far.as_ref().map_or(0, String::len);
    let answer = StreamedPart::of(tx, turn.id)?.map(|part| part.shown).filter(|shown| shown.len() > known);
    let finish = Finish { error, answer, ..Finish::bare(turn.claim(), ending, now) };
    if let EndedWork::Task(Some(task)) = close(tx, turn, &finish)? {
        task::stopped(tx, &task, now)?;
    }
    Ok(settle(tx, turn.id, turn.state == TurnState::Running, now)? == Settled::Edited)
}

/// What a turn has worked on in the background; `None` within if that had ended before.
enum EndedWork {
    None,
    Task(Option<TaskRow>),
    Run(Option<EndedRun>),
}

/// The turn's own row, its messages, and what it has worked on in the background, which is returned.
fn close(tx: &Tx<'_>, turn: &OpenTurn, finish: &Finish) -> Outcome<EndedWork> {
    let state = match (finish.ending, &finish.notice) {
        (Ending::Answered, _) => TurnState::Done,
        (Ending::Dead, Some(Notice::Interrupted { .. })) => TurnState::Interrupted,
        (Ending::Dead, _) => TurnState::Dead,
        (Ending::Cancelled, _) => TurnState::Cancelled,
        (Ending::Superseded | Ending::MovedTo(_), _) => TurnState::Superseded,
        (Ending::Refused, _) => TurnState::Refused,
    };
    let error = finish.error.map(|reason| reason.to_string());
    let answer_end = Some(finish.end).filter(|end| *end != AnswerEnd::Whole).map(AnswerEnd::name);
    tx.run(
        "UPDATE turn SET state = ?2, kind = iif(?3, 'hook', kind), answer = coalesce(?4, answer), error = ?5,
                         finished_at = ?6, owner = NULL, answer_end = ?7, answer_own = ?8
         WHERE id = ?1",
        params![
            turn.id.0,
            state.name(),
            finish.by_hook,
            finish.answer,
            error,
            ms(finish.now),
            answer_end,
            finish.own.map(int),
        ],
    )?;
    if let Some(usage) = &finish.usage {
        used(tx, turn.id, usage)?;
        spend::add(tx, turn.id, usage)?;
    }
    let no_agent = matches!(finish.error, Some(Reason::Failed(Failure::AgentGone | Failure::Unavailable)));
    if finish.by_hook || finish.ending == Ending::Refused || (no_agent && finish.usage.is_none()) {
        spend::not_run(tx, turn.id)?;
    }
    tx.run(
        "UPDATE inbound SET state = ?2, reason = coalesce(?3, reason) WHERE turn_id = ?1 AND state = 'in_turn'",
        params![turn.id.0, finish.ending.name(), error],
    )?;
    withdraw(tx, turn.id, state == TurnState::Interrupted, finish.now)?;
    let how = (finish.error, finish.end);
    Ok(match (turn.task, turn.run) {
        (Some(task), _) => EndedWork::Task(task::ended(tx, task, state, how, finish.now)?),
        (None, Some(run)) => EndedWork::Run(job::ended(tx, run, turn, state, how, finish.now)?),
        (None, None) => EndedWork::None,
    })
}
