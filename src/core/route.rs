//! Which agent and which session a message belongs to.

use crate::key::{KeyError, Scope, SessionKey};
use crate::message::{Place, Source};

/// The session of a place: one per chat, and one per topic or thread within it.
pub fn session(agent: &str, source: &Source, place: &Place) -> Result<SessionKey, KeyError> {
    let scope = match place {
        Place::Dm { .. } => Scope::Dm,
        Place::Group { .. } => Scope::Group,
        Place::Channel { .. } => Scope::Channel,
        Place::Topic { .. } => Scope::Topic,
        Place::Thread { .. } => Scope::Thread,
    };
    SessionKey::build(agent, source.channel, Some(&source.account), scope, place.chat(), place.thread(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(account: &str) -> Source {
        Source { id: "telegram:1".to_owned(), channel: "telegram", account: account.to_owned() }
    }

    #[test]
    fn every_place_has_its_session() {
        let (chat, thread) = ("-1".to_owned(), "7".to_owned());
        for (place, key) in [
            (Place::Dm { chat: "5".to_owned() }, "agent:main:telegram:dm:5"),
            (Place::Group { chat: chat.clone() }, "agent:main:telegram:group:-1"),
            (Place::Channel { chat: chat.clone() }, "agent:main:telegram:channel:-1"),
            (Place::Topic { chat: chat.clone(), thread: thread.clone() }, "agent:main:telegram:topic:-1:7"),
            (Place::Thread { chat, thread }, "agent:main:telegram:thread:-1:7"),
        ] {
            assert_eq!(session("main", &source("default"), &place).unwrap().as_str(), key);
        }
    }

    #[test]
    fn two_accounts_of_one_platform_share_no_session() {
        let place = Place::Dm { chat: "5".to_owned() };
        let work = session("main", &source("work"), &place).unwrap();
        assert_eq!(work.as_str(), "agent:main:telegram@work:dm:5");
        assert_ne!(work, session("main", &source("default"), &place).unwrap());
    }
}
