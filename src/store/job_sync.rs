//! The jobs of the configuration file are taken over.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use frontdesk_core::job::{JobId, JobSource, JobState, PauseReason, SkipReason};
use rusqlite::params;

use crate::fault::Outcome;
use crate::job::{by_id, pause};
use crate::job_change::{define, first_time, insert, own};
use crate::job_control::{activate, delete, skip_due, stored};
use crate::queue::WorkClass;
use crate::row::{ConfigJob, JobRow, JobsSynced, MostJobs, NewJob};
use crate::sql::parsed;
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// Takes over the jobs of the configuration file. One that has not changed stays as it is, also if somebody has paused it.
    /// A job that was made at run time keeps its id.
    pub async fn sync_jobs(&self, jobs: Vec<ConfigJob>, now: DateTime<Utc>) -> Result<JobsSynced> {
        self.write(WorkClass::Requests, move |tx| sync(tx, &jobs, now)).await
    }
}

fn sync(tx: &Tx<'_>, jobs: &[ConfigJob], now: DateTime<Utc>) -> Outcome<JobsSynced> {
    let known = "SELECT id, coalesce(config_digest, '') FROM job WHERE source = 'config'";
    let known = tx.all(known, [], |row| Ok((parsed::<JobId>(row, 0)?, row.get::<_, String>(1)?)))?;
    let mut known: BTreeMap<JobId, String> = known.into_iter().collect();
    let mut synced = JobsSynced::default();
    for job in jobs {
        let id = &job.job.id;
        match known.remove(id) {
            Some(digest) if digest == job.digest => continue,
            Some(_) => {
                match by_id(tx, id) {
                    Ok(Some(found)) => change(tx, job, &found, now)?,
                    Err(fault) if fault.takes_the_group() => return Err(fault),
                    // Nothing of the old one can be read.
                    Ok(None) | Err(_) => {
                        synced.stopped.extend(delete(tx, id, now)?);
                        add(tx, job, now)?;
                    }
                }
                synced.changed.push(id.clone());
            }
            None if is_taken(tx, id)? => {
                synced.clashes.push(id.clone());
                continue;
            }
            None => {
                add(tx, job, now)?;
                synced.added.push(id.clone());
            }
        }
        let digest = "UPDATE job SET config_digest = ?2 WHERE id = ?1";
        tx.run(digest, params![id.as_str(), job.digest])?;
        if job.enabled && stored(tx, id)?.state == JobState::Done {
            synced.over.push(id.clone());
        }
    }
    for id in known.into_keys() {
        synced.stopped.extend(delete(tx, &id, now)?);
        synced.removed.push(id);
    }
    Ok(synced)
}

fn is_taken(tx: &Tx<'_>, id: &JobId) -> Outcome<bool> {
    Ok(tx.one("SELECT 1 FROM job WHERE id = ?1", [id.as_str()], |_| Ok(()))?.is_some())
}

/// A new job. One whose only time is over is done from the beginning: a file keeps its old jobs.
fn add(tx: &Tx<'_>, job: &ConfigJob, now: DateTime<Utc>) -> Outcome<()> {
    let new = NewJob {
        job: job.job.clone(),
        place: job.place.clone(),
        source: JobSource::Config,
        owner: job.owner.clone(),
        origin: None,
        request: None,
        most: MostJobs { total: u32::MAX, per_person: u32::MAX },
    };
    insert(tx, &new, now)?;
    match job.enabled {
        true => activate(tx, &stored(tx, &job.job.id)?, now, now).map(drop),
        false => pause(tx, &job.job.id, (JobState::Paused, PauseReason::File), false, now),
    }
}

/// A job whose table has changed. Without another schedule its times stay, so that those are seen that have passed while the
/// gateway was not running.
fn change(tx: &Tx<'_>, job: &ConfigJob, found: &JobRow, now: DateTime<Utc>) -> Outcome<()> {
    let id = &job.job.id;
    define(tx, &job.job, Some(&job.place), found, now)?;
    own(tx, id, &job.owner)?;
    if !job.enabled {
        skip_due(tx, id, SkipReason::Paused, now)?;
        return pause(tx, id, (JobState::Paused, PauseReason::File), false, now);
    }
    let is_rescheduled = job.job.timing != found.job.timing;
    match (found.state, found.reason) {
        // Somebody has paused it for a reason that the file does not know.
        (JobState::Paused, Some(PauseReason::Asked | PauseReason::Revoked)) => Ok(()),
        (JobState::Active | JobState::Done, _) if !is_rescheduled => Ok(()),
        (_, _) if first_time(&job.job, now).is_none() => {
            let done = "UPDATE job SET state = 'done', reason = NULL, next_at = NULL WHERE id = ?1";
            tx.run(done, [id.as_str()]).map(drop)
        }
        (_, _) => activate(tx, &stored(tx, id)?, now, now).map(drop),
    }
}
