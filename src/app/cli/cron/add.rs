//! `frontdesk cron add`.

use clap::Args;
use frontdesk_core::job::{JobId, MissedRule, OverlapRule};
use serde_json::{Value, json};

use super::super::client::{self, Client, fresh_key};
use super::super::schedule::When;
use super::super::{Done, Remote, field};

#[derive(Args)]
pub struct AddArgs {
    #[command(flatten)]
    remote: Remote,
    /// What the agent is to do at each run
    #[arg(allow_hyphen_values = true, value_parser = client::text)]
    task: String,
    /// The job's name: letters, digits, - and _ [default: one is made]
    #[arg(long)]
    id: Option<JobId>,
    #[command(flatten)]
    when: When,
    /// The IANA time zone of local times [default: the gateway's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    #[command(flatten)]
    delivery: Delivery,
    /// The agent that works on it [default: the one that answers in the chat]
    #[arg(long)]
    agent: Option<String>,
    /// Let all runs share one conversation, instead of beginning a new one each time
    #[arg(long)]
    resume_context: bool,
    /// What becomes of runs that could not begin in time: one makes up for all, none, or each
    #[arg(long, value_parser = MissedRule::ALL.map(MissedRule::name), default_value = "run_once")]
    missed: String,
    /// What becomes of a run that is due while another one has not ended
    #[arg(long, value_parser = OverlapRule::ALL.map(OverlapRule::name), default_value = "skip")]
    overlap: String,
    /// Maximum random delay of a run
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    jitter: u64,
    /// How often a failed run is tried again
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,
    /// Idempotency key: a second job with the same key is not made
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Args)]
#[group(id = "results", required = true, multiple = false)]
pub struct Delivery {
    /// Send results to this chat: CHANNEL:CHAT or CHANNEL:ACCOUNT:CHAT, followed by :topic:ID for a topic
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Post results to this URL, signed with cron.webhook_secret
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Send results nowhere; `frontdesk cron runs` shows them
    #[arg(long)]
    silent: bool,
}

impl Delivery {
    /// As the API expects it.
    pub fn json(self) -> Value {
        match (self.to, self.webhook) {
            (Some(to), _) => json!({"mode": "announce", "to": to}),
            (None, Some(url)) => json!({"mode": "webhook", "url": url}),
            (None, None) => "silent".into(),
        }
    }
}

pub async fn add(args: AddArgs) -> Done {
    let mut schedule = args.when.json();
    if let Some(zone) = args.timezone {
        schedule["timezone"] = zone.into();
    }
    let mut body = json!({
        "task": args.task,
        "schedule": schedule,
        "delivery": args.delivery.json(),
        "resume_context": args.resume_context,
        "missed": args.missed,
        "overlap": args.overlap,
        "jitter_s": args.jitter,
        "retries": args.retries,
    });
    if let Some(id) = args.id {
        body["id"] = id.as_str().into();
    }
    if let Some(agent) = args.agent {
        body["agent"] = agent.into();
    }
    let key = args.key.map_or_else(fresh_key, Ok)?;
    let job = Client::find(&args.remote)?.post("/api/cron/jobs", &body, &key).await?;
    let (id, next) = (field::text(&job, "id"), field::ago(&job, "next"));
    args.remote.say(&job, format!("{id} is scheduled; its first run is {next}."))
}
