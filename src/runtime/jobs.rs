//! Scheduled jobs: their runs are begun when they are due. What their turns do differently is in `turn/`.

mod change;
mod place;
mod sync;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::job::{HEARTBEAT, PauseReason};
use frontdesk_core::port::{Mono, Stop};
use frontdesk_store::StoreError;
use frontdesk_store::row::{Entered, Entrance, JobAlarm, JobReach, JobRow, RunToEnter};

use crate::heartbeat::{self, Beat};
use crate::shared::Shared;

pub(crate) use change::{change, create, find, pause, remove, resume, run_now};
pub(crate) use sync::sync;
pub(crate) use webhook::run as post_results;

/// Pause after a database error.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two looks at the clock, which somebody may set at any time.
const LOOK: Duration = Duration::from_secs(60);

/// Begins the runs of jobs when they are due, until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    loop {
        let look = Look::now(&shared);
        let next = begin_due(&shared).await;
        shared.health.note(next.as_ref().err());
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.work.jobs.noted() => {}
            () = look.again(&shared, next) => {}
        }
    }
}

/// A look at the clocks, from which the next one is counted.
struct Look {
    mono: Mono,
    wall: DateTime<Utc>,
}

impl Look {
    fn now(shared: &Shared) -> Self {
        // In this order: what passes in between makes the next look earlier, not later.
        Self { mono: shared.time.mono(), wall: shared.time.wall() }
    }

    /// Waits until something may be due; for ever if nothing will be.
    async fn again(&self, shared: &Shared, next: Result<Option<DateTime<Utc>>, StoreError>) {
        let pause = match next {
            Ok(None) => return std::future::pending().await,
            Ok(Some(next)) => (next - self.wall).to_std().ok().filter(|wait| !wait.is_zero()),
            Err(_) => Some(PAUSE),
        };
        // What is due already waits for the end of something else, which is noted.
        shared.time.sleep_until(self.mono + pause.map_or(LOOK, |pause| pause.min(LOOK))).await;
    }
}

/// Begins what is due, and returns when to look again.
async fn begin_due(shared: &Arc<Shared>) -> Result<Option<DateTime<Utc>>, StoreError> {
    if !shared.settings().config.cron.enabled {
        return Ok(None);
    }
    let next = shared.store.due_runs(shared.time.wall()).await?.next;
    for run in shared.store.runs_to_enter(shared.time.wall()).await? {
        begin(shared, run).await?;
    }
    for alarm in shared.store.job_alarms().await? {
        tell_admins(shared, alarm).await?;
    }
    Ok(next)
}

/// Begins a run, if its owner still may.
async fn begin(shared: &Arc<Shared>, due: RunToEnter) -> Result<(), StoreError> {
    let settings = shared.settings();
    if shared.adapters.get(due.session.account()).is_none() {
        // The account is not configured. The run waits until it is.
        return Ok(());
    }
    let Some(chat) = shared.chat_of_run(&due) else { return Ok(()) };
    let now = shared.time.wall();
    let mut given = None;
    let entrance = match shared.may_run_job(&settings, &due.owner, &chat.address) {
        true if due.job.id.as_str() == HEARTBEAT => match heartbeat::beat(shared, &settings, now).await {
            Beat::Begin { prompt, text } => {
                given = Some(text);
                Entrance::BeginWith(chat, prompt)
            }
            Beat::Skip(reason) => Entrance::Skip(reason),
            Beat::Later => return Ok(()),
        },
        true => Entrance::Begin(chat),
        false => Entrance::Revoked,
    };
    match shared.store.enter_run(due.run, entrance, now).await? {
        Entered::Begun(session) => {
            if let Some(text) = given {
                shared.instructions.note_given(&text);
            }
            shared.work.turns.wake(&session);
        }
        Entered::Skipped(reason) => {
            let reason = reason.name();
            tracing::info!(job = %due.job.id, run = %due.run, reason, "a run of a job is skipped");
        }
        Entered::Waits | Entered::Stale => {}
    }
    Ok(())
}

/// Tells admins about a job that the gateway has paused or disabled by itself.
async fn tell_admins(shared: &Shared, alarm: JobAlarm) -> Result<(), StoreError> {
    let JobAlarm { job, reason } = alarm;
    tracing::warn!(%job, reason = reason.name(), "a job does not run any more");
    let to = match shared.store.job(&job, JobReach::All).await {
        Ok(Some(row)) => {
            let told = row.chat.filter(|_| reason == PauseReason::Failures).map(|chat| chat.address);
            let settings = shared.settings();
            let mut admins = shared.admins_chats(&settings, row.session.account());
            if admins.is_empty() {
                admins = shared.operator_chats(&settings);
            }
            // The chat of the job has been told with the failure.
            admins.retain(|admin| Some(admin) != told.as_ref());
            admins
        }
        Ok(None) => Vec::new(),
        // The job cannot be read, so the account of its chat is not known.
        Err(StoreError::Invalid(_)) => shared.operator_chats(&shared.settings()),
        Err(error) => return Err(error),
    };
    shared.store.job_alarm_told(&job, to, shared.time.wall()).await
}

/// The next scheduled times of a job.
pub(crate) fn upcoming(row: &JobRow, most: usize) -> Vec<DateTime<Utc>> {
    let schedule = row.job.timing.schedule();
    let after = |time: &DateTime<Utc>| schedule.next(*time, row.anchor);
    std::iter::successors(row.next, after).take(most).collect()
}
