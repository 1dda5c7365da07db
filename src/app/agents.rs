//! What an operator should know about the agents of a configuration before they answer.

use std::sync::Arc;

use frontdesk_agents::{Config as AgentConfig, Host};
use frontdesk_core::port::Agent;
use frontdesk_http::{Guard, Refusal};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::home::Home;
use crate::roles;
use crate::voice;

/// What keeps an agent from answering, in a sentence. Starts nothing.
pub(crate) fn problem_of(name: &str, config: &AgentConfig, host: &Host) -> Option<String> {
    match frontdesk_agents::build(name, config, host) {
        Ok(built) => built.problem().map(|problem| cannot_answer(name, &problem)),
        Err(error) => Some(error.to_string()),
    }
}

/// What keeps an agent of a configuration from answering, as far as that can be seen without starting anything.
pub fn problem(name: &str, config: &Config, host: &Host) -> Option<String> {
    match frontdesk_agents::build_one_of(name, config.agents.get(name)?, &config.agents, host) {
        Ok(built) => built.problem(),
        Err(error) => Some(error.to_string()),
    }
}

fn cannot_answer(name: &str, problem: &str) -> String {
    format!("agent {name} cannot answer: {problem}")
}

/// What keeps an agent from answering, and that it runs with the gateway's rights; a sentence each.
pub(crate) fn notes_on(name: &str, config: &AgentConfig, agent: &dyn Agent) -> Vec<String> {
    // Only a note: the program may be installed before the first message arrives.
    let problem = agent.problem().map(|problem| cannot_answer(name, &problem));
    let rights = config.has_gateway_rights().then(|| {
        format!(
            "agent {name} runs with the gateway's rights and can read its token and its database: close it in with \
             `run_with` in [agents.{name}], for example run_with = \"bubblewrap\" (docs/security.md)"
        )
    });
    problem.into_iter().chain(rights).collect()
}

/// What agents need of the machine, for a look at them without a gateway.
pub fn host(home: &Home) -> Host {
    Host {
        home: home.path().to_owned(),
        clock: Arc::new(SystemClock::new()),
        env: std::env::vars_os().collect(),
        proxy: None,
        providers: Arc::default(),
    }
}

/// That the proxy for agents refuses the URL that a program asks for its answers, and what to do; `None` if it does not.
pub async fn refused_by_proxy(config: &Config, endpoint: &str) -> Option<String> {
    let ssrf = Some(&config.security.ssrf).filter(|ssrf| ssrf.enabled)?;
    let url = reqwest::Url::parse(endpoint).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let judged = Guard::new(ssrf).ok()?.addresses(host, port).await;
    matches!(judged, Err(Refusal::Private)).then(|| {
        format!(
            "the proxy for agents refuses {host}:{port}, where its model is: add \"{host}:{port}\" to `allowed_hosts` in \
             [security.ssrf]"
        )
    })
}

/// The notes on all agents of a configuration. Starts nothing.
pub fn notes(config: &Config, home: &Home) -> Vec<String> {
    let host = host(home);
    let all = &config.agents;
    let notes =
        all.iter().flat_map(|(name, agent)| match frontdesk_agents::build_one_of(name, agent, all, &host) {
            Ok(built) => notes_on(name, agent, built.as_ref()),
            Err(error) => vec![error.to_string()],
        });
    notes.chain(roles::notes(config, &host)).chain(voice::problem(config, &host)).collect()
}
