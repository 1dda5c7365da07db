//! Chats that share one session.

use std::collections::BTreeMap;

use frontdesk_core::config::ConfigError;
use frontdesk_core::key::SessionKey;

/// The lists of `sessions.shared`, checked once.
#[derive(Debug, Clone, Default)]
pub struct JoinedSessions {
    /// The first session of its list, for each session of a list.
    targets: BTreeMap<SessionKey, SessionKey>,
}

impl JoinedSessions {
    /// Checks the lists; the error says which one is wrong and why.
    pub fn parse(lists: &[Vec<String>]) -> Result<Self, ConfigError> {
        let mut targets = BTreeMap::new();
        for (n, list) in lists.iter().enumerate() {
            let path = format!("sessions.shared[{n}]");
            let wrong = |problem: String| ConfigError::new(path.clone(), problem);
            let mut first: Option<SessionKey> = None;
            for text in list {
                let key: SessionKey = text.parse().map_err(|error| {
                    wrong(format!("`{text}` is no session: {error}; `frontdesk sessions` lists them"))
                })?;
                if key.scope().is_background() {
                    return Err(wrong(format!("`{key}` is no chat")));
                }
                let first = first.get_or_insert_with(|| key.clone());
                if key.agent() != first.agent() {
                    return Err(wrong(format!(
                        "`{key}` and `{first}` are of different agents, and one conversation has one agent"
                    )));
                }
                let target = first.clone();
                if targets.insert(key.clone(), target).is_some() {
                    return Err(wrong(format!("`{key}` is named twice")));
                }
            }
            if list.len() < 2 {
                return Err(wrong("a list needs at least two sessions".to_owned()));
            }
        }
        Ok(Self { targets })
    }

    /// The session that a chat shares; `own` is its own.
    pub(crate) fn target(&self, own: &SessionKey) -> Option<&SessionKey> {
        self.targets.get(own)
    }

    /// Whether several chats share this session.
    pub(crate) fn is_joined(&self, session: &SessionKey) -> bool {
        self.targets.contains_key(session)
    }

    /// The sessions of the chats that share this one.
    pub(crate) fn chats_of<'j>(&'j self, session: &'j SessionKey) -> impl Iterator<Item = &'j SessionKey> {
        self.targets.iter().filter(move |(_, target)| *target == session).map(|(own, _)| own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lists: &[&[&str]]) -> Result<JoinedSessions, ConfigError> {
        let owned: Vec<Vec<String>> =
            lists.iter().map(|list| list.iter().map(|key| (*key).to_owned()).collect()).collect();
        JoinedSessions::parse(&owned)
    }

    #[test]
    fn the_first_session_of_a_list_is_that_of_all() {
        let (a, b, c) = ("agent:main:telegram:dm:7", "agent:main:discord:dm:42", "agent:main:web:dm:main");
        let joined = parse(&[&[a, b, c]]).unwrap();
        let key = |text: &str| text.parse::<SessionKey>().unwrap();
        for own in [a, b, c] {
            assert_eq!(joined.target(&key(own)), Some(&key(a)));
        }
        assert_eq!(joined.target(&key("agent:main:telegram:dm:8")), None);
        assert_eq!(joined.chats_of(&key(a)).count(), 3);
    }

    #[test]
    fn a_wrong_list_is_refused_with_its_place() {
        let (a, b) = ("agent:main:telegram:dm:7", "agent:main:discord:dm:42");
        for (lists, says) in [
            (vec![&[a][..]], "at least two"),
            (vec![&[a, "telegram:7"][..]], "`telegram:7` is no session"),
            (vec![&[a, "agent:other:discord:dm:42"][..]], "different agents"),
            (vec![&[a, b][..], &[b, "agent:main:web:dm:x"][..]], "named twice"),
            (vec![&[a, a][..]], "named twice"),
            (vec![&[a, "agent:main:telegram:task:b7"][..]], "is no chat"),
        ] {
            let error = parse(&lists).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("sessions.shared"), "{error}");
        }
    }
}
