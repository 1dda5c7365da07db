//! Jobs are paused, resumed, run at once and deleted, and their runs are stopped.

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::{MessageId, RunId, TurnId};
use frontdesk_core::job::{JobId, JobSource, JobState, PauseReason, SkipReason, Timetable};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Refusal;
use rusqlite::params;

use crate::audit::audit;
use crate::dequeue::ends_unanswered;
use crate::fault::{Fault, Outcome};
use crate::finish;
use crate::ids::Table;
use crate::job::{by_id, job, job_select, pause, skip, within_reach};
use crate::queue::WorkClass;
use crate::row::{Author, JobFound, JobReach, JobRow, MessageState, Reason, Stopped, StoppedRun, TurnState};
use crate::sql::{ms, parsed, time};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// Pauses a job. A run that has begun goes on; those that wait to begin are skipped.
    pub async fn pause_job(
        &self,
        id: &JobId,
        reach: JobReach,
        author: Author,
        now: DateTime<Utc>,
    ) -> Result<JobFound<JobRow>> {
        self.with_job(id, reach, move |tx, found| {
            let id = &found.job.id;
            if found.state != JobState::Active {
                return Ok(JobFound::NotNow(found.state));
            }
            pause(tx, id, (JobState::Paused, PauseReason::Asked), false, now)?;
            skip_due(tx, id, SkipReason::Paused, now)?;
            audit(tx, &author, "cron pause", id.as_str(), "done", now)?;
            stored(tx, id).map(JobFound::Done)
        })
        .await
    }

    /// Resumes a job that is paused or disabled. The times that have passed meanwhile are not made up for.
    pub async fn resume_job(
        &self,
        id: &JobId,
        reach: JobReach,
        author: Author,
        now: DateTime<Utc>,
    ) -> Result<JobFound<JobRow>> {
        self.with_job(id, reach, move |tx, found| {
            let id = &found.job.id;
            match found.state {
                JobState::Active => return Ok(JobFound::NotNow(found.state)),
                JobState::Done => return Ok(JobFound::Over),
                JobState::Paused | JobState::Disabled => {}
            }
            if !activate(tx, found, found.anchor, now)? {
                return Ok(JobFound::Over);
            }
            audit(tx, &author, "cron resume", id.as_str(), "done", now)?;
            stored(tx, id).map(JobFound::Done)
        })
        .await
    }

    /// Runs a job at once, whatever its state. Refused while a run that somebody asked for has not ended.
    pub async fn run_job_now(
        &self,
        id: &JobId,
        reach: JobReach,
        author: Author,
        now: DateTime<Utc>,
    ) -> Result<JobFound<RunId>> {
        self.with_job(id, reach, move |tx, found| {
            let id = &found.job.id;
            let open =
                "SELECT 1 FROM run WHERE job_id = ?1 AND manual = 1 AND state IN ('due', 'running') LIMIT 1";
            if tx.one(open, [id.as_str()], |_| Ok(()))?.is_some() {
                return Ok(JobFound::NotNow(found.state));
            }
            let run = RunId(tx.new_id(Table::Run)?);
            tx.run(
                // Two requests within one millisecond are two runs.
                "INSERT INTO run (id, job_id, scheduled_at, manual, state, waits, not_before, created_at)
                 SELECT ?1, ?2, max(?3, coalesce(max(scheduled_at) + 1, ?3)), 1, 'due', 1, ?3, ?3
                 FROM run WHERE job_id = ?2 AND manual = 1",
                params![run.0, id.as_str(), ms(now)],
            )?;
            audit(tx, &author, "cron run", id.as_str(), "done", now)?;
            Ok(JobFound::Done(run))
        })
        .await
    }

    /// Deletes a job with its runs. A run that has begun is stopped. One that cannot be read can be deleted by who may delete
    /// every job.
    pub async fn delete_job(
        &self,
        id: &JobId,
        reach: JobReach,
        author: Author,
        now: DateTime<Utc>,
    ) -> Result<JobFound<Vec<StoppedRun>>> {
        let id = id.clone();
        self.write(WorkClass::Requests, move |tx| {
            match within_reach(tx, &id, &reach) {
                Ok(None) => return Ok(JobFound::Unknown),
                Ok(Some(found)) if found.source == JobSource::Config => return Ok(JobFound::Config),
                Ok(Some(_)) => {}
                Err(fault) if reach == JobReach::All && !fault.takes_the_group() => {}
                Err(fault) => return Err(fault),
            }
            let stopped = delete(tx, &id, now)?;
            audit(tx, &author, "cron remove", id.as_str(), "done", now)?;
            Ok(JobFound::Done(stopped))
        })
        .await
    }

    /// Does something with a job that is within reach.
    pub(crate) async fn with_job<T: Send + 'static>(
        &self,
        id: &JobId,
        reach: JobReach,
        work: impl Fn(&Tx<'_>, &JobRow) -> Outcome<JobFound<T>> + Send + 'static,
    ) -> Result<JobFound<T>> {
        let id = id.clone();
        self.write(WorkClass::Requests, move |tx| match within_reach(tx, &id, &reach)? {
            Some(found) => work(tx, &found),
            None => Ok(JobFound::Unknown),
        })
        .await
    }
}

/// A job that was just stored or changed.
pub(crate) fn stored(tx: &Tx<'_>, id: &JobId) -> Outcome<JobRow> {
    by_id(tx, id)?.ok_or_else(|| Fault::Bad(format!("there is no job {id}")))
}

/// A job runs by itself from now on; what was before is decided. Returns whether it has a time to run at; if not, nothing
/// was changed.
pub(crate) fn activate(
    tx: &Tx<'_>,
    found: &JobRow,
    anchor: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Outcome<bool> {
    // As they are stored, so that a restart decides the same.
    let (anchor, now) = (time(ms(anchor)), time(ms(now)));
    let schedule = found.job.timing.schedule();
    let table = Timetable { schedule, anchor, missed: found.job.missed };
    let Some(next) = table.due(now, now).next else { return Ok(false) };
    tx.run(
        "UPDATE job SET state = 'active', reason = NULL, alarm = 0, failures = 0, anchor_at = ?2, decided_until = ?3,
                        next_at = ?4, updated_at = ?3
         WHERE id = ?1",
        params![found.job.id.as_str(), ms(anchor), ms(now), ms(next)],
    )?;
    Ok(true)
}

/// The runs of a job that wait to begin are skipped.
pub(crate) fn skip_due(tx: &Tx<'_>, id: &JobId, reason: SkipReason, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE run SET state = 'skipped', reason = ?2, finished_at = ?3
         WHERE job_id = ?1 AND state = 'due' AND message_id IS NULL AND manual = 0",
        params![id.as_str(), reason.name(), ms(now)],
    )
    .map(drop)
}

/// Stops the runs of a job and deletes it with all of them. A later job of this name, perhaps of another person, does not show
/// them.
pub(crate) fn delete(tx: &Tx<'_>, id: &JobId, now: DateTime<Utc>) -> Outcome<Vec<StoppedRun>> {
    let stopped = stop_runs(tx, id, SkipReason::Stopped, now)?;
    tx.run("DELETE FROM run WHERE job_id = ?1", [id.as_str()])?;
    tx.run("DELETE FROM job WHERE id = ?1", [id.as_str()])?;
    Ok(stopped)
}

/// A run that has not ended.
struct OpenRun {
    id: RunId,
    turn: Option<TurnId>,
    message: Option<MessageId>,
}

/// Stops the runs of a job that have not ended, with their turns or the messages by which they entered their session.
fn stop_runs(tx: &Tx<'_>, id: &JobId, reason: SkipReason, now: DateTime<Utc>) -> Outcome<Vec<StoppedRun>> {
    let open = "SELECT id, turn_id, message_id FROM run WHERE job_id = ?1 AND state IN ('due', 'running') ORDER BY id";
    let open = tx.all(open, [id.as_str()], |row| {
        Ok(OpenRun {
            id: RunId(row.get(0)?),
            turn: row.get::<_, Option<i64>>(1)?.map(TurnId),
            message: row.get::<_, Option<i64>>(2)?.map(MessageId),
        })
    })?;
    let mut all = Vec::new();
    for run in open {
        all.extend(stop_run(tx, &run, reason, now)?);
        // A run that would be tried again is stopped as well.
        skip(tx, run.id, reason, now)?;
    }
    Ok(all)
}

fn stop_run(
    tx: &Tx<'_>,
    run: &OpenRun,
    reason: SkipReason,
    now: DateTime<Utc>,
) -> Outcome<Option<StoppedRun>> {
    let refused = (reason == SkipReason::Revoked).then_some(Reason::Refused(Refusal::Revoked));
    let Some(message) = run.message else { return Ok(None) };
    let turn = match run.turn {
        Some(turn) => OpenTurn::by_id(tx, turn)?,
        None => None,
    };
    let is_open = |turn: &OpenTurn| matches!(turn.state, TurnState::Queued | TurnState::Running);
    if let Some(turn) = turn.filter(is_open) {
        finish::cancel(tx, &turn, Ending::Cancelled, refused, now)?;
        let mut stopped = Stopped::default();
        match turn.state {
            TurnState::Running => stopped.running.push(turn.id),
            _ => stopped.waiting.extend(&turn.messages),
        }
        return Ok(Some(StoppedRun { session: turn.session, address: turn.address, stopped }));
    }
    let state = if refused.is_some() { MessageState::Refused } else { MessageState::Cancelled };
    if !ends_unanswered(tx, message, state, refused, now)? {
        return Ok(None);
    }
    let place = "SELECT key, address FROM inbound WHERE id = ?1";
    let place = tx.one(place, [message.0], |row| Ok((parsed(row, 0)?, parsed(row, 1)?)))?;
    let stopped = Stopped { running: Vec::new(), waiting: vec![message] };
    Ok(place.map(|(session, address)| StoppedRun { session, address, stopped }))
}

/// The session of a job was stopped as such: a run that waited in it has ended.
pub(crate) fn session_stopped(tx: &Tx<'_>, session: &SessionKey, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE run SET state = 'skipped', reason = ?2, finished_at = ?3
         WHERE state IN ('due', 'running') AND state = 'due'
           AND EXISTS (SELECT 1 FROM inbound i WHERE i.id = message_id AND i.key = ?1 AND i.state = 'cancelled')",
        params![session.as_str(), SkipReason::Stopped.name(), ms(now)],
    )
    .map(drop)
}

/// Pauses the jobs that fit, and stops their runs: their owners have lost access.
pub(crate) fn revoke_where(
    tx: &Tx<'_>,
    fits: impl Fn(&JobRow) -> bool,
    now: DateTime<Utc>,
) -> Outcome<Vec<StoppedRun>> {
    let mut stopped = Vec::new();
    for found in tx.all_legible(job_select!(), [], job)?.into_iter().filter(fits) {
        let id = &found.job.id;
        if found.state == JobState::Active {
            pause(tx, id, (JobState::Paused, PauseReason::Revoked), true, now)?;
        }
        stopped.extend(stop_runs(tx, id, SkipReason::Revoked, now)?);
    }
    Ok(stopped)
}

/// Stops what was made in a session that is erased: the jobs themselves are deleted with its texts.
pub(crate) fn stop_of(tx: &Tx<'_>, origin: &SessionKey, now: DateTime<Utc>) -> Outcome<Stopped> {
    let jobs = tx.all("SELECT id FROM job WHERE origin_key = ?1", [origin.as_str()], |row| parsed(row, 0))?;
    let mut all = Stopped::default();
    for id in jobs {
        pause(tx, &id, (JobState::Paused, PauseReason::Asked), false, now)?;
        for StoppedRun { stopped: Stopped { running, waiting }, .. } in
            stop_runs(tx, &id, SkipReason::Stopped, now)?
        {
            all.running.extend(running);
            all.waiting.extend(waiting);
        }
    }
    Ok(all)
}
