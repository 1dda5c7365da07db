//! Jobs are made and changed.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::job::{HEARTBEAT, Job, JobDelivery, JobId, JobSource, JobState, Timetable};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::message::Sender;
use rusqlite::params;

use crate::audit::audit;
use crate::epoch::{begin_next, session_state};
use crate::fault::{Fault, Outcome};
use crate::job::by_id;
use crate::job_control::{activate, stored};
use crate::message::stored_roles;
use crate::queue::WorkClass;
use crate::row::{Author, EpochReason, JobCreated, JobFound, JobPatch, JobPlace, JobReach, JobRow, NewJob};
use crate::sql::{ms, parsed, time};
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// Stores a job, which runs from now on.
    pub async fn create_job(&self, job: NewJob, now: DateTime<Utc>) -> Result<JobCreated> {
        self.write(WorkClass::Requests, move |tx| create(tx, &job, now)).await
    }

    /// Changes a job. With another schedule its intervals begin anew, and one that was done runs again.
    pub async fn patch_job(
        &self,
        id: &JobId,
        reach: JobReach,
        patch: JobPatch,
        author: Author,
        now: DateTime<Utc>,
    ) -> Result<JobFound<JobRow>> {
        self.with_job(id, reach, move |tx, found| {
            let id = &found.job.id;
            if found.source == JobSource::Config {
                return Ok(JobFound::Config);
            }
            let changed = patch.applied(&found.job);
            let is_rescheduled = changed.timing != found.job.timing;
            if is_rescheduled && first_time(&changed, now).is_none() {
                return Ok(JobFound::Over);
            }
            define(tx, &changed, patch.delivery.as_ref().map(|(_, place)| place), found, now)?;
            if is_rescheduled && matches!(found.state, JobState::Active | JobState::Done) {
                activate(tx, &stored(tx, id)?, now, now)?;
            }
            audit(tx, &author, "cron change", id.as_str(), "done", now)?;
            stored(tx, id).map(JobFound::Done)
        })
        .await
    }
}

fn create(tx: &Tx<'_>, new: &NewJob, now: DateTime<Utc>) -> Outcome<JobCreated> {
    if let Some(request) = &new.request {
        let known = "SELECT id FROM job WHERE request = ?1";
        if let Some(known) = tx.one(known, [request], |row| parsed::<JobId>(row, 0))? {
            return stored(tx, &known).map(|job| JobCreated::Known(Box::new(job)));
        }
    }
    // There may be a heartbeat later.
    if by_id(tx, &new.job.id)?.is_some() || new.job.id.as_str() == HEARTBEAT {
        return Ok(JobCreated::IdTaken);
    }
    if first_time(&new.job, now).is_none() {
        return Ok(JobCreated::Over);
    }
    let jobs = |owner: Option<&str>| {
        let jobs = "SELECT count(*) FROM job WHERE source <> 'config' AND (?1 IS NULL OR owner = ?1)";
        tx.one(jobs, [owner], |row| row.get::<_, u32>(0)).map(Option::unwrap_or_default)
    };
    if jobs(None)? >= new.most.total {
        return Ok(JobCreated::Full);
    }
    if jobs(Some(new.owner.id.as_str()))? >= new.most.per_person {
        return Ok(JobCreated::PersonFull);
    }
    insert(tx, new, now)?;
    let job = stored(tx, &new.job.id)?;
    activate(tx, &job, now, now)?;
    stored(tx, &new.job.id).map(|job| JobCreated::Stored(Box::new(job)))
}

/// The first time at which a job that is made now would run.
pub(crate) fn first_time(job: &Job, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let now = time(ms(now));
    Timetable { schedule: job.timing.schedule(), anchor: now, missed: job.missed }.due(now, now).next
}

/// Stores a job that does not run yet.
pub(crate) fn insert(tx: &Tx<'_>, new: &NewJob, now: DateTime<Utc>) -> Outcome<()> {
    let (job, key) = (&new.job, key_of(&new.job, &new.place.account)?);
    let chat = chat_of(job, &new.place);
    tx.run(
        "INSERT INTO job (id, key, source, request, owner, owner_kind, owner_roles, owner_name, origin_key, agent, kind,
                          expr, zone, anchor_at, task, delivery, address, address_key, url, resume_context, missed,
                          overlap, jitter_ms, retries, state, decided_until, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
                 ?24, 'done', ?14, ?14, ?14)",
        params![
            job.id.as_str(),
            key.as_str(),
            new.source.name(),
            new.request,
            new.owner.id.as_str(),
            new.owner.kind.name(),
            stored_roles(&new.owner.roles),
            new.owner.name,
            new.origin.as_ref().map(SessionKey::as_str),
            job.agent,
            job.timing.kind().name(),
            job.timing.expr(),
            job.timing.zone().name(),
            ms(now),
            job.task,
            job.delivery.name(),
            chat.address,
            chat.session,
            url_of(job),
            job.resume_context,
            job.missed.name(),
            job.overlap.name(),
            jitter(job),
            job.retries,
        ],
    )?;
    // The conversation of an earlier job of this name is not continued.
    match session_state(tx, &key)? {
        Some(session) => begin_next(tx, &key, &session, EpochReason::Job, now).map(drop),
        None => Ok(()),
    }
}

/// Replaces what a job is by something else; its state and its times stay. `place` is `None` if that has not changed.
pub(crate) fn define(
    tx: &Tx<'_>,
    job: &Job,
    place: Option<&JobPlace>,
    found: &JobRow,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let old = JobPlace { account: found.session.account().clone(), chat: found.chat.clone() };
    let place = place.unwrap_or(&old);
    let (key, chat) = (key_of(job, &place.account)?, chat_of(job, place));
    tx.run(
        "UPDATE job SET key = ?2, agent = ?3, kind = ?4, expr = ?5, zone = ?6, task = ?7, delivery = ?8, address = ?9,
                        address_key = ?10, url = ?11, resume_context = ?12, missed = ?13, overlap = ?14, jitter_ms = ?15,
                        retries = ?16, updated_at = ?17
         WHERE id = ?1",
        params![
            job.id.as_str(),
            key.as_str(),
            job.agent,
            job.timing.kind().name(),
            job.timing.expr(),
            job.timing.zone().name(),
            job.task,
            job.delivery.name(),
            chat.address,
            chat.session,
            url_of(job),
            job.resume_context,
            job.missed.name(),
            job.overlap.name(),
            jitter(job),
            job.retries,
            ms(now),
        ],
    )
    .map(drop)
}

/// The owner of a job of the file may change with it.
pub(crate) fn own(tx: &Tx<'_>, id: &JobId, owner: &Sender) -> Outcome<()> {
    tx.run(
        "UPDATE job SET owner = ?2, owner_kind = ?3, owner_roles = ?4, owner_name = ?5 WHERE id = ?1",
        params![id.as_str(), owner.id.as_str(), owner.kind.name(), stored_roles(&owner.roles), owner.name],
    )
    .map(drop)
}

/// The session of a job's own.
fn key_of(job: &Job, account: &AccountId) -> Outcome<SessionKey> {
    let (scope, id) = match job.id.as_str() {
        HEARTBEAT => (Scope::Heartbeat, job.agent.as_str()),
        id => (Scope::Job, id),
    };
    SessionKey::at(&job.agent, account, scope, id, None, None).map_err(|error| Fault::Bad(error.to_string()))
}

/// The chat of a job as it is stored.
struct ChatColumns<'j> {
    address: Option<&'j str>,
    session: Option<&'j str>,
}

/// The chat of a job: that of an announcement, or the one that is told of failures.
fn chat_of<'j>(job: &'j Job, place: &'j JobPlace) -> ChatColumns<'j> {
    let session = |chat: &'j crate::row::JobChat| chat.session.as_ref().map(SessionKey::as_str);
    match (&job.delivery, &place.chat) {
        (JobDelivery::Announce(to), chat) => ChatColumns {
            address: Some(to.as_str()),
            session: chat.as_ref().filter(|chat| chat.address == *to).and_then(session),
        },
        (_, Some(chat)) => ChatColumns { address: Some(chat.address.as_str()), session: session(chat) },
        (_, None) => ChatColumns { address: None, session: None },
    }
}

fn url_of(job: &Job) -> Option<&str> {
    match &job.delivery {
        JobDelivery::Webhook(url) => Some(url),
        JobDelivery::Announce(_) | JobDelivery::Direct | JobDelivery::Silent => None,
    }
}

fn jitter(job: &Job) -> i64 {
    i64::try_from(job.jitter.as_millis()).unwrap_or(i64::MAX)
}
