//! `frontdesk config`: checks, shows and describes the configuration.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use frontdesk::config::{self, Config, Loaded, Problem, Problems, Syntax};
use frontdesk::home::{Home, HomeError};
use frontdesk_core::config::ConfigError;
use frontdesk_core::count::counted;
use serde_json::{Value, json};

use super::accounts::Accounts;
use super::client::{self, Client, fresh_key};
use super::{Done, Failure, HomeArgs, Remote, field, screen};

#[derive(Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Report every error in the configuration; exit 78 if there is one
    Check {
        #[command(flatten)]
        file: FileArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print all values in effect, with defaults and without secrets
    Show(Show),
    /// Reload the configuration of the running gateway; exit 78 if it has an error
    Reload {
        #[command(flatten)]
        remote: Remote,
        /// Only print what would change
        #[arg(long)]
        plan: bool,
    },
    /// Print the JSON schema, for editors and other tools
    Schema,
    /// Print an example file with every key, its meaning and its default
    Example,
}

/// Which configuration to read.
#[derive(Args, Clone)]
pub struct FileArgs {
    #[command(flatten)]
    home: HomeArgs,
    /// Configuration file [default: frontdesk.toml or frontdesk.jsonc in the home folder]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Which values to print, and how.
#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    file: FileArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Prints all values in effect.
    pub fn run(&self) -> Done {
        let effective = config::show::effective(&self.file.load()?.document);
        if self.json { screen::json(&effective) } else { screen::raw(&config::show::toml(&effective)) }
    }
}

pub fn config(args: ConfigArgs) -> Done {
    match args.what {
        What::Check { file, json: true } => check_json(&file),
        What::Check { file, json: false } => {
            let loaded = file.load()?;
            tell_notes(&loaded.config, &file.home()?);
            match loaded.file {
                Some(file) => screen::line(format!("{} is valid", file.display())),
                None => screen::line("There is no configuration file; the defaults are in effect."),
            }
        }
        What::Show(show) => show.run(),
        What::Reload { remote, plan } => client::block_on(reload(remote, plan)),
        What::Schema => screen::json_lines(config::schema::whole()),
        What::Example => screen::raw(&config::example::toml()),
    }
}

async fn reload(remote: Remote, plan: bool) -> Done {
    let answer =
        Client::find(&remote)?.post("/api/config/reload", &json!({ "plan": plan }), &fresh_key()?).await?;
    if remote.json {
        screen::json(&answer)?;
        return unfinished(&answer);
    }
    let done = if plan { "would be" } else { "is" };
    let mut lines = Vec::new();
    for (list, name) in [("accounts", "account"), ("agents", "agent")] {
        for entry in field::list(&answer, list).iter().filter(|entry| entry["change"] != "kept") {
            let (name, named) = (if name == "agent" { "agent " } else { "" }, field::text(entry, name));
            let change = field::text(entry, "change");
            let change = match (change.as_str(), list) {
                ("restarted", "accounts") => "reconnected",
                ("restarted", _) => "replaced after its running turns",
                (change, _) => change,
            };
            lines.push(format!("{name}{named} {done} {change}.{}", left(entry)));
            if entry["another_login"] == true {
                lines.push(format!(
                    "{named} belongs to a different bot now: it cannot edit or reply to earlier messages."
                ));
            }
        }
    }
    let keys = |list: &str| -> Option<String> {
        let keys: Vec<&str> = field::list(&answer, list).iter().filter_map(Value::as_str).collect();
        (!keys.is_empty()).then(|| keys.join(", "))
    };
    let changed = if plan { "Would change" } else { "Changed" };
    lines.extend(keys("changes").map(|keys| format!("{changed} from the next message on: {keys}.")));
    lines.extend(routes(&answer, done));
    lines.extend(keys("restart").map(|keys| format!("Needs a restart of the gateway: {keys}.")));
    if lines.is_empty() {
        lines.push(if plan { "Nothing would change." } else { "Nothing has changed." }.to_owned());
    }
    lines.into_iter().try_for_each(|line| screen::line(screen::harmless(&line)))?;
    for note in field::list(&answer, "notes").iter().filter_map(Value::as_str) {
        screen::note(&format!("note: {}", screen::harmless(note)));
    }
    unfinished(&answer)
}

/// How many places with another agent or role are listed.
const ROUTES: usize = 20;

/// The places that get another agent or another role.
fn routes(answer: &Value, done: &str) -> Vec<String> {
    let all = field::list(answer, "routes");
    let text = |route: &Value, name: &str| route[name].as_str().unwrap_or("none").to_owned();
    let line = |route: &Value| {
        let changed = |what: &str, before: &str| {
            let (new, old) = (text(route, what), text(route, before));
            (new != old).then(|| format!("{what} {new} instead of {old}"))
        };
        let both = [changed("agent", "agent_before"), changed("role", "role_before")];
        let both = both.into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("{} {done} answered anew from the next message on: {both}.", text(route, "place"))
    };
    let mut lines: Vec<String> = all.iter().take(ROUTES).map(line).collect();
    if all.len() > ROUTES {
        lines.push(format!("{} more with another agent or role; --json lists all.", all.len() - ROUTES));
    }
    lines
}

/// What an agent leaves that is removed.
fn left(agent: &Value) -> String {
    let number = |name: &str| agent[name].as_u64().unwrap_or(0);
    let mut left = String::new();
    if number("running") > 0 {
        left.push_str(&format!(" {} still running on it will finish.", counted(number("running"), "turn")));
    }
    if number("waiting") > 0 {
        left.push_str(&format!(
            " {} waiting for it: their senders are told that the agent was removed, and /retry sends them to the agent that answers now.",
            counted(number("waiting"), "message")
        ));
    }
    left
}

/// An error if the configuration is in use and the gateway could not do all that follows from it.
fn unfinished(answer: &Value) -> Done {
    let unfinished: Vec<&str> = field::list(answer, "unfinished").iter().filter_map(Value::as_str).collect();
    if unfinished.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("the configuration is in use, but {}", unfinished.join("; and "))))
}

/// Prints whether the configuration is valid, and every error in it with its position.
fn check_json(file: &FileArgs) -> Done {
    let home = file.home()?;
    let (path, problems) = match read(&home, file.config.as_deref(), &screen::note) {
        Ok(loaded) => {
            tell_notes(&loaded.config, &home);
            (loaded.file, Vec::new())
        }
        Err(ReadError::Problems(found)) => (found.file, found.problems),
        Err(ReadError::Failure(failure)) if failure.is_config() => {
            let error = ConfigError::new("", failure.to_string());
            (file.config.clone(), vec![error.into()])
        }
        Err(ReadError::Failure(failure)) => return Err(failure),
    };
    let shown = problems.iter().map(|problem| {
        let position = problem.position.map(|position| (position.line, position.column));
        json!({
            "key": problem.error.path,
            "problem": problem.error.problem,
            "line": position.map(|(line, _)| line),
            "column": position.map(|(_, column)| column),
        })
    });
    let path = path.map(|path| path.display().to_string());
    let (valid, shown) = (problems.is_empty(), shown.collect::<Value>());
    screen::json(&json!({"valid": valid, "file": path, "problems": shown}))?;
    if valid { Ok(()) } else { Err(Failure::config("the configuration is not valid")) }
}

/// Prints what is no error and should be known.
fn tell_notes(config: &Config, home: &Home) {
    for note in frontdesk::agents::notes(config, home) {
        screen::note(&format!("note: {note}"));
    }
}

impl FileArgs {
    pub fn home(&self) -> Result<Home, Failure> {
        Ok(Home::find(self.home.home.as_deref(), &super::env)?)
    }

    pub fn load(&self) -> Result<Loaded, Failure> {
        load(&self.home()?, self.config.as_deref(), &screen::note)
    }

    /// What it says about accounts.
    pub fn accounts(&self) -> Result<Accounts, Failure> {
        Accounts::read(&self.home()?, self.config.as_deref())
    }
}

/// Why a configuration is not in effect.
enum ReadError {
    /// It has errors.
    Problems(Problems),
    /// It could not be read.
    Failure(Failure),
}

impl From<Problems> for ReadError {
    fn from(problems: Problems) -> Self {
        ReadError::Problems(problems)
    }
}

impl From<HomeError> for ReadError {
    fn from(error: HomeError) -> Self {
        ReadError::Failure(error.into())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Problems(problems) => problems.into(),
            ReadError::Failure(failure) => failure,
        }
    }
}

/// The configuration in effect: the named file, else the one in the home folder, else the defaults. `still_waits` is told
/// what is waited for.
pub fn load(home: &Home, named: Option<&Path>, still_waits: &dyn Fn(&str)) -> Result<Loaded, Failure> {
    read(home, named, still_waits).map_err(Failure::from)
}

/// The configuration in effect, and the errors that the checks of its values found, for commands that help to correct it.
pub fn load_unchecked(home: &Home, named: Option<&Path>) -> Result<(Loaded, Vec<Problem>), Failure> {
    read_unchecked(home, named, &screen::note).map_err(Failure::from)
}

/// Reads the configuration for a reload. The errors keep their positions in the file.
pub fn read_again(home: &Home, named: Option<&Path>) -> Result<Loaded, Problems> {
    read(home, named, &config::log_wait).map_err(|error| match error {
        ReadError::Problems(problems) => problems,
        ReadError::Failure(failure) => Problems::in_memory([ConfigError::new("", failure.to_string())]),
    })
}

fn read(home: &Home, named: Option<&Path>, still_waits: &dyn Fn(&str)) -> Result<Loaded, ReadError> {
    let (loaded, problems) = read_unchecked(home, named, still_waits)?;
    match problems.is_empty() {
        true => Ok(loaded),
        false => Err(Problems { file: loaded.file, problems }.into()),
    }
}

/// The configuration in effect, and what the checks of its values found.
fn read_unchecked(
    home: &Home,
    named: Option<&Path>,
    still_waits: &dyn Fn(&str),
) -> Result<(Loaded, Vec<Problem>), ReadError> {
    let (file, more) = (
        named.map(Path::to_owned).map_or_else(|| home.config(), |file| Ok(Some(file)))?,
        config::More::default(),
    );
    match file {
        Some(file) => Ok(config::load_unchecked(&file, &super::env, &more, still_waits)?),
        None => {
            let (syntax, env) = (Syntax::Toml, &super::env);
            let reading = config::Reading { syntax, folder: home.path(), env, more: &more, still_waits };
            let (config, document, problems) = config::parse_unchecked("", reading)
                .map_err(|problems| config::Problems { file: None, problems })?;
            Ok((Loaded { config, file: None, document }, problems))
        }
    }
}
