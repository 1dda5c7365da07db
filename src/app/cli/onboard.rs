//! `frontdesk onboard`: how to set up each platform, and what is still missing.

use clap::Args;
use frontdesk::config::Channels;
use frontdesk_core::account::DEFAULT_ACCOUNT;
use frontdesk_core::count::counted;
use frontdesk_core::nearest::nearest;
use frontdesk_kit::ConfiguredAccount;
use frontdesk_kit::setup::{AppNames, Finding, Level, Step};
use serde_json::{Value, json};

use super::accounts::{Accounts, Checked, log_if};
use super::config::FileArgs;
use super::{Done, Failure, client, screen, table};

#[derive(Args)]
pub struct OnboardArgs {
    /// The platform to set up, such as `slack` [default: list all]
    platform: Option<String>,
    /// Print the manifest of an app, ready to paste, for platforms that make apps from one
    #[arg(long, requires = "platform")]
    manifest: bool,
    /// In the manifest: the name of the app
    #[arg(long, value_name = "NAME", requires = "manifest")]
    name: Option<String>,
    /// In the manifest: the slash command of the app
    #[arg(long, value_name = "/COMMAND", requires = "manifest")]
    command: Option<String>,
    /// Only this account, by its name in the configuration [default: all of the platform]
    #[arg(long, value_name = "NAME", requires = "platform", conflicts_with = "manifest")]
    account: Option<String>,
    #[command(flatten)]
    file: FileArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Log what is asked and answered on standard error, at level debug
    #[arg(long, short)]
    verbose: bool,
}

pub fn onboard(args: OnboardArgs) -> Done {
    let Some(platform) = args.platform.as_deref() else { return list(&args) };
    let channels = Channels::default();
    if !channels.platforms().any(|known| known.name == platform) {
        return Err(unknown(platform, &channels));
    }
    let Some((_, setup)) = channels.setups().find(|(known, _)| known.name == platform) else {
        return Err(Failure::usage(format!("{platform} needs no setup: it is part of the gateway")));
    };
    if args.manifest {
        let names = AppNames { name: args.name.clone(), command: args.command.clone() };
        return match setup.manifest(&names) {
            Some(Ok(manifest)) => screen::json_lines(&manifest),
            Some(Err(problem)) => Err(Failure::usage(problem)),
            None => Err(Failure::usage(format!(
                "{} has no manifests; for the steps: frontdesk onboard {platform}",
                setup.title()
            ))),
        };
    }
    client::block_on(set_up(platform, &args))
}

/// The steps of a platform's accounts, and what is still missing.
async fn set_up(platform: &str, args: &OnboardArgs) -> Done {
    let home = args.file.home()?;
    log_if(args.verbose, &home)?;
    let accounts = args.file.accounts()?;
    let mut wanted = accounts.of(platform);
    if let Some(name) = &args.account {
        let all = accounts.all().iter().filter(|account| account.id.channel() == platform);
        wanted = all.filter(|account| account.id.name() == name).collect();
        if wanted.is_empty() {
            return Err(Failure::usage(format!("{platform} has no account {name} in the configuration")));
        }
    }
    let checked = accounts.check(wanted).await;
    if args.json {
        let accounts: Vec<Value> = checked.iter().map(shown).collect();
        screen::json(&json!({"platform": platform, "accounts": accounts}))?;
    } else {
        checked.iter().try_for_each(print)?;
    }
    verdict(&checked)
}

fn state(checked: &Checked) -> &'static str {
    if checked.has_token { checked.level().name() } else { "no_token" }
}

fn shown(checked: &Checked) -> Value {
    json!({
        "account": checked.account.id.to_string(),
        "state": state(checked),
        "configuration": checked.configuration,
        "steps": checked.report.steps,
        "data": checked.report.data,
    })
}

/// Prints the steps. How a step is done is only shown while it is not done.
fn print(checked: &Checked) -> Done {
    screen::line(match checked.account.id.name() {
        DEFAULT_ACCOUNT => checked.title.to_owned(),
        _ => format!("{}, account {}", checked.title, checked.account.id),
    })?;
    findings(&checked.configuration)?;
    for (n, step) in checked.report.steps.iter().enumerate() {
        screen::line(format!("\n{}. {}", n + 1, step.title))?;
        findings(&step.findings)?;
        if step.done && step.findings.is_empty() {
            screen::line("   done")?;
        }
        if shows_how(step) {
            step.how.iter().try_for_each(|line| screen::line(format!("   {line}")))?;
        }
        step.notes.iter().try_for_each(|line| screen::line(format!("   {line}")))?;
    }
    screen::line("")
}

/// A finding says what to do by itself.
fn shows_how(step: &Step) -> bool {
    !step.done && step.findings.is_empty()
}

fn findings(findings: &[Finding]) -> Done {
    findings.iter().try_for_each(|finding| {
        screen::line(format!("   {:<8} {}", finding.level.name(), screen::one_line(&finding.found)))?;
        match &finding.next {
            Some(next) => screen::line(format!("            {}", screen::one_line(next))),
            None => Ok(()),
        }
    })
}

/// Success if nothing is missing or wrong; else what kind of thing is.
fn verdict(checked: &[Checked]) -> Done {
    let title = checked.first().map_or("the platform", |checked| checked.title);
    let errors = |findings: &mut dyn Iterator<Item = &Finding>| {
        findings.filter(|finding| finding.level == Level::Error).count()
    };
    let configured: usize = checked.iter().map(|one| errors(&mut one.configuration.iter())).sum();
    let all: usize = checked.iter().map(|one| errors(&mut one.findings())).sum();
    let n = |count: usize| counted(u64::try_from(count).unwrap_or(u64::MAX), "error");
    match () {
        () if configured > 0 => Err(Failure::config(format!("{title} is not set up: {}", n(all)))),
        () if checked.iter().any(|one| !one.has_token) => Err(Failure::config(format!(
            "{title} is not set up: it has no token yet; the steps above say where to get it"
        ))),
        () if all > 0 => Err(Failure::new(format!("{title} does not work yet: {}", n(all)))),
        () => Ok(()),
    }
}

/// All platforms, and whether they are set up.
fn list(args: &OnboardArgs) -> Done {
    let accounts = args.file.accounts()?;
    let mut rows = Vec::new();
    for platform in Channels::default().platforms() {
        for account in accounts.of(platform.name) {
            rows.push(row(&accounts, account));
        }
    }
    if args.json {
        return screen::json(&json!({"accounts": rows}));
    }
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let cells = rows.iter().map(|row| ["account", "state", "next"].map(|name| text(row, name)).to_vec());
    table::print(&["ACCOUNT", "STATE", "NEXT STEP"], cells.collect(), "This program has no platforms.")
}

fn row(accounts: &Accounts, account: &ConfiguredAccount) -> Value {
    let name = account.id.channel();
    let is_wrong = accounts.configuration(account).iter().any(|finding| finding.level == Level::Error);
    let (state, next) = match accounts.setup(account) {
        None if account.on => ("on", String::new()),
        None => ("off", String::new()),
        Some(_) if is_wrong => ("has an error", format!("To see it: frontdesk onboard {name}")),
        Some(setup) if !setup.has_token(&account.id) => {
            ("not set up", format!("To set it up: frontdesk onboard {name}"))
        }
        Some(_) if !account.on => {
            ("switched off", format!("Remove `enabled = false` from [{}]", account.path))
        }
        Some(_) => ("has its tokens", format!("To check them: frontdesk onboard {name}")),
    };
    let on = account.on && !is_wrong;
    json!({"platform": name, "account": account.id.to_string(), "state": state, "on": on, "next": next})
}

fn unknown(platform: &str, channels: &Channels) -> Failure {
    let names: Vec<&str> = channels.setups().map(|(known, _)| known.name).collect();
    let near = nearest(platform, names.iter().copied());
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Failure::usage(format!("there is no platform {platform:?}{hint} There are: {}", names.join(", ")))
}
