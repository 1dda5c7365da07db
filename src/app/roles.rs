//! What an operator should know about the roles of a configuration: what of them can never apply.

use std::collections::BTreeSet;

use frontdesk_agents::Host;
use frontdesk_core::agent::TurnRole;
use frontdesk_kit::ConfiguredAccount;

use crate::config::Config;
use crate::routes::Routes;

/// What of the roles can never apply, one sentence each. Starts nothing.
pub(crate) fn notes(config: &Config, host: &Host) -> Vec<String> {
    let accounts = config.channels.accounts(&config.gateway);
    let mut notes = nowhere(config, &accounts);
    let routes = Routes::new(config, &accounts);
    let places = routes.places();
    let routes = places.iter().map(|place| routes.at(place));
    // Each agent with each role in which it answers.
    let pairs: BTreeSet<(&str, &str)> = routes.filter_map(|route| Some((route.role?, route.agent))).collect();
    for (name, agent) in pairs {
        let (Some(role), Some(of_agent)) = (config.runtime.roles.get(name), config.agents.get(agent)) else {
            continue;
        };
        let role = TurnRole { name: name.to_owned(), gives: role.clone() };
        notes.extend(frontdesk_agents::problems_with(agent, of_agent, &role, host));
    }
    // A file that is missing is missing for every agent.
    let mut known = BTreeSet::new();
    notes.retain(|note| known.insert(note.clone()));
    notes
}

/// Roles that nobody has, and topics of platforms that have none.
fn nowhere(config: &Config, accounts: &[ConfiguredAccount]) -> Vec<String> {
    let assignments = || accounts.iter().flat_map(ConfiguredAccount::assignments);
    let given: BTreeSet<&str> = assignments().filter_map(|assigned| assigned.role).collect();
    let unused = config.runtime.roles.keys().filter(|name| !given.contains(name.as_str()));
    let unused = unused.map(|name| {
        format!("nobody has the role {name}: name it as `role` of a channel, a chat, a topic or a person")
    });
    let threads = |channel: &str| {
        let platform = config.channels.platforms().find(|platform| platform.name == channel);
        platform.is_none_or(|platform| (platform.profile)().threads)
    };
    let without = accounts.iter().filter(|account| !threads(account.id.channel()));
    let topics = without.flat_map(ConfiguredAccount::chats).filter(|(_, chat)| !chat.topics.is_empty());
    let topics = topics.map(|(path, _)| format!("{path}.topics: this channel has no topics and no threads"));
    unused.chain(topics).collect()
}
