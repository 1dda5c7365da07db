//! `frontdesk cron`: scheduled jobs are listed, made, looked at, run, paused and removed.

mod add;
mod edit;
mod show;

use clap::{Args, Subcommand};
use frontdesk_core::id::RunId;
use frontdesk_core::job::{JobId, JobState};
use serde_json::{Value, json};

use super::client::{Client, fresh_key};
use super::confirm::Confirm;
use super::list::{List, OrList, Page};
use super::{Done, Failure, Remote, field, screen, table};

/// Number of the newest runs among which the last one that has ended is looked for.
const RECENT: u32 = 100;

/// What follows `frontdesk cron`.
pub type CronArgs = OrList<What, ListArgs>;

#[derive(Subcommand)]
pub enum What {
    /// List jobs, in the order of their names
    List(ListArgs),
    /// Make a job
    #[command(
        after_help = "Examples:\n  frontdesk cron add \"Sum up the news.\" --id news --cron \"0 9 * * 1-5\" \\\n    \
                      --timezone Europe/Berlin --to telegram:123456789\n  \
                      frontdesk cron add \"Tidy up the notes.\" --every 1h --silent\n  \
                      frontdesk cron add \"Remind me of the candles.\" --at 2026-12-24T18:00 --to telegram:123456789"
    )]
    Add(Box<add::AddArgs>),
    /// Change a job; what no flag names stays as it is
    #[command(
        after_help = "Example:\n  frontdesk cron edit news --cron \"0 7 * * *\" --timezone Europe/Berlin"
    )]
    Edit(Box<edit::EditArgs>),
    /// Show a job, when it runs next, and its last runs
    Show(One),
    /// List the runs of a job, newest first
    Runs(RunsArgs),
    /// Print the whole result of a run
    Result(ResultArgs),
    /// Run a job now, in addition to its schedule
    Run(One),
    /// Stop a job from running until it is resumed
    Pause(One),
    /// Let a job run again that is paused or disabled
    Resume(One),
    /// Remove a job; a run that is under way is cancelled
    Remove(Removed),
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    remote: Remote,
    /// Only jobs in this state
    #[arg(long, value_parser = JobState::ALL.map(JobState::name))]
    state: Option<String>,
}

#[derive(Args)]
pub struct One {
    #[command(flatten)]
    remote: Remote,
    /// The job's name
    id: JobId,
}

#[derive(Args)]
pub struct Removed {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    confirm: Confirm,
}

#[derive(Args)]
pub struct RunsArgs {
    /// The job's name
    id: JobId,
    #[command(flatten)]
    page: Page<RunId>,
}

#[derive(Args)]
pub struct ResultArgs {
    #[command(flatten)]
    job: One,
    /// The run's id, as `frontdesk cron runs` shows it [default: the last one that has ended]
    run: Option<RunId>,
}

pub async fn cron(args: CronArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(args)) => list(args).await,
        Some(What::Add(args)) => add::add(*args).await,
        Some(What::Edit(args)) => edit::edit(*args).await,
        Some(What::Result(args)) => result(&args).await,
        Some(What::Show(one)) => show::show(&one).await,
        Some(What::Runs(args)) => runs(&args).await,
        Some(What::Run(one)) => {
            let started = one.post("run").await?;
            let run = field::text(&started, "run");
            one.remote.say(
                &started,
                format!("{} runs now ({run}). To see its runs: frontdesk cron runs {}", one.id, one.id),
            )
        }
        Some(What::Pause(one)) => {
            let job = one.post("pause").await?;
            one.remote.say(&job, format!("{} is paused.", one.id))
        }
        Some(What::Resume(one)) => {
            let job = one.post("resume").await?;
            let next = field::ago(&job, "next");
            one.remote.say(&job, format!("{} runs again; the next run is {next}.", one.id))
        }
        Some(What::Remove(Removed { one, confirm })) => {
            let client = Client::find(&one.remote)?;
            confirm.ask(&format!("this removes {} with its runs for good", one.id))?;
            let removed = client.delete(&one.path()).await?;
            one.remote.say(&removed, format!("{} is removed.", one.id))
        }
    }
}

impl One {
    fn path(&self) -> String {
        format!("/api/cron/jobs/{}", self.id)
    }

    async fn post(&self, verb: &str) -> Result<Value, Failure> {
        let path = format!("{}/{verb}", self.path());
        Client::find(&self.remote)?.post(&path, &json!({}), &fresh_key()?).await
    }
}

async fn list(args: ListArgs) -> Done {
    let query = args.state.as_ref().map_or_else(String::new, |state| format!("?state={state}"));
    let answer = Client::find(&args.remote)?.get(&format!("/api/cron/jobs{query}")).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let empty = match &args.state {
        None => "There are no scheduled jobs.".to_owned(),
        Some(state) => format!("There are no scheduled jobs in the state {state}."),
    };
    let rows = field::list(&answer, "jobs").iter().map(row).collect();
    table::print(&["ID", "STATE", "SCHEDULE", "NEXT RUN", "LAST RUN", "TO", "TASK"], rows, &empty)
}

fn row(job: &Value) -> Vec<String> {
    vec![
        field::text(job, "id"),
        field::text(job, "state"),
        schedule(job),
        field::ago(job, "next"),
        last(job),
        to(job),
        screen::brief(&field::text(job, "title"), 40),
    ]
}

/// When a job runs, as it was written.
fn schedule(job: &Value) -> String {
    let schedule = &job["schedule"];
    let (kind, expr) = (field::text(schedule, "kind"), field::text(schedule, "expr"));
    match kind.as_str() {
        "cron" => format!("{expr} ({})", field::text(schedule, "timezone")),
        kind => format!("{kind} {expr}"),
    }
}

/// What has become of the last run of a job, and when.
fn last(job: &Value) -> String {
    let last = &job["last"];
    match field::text(last, "state") {
        state if state.is_empty() => String::new(),
        state => format!("{state} {}", field::ago(last, "at")),
    }
}

/// Where the results of a job go.
fn to(job: &Value) -> String {
    let delivery = &job["delivery"];
    match field::text(delivery, "mode").as_str() {
        "announce" => field::text(delivery, "to"),
        "webhook" => field::text(delivery, "url"),
        mode => mode.to_owned(),
    }
}

/// Prints what the agent said in a run, or why it has said nothing.
async fn result(args: &ResultArgs) -> Done {
    let from = args.run.map_or_else(String::new, |run| format!("&cursor={}", RunId(run.0.saturating_add(1))));
    let limit = if args.run.is_some() { 1 } else { RECENT };
    let path = format!("{}/runs", args.job.path());
    let client = Client::find(&args.job.remote)?;
    let runs = client.get(&format!("{path}?limit={limit}{from}")).await?;
    let is_it = |run: &&Value| match args.run {
        Some(id) => run["id"] == id.to_string().as_str(),
        None => !run["finished"].is_null(),
    };
    let Some(run) = field::list(&runs, "runs").iter().find(is_it) else {
        let which = args.run.map_or_else(|| "no run that has ended".to_owned(), |id| format!("no run {id}"));
        return Err(Failure::new(format!("{} has {which}.", args.job.id)));
    };
    // The list has only the beginning of a long result.
    let run = client.get(&format!("{path}/{}", field::text(run, "id"))).await?;
    if args.job.remote.json {
        return screen::json(&run);
    }
    for text in [field::text(&run["error"], "message"), field::text(&run, "text")] {
        if !text.is_empty() {
            screen::line(text.trim_end())?;
        }
    }
    Ok(())
}

async fn runs(args: &RunsArgs) -> Done {
    let list = List {
        path: format!("/api/cron/jobs/{}/runs", args.id),
        field: "runs",
        header: &["ID", "STATE", "SCHEDULED", "STARTED", "ENDED", "RESULT"],
        empty: format!("{} has not run yet.", args.id),
        row: run,
    };
    args.page.print(&list).await
}

/// The state of a run, and what has become of the request that posts its result.
fn state(run: &Value) -> String {
    let (state, webhook) = (field::text(run, "state"), field::text(run, "webhook"));
    match webhook.as_str() {
        "" | "sent" => state,
        "dead" => format!("{state}, not posted"),
        _ => format!("{state}, not posted yet"),
    }
}

fn run(run: &Value) -> Vec<String> {
    let scheduled = match run["manual"] == true {
        true => format!("by hand, {}", field::ago(run, "scheduled")),
        false => field::ago(run, "scheduled"),
    };
    let result = [field::text(&run["error"], "message"), field::text(run, "text")];
    let result = result.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    vec![
        field::text(run, "id"),
        state(run),
        scheduled,
        field::ago(run, "started"),
        field::ago(run, "finished"),
        screen::brief(&result, 60),
    ]
}
