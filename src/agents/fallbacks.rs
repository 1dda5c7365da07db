//! Agents with their fallbacks, which may be other agents.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::config::{ConfigError, join};
use frontdesk_core::nearest::nearest;
use frontdesk_core::port::Agent;

use crate::failover::{self, Fallback};
use crate::responder::{Responder, Target, WholeAgent};
use crate::{BuildError, Config, Host, check_name, command, echo, openai, pi};

/// How many agents an error lists at most.
const LISTED: usize = 20;

/// Builds one of several agents. Its fallbacks are built for it alone, so that it ends with all that belongs to it; what
/// they know of their providers is shared. A fallback's own fallbacks are not asked.
pub fn build_one_of(
    name: &str,
    config: &Config,
    all: &BTreeMap<String, Config>,
    host: &Host,
) -> Result<Arc<dyn Agent>, BuildError> {
    check_name(name).map_err(|_| BuildError::Name(name.into()))?;
    let wrong = |error| BuildError::Config { name: name.into(), error };
    config.check().map_err(wrong)?;
    let Some(failover) = config.failover().filter(|failover| !failover.fallbacks.is_empty()) else {
        return alone(name, config, host).map_err(wrong);
    };
    let mut responders = vec![responder(name, config, host).map_err(wrong)?];
    for (index, fallback) in failover.fallbacks.iter().enumerate() {
        let path = failover::Config::path(index);
        let built = match (fallback, config) {
            (Fallback::Agent(other), _) => match all.get(other) {
                Some(config) => responder(other, config, host),
                None => Err(ConfigError::new("", unknown(other, all))),
            },
            (Fallback::Model(model), Config::OpenAi(config)) => {
                openai::build(name, &config.with_fallback(model), host)
                    .map(|agent| Box::new(agent) as Box<dyn Responder>)
            }
            (Fallback::Model(_), _) => Err(ConfigError::new("", "is no agent")),
        };
        responders.push(built.map_err(|error| wrong(error.under(&path)))?);
    }
    Ok(failover::build(name, responders, failover, &host.providers, &host.clock))
}

/// An agent without its fallbacks.
fn alone(name: &str, config: &Config, host: &Host) -> Result<Arc<dyn Agent>, ConfigError> {
    Ok(match config {
        Config::Echo(_) => Arc::new(echo::Echo::new(host.clock.clone())),
        Config::Command(config) => command::build(name, config, host),
        Config::OpenAi(config) => Arc::new(openai::build(name, config, host)?),
        Config::Pi(config) => pi::build(name, config, host),
    })
}

fn responder(name: &str, config: &Config, host: &Host) -> Result<Box<dyn Responder>, ConfigError> {
    if let Config::OpenAi(config) = config {
        return Ok(Box::new(openai::build(name, config, host)?));
    }
    Ok(Box::new(WholeAgent {
        agent: alone(name, config, host)?,
        target: Target::of(&[name, &format!("{config:?}")], name, format!("agent {name}")),
        reads_history: false,
    }))
}

/// What an agent is built from: its own config, and those of the agents that are its fallbacks. If one of them changes, the
/// agent is another one.
pub fn built_from<'c>(name: &str, all: &'c BTreeMap<String, Config>) -> Vec<&'c Config> {
    let own = all.get(name);
    let others = own.and_then(Config::failover).into_iter().flat_map(failover::Config::agents);
    own.into_iter().chain(others.filter_map(|(_, other)| all.get(other))).collect()
}

/// Checks the fallbacks of all agents that are other agents. The paths begin at the table of all agents.
pub fn check_fallbacks(all: &BTreeMap<String, Config>) -> Vec<ConfigError> {
    let mut wrong = Vec::new();
    for (name, config) in all {
        let mut known = vec![name.as_str()];
        for (path, other) in config.failover().into_iter().flat_map(failover::Config::agents) {
            let problem = match all.get(other) {
                _ if other == name => Some("an agent cannot be its own fallback".to_owned()),
                _ if known.contains(&other) => Some(format!("the agent `{other}` is named twice")),
                None => Some(unknown(other, all)),
                Some(other) => same_model(config, other),
            };
            known.push(other);
            wrong.extend(problem.map(|problem| ConfigError::new(path, problem).under(&join("", name))));
        }
    }
    wrong
}

/// The error for a fallback that has the same model, provider and key as another candidate.
fn same_model(config: &Config, other: &Config) -> Option<String> {
    let (Config::OpenAi(config), Config::OpenAi(other)) = (config, other) else { return None };
    config.asks_the_same_as(other).then(|| {
        format!(
            "it has the same model `{}` at the same provider, so it fails together with this agent",
            other.model
        )
    })
}

fn unknown(name: &str, all: &BTreeMap<String, Config>) -> String {
    let names: Vec<&str> = all.keys().map(String::as_str).take(LISTED).collect();
    let near = nearest(name, names.iter().copied());
    let hint = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let more = if all.len() > LISTED { ", ..." } else { "" };
    format!("there is no agent `{name}`; {hint}there are: {}{more}", names.join(", "))
}
