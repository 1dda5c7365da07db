//! The key of a conversation: `agent:{agent}:{channel}[@{account}]:{scope}:{id}[:{thread}]`.
//!
//! A key is neither an address (where to send) nor a permission. Every key has exactly one text form: inside a segment
//! `%`, `:` and control characters are percent-encoded (and `@` in a channel or account name), and any other spelling
//! is refused, so that two spellings never mean the same conversation.

mod scope;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

pub use scope::Scope;

use crate::account::{self, AccountId};
use crate::segment::{BrokenEscape, decoded, push_id, shown};

/// The key of one conversation. Cloning costs a reference count. Equality, order and hash are those of the text form,
/// so a map with these keys can be queried with a `&str`.
#[derive(Clone)]
pub struct SessionKey(Arc<Fields>);

struct Fields {
    text: String,
    agent: String,
    account: AccountId,
    scope: Scope,
    id: String,
    thread: Option<String>,
    person: Option<String>,
}

impl SessionKey {
    /// Builds a key from its unescaped fields. `account` `None` and `default` mean the same; `thread` belongs to the
    /// scopes topic and thread and is optional for dm and member; `person` belongs to member only.
    pub fn build(
        agent: &str,
        channel: &str,
        account: Option<&str>,
        scope: Scope,
        id: &str,
        thread: Option<&str>,
        person: Option<&str>,
    ) -> Result<SessionKey, KeyError> {
        refuse_empty([("channel", Some(channel)), ("account", account)])?;
        Self::at(agent, &AccountId::of(channel, account), scope, id, thread, person)
    }

    /// A key of an account.
    pub fn at(
        agent: &str,
        account: &AccountId,
        scope: Scope,
        id: &str,
        thread: Option<&str>,
        person: Option<&str>,
    ) -> Result<SessionKey, KeyError> {
        refuse_empty([("agent", Some(agent)), ("id", Some(id))])?;
        refuse_empty([("thread", thread), ("person", person)])?;
        match (scope, thread, person) {
            (Scope::Topic | Scope::Thread, None, _) => {
                return Err(KeyError::Lacks { scope, field: "thread" });
            }
            (Scope::Member, _, None) => return Err(KeyError::Lacks { scope, field: "person" }),
            (Scope::Topic | Scope::Thread | Scope::Dm, Some(_), None) | (Scope::Member, _, Some(_)) => {}
            (_, _, Some(_)) => return Err(KeyError::HasNo { scope, field: "person" }),
            (_, Some(_), None) => return Err(KeyError::HasNo { scope, field: "thread" }),
            (_, None, None) => {}
        }

        let mut text = String::with_capacity(32 + agent.len() + account.channel().len() + id.len());
        text.push_str("agent:");
        push_id(&mut text, agent);
        text.push(':');
        account.push_to(&mut text);
        text.push(':');
        text.push_str(scope.name());
        text.push(':');
        push_id(&mut text, id);
        if thread.is_some() || scope == Scope::Member {
            text.push(':');
            push_id(&mut text, thread.unwrap_or_default());
        }
        if let Some(person) = person {
            text.push(':');
            push_id(&mut text, person);
        }
        Ok(SessionKey(Arc::new(Fields {
            text,
            agent: agent.to_owned(),
            account: account.clone(),
            scope,
            id: id.to_owned(),
            thread: thread.map(str::to_owned),
            person: person.map(str::to_owned),
        })))
    }

    /// The text form, the only one.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The agent that answers in this conversation.
    pub fn agent(&self) -> &str {
        &self.0.agent
    }

    /// The channel, without its account.
    pub fn channel(&self) -> &str {
        self.0.account.channel()
    }

    /// The account that the conversation belongs to.
    pub fn account(&self) -> &AccountId {
        &self.0.account
    }

    /// The scope.
    pub fn scope(&self) -> Scope {
        self.0.scope
    }

    /// The person, chat, task or job; for a member, the chat.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The topic or thread.
    pub fn thread(&self) -> Option<&str> {
        self.0.thread.as_deref()
    }

    /// The person whose own conversation in a group this is.
    pub fn person(&self) -> Option<&str> {
        self.0.person.as_deref()
    }
}

impl FromStr for SessionKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // The longest key, a member's, has seven segments. An eighth is only read to be refused.
        let segments: Vec<&str> = text.split(':').take(8).collect();
        let ["agent", agent, account, scope, rest @ ..] = segments.as_slice() else {
            return Err(KeyError::NotAKey { given: shown(text) });
        };
        let scope: Scope = scope.parse()?;
        let (id, thread, person) = match (scope, rest) {
            (Scope::Topic | Scope::Thread | Scope::Dm, [id, thread]) => (id, Some(*thread), None),
            (Scope::Member, [id, "", person]) => (id, None, Some(*person)),
            (Scope::Member, [id, thread, person]) => (id, Some(*thread), Some(*person)),
            (Scope::Topic | Scope::Thread | Scope::Member, _) => return Err(wrong_count(scope, text)),
            (_, [id]) => (id, None, None),
            _ => return Err(wrong_count(scope, text)),
        };
        let (channel, account) = account::split(account);
        let plain = |segment| decoded(text, segment);
        let (account, thread, person) =
            (account.map(plain).transpose()?, thread.map(plain).transpose()?, person.map(plain).transpose()?);
        let key = SessionKey::build(
            &plain(agent)?,
            &plain(channel)?,
            account.as_deref(),
            scope,
            &plain(id)?,
            thread.as_deref(),
            person.as_deref(),
        )?;
        if key.as_str() == text {
            Ok(key)
        } else {
            Err(KeyError::NotCanonical { given: text.to_owned(), canonical: key.to_string() })
        }
    }
}

fn refuse_empty<const N: usize>(fields: [(&'static str, Option<&str>); N]) -> Result<(), KeyError> {
    match fields.into_iter().find(|(_, value)| *value == Some("")) {
        Some((field, _)) => Err(KeyError::Empty { field }),
        None => Ok(()),
    }
}

fn wrong_count(scope: Scope, text: &str) -> KeyError {
    KeyError::Segments { given: shown(text), scope, form: scope.form() }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({:?})", self.as_str())
    }
}

impl PartialEq for SessionKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for SessionKey {}

impl PartialOrd for SessionKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SessionKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for SessionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for SessionKey {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// Why a text or a set of fields is not a session key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text does not have the form of a key.
    #[error(
        "{given:?} is not a session key: write agent:{{agent}}:{{channel}}:{{scope}}:{{id}}, \
         as in agent:main:telegram:dm:123456789"
    )]
    NotAKey {
        /// What was given.
        given: String,
    },
    /// The scope is unknown.
    #[error("{given:?} is not a scope: use dm, group, channel, topic, thread, member, task or job")]
    Scope {
        /// What was given.
        given: String,
    },
    /// The number of segments does not fit the scope.
    #[error(
        "session key {given:?} has the wrong number of segments: after the channel, scope {scope} is written \
         {form} (a `:` inside an id is written %3A)"
    )]
    Segments {
        /// What was given.
        given: String,
        /// The scope in the text.
        scope: Scope,
        /// The form of that scope.
        form: &'static str,
    },
    /// A required field is empty.
    #[error("the {field} of a session key is empty: give it a value, or leave it out if it is optional")]
    Empty {
        /// The field's name.
        field: &'static str,
    },
    /// The scope needs a field that is missing.
    #[error("a session key of scope {scope} needs a {field}: add it")]
    Lacks {
        /// The scope.
        scope: Scope,
        /// The missing field.
        field: &'static str,
    },
    /// The scope does not allow a field.
    #[error("a session key of scope {scope} has no {field}: leave it out, or choose another scope")]
    HasNo {
        /// The scope.
        scope: Scope,
        /// The field that is not allowed.
        field: &'static str,
    },
    /// An escape cannot be decoded.
    #[error(transparent)]
    Escape(#[from] BrokenEscape),
    /// The spelling is not the canonical one.
    #[error("session key {given:?} is not spelled as it must be: write {canonical}")]
    NotCanonical {
        /// What was given.
        given: String,
        /// The canonical spelling.
        canonical: String,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::account::DEFAULT_ACCOUNT;

    fn parse(text: &str) -> SessionKey {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The canonical spelling that an error shows.
    fn corrected(text: &str) -> String {
        match text.parse::<SessionKey>() {
            Err(KeyError::NotCanonical { canonical, .. }) => canonical,
            other => panic!("{text:?} is {other:?}"),
        }
    }

    #[rstest]
    #[case("agent:main:telegram:dm:123456789", "main", Scope::Dm, "123456789", None)]
    #[case("agent:main:telegram:group:-100123456789", "main", Scope::Group, "-100123456789", None)]
    #[case("agent:main:telegram:topic:-100123456789:456", "main", Scope::Topic, "-100123456789", Some("456"))]
    #[case("agent:main:discord:channel:789012345", "main", Scope::Channel, "789012345", None)]
    #[case("agent:mentor:telegram:dm:123456789", "mentor", Scope::Dm, "123456789", None)]
    fn the_examples_of_the_specification_parse(
        #[case] text: &str,
        #[case] agent: &str,
        #[case] scope: Scope,
        #[case] id: &str,
        #[case] thread: Option<&str>,
    ) {
        let key = parse(text);
        assert_eq!((key.agent(), key.scope(), key.id(), key.thread()), (agent, scope, id, thread));
        assert_eq!((key.account().name(), key.person()), ("default", None));
        assert_eq!(key.to_string(), text);
    }

    fn dm(agent: &str, channel: &str, account: Option<&str>, id: &str) -> SessionKey {
        SessionKey::build(agent, channel, account, Scope::Dm, id, None, None).unwrap()
    }

    #[test]
    fn every_scope_has_its_form() {
        let keys = [
            (Scope::Dm, "1", None, None, "agent:main:telegram@work:dm:1"),
            (Scope::Dm, "1", Some("8"), None, "agent:main:telegram@work:dm:1:8"),
            (Scope::Group, "-1", None, None, "agent:main:telegram@work:group:-1"),
            (Scope::Channel, "7", None, None, "agent:main:telegram@work:channel:7"),
            (Scope::Topic, "-1", Some("8"), None, "agent:main:telegram@work:topic:-1:8"),
            (Scope::Thread, "-1", Some("8"), None, "agent:main:telegram@work:thread:-1:8"),
            (Scope::Member, "-1", None, Some("5"), "agent:main:telegram@work:member:-1::5"),
            (Scope::Member, "-1", Some("8"), Some("5"), "agent:main:telegram@work:member:-1:8:5"),
            (Scope::Task, "t1", None, None, "agent:main:telegram@work:task:t1"),
            (Scope::Job, "daily", None, None, "agent:main:telegram@work:job:daily"),
        ];
        for (scope, id, thread, person, text) in keys {
            let key = SessionKey::build("main", "telegram", Some("work"), scope, id, thread, person).unwrap();
            assert_eq!(key.as_str(), text);
            assert_eq!(parse(text).as_str(), text);
        }
    }

    #[test]
    fn the_default_account_is_never_written() {
        let written = dm("main", "telegram", Some("default"), "1");
        assert_eq!(written, dm("main", "telegram", None, "1"));
        assert_eq!(corrected("agent:main:telegram@default:dm:1"), "agent:main:telegram:dm:1");
    }

    #[test]
    fn what_would_break_the_form_is_escaped() {
        let key = dm("a:b", "x@y", Some("@me:home"), "50%\n\u{85}é@");
        assert_eq!(key.as_str(), "agent:a%3Ab:x%40y@%40me%3Ahome:dm:50%25%0A%C2%85é@");
        assert_eq!((key.channel(), key.account().name(), key.id()), ("x@y", "@me:home", "50%\n\u{85}é@"));
    }

    #[rstest]
    #[case("agent:main:telegram:dm:a%3ab", "agent:main:telegram:dm:a%3Ab")]
    #[case("agent:main:telegram:dm:%61", "agent:main:telegram:dm:a")]
    #[case("agent:main:telegram:dm:a%40b", "agent:main:telegram:dm:a@b")]
    #[case("agent:main:telegram@a@b:dm:1", "agent:main:telegram@a%40b:dm:1")]
    #[case("agent:main:telegram:dm:a\tb", "agent:main:telegram:dm:a%09b")]
    fn another_spelling_is_refused_with_the_right_one(#[case] text: &str, #[case] canonical: &str) {
        assert_eq!(corrected(text), canonical);
        assert_eq!(parse(canonical).as_str(), canonical);
    }

    #[rstest]
    #[case("", "is not a session key")]
    #[case("telegram:123", "is not a session key")]
    #[case("Agent:main:telegram:dm:1", "is not a session key")]
    #[case("agent:main:telegram", "is not a session key")]
    #[case("agent:main:telegram:room:1", "use dm, group,")]
    #[case("agent:main:telegram:dm", "dm:{id}")]
    #[case("agent:main:telegram:dm:1:2:3", "dm:{id}")]
    #[case("agent:main:telegram:topic:1", "topic:{chat}:{topic}")]
    #[case("agent:main:telegram:member:1:2", "member:{chat}:{thread or nothing}:{person}")]
    #[case("agent:main:telegram:member:1:2:3:4:5:6:7", "member:{chat}")]
    #[case("agent::telegram:dm:1", "the agent of")]
    #[case("agent:main::dm:1", "the channel of")]
    #[case("agent:main:telegram@:dm:1", "the account of")]
    #[case("agent:main:telegram:dm:", "the id of")]
    #[case("agent:main:telegram:topic:1:", "the thread of")]
    #[case("agent:main:telegram:member:1::", "the person of")]
    #[case("agent:main:telegram:dm:100%", "broken escape")]
    #[case("agent:main:telegram:dm:%2", "broken escape")]
    #[case("agent:main:telegram:dm:%+1", "broken escape")]
    #[case("agent:main:telegram:dm:%FF", "broken escape")]
    fn a_refusal_says_what_is_wrong(#[case] text: &str, #[case] says: &str) {
        let error = text.parse::<SessionKey>().unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }

    #[test]
    fn a_scope_takes_only_the_fields_it_has() {
        let build =
            |scope, thread, person| SessionKey::build("main", "web", None, scope, "1", thread, person);
        for scope in Scope::ALL {
            let threaded = matches!(scope, Scope::Topic | Scope::Thread);
            let (member, dm) = (scope == Scope::Member, scope == Scope::Dm);
            assert_eq!(build(scope, None, None).is_ok(), !threaded && !member, "{scope}");
            assert_eq!(build(scope, Some("2"), None).is_ok(), threaded || dm, "{scope}");
            assert_eq!(build(scope, None, Some("3")).is_ok(), member, "{scope}");
            assert_eq!(build(scope, Some("2"), Some("3")).is_ok(), member, "{scope}");
            assert_eq!(scope.name().parse(), Ok(scope));
        }
        assert_eq!(
            build(Scope::Topic, None, None),
            Err(KeyError::Lacks { scope: Scope::Topic, field: "thread" })
        );
        assert_eq!(
            build(Scope::Dm, None, Some("3")),
            Err(KeyError::HasNo { scope: Scope::Dm, field: "person" })
        );
    }

    #[test]
    fn ids_that_differ_in_a_sign_stay_apart() {
        let ids = ["a.b", "a_b", "a-b", "a:b", "a%3Ab", "a%253Ab", "a b", "A.B", "a.b ", "ab"];
        let keys: std::collections::BTreeSet<SessionKey> =
            ids.iter().map(|id| dm("main", "web", None, id)).collect();
        assert_eq!(keys.len(), ids.len());
    }

    #[test]
    fn a_map_of_keys_can_be_asked_with_text() {
        let key = parse("agent:main:web:dm:main");
        let map = HashMap::from([(key.clone(), 1)]);
        assert_eq!((map.get("agent:main:web:dm:main"), map.get(&key)), (Some(&1), Some(&1)));
    }

    #[test]
    fn a_long_text_is_not_repeated_whole_in_the_error() {
        let error = "é".repeat(100_000).parse::<SessionKey>().unwrap_err().to_string();
        assert!(error.len() < 1000);
    }

    type Raw = (String, String, Option<String>, Scope, String, Option<String>, Option<String>);

    /// Parts that escaping could confuse, and any other characters.
    fn segment() -> impl Strategy<Value = String> {
        let trap = prop::sample::select(vec![
            ":", "%", "@", "3A", "%3A", "%3a", "%25", "a", ".", "_", "default", "topic",
        ]);
        let piece = prop_oneof![4 => trap.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
        prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
    }

    fn raw() -> impl Strategy<Value = Raw> {
        let optional = || prop::option::of(segment());
        let scope = prop::sample::select(Scope::ALL.to_vec());
        (segment(), segment(), optional(), scope, segment(), optional(), segment()).prop_map(
            |(agent, channel, account, scope, id, thread, other)| {
                let account = account.filter(|account| account != DEFAULT_ACCOUNT);
                let (thread, person) = match scope {
                    Scope::Topic | Scope::Thread => (Some(other), None),
                    Scope::Member => (thread, Some(other)),
                    _ => (None, None),
                };
                (agent, channel, account, scope, id, thread, person)
            },
        )
    }

    fn built((agent, channel, account, scope, id, thread, person): &Raw) -> SessionKey {
        let (account, thread, person) = (account.as_deref(), thread.as_deref(), person.as_deref());
        SessionKey::build(agent, channel, account, *scope, id, thread, person).unwrap()
    }

    proptest! {
        #[test]
        fn any_fields_come_back_through_the_text(raw in raw()) {
            let key = parse(built(&raw).as_str());
            let (agent, channel, account, scope, id, thread, person) = &raw;
            prop_assert_eq!(key.agent(), agent);
            prop_assert_eq!(key.channel(), channel);
            prop_assert_eq!(key.account().name(), account.as_deref().unwrap_or("default"));
            prop_assert_eq!(key.scope(), *scope);
            prop_assert_eq!(key.id(), id);
            prop_assert_eq!(key.thread(), thread.as_deref());
            prop_assert_eq!(key.person(), person.as_deref());
            prop_assert_eq!(&key, &built(&raw));
            prop_assert!(!key.as_str().contains(char::is_control));
        }

        #[test]
        fn different_fields_never_meet_in_one_text(one in raw(), other in raw()) {
            prop_assert_eq!(one == other, built(&one) == built(&other));
        }

        #[test]
        fn moving_a_colon_from_one_field_to_the_next_makes_another_key(a in "[a:%.]{1,4}", b in "[a:%.]{1,4}") {
            let topic = |chat: &str, thread: &str| {
                SessionKey::build("x", "y", None, Scope::Topic, chat, Some(thread), None).unwrap()
            };
            prop_assert_ne!(topic(&format!("{a}:"), &b), topic(&a, &format!(":{b}")));
        }

        #[test]
        fn what_parses_is_spelled_as_it_was_given(
            account in "(x|x@y|x@|@|%40|x%40y)", scope in "(dm|topic|member|job)", rest in "(:|%|%3A|%3a|%41|a|@|é){1,5}",
        ) {
            let text = format!("agent:main:{account}:{scope}:{rest}");
            if let Ok(key) = text.parse::<SessionKey>() {
                prop_assert_eq!(key.as_str(), text);
            }
        }

        #[test]
        fn no_text_panics(text in r"(agent:)?\PC*") {
            match text.parse::<SessionKey>() {
                Ok(key) => prop_assert_eq!(key.as_str(), text),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
