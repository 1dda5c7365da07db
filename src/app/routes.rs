//! The places that a configuration names, and who answers there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use frontdesk_core::account::AccountId;
use frontdesk_core::config::{Routing, Sharing};
use frontdesk_core::route::{self, Place, Route};
use frontdesk_kit::ConfiguredAccount;

use crate::channels;
use crate::config::Config;

/// A place that the configuration names: an account, or something within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NamedPlace {
    pub(crate) account: AccountId,
    chat: Option<String>,
    thread: Option<String>,
    person: Option<String>,
}

impl NamedPlace {
    fn within(account: &AccountId, chat: Option<&str>, thread: Option<&str>, person: Option<&str>) -> Self {
        let [chat, thread, person] = [chat, thread, person].map(|id| id.map(str::to_owned));
        Self { account: account.clone(), chat, thread, person }
    }
}

impl fmt::Display for NamedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.account)?;
        for (kind, id) in [("chat", &self.chat), ("topic", &self.thread), ("person", &self.person)] {
            if let Some(id) = id {
                write!(f, " {kind} {id}")?;
            }
        }
        Ok(())
    }
}

/// Who answers at each place of a configuration.
pub(crate) struct Routes<'c> {
    config: &'c Config,
    routing: BTreeMap<AccountId, Routing>,
}

impl<'c> Routes<'c> {
    pub(crate) fn new(config: &'c Config, accounts: &[ConfiguredAccount]) -> Self {
        Self { config, routing: channels::routing(accounts) }
    }

    /// Every place that is named.
    pub(crate) fn places(&self) -> BTreeSet<NamedPlace> {
        let mut places = BTreeSet::new();
        for (account, routing) in &self.routing {
            let mut add = |chat: Option<&str>, thread: Option<&str>, person: Option<&str>| {
                places.insert(NamedPlace::within(account, chat, thread, person));
            };
            add(None, None, None);
            for person in routing.people.keys() {
                add(None, None, Some(person));
            }
            for (id, chat) in &routing.chats {
                add(Some(id), None, None);
                for topic in chat.topics.keys() {
                    add(Some(id), Some(topic), None);
                }
                let people = routing.people.keys().filter(|_| chat.sessions == Some(Sharing::Person));
                for person in people {
                    add(Some(id), None, Some(person));
                }
            }
        }
        places
    }

    /// Whether an account is configured.
    pub(crate) fn has(&self, account: &AccountId) -> bool {
        self.routing.contains_key(account)
    }

    /// Who answers at a place. A person without a chat is one in private.
    pub(crate) fn at(&self, place: &NamedPlace) -> Route<'_> {
        let NamedPlace { account, chat, thread, person } = place;
        let chat = chat.as_deref().or(person.as_deref()).unwrap_or_default();
        let place = Place { chat, thread: thread.as_deref(), person: person.as_deref() };
        let routing = self.routing.get(account);
        route::choose(routing, &self.config.runtime.roles, self.config.default_agent(), place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{More, Reading, Syntax, parse};

    #[test]
    fn the_agent_and_the_role_of_a_channel_hold_for_accounts_that_set_none() {
        let text = "[channels.telegram]\nagent = \"guide\"\nrole = \"kids\"\n[channels.telegram.people.7]\nrole = \"adults\"\n\
                    [channels.telegram.accounts.work]\n[channels.telegram.accounts.home]\nrole = \"adults\"\n\
                    [roles.kids]\n[roles.adults]\n[agents.main]\nkind = \"echo\"\n[agents.guide]\nkind = \"echo\"\n";
        let reading = Reading {
            syntax: Syntax::Toml,
            folder: std::path::Path::new("/"),
            env: &|_| None,
            more: &More::default(),
            still_waits: &|_| {},
        };
        let config = parse(text, reading).unwrap().0;
        let routes = Routes::new(&config, &config.channels.accounts(&config.gateway));
        let places = routes.places();
        let all = places.iter().map(|place| (place.to_string(), routes.at(place)));
        let all =
            all.map(|(place, Route { agent, role })| format!("{place}: {agent} {}", role.unwrap_or("-")));
        let wanted = [
            "discord: main -",
            "slack: main -",
            "telegram: guide kids",
            "telegram person 7: guide adults",
            "telegram@home: guide adults",
            "telegram@work: guide kids",
            "web: main -",
        ];
        assert_eq!(all.collect::<Vec<_>>(), wanted);
    }
}
