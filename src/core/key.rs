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

    /// The same chat with another agent, which is another conversation.
    pub fn with_agent(&self, agent: &str) -> Result<SessionKey, KeyError> {
        Self::at(agent, self.account(), self.scope(), self.id(), self.thread(), self.person())
    }

    /// The text form without the agent: the same for the conversations of all agents with one chat.
    pub fn chat(&self) -> &str {
        // The agent's name has no colon of its own in the text form.
        self.as_str().splitn(3, ':').nth(2).unwrap_or_default()
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

/// The text forms of an agent's keys are those after the first text and before the second.
pub fn keys_of_agent(agent: &str) -> (String, String) {
    let mut first = "agent:".to_owned();
    push_id(&mut first, agent);
    let mut end = first.clone();
    first.push(':');
    // The character after the colon.
    end.push(';');
    (first, end)
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
    #[error(
        "{given:?} is not a scope: use dm, group, channel, topic, thread, member, task, job, heartbeat or event"
    )]
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
mod tests;
