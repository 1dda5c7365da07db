//! What is still to be told about jobs: results to web servers, and to admins that a job was paused or disabled.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::RunId;
use frontdesk_core::job::{JobId, JobNotice, PauseReason};
use rusqlite::params;

use crate::fault::Outcome;
use crate::job::{by_id, undelivered};
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{HookPost, HookResult, HookState, JobAlarm};
use crate::sql::{at, maybe_at, ms, parsed, small};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

/// Maximum number of requests that are listed at once.
const MOST: u32 = 100;

impl StoreReader {
    /// The requests to web servers that are due, the longest waiting first.
    pub async fn hooks_due(&self, now: DateTime<Utc>) -> Result<Vec<HookPost>> {
        self.read(move |sql| {
            // A run that ended in the future is older than the clock, which was set back.
            sql.all_legible(
                "SELECT r.id, r.job_id, j.url, r.hook_body, r.hook_tries, coalesce(r.finished_at, r.created_at)
                 FROM run r JOIN job j ON j.id = r.job_id
                 WHERE r.hook_state = 'waiting' AND (r.hook_next_at <= ?1 OR r.finished_at > ?1)
                 ORDER BY r.hook_next_at LIMIT ?2",
                params![ms(now), MOST],
                |row| {
                    Ok(HookPost {
                        run: RunId(row.get(0)?),
                        job: parsed(row, 1)?,
                        url: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                        body: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                        tries: small(row, 4)?,
                        ended: at(row, 5)?,
                    })
                },
            )
        })
        .await
    }

    /// When the next request to a web server is due; `None` if there is none.
    pub async fn next_hook(&self) -> Result<Option<DateTime<Utc>>> {
        self.read(|sql| {
            let next = "SELECT min(hook_next_at) FROM run WHERE hook_state = 'waiting'";
            Ok(sql.one(next, [], |row| maybe_at(row, 0))?.flatten())
        })
        .await
    }

    /// The jobs that the gateway has paused or disabled and of which admins are not told yet.
    pub async fn job_alarms(&self) -> Result<Vec<JobAlarm>> {
        self.read(|sql| {
            sql.all_legible("SELECT rowid, id, reason FROM job WHERE alarm = 1 ORDER BY id", [], |row| {
                let reason = row.get::<_, Option<String>>(2)?;
                let reason = reason.and_then(|name| PauseReason::named(&name));
                Ok(JobAlarm { job: parsed(row, 1)?, reason: reason.unwrap_or(PauseReason::Unreadable) })
            })
        })
        .await
    }
}

impl Store {
    /// Stores how a request to a web server has ended. Of one that was given up the chat of the job is told.
    pub async fn hook_sent(&self, run: RunId, result: HookResult, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| sent(tx, run, &result, now)).await
    }

    /// Tells these admins that a job was paused or disabled. Once for each time that this happens.
    pub async fn job_alarm_told(&self, job: &JobId, to: Vec<Address>, now: DateTime<Utc>) -> Result<()> {
        let job = job.clone();
        self.write(WorkClass::Requests, move |tx| alarm_told(tx, &job, &to, now)).await
    }
}

fn sent(tx: &Tx<'_>, run: RunId, result: &HookResult, now: DateTime<Utc>) -> Outcome<()> {
    let (state, next) = match result {
        HookResult::Sent => (HookState::Sent, None),
        HookResult::Later(at) => (HookState::Waiting, Some(ms(*at))),
        HookResult::Dead(_) => (HookState::Dead, None),
    };
    let stored = tx.run(
        "UPDATE run SET hook_state = ?2, hook_next_at = ?3, hook_tries = hook_tries + (?2 <> 'sent'),
                        hook_body = iif(?2 = 'sent', NULL, hook_body)
         WHERE id = ?1 AND hook_state = 'waiting'",
        params![run.0, state.name(), next],
    )?;
    let HookResult::Dead(why) = result else { return Ok(()) };
    let job = "SELECT job_id FROM run WHERE id = ?1";
    let job = tx.one(job, [run.0], |row| parsed(row, 0))?.filter(|_| stored > 0);
    match job {
        Some(job) => match by_id(tx, &job)? {
            Some(job) => undelivered(tx, &job, run, why, now),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

fn alarm_told(tx: &Tx<'_>, id: &JobId, to: &[Address], now: DateTime<Utc>) -> Outcome<()> {
    let alarm = "SELECT reason, updated_at, address FROM job WHERE id = ?1 AND alarm = 1";
    let alarm = tx.one(alarm, [id.as_str()], |row| {
        let reason = row.get::<_, Option<String>>(0)?.and_then(|name| PauseReason::named(&name));
        Ok((reason, at(row, 1)?, crate::sql::maybe_parsed::<Address>(row, 2)?))
    })?;
    let Some((reason, since, chat)) = alarm else { return Ok(()) };
    let notice = match reason {
        Some(PauseReason::Revoked) => JobNotice::Revoked,
        Some(PauseReason::Failures) => JobNotice::Disabled,
        _ => JobNotice::Unreadable,
    };
    // Of failures the chat was told by the run that has failed, and whoever has lost access is told nothing.
    let chat = chat.filter(|_| !matches!(reason, Some(PauseReason::Failures | PauseReason::Revoked)));
    let mut told: Vec<&Address> = Vec::new();
    for address in to.iter().chain(chat.as_ref()) {
        if !told.contains(&address) {
            told.push(address);
        }
    }
    let key = TextKey::job_stopped(id, since);
    for (n, address) in told.into_iter().enumerate() {
        let outgoing = Outgoing {
            turn: None,
            about: &[],
            session: None,
            address,
            reply_to: None,
            kind: PostKind::Result,
            audience: None,
            now,
        };
        outgoing.text(tx, &key.copy(n), &notice.text(id))?;
    }
    tx.run("UPDATE job SET alarm = 0 WHERE id = ?1", [id.as_str()]).map(drop)
}
