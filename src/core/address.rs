//! Addresses (where to send) and principals (who wrote).
//!
//! An address does not identify a conversation (that is a [`SessionKey`](crate::key::SessionKey)), and a principal does
//! not say what it may do. Both have one text form, escaped as keys are.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::account::{self, AccountId, DEFAULT_ACCOUNT};

use crate::segment::{BrokenEscape, decoded, push_id, push_name, shown};

/// Where to send: a chat of a channel's account, or one thread of it. Cloning costs a reference count.
///
/// `telegram:123`, `telegram:work:123`, `telegram:123:topic:456`, `telegram:work:123:topic:456`: the number of segments
/// decides which form it is, so no id can be mistaken for an account or for the word `topic`.
#[derive(Clone)]
pub struct Address(Arc<Fields>);

struct Fields {
    text: String,
    account: AccountId,
    chat: String,
    thread: Option<String>,
}

impl Address {
    /// Builds an address from its unescaped fields; `account` `None` and `default` mean the same.
    pub fn new(
        channel: &str,
        account: Option<&str>,
        chat: &str,
        thread: Option<&str>,
    ) -> Result<Self, AddressError> {
        refuse_empty([
            ("channel", Some(channel)),
            ("account", account),
            ("chat", Some(chat)),
            ("thread", thread),
        ])?;
        Self::at(&AccountId::of(channel, account), chat, thread)
    }

    /// An address of an account.
    pub fn at(account: &AccountId, chat: &str, thread: Option<&str>) -> Result<Self, AddressError> {
        refuse_empty([("chat", Some(chat)), ("thread", thread)])?;
        Ok(Self::build(account, chat, thread))
    }

    fn build(account: &AccountId, chat: &str, thread: Option<&str>) -> Self {
        let mut text = String::with_capacity(16 + account.channel().len() + chat.len());
        push_name(&mut text, account.channel());
        if let Some(name) = account.named() {
            text.push(':');
            push_name(&mut text, name);
        }
        text.push(':');
        push_id(&mut text, chat);
        if let Some(thread) = thread {
            text.push_str(":topic:");
            push_id(&mut text, thread);
        }
        Address(Arc::new(Fields {
            text,
            account: account.clone(),
            chat: chat.to_owned(),
            thread: thread.map(str::to_owned),
        }))
    }

    /// The same chat without the thread.
    pub fn without_thread(&self) -> Self {
        match self.0.thread {
            Some(_) => Self::build(&self.0.account, &self.0.chat, None),
            None => self.clone(),
        }
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The channel: `telegram`.
    pub fn channel(&self) -> &str {
        self.0.account.channel()
    }

    /// The account that the chat belongs to.
    pub fn account(&self) -> &AccountId {
        &self.0.account
    }

    /// The platform's id of the chat.
    pub fn chat(&self) -> &str {
        &self.0.chat
    }

    /// The topic or thread within the chat.
    pub fn thread(&self) -> Option<&str> {
        self.0.thread.as_deref()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        // The longest address has five segments. A sixth is only read to be refused.
        let segments: Vec<&str> = text.split(':').take(6).collect();
        let (channel, account, chat, thread) = match segments.as_slice() {
            [channel, chat] => (channel, None, chat, None),
            [channel, account, chat] => (channel, Some(*account), chat, None),
            [channel, chat, "topic", thread] => (channel, None, chat, Some(*thread)),
            [channel, account, chat, "topic", thread] => (channel, Some(*account), chat, Some(*thread)),
            _ => return Err(AddressError::NotAnAddress { given: shown(text) }),
        };
        let plain = |segment| plain(text, segment);
        let (account, thread) = (account.map(plain).transpose()?, thread.map(plain).transpose()?);
        let address = Address::new(&plain(channel)?, account.as_deref(), &plain(chat)?, thread.as_deref())?;
        if address.as_str() == text || names_default(text, ':', address.as_str()) {
            Ok(address)
        } else {
            Err(AddressError::NotCanonical { given: text.to_owned(), canonical: address.to_string() })
        }
    }
}

/// Who wrote: the platform's account of a person, identified by an id that does not change with their name.
///
/// `telegram:123`, or `telegram@work:123` for a person who writes through another account of ours.
#[derive(Clone)]
pub struct Principal(Arc<Person>);

struct Person {
    text: String,
    account: AccountId,
    id: String,
}

impl Principal {
    /// Builds a principal from its unescaped fields; `account` `None` and `default` mean the same.
    pub fn new(platform: &str, account: Option<&str>, id: &str) -> Result<Self, AddressError> {
        refuse_empty([("platform", Some(platform)), ("account", account), ("id", Some(id))])?;
        Self::at(&AccountId::of(platform, account), id)
    }

    /// A principal of an account.
    pub fn at(account: &AccountId, id: &str) -> Result<Self, AddressError> {
        refuse_empty([("id", Some(id))])?;
        let mut text = String::with_capacity(16 + account.channel().len() + id.len());
        account.push_to(&mut text);
        text.push(':');
        push_id(&mut text, id);
        Ok(Principal(Arc::new(Person { text, account: account.clone(), id: id.to_owned() })))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The platform: `telegram`.
    pub fn platform(&self) -> &str {
        self.0.account.channel()
    }

    /// The account of ours that the person writes to.
    pub fn account(&self) -> &AccountId {
        &self.0.account
    }

    /// The platform's stable id of the person; never a display name.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Whether a principal, in its text form, is this one or one of its users: the program `web:shop` has users such as
    /// `web:shop/anna`.
    pub fn includes(&self, other: &str) -> bool {
        let rest = other.strip_prefix(self.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The program of which this is a user, if the id has the form of one.
    pub fn program(&self) -> Option<Principal> {
        let (program, _) = self.id().split_once('/')?;
        Self::at(self.account(), program).ok()
    }
}

impl FromStr for Principal {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let Some((account, id)) = text.split_once(':').filter(|(_, id)| !id.contains(':')) else {
            return Err(AddressError::NotAPrincipal { given: shown(text) });
        };
        let (platform, account) = account::split(account);
        let plain = |segment| plain(text, segment);
        let account = account.map(plain).transpose()?;
        let principal = Principal::new(&plain(platform)?, account.as_deref(), &plain(id)?)?;
        if principal.as_str() == text || names_default(text, '@', principal.as_str()) {
            Ok(principal)
        } else {
            Err(AddressError::NotCanonical { given: text.to_owned(), canonical: principal.to_string() })
        }
    }
}

/// Whether a text is the canonical one except that the account `default` is written out, as other programs do.
fn names_default(text: &str, mark: char, canonical: &str) -> bool {
    let without = text.split_once(mark).and_then(|(channel, rest)| Some((channel, rest.split_once(':')?)));
    without.is_some_and(|(channel, (account, rest))| {
        account == DEFAULT_ACCOUNT && canonical.split_once(':') == Some((channel, rest))
    })
}

/// The standard traits of both types are those of their text form.
macro_rules! is_its_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    };
}

is_its_text!(Address);
is_its_text!(Principal);

/// Why a text or a set of fields is not an address or a principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text does not have the form of an address.
    #[error(
        "{given:?} is not an address: write CHANNEL:CHAT, CHANNEL:ACCOUNT:CHAT, CHANNEL:CHAT:topic:TOPIC or \
         CHANNEL:ACCOUNT:CHAT:topic:TOPIC, as in telegram:123 (a `:` inside an id is written %3A)"
    )]
    NotAnAddress {
        /// What was given.
        given: String,
    },
    /// The text does not have the form of a principal.
    #[error(
        "{given:?} does not name a person: write CHANNEL:ID or CHANNEL@ACCOUNT:ID, as in telegram:123 \
         (a `:` inside an id is written %3A)"
    )]
    NotAPrincipal {
        /// What was given.
        given: String,
    },
    /// A required field is empty.
    #[error("the {field} is empty: give it a value, or leave it out if it is optional")]
    Empty {
        /// The field's name.
        field: &'static str,
    },
    /// An escape cannot be decoded.
    #[error(transparent)]
    Escape(#[from] BrokenEscape),
    /// The spelling is not the canonical one.
    #[error("{given:?} is not spelled as it must be: write {canonical}")]
    NotCanonical {
        /// What was given.
        given: String,
        /// The canonical spelling.
        canonical: String,
    },
}

fn refuse_empty<const N: usize>(fields: [(&'static str, Option<&str>); N]) -> Result<(), AddressError> {
    match fields.into_iter().find(|(_, value)| *value == Some("")) {
        Some((field, _)) => Err(AddressError::Empty { field }),
        None => Ok(()),
    }
}

fn plain<'t>(text: &str, segment: &'t str) -> Result<Cow<'t, str>, AddressError> {
    Ok(decoded(text, segment)?)
}

#[cfg(test)]
mod tests;
