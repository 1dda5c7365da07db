//! The session that a message belongs to, the agent that answers it, and the role in which that agent answers.

use std::collections::BTreeMap;

use crate::config::{Role, Routing};
use crate::key::{KeyError, Scope, SessionKey};
use crate::message::{Conversation, Source};

/// Where a message belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place<'a> {
    /// The chat's id, as the configuration names it.
    pub chat: &'a str,
    /// The topic or thread within it.
    pub thread: Option<&'a str>,
    /// The person whose session it is; `None` where several people share one, because an answer there is for all of them.
    pub person: Option<&'a str>,
}

/// Who answers at a place, and in which role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    /// The agent's name.
    pub agent: &'a str,
    /// The role's name.
    pub role: Option<&'a str>,
}

/// Who answers at a place of an account, and in which role: the narrowest level decides that names one, which is person,
/// topic, chat, account, channel, in this order. Of one level, `agent` comes before the agent of its `role`.
pub fn choose<'a>(
    routing: Option<&'a Routing>,
    roles: &'a BTreeMap<String, Role>,
    default_agent: &'a str,
    place: Place<'_>,
) -> Route<'a> {
    let chat = routing.and_then(|routing| routing.chat(place.chat));
    let topic = chat.zip(place.thread).and_then(|(chat, thread)| chat.topics.get(thread));
    let person = routing.zip(place.person).and_then(|(routing, person)| routing.people.get(person));
    let levels = [
        person.map(|person| (&person.agent, &person.role)),
        topic.map(|topic| (&topic.agent, &topic.role)),
        chat.map(|chat| (&chat.agent, &chat.role)),
        routing.map(|routing| (&routing.agent, &routing.role)),
        routing.map(|routing| (&routing.channel.agent, &routing.channel.role)),
    ];
    let levels = || levels.iter().flatten().copied();
    let of_role = |role: &String| roles.get(role).and_then(|role| role.agent.as_deref());
    let agent = |(agent, role): (&'a Option<String>, &'a Option<String>)| {
        agent.as_deref().or_else(|| role.as_ref().and_then(of_role))
    };
    Route {
        agent: levels().find_map(agent).unwrap_or(default_agent),
        role: levels().find_map(|(_, role)| role.as_deref()),
    }
}

/// The session of a conversation: each chat has one, and each topic or thread within a chat. With `person`, each person
/// has one in each of them. `chat` is the chat's first id, which differs from the conversation's after the chat has moved.
pub fn session(
    agent: &str,
    source: &Source,
    conversation: &Conversation,
    chat: &str,
    person: Option<&str>,
) -> Result<SessionKey, KeyError> {
    if let (Some(person), false) = (person, conversation.is_private()) {
        return SessionKey::at(
            agent,
            &source.account,
            Scope::Member,
            chat,
            conversation.thread(),
            Some(person),
        );
    }
    let scope = match conversation {
        Conversation::Dm { .. } => Scope::Dm,
        Conversation::Group { .. } => Scope::Group,
        Conversation::Channel { .. } => Scope::Channel,
        Conversation::Topic { .. } => Scope::Topic,
        Conversation::Thread { .. } => Scope::Thread,
    };
    SessionKey::at(agent, &source.account, scope, chat, conversation.thread(), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountId;
    use crate::config::{Assignment, Chat};

    fn source(account: &str) -> Source {
        let account = AccountId::new("telegram", Some(account)).unwrap();
        Source { id: "telegram:1".to_owned(), account }
    }

    fn at(agent: &str, role: &str) -> Assignment {
        let set = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Assignment { agent: set(agent), role: set(role) }
    }

    /// An agent and a role for each level: channel, account, chat `-1`, its topic `5`, and the person `7`.
    fn routing(levels: [(&str, &str); 5]) -> Routing {
        let [channel, account, chat, topic, person] = levels.map(|(agent, role)| at(agent, role));
        let chat = Chat {
            agent: chat.agent,
            role: chat.role,
            topics: BTreeMap::from([("5".to_owned(), topic)]),
            ..Chat::default()
        };
        Routing {
            agent: account.agent,
            role: account.role,
            channel,
            chats: BTreeMap::from([("-1".to_owned(), chat)]),
            people: BTreeMap::from([("7".to_owned(), person)]),
            ..Routing::default()
        }
    }

    const EVERYWHERE: [Place<'static>; 6] = [
        Place { chat: "-9", thread: None, person: None },
        Place { chat: "-1", thread: None, person: None },
        Place { chat: "-1", thread: Some("4"), person: None },
        Place { chat: "-1", thread: Some("5"), person: None },
        Place { chat: "-1", thread: Some("5"), person: Some("8") },
        Place { chat: "-1", thread: Some("5"), person: Some("7") },
    ];

    #[test]
    fn the_narrowest_level_that_names_an_agent_or_a_role_decides() {
        let plain = Role::default();
        let guided = Role { agent: Some("guide".into()), ..Role::default() };
        let roles = BTreeMap::from([("plain".to_owned(), plain), ("guided".to_owned(), guided)]);
        for (levels, wanted) in [
            // Nothing is set.
            ([("", ""); 5], ["main -"; 6]),
            // Each level its own.
            (
                [("x", "x"), ("a", "plain"), ("c", "guided"), ("t", "plain"), ("p", "guided")],
                ["a plain", "c guided", "c guided", "t plain", "t plain", "p guided"],
            ),
            // What the account leaves out is that of the channel.
            (
                [("x", "plain"), ("", ""), ("", "guided"), ("", ""), ("p", "")],
                ["x plain", "guide guided", "guide guided", "guide guided", "guide guided", "p guided"],
            ),
            // An agent of a narrower level leaves the role as it is, and a role without an agent the agent.
            (
                [("", ""), ("a", "guided"), ("c", ""), ("", "plain"), ("", "")],
                ["a guided", "c guided", "c guided", "c plain", "c plain", "c plain"],
            ),
            // A role brings its agent, and one that is narrower comes before it.
            (
                [("", ""), ("a", ""), ("", "guided"), ("t", ""), ("", "plain")],
                ["a -", "guide guided", "guide guided", "t guided", "t guided", "t plain"],
            ),
            // What does not exist is found by the check; it brings no agent.
            ([("", ""), ("", "gone"), ("", ""), ("", ""), ("", "")], ["main gone"; 6]),
        ] {
            let routing = routing(levels);
            let routes = EVERYWHERE.map(|place| {
                let Route { agent, role } = choose(Some(&routing), &roles, "main", place);
                format!("{agent} {}", role.unwrap_or("-"))
            });
            assert_eq!(routes, wanted, "{levels:?}");
        }
        let nowhere = choose(None, &roles, "main", EVERYWHERE[5]);
        assert_eq!(nowhere, Route { agent: "main", role: None });
    }

    #[test]
    fn every_conversation_has_its_session() {
        let (chat, thread) = ("-1".to_owned(), "7".to_owned());
        for (conversation, key) in [
            (Conversation::Dm { chat: "5".to_owned(), thread: None }, "agent:main:telegram:dm:5"),
            (Conversation::Group { chat: chat.clone() }, "agent:main:telegram:group:-1"),
            (Conversation::Channel { chat: chat.clone() }, "agent:main:telegram:channel:-1"),
            (
                Conversation::Topic { chat: chat.clone(), thread: thread.clone() },
                "agent:main:telegram:topic:-1:7",
            ),
            (Conversation::Thread { chat, thread }, "agent:main:telegram:thread:-1:7"),
        ] {
            assert_eq!(
                session("main", &source("default"), &conversation, conversation.chat(), None)
                    .unwrap()
                    .as_str(),
                key
            );
        }
    }

    #[test]
    fn two_accounts_of_one_platform_share_no_session() {
        let conversation = Conversation::Dm { chat: "5".to_owned(), thread: None };
        let work = session("main", &source("work"), &conversation, "5", None).unwrap();
        assert_eq!(work.as_str(), "agent:main:telegram@work:dm:5");
        assert_ne!(work, session("main", &source("default"), &conversation, "5", None).unwrap());
    }

    #[test]
    fn a_person_has_a_session_of_their_own_in_a_group_and_not_in_private() {
        let group = Conversation::Group { chat: "-2".to_owned() };
        let own = session("main", &source("default"), &group, "-1", Some("7")).unwrap();
        assert_eq!(own.scope(), Scope::Member);
        assert_eq!(own.id(), "-1");
        let dm = Conversation::Dm { chat: "7".to_owned(), thread: None };
        let private = session("main", &source("default"), &dm, "7", Some("7")).unwrap();
        assert_eq!(private.as_str(), "agent:main:telegram:dm:7");
    }
}
