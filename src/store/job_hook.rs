//! Results of jobs that go to web servers.

use chrono::{DateTime, Utc};
use frontdesk_core::id::RunId;
use rusqlite::params;

use crate::fault::Outcome;
use crate::job::{by_id, undelivered};
use crate::queue::WorkClass;
use crate::row::{HookPost, HookResult, HookState};
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
}

impl Store {
    /// Stores how a request to a web server has ended. Of one that was given up the chat of the job is told.
    pub async fn hook_sent(&self, run: RunId, result: HookResult, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| sent(tx, run, &result, now)).await
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
