//! The scheduled times that have passed become runs, or are counted as missed.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::id::RunId;
use frontdesk_core::job::{
    CATCH_UP, Due, JobId, JobNotice, JobState, Missed, OverlapRule, PUNCTUAL, PauseReason, SkipReason,
    Timetable,
};
use rusqlite::params;

use crate::fault::{Fault, Outcome};
use crate::ids::Table;
use crate::job::{by_id, missed, pause, settle};
use crate::queue::WorkClass;
use crate::row::{DueRuns, JobRow, digest};
use crate::sql::{at, maybe_at, ms, parsed};
use crate::tx::Tx;
use crate::{Result, Store};

/// Number of jobs that one unit decides about.
const CHUNK: usize = 50;

impl Store {
    /// Decides which runs are due. To be repeated at the time that is returned, and at least every minute, because the clock
    /// may have been set.
    pub async fn due_runs(&self, now: DateTime<Utc>) -> Result<DueRuns> {
        let mut due = DueRuns::default();
        loop {
            let (jobs, made) = self.write(WorkClass::Sweep, move |tx| decide_some(tx, now)).await?;
            due.made += made;
            if jobs < CHUNK {
                break;
            }
        }
        due.next = self
            .read(move |sql| {
                let next = "SELECT min(at) FROM
                             (SELECT min(next_at) AS at FROM job WHERE state = 'active'
                              UNION ALL
                              SELECT min(not_before) FROM run
                              WHERE state IN ('due', 'running') AND state = 'due' AND message_id IS NULL AND not_before > ?1)";
                Ok(sql.one(next, [ms(now)], |row| maybe_at(row, 0))?.flatten())
            })
            .await?;
        Ok(due)
    }
}

/// Decides about some of the jobs; returns how many those were, and how many runs they got. Each in a savepoint of its own:
/// one that cannot be read must not stop the others.
fn decide_some(tx: &Tx<'_>, now: DateTime<Utc>) -> Outcome<(usize, u64)> {
    // The second condition notices a clock that was set back.
    let due = "SELECT id FROM job WHERE state = 'active' AND (next_at <= ?1 OR decided_until > ?1)
               ORDER BY next_at LIMIT ?2";
    let due = tx.all(due, params![ms(now), CHUNK as i64], |row| parsed::<JobId>(row, 0))?;
    let mut made = 0;
    for id in &due {
        match tx.apart(|| decide(tx, id, now)) {
            Err(fault) if !fault.takes_the_group() => {
                tracing::error!(job = %id, cause = %fault.error(), "a job cannot be read; it is disabled");
                pause(tx, id, (JobState::Disabled, PauseReason::Unreadable), true, now)?;
            }
            runs => made += runs?,
        }
    }
    Ok((due.len(), made))
}

fn decide(tx: &Tx<'_>, id: &JobId, now: DateTime<Utc>) -> Outcome<u64> {
    let job = by_id(tx, id)?.ok_or_else(|| Fault::Bad(format!("there is no job {id}")))?;
    let since = "SELECT decided_until FROM job WHERE id = ?1";
    let since = tx.one(since, [id.as_str()], |row| at(row, 0))?.unwrap_or(now);
    let (schedule, rule) = (job.job.timing.schedule(), job.job.missed);
    let Due { runs, missed, until, next } =
        Timetable { schedule, anchor: job.anchor, missed: rule }.due(since, now);
    if let Some(missed) = missed {
        note_missed(tx, &job, missed, !runs.is_empty(), now)?;
    }
    let mut made = 0;
    for scheduled in &runs {
        made += make(tx, &job, *scheduled, runs.len() > 1, now)?;
    }
    tx.run(
        "UPDATE job SET decided_until = ?2, next_at = ?3 WHERE id = ?1",
        params![id.as_str(), ms(until), next.map(ms)],
    )?;
    settle(tx, id)?;
    Ok(made)
}

/// Stores a run for a scheduled time, unless there is one already: a time that the clock passes again has no second run, but
/// one if it was only counted as missed. Returns how many runs are due by that.
fn make(
    tx: &Tx<'_>,
    job: &JobRow,
    scheduled: DateTime<Utc>,
    is_one_of_many: bool,
    now: DateTime<Utc>,
) -> Outcome<u64> {
    let id = job.job.id.as_str();
    let waiting = "SELECT count(*) FROM run WHERE job_id = ?1 AND state IN ('due', 'running')";
    let waiting = tx.one(waiting, [id], |row| row.get::<_, i64>(0))?.unwrap_or_default();
    // If its runs are slow, the queue of a job does not grow without limit.
    let is_full = usize::try_from(waiting).unwrap_or(usize::MAX) >= CATCH_UP;
    let waits = is_one_of_many || job.job.overlap == OverlapRule::Queue;
    let not_before = scheduled + jitter(job, scheduled);
    let stored = tx.run(
        "INSERT INTO run (id, job_id, scheduled_at, manual, state, reason, waits, not_before, created_at, finished_at)
         VALUES (?1, ?2, ?3, 0, iif(?4, 'skipped', 'due'), iif(?4, ?5, NULL), ?6, ?7, ?8, iif(?4, ?8, NULL))
         ON CONFLICT (job_id, scheduled_at, manual) DO UPDATE SET
           state = excluded.state, reason = excluded.reason, waits = excluded.waits, not_before = excluded.not_before,
           created_at = excluded.created_at, finished_at = excluded.finished_at, missed_from = NULL, missed = NULL,
           missed_more = NULL
         WHERE run.state = 'missed'",
        params![
            tx.new_id(Table::Run)?,
            id,
            ms(scheduled),
            is_full,
            SkipReason::Overlap.name(),
            waits,
            ms(not_before),
            ms(now),
        ],
    )?;
    Ok(if is_full { 0 } else { stored as u64 })
}

/// The random delay of a run: the same whenever it is computed, and different for jobs of one time.
fn jitter(job: &JobRow, scheduled: DateTime<Utc>) -> TimeDelta {
    let most = i64::try_from(job.job.jitter.as_millis()).unwrap_or(i64::MAX - 1);
    let seed = digest(&format!("{} {}", job.job.id, ms(scheduled)));
    TimeDelta::milliseconds(seed.rem_euclid(most + 1))
}

/// Stores one row for the scheduled times that have passed without a run. The chat is told, unless they have passed within the
/// last five minutes: nobody needs to know that a job of every second has missed two of them.
fn note_missed(tx: &Tx<'_>, job: &JobRow, times: Missed, made_up: bool, now: DateTime<Utc>) -> Outcome<()> {
    let Missed { first, last, count, or_more } = times;
    let stored = tx.one(
        "INSERT INTO run (id, job_id, scheduled_at, manual, state, missed_from, missed, missed_more, not_before,
                          created_at, finished_at)
         VALUES (?1, ?2, ?3, 0, 'missed', ?4, ?5, ?6, ?3, ?7, ?7)
         ON CONFLICT (job_id, scheduled_at, manual) DO UPDATE SET
           missed_from = excluded.missed_from, missed = excluded.missed, missed_more = excluded.missed_more
         WHERE run.state = 'missed'
         RETURNING id",
        params![
            tx.new_id(Table::Run)?,
            job.job.id.as_str(),
            ms(last),
            ms(first),
            i64::try_from(count).unwrap_or(i64::MAX),
            or_more,
            ms(now),
        ],
        |row| row.get(0).map(RunId),
    )?;
    match stored {
        Some(run) if now - last > PUNCTUAL => {
            missed(tx, job, run, &JobNotice::Missed { count, or_more, made_up }, now)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use frontdesk_core::address::Principal;
    use frontdesk_core::job::{Job, JobDelivery, JobSource, MissedRule, ScheduleKind, Timing};
    use frontdesk_core::message::{Sender, SenderKind};
    use frontdesk_core::zone::parse_zone;

    use super::*;
    use crate::null_renderer::NullRenderer;
    use crate::row::{JobCreated, JobFound, JobPlace, JobReach, MostJobs, NewJob};

    fn new(id: &str) -> NewJob {
        let owner = Principal::new("telegram", None, "7").unwrap();
        let zone = parse_zone("UTC").unwrap();
        NewJob {
            job: Job {
                id: id.parse().unwrap(),
                agent: "main".into(),
                timing: Timing::parse(ScheduleKind::Cron, "0 * * * *", zone).unwrap(),
                task: "work".into(),
                delivery: JobDelivery::Silent,
                resume_context: false,
                missed: MissedRule::RunOnce,
                overlap: OverlapRule::Skip,
                jitter: Duration::ZERO,
                retries: 0,
            },
            place: JobPlace { account: owner.account().clone(), chat: None },
            source: JobSource::Api,
            owner: Sender::new(owner, SenderKind::Person),
            origin: None,
            request: None,
            most: MostJobs { total: 9, per_person: 9 },
        }
    }

    #[tokio::test]
    async fn a_job_whose_zone_is_gone_is_disabled_and_the_others_run() {
        let home = tempfile::tempdir().unwrap();
        let store = NullRenderer::open(&home.path().join("frontdesk.db")).await;
        let now: DateTime<Utc> = "2027-01-15T08:30:00Z".parse().unwrap();
        for id in ["gone", "fine"] {
            store.create_job(new(id), now).await.unwrap();
        }
        let gone = "UPDATE job SET zone = 'Mars/Olympus' WHERE id = 'gone'";
        store.write(WorkClass::Requests, move |tx| tx.run(gone, []).map(drop)).await.unwrap();
        let later = now + TimeDelta::hours(1);
        assert_eq!(store.due_runs(later).await.unwrap().made, 1);
        let alarms = store.job_alarms().await.unwrap();
        assert_eq!(alarms.len(), 1);
        assert_eq!((alarms[0].job.as_str(), alarms[0].reason), ("gone", PauseReason::Unreadable));
        let [run] = store.runs_to_enter(later).await.unwrap().try_into().unwrap();
        assert_eq!(run.job.id.as_str(), "fine");
        assert_eq!(
            store.due_runs(later + TimeDelta::hours(1)).await.unwrap().made,
            1,
            "it is not decided again"
        );
        let id = "gone".parse().unwrap();
        store.job_alarm_told(&id, Vec::new(), later).await.unwrap();
        assert_eq!(store.job_alarms().await.unwrap(), []);
        assert!(store.job(&id, JobReach::All).await.is_err());
        let of_somebody = JobReach::Own(Principal::new("telegram", None, "7").unwrap());
        assert!(store.delete_job(&id, of_somebody, author(), later).await.is_err());
        let deleted = store.delete_job(&id, JobReach::All, author(), later).await.unwrap();
        assert!(matches!(deleted, JobFound::Done(_)));
        assert!(matches!(store.create_job(new("gone"), later).await.unwrap(), JobCreated::Stored(_)));
        store.delete_job(&"fine".parse().unwrap(), JobReach::All, author(), later).await.unwrap();
        store.close().await;
    }

    fn author() -> crate::row::Author {
        crate::row::Author { name: "cli".into(), via: "cli" }
    }
}
