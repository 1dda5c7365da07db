//! Takes over the jobs of the configuration file.

use std::sync::Arc;

use frontdesk_core::delivery::Ending;
use frontdesk_core::job::{JobDelivery, JobId};
use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_store::StoreError;
use frontdesk_store::row::{ConfigJob, StoppedRun};
use sha2::{Digest, Sha256};

use super::place::no_private_chat;
use crate::config::ConfiguredJob;
use crate::heartbeat;
use crate::settings::Settings;
use crate::shared::Shared;

/// Takes over the jobs of the configuration in use. What keeps one from running is shown in the status.
pub(crate) async fn sync(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let settings = shared.settings();
    let mut problems = Vec::new();
    let mut jobs = Vec::new();
    for configured in &settings.config.jobs {
        match of_file(shared, &settings, configured) {
            Ok((job, problem)) => {
                problems.extend(problem.map(|why| format!("job {}: {why}", configured.id)));
                jobs.push(job);
            }
            // The check of the configuration has found it before.
            Err(why) => problems.push(format!("job {}: {why}", configured.id)),
        }
    }
    jobs.extend(heartbeat::job(shared, &settings).await);
    let synced = shared.store.sync_jobs(jobs, shared.time.wall()).await?;
    let clash = |id: &JobId| {
        format!(
            "job {id} is not in use: a job that was made with a command has this id; remove one or rename one"
        )
    };
    problems.extend(synced.clashes.iter().map(clash));
    for problem in &problems {
        tracing::warn!("{problem}");
    }
    for id in &synced.over {
        tracing::info!(job = %id, "the time of a job of the configuration is over");
    }
    shared.work.jobs.problems.send_replace(problems);
    shared.stop_runs(synced.stopped).await;
    shared.work.jobs.note();
    Ok(())
}

/// A job of the file, and what keeps it from running.
fn of_file(
    shared: &Shared,
    settings: &Settings,
    configured: &ConfiguredJob,
) -> Result<(ConfigJob, Option<String>), String> {
    let zone = settings.resets.zone();
    let agent = |to: Option<&_>| match to {
        Some(address) => shared.agent_at(settings, address).to_owned(),
        None => settings.default_agent.clone(),
    };
    let job = configured.draft().job(zone, None, agent).map_err(|error| error.to_string())?;
    let owner = configured.owner().map_err(|error| error.to_string())?;
    let owner = owner.unwrap_or_else(|| shared.work.jobs.operator.clone());
    let place = shared.job_place(settings, &owner, &job.delivery);
    let problem = match &job.delivery {
        _ if shared.adapters.get(&place.account).is_none() => {
            Some(format!("it waits until the channel {} is configured", place.account))
        }
        JobDelivery::Direct if place.chat.is_none() => Some(no_private_chat(&owner)),
        _ => None,
    };
    let enabled = configured.enabled;
    let digest = digest(configured, &[zone.name(), &job.agent, owner.as_str()]);
    let owner = Sender::new(owner, SenderKind::Person);
    Ok((ConfigJob { job, place, owner, enabled, digest }, problem))
}

/// The same for the same table and the same defaults of what it leaves open.
fn digest(configured: &ConfiguredJob, defaults: &[&str]) -> String {
    let table = serde_json::json!([configured, defaults]).to_string();
    let digest: [u8; 32] = Sha256::digest(table.as_bytes()).into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Shared {
    /// Stops the agents of runs that were stopped in the database.
    pub(crate) async fn stop_runs(&self, runs: Vec<StoppedRun>) {
        for StoppedRun { session, address, stopped } in runs {
            self.stopped(&session, &address, stopped, Ending::Cancelled).await;
            self.work.turns.wake(&session);
        }
    }
}
