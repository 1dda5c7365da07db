//! `frontdesk explain`: shows how a rule decides, without a running gateway.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use frontdesk_core::reset::{Reasons, ResetMode, ResetPolicy, parse_zone};
use serde::Serialize;

use super::{Done, Failure, screen, when};

#[derive(Args)]
pub struct ExplainArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Show whether a message at a given time starts a new conversation, and why
    #[command(
        after_help = "Example:\n  frontdesk explain reset --mode daily --hour 4 --timezone Europe/Berlin \\\n    --last-activity 2026-03-28T22:00:00Z --now 2026-03-29T02:30:00Z"
    )]
    Reset(ResetArgs),
}

#[derive(Args)]
struct ResetArgs {
    /// What starts a new conversation: idle, daily, both or none
    #[arg(long, default_value = "idle")]
    mode: String,
    /// The hour of the day at which a new one starts, 0 to 23 (with daily and both)
    #[arg(long, default_value_t = 4)]
    hour: u8,
    /// Minutes without a message (with idle and both)
    #[arg(long, default_value_t = 1440)]
    idle_minutes: u32,
    /// The IANA time zone of the hour [default: the machine's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The time of the last message, RFC 3339
    #[arg(long, value_name = "TIME")]
    last_activity: String,
    /// The time of the next message, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Explained {
    reset: bool,
    reasons: Vec<&'static str>,
    previous_boundary: Option<String>,
    next_boundary: Option<String>,
    idle_deadline: Option<String>,
}

pub fn explain(args: ExplainArgs) -> Done {
    let What::Reset(args) = args.what;
    let policy = args.policy()?;
    let last = time("--last-activity", &args.last_activity)?;
    let now = match &args.now {
        Some(text) => time("--now", text)?,
        None => frontdesk::clock::wall(),
    };
    let reasons = policy.due(last, now);
    if args.json {
        return screen::json(&Explained {
            reset: reasons.any(),
            reasons: reasons.names().collect(),
            previous_boundary: policy.previous_boundary(now).map(when::json),
            next_boundary: policy.next_boundary(now).map(when::json),
            idle_deadline: policy.idle_deadline(last).map(when::json),
        });
    }
    screen::line(sentence(&policy, reasons, last, now))
}

impl ResetArgs {
    fn policy(&self) -> Result<ResetPolicy, Failure> {
        let usage = |error: frontdesk_core::reset::PolicyError| Failure::usage(error.to_string());
        let mode: ResetMode = self.mode.parse().map_err(usage)?;
        let zone = match &self.timezone {
            Some(name) => parse_zone(name).map_err(usage)?,
            None => frontdesk::machine_zone(),
        };
        ResetPolicy::new(mode, self.idle_minutes, self.hour, zone, true).map_err(usage)
    }
}

fn time(flag: &str, text: &str) -> Result<DateTime<Utc>, Failure> {
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(|error| {
        Failure::usage(format!(
            "{flag} {text:?} is not an RFC 3339 time ({error}): write 2026-11-21T09:30:00Z"
        ))
    })
}

fn sentence(policy: &ResetPolicy, reasons: Reasons, last: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let zone = policy.zone();
    let at = |time: DateTime<Utc>| local(time, zone);
    let verdict = match (reasons.daily, reasons.idle) {
        (true, true) => "starts a new conversation: it is a new day, and the last message was too long ago",
        (true, false) => "starts a new conversation: it is a new day",
        (false, true) => "starts a new conversation: the last message was too long ago",
        (false, false) => "continues the conversation",
    };
    let mut text = format!("A message at {} {verdict}.\nLast message:      {}", at(now), at(last));
    let mut more = |name: &str, time: Option<DateTime<Utc>>| {
        if let Some(time) = time {
            text.push_str(&format!("\n{name:<19}{}", at(time)));
        }
    };
    more("This day began:", policy.previous_boundary(now));
    more("The next begins:", policy.next_boundary(now));
    more("Idle after:", policy.idle_deadline(last));
    text
}

fn local(time: DateTime<Utc>, zone: Tz) -> String {
    format!("{} ({})", time.with_timezone(&zone).format("%F %T %Z"), when::json(time))
}
