//! `frontdesk agents`: lists the agents of the configuration, tries them out, and installs pi.

mod install;

use clap::{Args, Subcommand};
use frontdesk::agents::{host, problem, refused_by_proxy};
use frontdesk::config::Config;
use frontdesk_agents::Host;
use frontdesk_core::nearest::nearest;
use serde_json::{Value, json};

use super::config::FileArgs;
use super::list::OrList;
use super::{Done, Failure, HomeArgs, client, screen, table};

/// What follows `frontdesk agents`.
pub type AgentsArgs = OrList<What, ListArgs>;

#[derive(Subcommand)]
pub enum What {
    /// List the agents of the configuration, and what can be seen to be wrong with them without starting anything
    List(ListArgs),
    /// Start an agent's program as for a message, or ask its provider for its models; all agents without a name
    #[command(
        after_help = "Nothing is sent to a model. The program gets the environment of this command, which may \
                            differ from the gateway's.\n\nExample:\n  frontdesk agents check main"
    )]
    Check(CheckArgs),
    /// Install an agent's program from npm into the home folder
    Install(InstallArgs),
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    file: FileArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct CheckArgs {
    /// The agent's name [default: all]
    name: Option<String>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Args)]
pub struct InstallArgs {
    #[command(subcommand)]
    what: Program,
}

#[derive(Subcommand)]
enum Program {
    /// pi, the coding agent; with Node if there is none that is new enough
    Pi {
        #[command(flatten)]
        home: HomeArgs,
    },
}

pub fn agents(args: AgentsArgs) -> Done {
    match args.what {
        None => list(&args.list),
        Some(What::List(args)) => list(&args),
        Some(What::Check(args)) => client::block_on(check(args)),
        Some(What::Install(InstallArgs { what: Program::Pi { home } })) => {
            client::block_on(install::pi(home))
        }
    }
}

/// The configuration, and what its agents need of the machine.
fn read(args: &ListArgs) -> Result<(Config, Host), Failure> {
    let config = args.file.load()?.config;
    Ok((config, host(&args.file.home()?)))
}

fn list(args: &ListArgs) -> Done {
    let (config, host) = read(args)?;
    let rows = config.agents.iter().map(|(name, agent)| {
        json!({
            "name": name,
            "kind": agent.kind(),
            "default": name == config.default_agent(),
            "answers": frontdesk_agents::describe(name, agent, &host),
            "gateway_rights": agent.has_gateway_rights(),
            "problem": problem(name, &config, &host),
        })
    });
    let rows: Vec<Value> = rows.collect();
    if args.json {
        return screen::json(&json!({"agents": rows}));
    }
    let row = |agent: &Value| {
        let text = |name: &str| agent[name].as_str().unwrap_or_default().to_owned();
        let default = if agent["default"] == true { "yes" } else { "" };
        vec![text("name"), text("kind"), default.to_owned(), text("answers"), text("problem")]
    };
    table::print(
        &["NAME", "KIND", "DEFAULT", "ANSWERS", "PROBLEM"],
        rows.iter().map(row).collect(),
        "There are no agents.",
    )
}

async fn check(args: CheckArgs) -> Done {
    let (config, host) = read(&args.list)?;
    if let Some(name) = args.name.as_ref().filter(|name| !config.agents.contains_key(*name)) {
        return Err(unknown(name, &config));
    }
    let wanted =
        config.agents.iter().filter(|(name, _)| args.name.as_ref().is_none_or(|wanted| wanted == *name));
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (name, agent) in wanted {
        let mut probe = frontdesk_agents::probe(name, agent, &host).await;
        if let Some(endpoint) = probe.endpoint.as_deref().filter(|_| probe.problem.is_none()) {
            probe.problem = refused_by_proxy(&config, endpoint).await;
        }
        if probe.problem.is_some() {
            wrong.push(name.as_str());
        }
        rows.push(json!({
            "name": name,
            "kind": agent.kind(),
            "ok": probe.problem.is_none(),
            "seen": probe.seen,
            "problem": probe.problem,
        }));
    }
    if args.list.json {
        screen::json(&json!({"agents": rows}))?;
    } else {
        table::print(
            &["NAME", "KIND", "STATE", "SEEN"],
            rows.iter().map(row).collect(),
            "There are no agents.",
        )?;
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::new(format!("agent {one} cannot answer"))),
        several => Err(Failure::new(format!("agents {} cannot answer", several.join(", ")))),
    }
}

fn row(agent: &Value) -> Vec<String> {
    let text = |name: &str| agent[name].as_str().unwrap_or_default().to_owned();
    let seen = agent["seen"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let shown: Vec<&str> = seen.chain(agent["problem"].as_str()).collect();
    let state = if agent["ok"] == true { "ok" } else { "problem" };
    vec![text("name"), text("kind"), state.to_owned(), shown.join("; ")]
}

fn unknown(name: &str, config: &Config) -> Failure {
    let names: Vec<&str> = config.agents.keys().map(String::as_str).collect();
    let near = nearest(name, names.iter().copied());
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Failure::usage(format!("there is no agent {name}{hint} There are: {}", names.join(", ")))
}
