//! `frontdesk cron edit`.

use clap::Args;
use frontdesk_core::job::{MissedRule, OverlapRule};
use serde_json::{Map, Value};

use super::super::client::{self, Client};
use super::super::schedule::When;
use super::super::{Done, Failure, field};
use super::One;
use super::add::Delivery;

#[derive(Args)]
#[command(mut_group("schedule", |group| group.required(false)), mut_group("results", |group| group.required(false)))]
pub struct EditArgs {
    #[command(flatten)]
    job: One,
    /// What the agent is to do at each run
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = client::text)]
    task: Option<String>,
    #[command(flatten)]
    when: Option<When>,
    /// The IANA time zone of local times
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    #[command(flatten)]
    delivery: Option<Delivery>,
    /// The agent that works on it
    #[arg(long)]
    agent: Option<String>,
    /// Whether all runs share one conversation
    #[arg(long, value_name = "true|false")]
    resume_context: Option<bool>,
    /// What becomes of runs that could not begin in time: one makes up for all, none, or each
    #[arg(long, value_parser = MissedRule::ALL.map(MissedRule::name))]
    missed: Option<String>,
    /// What becomes of a run that is due while another one has not ended
    #[arg(long, value_parser = OverlapRule::ALL.map(OverlapRule::name))]
    overlap: Option<String>,
    /// Maximum random delay of a run
    #[arg(long, value_name = "SECONDS")]
    jitter: Option<u64>,
    /// How often a failed run is tried again
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
}

pub async fn edit(args: EditArgs) -> Done {
    let client = Client::find(&args.job.remote)?;
    let schedule = match (args.when.map(When::json), args.timezone) {
        (None, None) => None,
        (Some(schedule), None) => Some(schedule),
        (given, Some(zone)) => {
            let mut schedule = match given {
                Some(schedule) => schedule,
                // The same times in another zone.
                None => client.get(&args.job.path()).await?["schedule"].take(),
            };
            schedule["timezone"] = zone.into();
            Some(schedule)
        }
    };
    let changes = [
        ("task", args.task.map(Value::from)),
        ("schedule", schedule),
        ("delivery", args.delivery.map(Delivery::json)),
        ("agent", args.agent.map(Value::from)),
        ("resume_context", args.resume_context.map(Value::from)),
        ("missed", args.missed.map(Value::from)),
        ("overlap", args.overlap.map(Value::from)),
        ("jitter_s", args.jitter.map(Value::from)),
        ("retries", args.retries.map(Value::from)),
    ];
    let body: Map<String, Value> =
        changes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    if body.is_empty() {
        return Err(Failure::usage(
            "nothing is to be changed: name at least one flag, such as --cron".to_owned(),
        ));
    }
    let job = client.patch(&args.job.path(), &body.into()).await?;
    let next = match field::ago(&job, "next") {
        none if none.is_empty() => format!("it is {} and has no next run", field::text(&job, "state")),
        next => format!("its next run is {next}"),
    };
    args.job.remote.say(&job, format!("{} is changed; {next}.", args.job.id))
}
