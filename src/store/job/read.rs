//! Reading jobs and their runs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::id::{MessageId, OutId, RunId, TurnId};
use frontdesk_core::job::{
    Job, JobDelivery, JobId, JobSource, JobState, MissedRule, OverlapRule, PauseReason, RunState,
    ScheduleKind, Timing,
};
use frontdesk_core::zone::parse_zone;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::message::sender;
use crate::row::{
    HookState, JobChat, JobFilter, JobReach, JobRow, LastRun, MissedTimes, OutboxState, RunRow, TurnJob,
};
use crate::sql::{Sql, at, maybe_at, maybe_parsed, nat, parsed, small, unreadable};
use crate::{Result, StoreReader};

/// Selects what [`job`] reads, of `job j`.
macro_rules! job_select {
    () => {
        "SELECT j.rowid, j.id, j.key, j.source, j.owner, j.owner_kind, j.owner_roles, j.owner_name, j.origin_key, j.agent, \
                j.kind, j.expr, j.zone, j.anchor_at, j.task, j.delivery, j.address, j.address_key, j.url, \
                j.resume_context, j.missed, j.overlap, j.jitter_ms, j.retries, j.state, j.reason, j.failures, \
                j.next_at, j.created_at, j.updated_at, l.id, l.state, l.scheduled_at \
         FROM job j LEFT JOIN run l ON l.id = (SELECT max(id) FROM run WHERE job_id = j.id) "
    };
}

/// Selects what [`run`] reads, of `run r`.
macro_rules! run_select {
    () => {
        "SELECT r.id, r.job_id, r.scheduled_at, r.manual, r.state, r.reason, r.missed_from, r.missed, r.missed_more, \
                r.not_before, r.attempt, r.tries, r.turn_id, r.result_out, \
                (SELECT o.state FROM outbox o WHERE o.id = r.result_out), \
                (SELECT t.answer FROM turn t WHERE t.id = r.turn_id), r.hook_state, r.created_at, r.started_at, \
                r.finished_at \
         FROM run r "
    };
}

pub(crate) use job_select;

impl StoreReader {
    /// One job, if it is within reach.
    pub async fn job(&self, id: &JobId, reach: JobReach) -> Result<Option<JobRow>> {
        let id = id.clone();
        self.read(move |sql| within_reach(sql, &id, &reach)).await
    }

    /// Jobs by their ids.
    pub async fn jobs(&self, filter: JobFilter, limit: u32) -> Result<Vec<JobRow>> {
        self.read(move |sql| {
            let list = concat!(
                job_select!(),
                "WHERE j.id > ?1 AND (?2 IS NULL OR j.owner = ?2) AND (?3 IS NULL OR j.origin_key = ?3)
                   AND (?4 IS NULL OR j.state = ?4)
                 ORDER BY j.id LIMIT ?5"
            );
            let after = filter.after.as_ref().map_or("", JobId::as_str);
            let (reach, state) = (&filter.reach, filter.state.map(JobState::name));
            sql.all_legible(list, params![after, reach.owner(), reach.origin(), state, limit], job)
        })
        .await
    }

    /// One run.
    pub async fn run(&self, id: RunId) -> Result<Option<RunRow>> {
        self.read(move |sql| sql.one(concat!(run_select!(), "WHERE r.id = ?1"), [id.0], run)).await
    }

    /// The runs of a job, the newest first.
    pub async fn runs(&self, job: &JobId, before: Option<RunId>, limit: u32) -> Result<Vec<RunRow>> {
        let job = job.clone();
        self.read(move |sql| {
            let list =
                concat!(run_select!(), "WHERE r.job_id = ?1 AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3");
            sql.all_legible(list, params![job.as_str(), before.map_or(i64::MAX, |run| run.0), limit], run)
        })
        .await
    }

    /// How many jobs there are, and when the next run of one is due.
    pub async fn job_totals(&self) -> Result<(u64, Option<DateTime<Utc>>)> {
        self.read(|sql| {
            let totals = "SELECT count(*), min(next_at) FILTER (WHERE state = 'active') FROM job";
            let totals = sql.one(totals, [], |row| Ok((nat(row.get(0)?), maybe_at(row, 1)?)))?;
            Ok(totals.unwrap_or_default())
        })
        .await
    }
}

/// One job, if it is within reach.
pub(crate) fn within_reach(sql: &Sql<'_>, id: &JobId, reach: &JobReach) -> Outcome<Option<JobRow>> {
    Ok(by_id(sql, id)?.filter(|job| {
        reach.owner().is_none_or(|owner| job.owner.id.as_str() == owner)
            && reach
                .origin()
                .is_none_or(|origin| job.origin.as_ref().is_some_and(|key| key.as_str() == origin))
    }))
}

/// One job.
pub(crate) fn by_id(sql: &Sql<'_>, id: &JobId) -> Outcome<Option<JobRow>> {
    sql.one(concat!(job_select!(), "WHERE j.id = ?1"), [id.as_str()], job)
}

/// What a turn works on that begins with this message, if that is a run of a job.
pub(crate) fn of_message(sql: &Sql<'_>, message: MessageId) -> Outcome<Option<TurnJob>> {
    let run = "SELECT id, job_id, chat_key, delivery FROM run WHERE message_id = ?1";
    sql.one(run, [message.0], |row| {
        Ok(TurnJob {
            run: RunId(row.get(0)?),
            job: parsed(row, 1)?,
            chat: maybe_parsed(row, 2)?,
            delivers: delivers(row.get::<_, Option<String>>(3)?.as_deref()),
        })
    })
}

/// A job as [`job_select`] names it.
pub(crate) fn job(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    let address = maybe_parsed(row, 16)?;
    let (session, url) = (maybe_parsed(row, 17)?, row.get::<_, Option<String>>(18)?);
    let delivery = match row.get_ref(15)?.as_str()? {
        name @ "announce" => JobDelivery::of(name, address.clone(), None),
        name => JobDelivery::of(name, None, url.as_deref()),
    };
    let last = match row.get::<_, Option<i64>>(30)? {
        Some(run) => Some(LastRun { run: RunId(run), state: run_state(row, 31)?, at: at(row, 32)? }),
        None => None,
    };
    let reason = row.get::<_, Option<String>>(25)?;
    Ok(JobRow {
        job: Job {
            id: parsed(row, 1)?,
            agent: row.get(9)?,
            timing: timing(row, 10)?,
            task: row.get(14)?,
            delivery: delivery.map_err(|cause| unreadable(15, cause))?,
            resume_context: row.get(19)?,
            missed: MissedRule::named(row.get_ref(20)?.as_str()?).unwrap_or_default(),
            overlap: OverlapRule::named(row.get_ref(21)?.as_str()?).unwrap_or_default(),
            jitter: Duration::from_millis(nat(row.get(22)?)),
            retries: small(row, 23)?,
        },
        session: parsed(row, 2)?,
        source: JobSource::named(row.get_ref(3)?.as_str()?).unwrap_or(JobSource::Api),
        owner: sender(row, [4, 5, 6, 7])?,
        origin: maybe_parsed(row, 8)?,
        chat: address.map(|address| JobChat { address, session }),
        state: JobState::named(row.get_ref(24)?.as_str()?).unwrap_or(JobState::Disabled),
        reason: reason.and_then(|name| PauseReason::named(&name)),
        failures: small(row, 26)?,
        anchor: at(row, 13)?,
        next: maybe_at(row, 27)?,
        last,
        created: at(row, 28)?,
        updated: at(row, 29)?,
    })
}

/// A timing, from the column with its kind and the two behind it, with the expression and the zone.
fn timing(row: &Row<'_>, kind: usize) -> rusqlite::Result<Timing> {
    let zone = parse_zone(row.get_ref(kind + 2)?.as_str()?).map_err(|cause| unreadable(kind + 2, cause))?;
    let named = ScheduleKind::named(row.get_ref(kind)?.as_str()?).unwrap_or(ScheduleKind::Cron);
    Timing::parse(named, row.get_ref(kind + 1)?.as_str()?, zone).map_err(|cause| unreadable(kind + 1, cause))
}

fn run_state(row: &Row<'_>, column: usize) -> rusqlite::Result<RunState> {
    Ok(RunState::named(row.get_ref(column)?.as_str()?).unwrap_or(RunState::Failed))
}

fn run(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let missed = match (maybe_at(row, 6)?, row.get::<_, Option<i64>>(7)?) {
        (Some(first), Some(count)) => {
            let or_more = row.get::<_, Option<bool>>(8)?.unwrap_or_default();
            Some(MissedTimes { first, count: nat(count), or_more })
        }
        _ => None,
    };
    let result_state = row.get::<_, Option<String>>(14)?.and_then(|state| state.parse::<OutboxState>().ok());
    Ok(RunRow {
        id: RunId(row.get(0)?),
        job: parsed(row, 1)?,
        scheduled: at(row, 2)?,
        manual: row.get(3)?,
        state: run_state(row, 4)?,
        reason: maybe_parsed(row, 5)?,
        missed,
        not_before: at(row, 9)?,
        attempt: small(row, 10)?,
        tries: small(row, 11)?,
        turn: row.get::<_, Option<i64>>(12)?.map(TurnId),
        result_out: row.get::<_, Option<i64>>(13)?.map(OutId).zip(result_state),
        result: row.get(15)?,
        hook: row.get::<_, Option<String>>(16)?.and_then(|name| HookState::named(&name)),
        created: at(row, 17)?,
        started: maybe_at(row, 18)?,
        finished: maybe_at(row, 19)?,
    })
}

/// Whether a run with this delivery sends anything to a chat.
fn delivers(delivery: Option<&str>) -> bool {
    matches!(delivery, Some("announce" | "direct"))
}
