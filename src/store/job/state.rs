//! The states of a job and of its runs.

use chrono::{DateTime, Utc};
use frontdesk_core::id::RunId;
use frontdesk_core::job::{JobId, JobState, PauseReason, SkipReason};
use rusqlite::params;

use crate::fault::Outcome;
use crate::sql::{Sql, ms};
use crate::tx::Tx;

/// A job does not run by itself any more, for a reason. Admins are told if the gateway has decided that.
pub(crate) fn pause(
    tx: &Tx<'_>,
    job: &JobId,
    (state, reason): (JobState, PauseReason),
    alarm: bool,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tx.run(
        "UPDATE job SET state = ?2, reason = ?3, alarm = ?4, next_at = NULL, updated_at = ?5 WHERE id = ?1",
        params![job.as_str(), state.name(), reason.name(), alarm, ms(now)],
    )
    .map(drop)
}

/// A run that has not ended is skipped. Returns whether there was one.
pub(crate) fn skip(tx: &Tx<'_>, run: RunId, reason: SkipReason, now: DateTime<Utc>) -> Outcome<bool> {
    let skipped = tx.run(
        "UPDATE run SET state = 'skipped', reason = ?2, finished_at = ?3
         WHERE id = ?1 AND state IN ('due', 'running')",
        params![run.0, reason.name(), ms(now)],
    )?;
    Ok(skipped > 0)
}

/// Whether a job has runs that have not ended.
pub(crate) fn has_open_runs(sql: &Sql<'_>, job: &JobId) -> Outcome<bool> {
    let open = "SELECT 1 FROM run WHERE job_id = ?1 AND state IN ('due', 'running') LIMIT 1";
    Ok(sql.one(open, [job.as_str()], |_| Ok(()))?.is_some())
}

/// A job without a further run is done once its last run has ended. Returns whether it is.
pub(crate) fn settle(tx: &Tx<'_>, job: &JobId) -> Outcome<bool> {
    if has_open_runs(tx, job)? {
        return Ok(false);
    }
    let done = "UPDATE job SET state = 'done' WHERE id = ?1 AND state = 'active' AND next_at IS NULL";
    Ok(tx.run(done, [job.as_str()])? > 0)
}
