//! The session that a message belongs to.

use crate::key::{KeyError, Scope, SessionKey};
use crate::message::{Conversation, Source};

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

    fn source(account: &str) -> Source {
        let account = AccountId::new("telegram", Some(account)).unwrap();
        Source { id: "telegram:1".to_owned(), account }
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
