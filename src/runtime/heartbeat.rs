//! The heartbeat: a job that is made from the section `[heartbeat]` of the configuration. Its agent is given the text of a
//! file, and its answer goes to a chat.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::alarm::{Fault, FaultKind};
use frontdesk_core::job::{
    HEARTBEAT, Job, JobDelivery, JobId, MissedRule, OverlapRule, ScheduleKind, SkipReason, Timing,
};
use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_core::span;
use frontdesk_store::StoreError;
use frontdesk_store::row::{ConfigJob, JobPlace};

use crate::settings::Settings;
use crate::shared::Shared;

/// What the agent is told above the text of the file.
const PREFACE: &str = "This is a scheduled heartbeat. Nobody is waiting for you: do what the following file says, and reply with what \
                       needs the attention of its author, in few words. If nothing does, reply with HEARTBEAT_OK and nothing else.";

/// What becomes of a heartbeat that is due.
pub(crate) enum Beat {
    /// Its agent gets the prompt, which contains the text of the file.
    Begin { prompt: String, text: String },
    /// It waits for its active hours.
    Later,
    /// It is skipped.
    Skip(SkipReason),
}

/// The job of the heartbeat, as the configuration has it now; `None` if there is no heartbeat.
pub(crate) async fn job(shared: &Shared, settings: &Settings) -> Option<ConfigJob> {
    let config = &settings.config.heartbeat;
    if !config.enabled {
        return None;
    }
    shared.instructions.heartbeat(config.file.as_deref()).await?;
    let to = shared.heartbeat_chat(settings)?;
    let agent = config.agent.clone().unwrap_or_else(|| shared.agent_at(settings, &to).to_owned());
    let every = format!("{}m", config.minutes);
    let timing = Timing::parse(ScheduleKind::Every, &every, settings.resets.zone()).ok()?;
    let job = Job {
        id: HEARTBEAT.parse::<JobId>().ok()?,
        agent,
        timing,
        task: PREFACE.to_owned(),
        delivery: JobDelivery::Announce(to.clone()),
        resume_context: false,
        // After a pause one heartbeat is enough, and the watchdog tells people of those that were missed.
        missed: MissedRule::RunOnce,
        overlap: OverlapRule::Skip,
        jitter: Duration::ZERO,
        retries: 0,
    };
    let digest = format!("{every} {} {} {}", job.agent, to, settings.resets.zone().name());
    let place = JobPlace { account: to.account().clone(), chat: None };
    let owner = Sender::new(shared.work.jobs.operator.clone(), SenderKind::Person);
    Some(ConfigJob { job, place, owner, enabled: true, digest })
}

/// What becomes of a heartbeat that is due now.
pub(crate) async fn beat(shared: &Shared, settings: &Settings, now: DateTime<Utc>) -> Beat {
    let config = &settings.config.heartbeat;
    if config.hours(settings.resets.zone()).is_some_and(|hours| !hours.contains(now)) {
        return Beat::Later;
    }
    let Some(text) = shared.instructions.heartbeat(config.file.as_deref()).await else {
        return Beat::Skip(SkipReason::Empty);
    };
    if config.skip_unchanged && shared.instructions.was_given(&text) {
        return Beat::Skip(SkipReason::Unchanged);
    }
    Beat::Begin { prompt: format!("{PREFACE}\n\n{text}"), text }
}

/// The fault that the agent has completed no heartbeat in time, if there is one.
pub(crate) async fn missed(
    shared: &Shared,
    settings: &Settings,
    is_known: bool,
    now: DateTime<Utc>,
) -> Result<Option<Fault>, StoreError> {
    let config = &settings.config;
    if !config.heartbeat.enabled || !config.cron.enabled {
        return Ok(None);
    }
    let patience = config.watchdog.heartbeat_minutes.max(2 * config.heartbeat.minutes);
    let patience = TimeDelta::minutes(i64::try_from(patience).unwrap_or(i64::MAX >> 24));
    let hours = config.heartbeat.hours(settings.resets.zone());
    let is_active = |at| hours.is_none_or(|hours| hours.contains(at));
    let Some(last) = shared.store.last_heartbeat().await? else { return Ok(None) };
    let silent = now - last;
    // Outside of the active hours none is due, and when they begin, the last one was before they ended.
    let is_due = is_active(now) && is_active(now - patience) && now - shared.process.started > patience;
    let is_missed = silent > patience && (is_due || is_known);
    Ok(is_missed.then(|| {
        let minutes = silent.num_minutes();
        let text = format!(
            "No heartbeat in {minutes} minutes; the last one ended {}. `frontdesk cron runs {HEARTBEAT}` shows how later ones \
             ended.",
            span::relative(last, now)
        );
        Fault::new(FaultKind::Heartbeat, text)
    }))
}

/// Whether the file of the heartbeat has appeared since the jobs were taken over.
pub(crate) async fn appeared(shared: &Shared, settings: &Settings) -> Result<bool, StoreError> {
    Ok(job(shared, settings).await.is_some() && shared.store.last_heartbeat().await?.is_none())
}
