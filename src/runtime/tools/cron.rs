//! The tool for scheduled jobs. It sees the jobs that were made in its own chat, and changes only those of the people whose
//! messages the turn answers.

use frontdesk_core::job::{JobDelivery, JobId, JobIdError, JobSource, MissedRule, OverlapRule};
use frontdesk_core::task::title_of;
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{JobChat, JobFilter, JobPlace, JobReach, JobRow, NewJob, RunRow};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Caller;
use super::own_chat::bounded;
use crate::config::{JobDraft, JobMode, JobSchedule, JobTarget};
use crate::error::GatewayError;
use crate::jobs;

/// How many jobs are listed.
const LISTED: u32 = 50;
/// How many of its last runs and of its next times a job shows.
const RUNS: u32 = 5;
/// How much of the result of a run a model is shown, in bytes.
const RESULT: usize = 2048;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Cron {
    #[serde(default)]
    action: Action,
    id: Option<String>,
    schedule: Option<JobSchedule>,
    task: Option<String>,
    delivery: Option<JobMode>,
    #[serde(default)]
    resume_context: bool,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum Action {
    #[default]
    List,
    Show,
    Add,
    Run,
    Pause,
    Resume,
    Remove,
}

impl Caller<'_> {
    pub(super) async fn cron(&self, id: &str, asked: Cron) -> Result<String, GatewayError> {
        let reach = self.jobs_of_chat();
        match asked.action {
            Action::List => self.list_jobs().await,
            Action::Show => {
                let row = jobs::find(self.shared, &named(&asked)?, reach).await?;
                let runs = self.shared.store.runs(&row.job.id, None, RUNS).await?;
                Ok(whole(&row, &runs).to_string())
            }
            Action::Add => self.add_job(id, asked).await,
            Action::Run => {
                let job = self.own_job(&asked).await?.job.id;
                self.count_job()?;
                jobs::run_now(self.shared, &job, reach, self.author()).await?;
                Ok(format!("{job} runs now."))
            }
            Action::Pause => {
                let job = self.own_job(&asked).await?.job.id;
                jobs::pause(self.shared, &job, reach, self.author()).await?;
                Ok(format!("{job} is paused."))
            }
            Action::Resume => {
                let job = self.own_job(&asked).await?.job.id;
                let row = jobs::resume(self.shared, &job, reach, self.author()).await?;
                Ok(format!("{job} runs again, next at {}.", next(&row)))
            }
            Action::Remove => {
                let job = self.own_job(&asked).await?.job.id;
                jobs::remove(self.shared, &job, reach, self.author()).await?;
                Ok(format!("{job} is removed."))
            }
        }
    }

    async fn list_jobs(&self) -> Result<String, GatewayError> {
        let filter = JobFilter { reach: self.jobs_of_chat(), state: None, after: None };
        let jobs = self.shared.store.jobs(filter, LISTED).await?;
        Ok(jobs.iter().map(shown).collect::<Value>().to_string())
    }

    async fn add_job(&self, id: &str, asked: Cron) -> Result<String, GatewayError> {
        let missing = |what: &str| GatewayError::Invalid(format!("{what} is missing"));
        let task = asked.task.as_deref().filter(|task| is_visible(task)).ok_or_else(|| missing("task"))?;
        let draft = JobDraft {
            id: asked.id.clone(),
            schedule: asked.schedule.clone().ok_or_else(|| missing("schedule"))?,
            task: bounded(task)?.into_owned(),
            agent: Some(self.session.agent().to_owned()),
            delivery: JobTarget::Mode(asked.delivery.unwrap_or(JobMode::Announce)),
            resume_context: asked.resume_context,
            missed: MissedRule::default(),
            overlap: OverlapRule::default(),
            jitter_s: 0,
            retries: 0,
        };
        let settings = self.shared.settings();
        let address = &self.turn.address;
        let zone = self.shared.reset_policy(&settings, &self.turn.chat).zone();
        let job = draft.job(zone, Some(address), |_| String::new());
        let job = job.map_err(|error| GatewayError::Invalid(error.to_string()))?;
        if matches!(job.delivery, JobDelivery::Webhook(_)) {
            return Err(GatewayError::Invalid("delivery: use announce, direct or silent".to_owned()));
        }
        self.count_job()?;
        let owner = self.owner()?.clone();
        self.shared.check_job_place(&settings, &owner, &job.delivery)?;
        let chat = JobChat { address: address.clone(), session: Some(self.turn.chat.clone()) };
        let place = JobPlace { account: self.session.account().clone(), chat: Some(chat) };
        let new = NewJob {
            job,
            place,
            source: JobSource::Agent,
            owner,
            origin: Some(self.turn.chat.clone()),
            request: Some(self.key(id)),
            most: settings.config.cron.most(),
        };
        let row = jobs::create(self.shared, new).await?;
        let zone = row.job.timing.zone();
        Ok(format!("{} is scheduled ({zone}). Its first run is at {}.", row.job.id, next(&row)))
    }

    /// Counts a job that the turn makes or runs, so that jobs cannot multiply: a run of a job makes none.
    fn count_job(&self) -> Result<(), GatewayError> {
        if self.session.scope().is_of_job() {
            let why = "a run of a scheduled job cannot make or run scheduled jobs";
            return Err(GatewayError::Invalid(why.to_owned()));
        }
        match self.turn.may_hand_over() {
            true => Ok(()),
            false => Err(GatewayError::Invalid("this answer has made too many tasks and jobs".to_owned())),
        }
    }

    fn jobs_of_chat(&self) -> JobReach {
        JobReach::Chat(self.turn.chat.clone())
    }

    /// The named job, if it was made in this chat and is one of somebody whose message the turn answers: only they and
    /// admins change it.
    async fn own_job(&self, asked: &Cron) -> Result<JobRow, GatewayError> {
        let row = jobs::find(self.shared, &named(asked)?, self.jobs_of_chat()).await?;
        let is_own = self.turn.people.iter().any(|sender| sender.id == row.owner.id);
        match is_own || self.is_for_admin() {
            true => Ok(row),
            false => Err(GatewayError::Invalid(format!(
                "{} is somebody else's job: only they and admins can change it",
                row.job.id
            ))),
        }
    }
}

fn named(asked: &Cron) -> Result<JobId, GatewayError> {
    let id = asked.id.as_deref().ok_or_else(|| GatewayError::Invalid("id is missing".to_owned()))?;
    id.trim().parse().map_err(|error: JobIdError| GatewayError::Invalid(error.to_string()))
}

/// When a job runs next, in its own zone.
fn next(row: &JobRow) -> String {
    let zone = row.job.timing.zone();
    row.next.map_or_else(|| "no time".to_owned(), |at| at.with_timezone(&zone).to_rfc3339())
}

/// A job as a model reads it.
fn shown(row: &JobRow) -> Value {
    let timing = &row.job.timing;
    let last = row.last.map(|last| json!({"state": last.state.name(), "at": last.at.to_rfc3339()}));
    json!({
        "id": row.job.id.as_str(),
        "schedule": {"kind": timing.kind().name(), "expr": timing.expr(), "timezone": timing.zone().name()},
        "task": title_of(&row.job.task),
        "state": row.state.name(),
        "why": row.reason.map(|reason| reason.name()),
        "next": row.next.map(|_| next(row)),
        "last": last,
    })
}

fn whole(row: &JobRow, runs: &[RunRow]) -> Value {
    let mut shown = shown(row);
    shown["task"] = row.job.task.as_str().into();
    shown["delivery"] = row.job.delivery.name().into();
    let run = |run: &RunRow| {
        let text = run.result.as_deref().unwrap_or_default();
        json!({
            "scheduled": run.scheduled.to_rfc3339(),
            "state": run.state.name(),
            "why": run.reason.map(|reason| reason.to_string()),
            "result": text[..text.floor_char_boundary(RESULT)],
        })
    };
    shown["runs"] = runs.iter().map(run).collect();
    shown
}
