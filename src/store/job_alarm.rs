//! Admins are told of jobs that the gateway has paused or disabled by itself.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::job::{JobId, JobNotice, PauseReason};

use crate::fault::Outcome;
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::JobAlarm;
use crate::sql::{at, maybe_parsed, parsed};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

impl StoreReader {
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
    /// Tells these admins that a job was paused or disabled. Once for each time that this happens.
    pub async fn job_alarm_told(&self, job: &JobId, to: Vec<Address>, now: DateTime<Utc>) -> Result<()> {
        let job = job.clone();
        self.write(WorkClass::Requests, move |tx| alarm_told(tx, &job, &to, now)).await
    }
}

fn alarm_told(tx: &Tx<'_>, id: &JobId, to: &[Address], now: DateTime<Utc>) -> Outcome<()> {
    let alarm = "SELECT reason, updated_at, address FROM job WHERE id = ?1 AND alarm = 1";
    let alarm = tx.one(alarm, [id.as_str()], |row| {
        let reason = row.get::<_, Option<String>>(0)?.and_then(|name| PauseReason::named(&name));
        Ok((reason, at(row, 1)?, maybe_parsed::<Address>(row, 2)?))
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
