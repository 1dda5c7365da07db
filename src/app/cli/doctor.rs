//! `frontdesk doctor`: looks at what the gateway needs. With `--probe` it looks at the gateway from the outside, for cron or
//! monitoring, and alarms when it is dead.

mod alarm;
mod checks;
mod probe;

use std::path::{Path, PathBuf};

use clap::Args;

use frontdesk::clock::SystemClock;
use frontdesk::home::Home;
use frontdesk_core::port::Clock;
use serde_json::json;

use super::accounts::{Accounts, log_if};
use super::{Done, Failure, Remote, screen};
use alarm::Alarms;
use probe::Probe;

#[derive(Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    remote: Remote,
    /// Configuration file [default: frontdesk.toml or frontdesk.jsonc in the home folder]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Log what is asked and answered on standard error, at level debug
    #[arg(long, short, conflicts_with = "probe")]
    verbose: bool,
    /// Check from the outside whether the gateway lives: silent and exit 0 if it does, a line for each fault and exit 1 if
    /// not
    #[arg(long)]
    probe: bool,
    /// Minutes after which the gateway's last check of itself is too old
    #[arg(long, value_name = "MINUTES", requires = "probe", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    max_age: u32,
    /// Also send a message to the agent, in a chat of its own, and expect an answer within this many seconds
    #[arg(long, value_name = "SECONDS", requires = "probe", num_args = 0..=1, default_missing_value = "60", value_parser = clap::value_parser!(u32).range(1..=3600))]
    canary: Option<u32>,
    /// Command that is run once when the gateway fails and once when it is well again, with the text on standard input and
    /// `failing` or `recovered` in FRONTDESK_PROBE
    #[arg(long, value_name = "COMMAND", requires = "probe")]
    alarm_command: Option<String>,
    /// URL that gets the same as a POST of {"text", "state"}
    #[arg(long, value_name = "URL", requires = "probe")]
    alarm_url: Option<String>,
    /// Hours until the alarm is repeated while the gateway still fails
    #[arg(long, value_name = "HOURS", requires = "probe", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=168))]
    remind: u32,
}

pub async fn doctor(args: DoctorArgs) -> Done {
    let home = Home::find(args.remote.home.home.as_deref(), &super::env)?;
    if args.probe { look_from_outside(args, &home).await } else { look_at_all(&args, &home).await }
}

/// Looks at everything that the gateway needs. No gateway has to run.
async fn look_at_all(args: &DoctorArgs, home: &Home) -> Done {
    if args.remote.url.is_some() || args.remote.token_file.is_some() {
        return Err(Failure::usage("--url and --token-file name a running gateway: use them with --probe"));
    }
    log_if(args.verbose, home)?;
    checks::all(&Accounts::read(home, args.config.as_deref())?, args.remote.json).await
}

async fn look_from_outside(args: DoctorArgs, home: &Home) -> Done {
    let probe = Probe {
        remote: &args.remote,
        last_check: last_check(home, args.config.as_deref()),
        max_age: chrono::TimeDelta::minutes(i64::from(args.max_age)),
        canary: args.canary,
    };
    let clock = SystemClock::new();
    let faults = probe.faults(clock.wall()).await;
    let alarms = Alarms {
        command: args.alarm_command,
        url: args.alarm_url,
        remind: chrono::TimeDelta::hours(i64::from(args.remind)),
        state: home.path().join("probe.json"),
    };
    let told = alarms.tell(&faults, clock.wall()).await;
    if args.remote.json {
        screen::json(&json!({"healthy": faults.is_empty(), "faults": faults}))?;
    }
    let mut lines = if args.remote.json { Vec::new() } else { faults.clone() };
    lines.extend(told.err());
    match lines.is_empty() && faults.is_empty() {
        true => Ok(()),
        false if lines.is_empty() => Err(Failure::new("the gateway fails")),
        false => Err(Failure::new(lines.join("\n"))),
    }
}

/// The file of the last check, as the configuration says. One that cannot be read changes nothing about where it is by
/// default.
fn last_check(home: &Home, named: Option<&Path>) -> PathBuf {
    let configured =
        super::config::read_again(home, named).ok().and_then(|loaded| loaded.config.runtime.watchdog.file);
    configured.unwrap_or_else(|| home.path().join("last-check"))
}
