//! What `frontdesk run` prints once it is ready: where to go, what is on, what is off and why, and who answers.

use std::time::Duration;

use frontdesk::Running;
use frontdesk::config::Config;
use frontdesk_agents::Config as Agent;
use frontdesk_kit::ConfiguredAccount;

use super::super::client::Client;
use super::super::{Done, env, link, screen};

/// For how long the login link can be used.
const LINK: Duration = Duration::from_secs(3600);

/// Prints it. The login link is a secret: it is printed on the first start only, and only for a person at a terminal, because
/// other outputs end in files and journals.
pub async fn greet(running: &Running) -> Done {
    let url = running.url();
    let link = match running.token() {
        (token, true) if screen::is_terminal() => {
            let here = Client::at(running.local_url(), token.clone())?;
            link::fresh(&here, &url, LINK).await.ok()
        }
        _ => None,
    };
    match link {
        Some((link, _)) => screen::line(format!(
            "Frontdesk is ready. Open this link within an hour to log in; `frontdesk link` prints a new one:\n\n  {link}\n\n\
             Or ask from the command line: frontdesk chat \"Hello\"\n"
        ))?,
        None => screen::line(format!(
            "Frontdesk is ready at {url} (`frontdesk link` prints a link that logs you in).\n"
        ))?,
    }
    lines(&running.get_config()).iter().try_for_each(|line| screen::line(screen::harmless(line)))
}

/// The channels that are on, those that are off and why, and the agents.
fn lines(config: &Config) -> Vec<String> {
    let accounts = config.channels.accounts(&config.gateway);
    let on = accounts.iter().filter(|account| account.on).map(|account| account.id.to_string());
    let mut lines = vec![format!("On      {}", list(on))];
    lines
        .extend(accounts.iter().filter_map(|account| Some(format!("Off     {}", why_off(config, account)?))));
    let is_used = |name: &str| accounts.iter().any(|account| account.id.channel() == name && account.on);
    let is_named = |name: &str| {
        let mut off = accounts.iter().filter(|account| account.id.channel() == name);
        off.any(|account| why_off(config, account).is_some())
    };
    let unused: Vec<&str> = config
        .channels
        .setups()
        .map(|(channel, _)| channel.name)
        .filter(|name| !is_used(name) && !is_named(name))
        .collect();
    if !unused.is_empty() {
        lines.push(format!("Off     {}: to connect one, run `frontdesk onboard`", unused.join(", ")));
    }
    let (others, main): (Vec<_>, Vec<_>) =
        config.agents.iter().partition(|(name, _)| name.as_str() != config.default_agent());
    let agents = main.into_iter().chain(others).map(|(name, agent)| format!("{name} ({})", what(agent)));
    lines.push(format!("Agents  {}", list(agents)));
    lines.extend(who_answers(config));
    lines
}

/// Why an account that somebody has configured is not connected.
fn why_off(config: &Config, account: &ConfiguredAccount) -> Option<String> {
    let id = &account.id;
    if let Some(problem) = &account.problem {
        return Some(format!("{id}: {problem}"));
    }
    let has_token = || {
        let mut setups = config.channels.setups().filter(|(channel, _)| channel.name == id.channel());
        setups.any(|(_, setup)| setup.has_token(id))
    };
    (!account.on && has_token()).then(|| format!("{id}: `enabled = false` in [{}]", account.path))
}

fn list(names: impl Iterator<Item = String>) -> String {
    match names.collect::<Vec<_>>() {
        names if names.is_empty() => "nothing".to_owned(),
        names => names.join(", "),
    }
}

/// What an agent is.
fn what(agent: &Agent) -> String {
    match agent {
        Agent::Echo(_) => "the built-in test agent".to_owned(),
        Agent::Command(_) => "a program".to_owned(),
        Agent::OpenAi(model) => format!("the model {}", model.describe()),
        Agent::Pi(_) => "pi".to_owned(),
    }
}

/// Who answers, if it is a built-in agent.
fn who_answers(config: &Config) -> Option<String> {
    match config.agents.get(config.default_agent())? {
        Agent::OpenAi(model) => {
            let from = model.api_key.as_ref().is_some_and(|key| env("OPENAI_API_KEY").as_deref() == Some(key.expose()));
            let from = if from { ", because OPENAI_API_KEY is set" } else { "" };
            Some(format!("Answers come from the model {}{from}.", model.describe()))
        }
        Agent::Echo(_) => Some(
            "Answers come from the built-in test agent, which repeats each message. Set OPENAI_API_KEY to talk to a model."
                .to_owned(),
        ),
        Agent::Command(_) | Agent::Pi(_) => None,
    }
}
