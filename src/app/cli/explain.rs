//! `frontdesk explain`: shows how a rule decides, without a running gateway.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use frontdesk_core::reset::{Due, ResetMode, ResetPolicy};
use frontdesk_core::schedule::Schedule;
use frontdesk_core::zone::parse_zone;
use serde::Serialize;

use super::schedule::When;
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
    /// Show when a job runs
    #[command(
        after_help = "Examples:\n  frontdesk explain schedule --cron \"30 2 * * *\" --timezone Europe/Berlin --after 2026-03-28T12:00:00Z\n  frontdesk explain schedule --every 1h30m --count 3\n  frontdesk explain schedule --at 2026-12-24T18:00"
    )]
    Schedule(ScheduleArgs),
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
    /// Minutes of silence for which the hour waits (with daily and both)
    #[arg(long, default_value_t = 0)]
    quiet_minutes: u32,
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

#[derive(Args)]
struct ScheduleArgs {
    #[command(flatten)]
    when: When,
    /// The IANA time zone of a cron expression or a local time [default: the machine's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Only runs after this time, RFC 3339; an interval is counted from it [default: now]
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// Maximum number of runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Runs {
    runs: Vec<String>,
}

#[derive(Serialize)]
struct Explained {
    reset: bool,
    reasons: Vec<&'static str>,
    /// Whether quiet minutes hold back a reset that is due; only named if they do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    held_back: bool,
    previous_boundary: Option<String>,
    next_boundary: Option<String>,
    idle_deadline: Option<String>,
}

pub fn explain(args: ExplainArgs) -> Done {
    match args.what {
        What::Reset(args) => reset(&args),
        What::Schedule(args) => schedule(&args),
    }
}

fn schedule(args: &ScheduleArgs) -> Done {
    let zone = zone(args.timezone.as_deref())?;
    let schedule = match &args.when {
        When { cron: Some(text), .. } => Schedule::cron(text, zone),
        When { every: Some(text), .. } => Schedule::every(text),
        When { at, .. } => Schedule::at(at.as_deref().unwrap_or_default(), zone),
    };
    let schedule = schedule.map_err(|error| Failure::usage(error.to_string()))?;
    let after = time_or_now("--after", args.after.as_deref())?;
    let runs: Vec<DateTime<Utc>> =
        std::iter::successors(schedule.next(after, after), |last| schedule.next(*last, after))
            .take(args.count.into())
            .collect();
    if args.json {
        return screen::json(&Runs { runs: runs.into_iter().map(when::json).collect() });
    }
    // An expression may name a zone of its own.
    let zone = if let Schedule::Cron(cron) = &schedule { cron.zone() } else { zone };
    match runs.is_empty() {
        true => screen::line(format!("It does not run after {}.", local(after, zone))),
        false => screen::line(runs.into_iter().map(|run| local(run, zone)).collect::<Vec<_>>().join("\n")),
    }
}

fn reset(args: &ResetArgs) -> Done {
    let policy = args.policy()?;
    let last = time("--last-activity", &args.last_activity)?;
    let now = time_or_now("--now", args.now.as_deref())?;
    let Due { reasons, held_back } = policy.due_after(last, false, now);
    if args.json {
        return screen::json(&Explained {
            reset: reasons.any(),
            reasons: reasons.names().collect(),
            held_back,
            previous_boundary: policy.previous_boundary(now).map(when::json),
            next_boundary: policy.next_boundary(now).map(when::json),
            idle_deadline: policy.idle_deadline(last).map(when::json),
        });
    }
    screen::line(sentence(&policy, Due { reasons, held_back }, last, now))
}

impl ResetArgs {
    fn policy(&self) -> Result<ResetPolicy, Failure> {
        let usage = |error: frontdesk_core::reset::PolicyError| Failure::usage(error.to_string());
        let mode: ResetMode = self.mode.parse().map_err(usage)?;
        let zone = zone(self.timezone.as_deref())?;
        let policy = ResetPolicy::new(mode, self.idle_minutes, self.hour, zone, true).map_err(usage)?;
        policy.waiting_for_quiet(self.quiet_minutes).map_err(usage)
    }
}

/// The zone that a flag names, or the machine's.
fn zone(name: Option<&str>) -> Result<Tz, Failure> {
    let Some(name) = name else { return Ok(frontdesk::machine_zone()) };
    parse_zone(name).map_err(|error| Failure::usage(error.to_string()))
}

fn time_or_now(flag: &str, text: Option<&str>) -> Result<DateTime<Utc>, Failure> {
    text.map_or_else(|| Ok(frontdesk::clock::wall()), |text| time(flag, text))
}

fn time(flag: &str, text: &str) -> Result<DateTime<Utc>, Failure> {
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(|error| {
        Failure::usage(format!(
            "{flag} {text:?} is not an RFC 3339 time ({error}): write 2026-11-21T09:30:00Z"
        ))
    })
}

fn sentence(policy: &ResetPolicy, due: Due, last: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let zone = policy.zone();
    let at = |time: DateTime<Utc>| local(time, zone);
    let verdict = match (due.reasons.daily, due.reasons.idle) {
        (true, true) => "starts a new conversation: it is a new day, and the last message was too long ago",
        (true, false) => "starts a new conversation: it is a new day",
        (false, true) => "starts a new conversation: the last message was too long ago",
        (false, false) if due.held_back => {
            "continues the conversation: it is a new day, and the new one waits until there is silence"
        }
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
