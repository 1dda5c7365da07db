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
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("telegram:123", "telegram", "default", "123", None)]
    #[case("telegram:-100123:topic:456", "telegram", "default", "-100123", Some("456"))]
    #[case("telegram:work:123", "telegram", "work", "123", None)]
    #[case("telegram:work:123:topic:456", "telegram", "work", "123", Some("456"))]
    #[case("discord:789012345", "discord", "default", "789012345", None)]
    #[case("x:topic:y", "x", "topic", "y", None)]
    #[case("x:topic:topic:topic", "x", "default", "topic", Some("topic"))]
    #[case("x:topic:topic:topic:topic", "x", "topic", "topic", Some("topic"))]
    #[case("matrix:!room%3Ahome", "matrix", "default", "!room:home", None)]
    #[case("x:a%40b:c@d", "x", "a@b", "c@d", None)]
    fn the_number_of_segments_decides_what_an_address_says(
        #[case] text: &str,
        #[case] channel: &str,
        #[case] account: &str,
        #[case] chat: &str,
        #[case] thread: Option<&str>,
    ) {
        let address: Address = text.parse().unwrap();
        let fields = (address.channel(), address.account().name(), address.chat(), address.thread());
        assert_eq!(fields, (channel, account, chat, thread));
        assert_eq!(address.to_string(), text);
    }

    #[rstest]
    #[case("", "is not an address")]
    #[case("telegram", "is not an address")]
    #[case("telegram:123:thread:456", "is not an address")]
    #[case("telegram:work:123:456", "is not an address")]
    #[case("telegram:work:123:topic:4:5:6", "is not an address")]
    #[case(":123", "the channel is empty")]
    #[case("telegram:", "the chat is empty")]
    #[case("telegram::123", "the account is empty")]
    #[case("telegram:123:topic:", "the thread is empty")]
    #[case("telegram:default:%31", "write telegram:1")]
    #[case("telegram:%31", "write telegram:1")]
    #[case("matrix:!room%3ahome", "write matrix:!room%3Ahome")]
    #[case("x:a@b:c", "write x:a%40b:c")]
    #[case("telegram:5%", "broken escape")]
    fn a_refused_address_says_what_to_write(#[case] text: &str, #[case] says: &str) {
        let error = text.parse::<Address>().unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }

    #[test]
    fn the_default_account_may_be_written_out() {
        for (long, short) in [
            ("telegram:default:123", "telegram:123"),
            ("telegram:default:-100:topic:7", "telegram:-100:topic:7"),
            ("telegram:default:default", "telegram:default"),
        ] {
            let address: Address = long.parse().unwrap();
            assert_eq!((address.as_str(), address.account().name()), (short, "default"));
            assert_eq!(address, short.parse().unwrap());
        }
        assert_eq!("telegram@default:123".parse::<Principal>().unwrap().as_str(), "telegram:123");
    }

    #[rstest]
    #[case("telegram:123", "telegram", "default", "123")]
    #[case("telegram@work:123", "telegram", "work", "123")]
    #[case("matrix:@anna%3Ahome", "matrix", "default", "@anna:home")]
    fn a_principal_reads_as_it_is_written(
        #[case] text: &str,
        #[case] platform: &str,
        #[case] account: &str,
        #[case] id: &str,
    ) {
        let principal: Principal = text.parse().unwrap();
        assert_eq!(
            (principal.platform(), principal.account().name(), principal.id()),
            (platform, account, id)
        );
        assert_eq!(principal.to_string(), text);
    }

    #[rstest]
    #[case("telegram", "does not name a person")]
    #[case("telegram:work:123", "does not name a person")]
    #[case("telegram:", "the id is empty")]
    #[case(":123", "the platform is empty")]
    #[case("telegram@:123", "the account is empty")]
    #[case("telegram@default:%31", "write telegram:1")]
    #[case("telegram:%40anna", "write telegram:@anna")]
    fn a_refused_principal_says_what_to_write(#[case] text: &str, #[case] says: &str) {
        let error = text.parse::<Principal>().unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }

    /// Parts that escaping or counting segments could confuse, and any other characters.
    fn segment() -> impl Strategy<Value = String> {
        let trap =
            prop::sample::select(vec![":", "%", "@", "3A", "%3A", "%25", "a", "topic", ":topic:", "default"]);
        let piece = prop_oneof![4 => trap.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
        prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
    }

    fn account() -> impl Strategy<Value = Option<String>> {
        prop::option::of(segment()).prop_map(|account| account.filter(|account| account != DEFAULT_ACCOUNT))
    }

    type Raw = (String, Option<String>, String, Option<String>);

    fn built((channel, account, chat, thread): &Raw) -> Address {
        Address::new(channel, account.as_deref(), chat, thread.as_deref()).unwrap()
    }

    proptest! {
        #[test]
        fn any_address_comes_back_through_its_text(
            raw in (segment(), account(), segment(), prop::option::of(segment())),
        ) {
            let address: Address = built(&raw).as_str().parse().unwrap();
            let (channel, account, chat, thread) = &raw;
            prop_assert_eq!(address.channel(), channel);
            prop_assert_eq!(address.account().name(), account.as_deref().unwrap_or("default"));
            prop_assert_eq!(address.chat(), chat);
            prop_assert_eq!(address.thread(), thread.as_deref());
            prop_assert_eq!(&address, &built(&raw));
        }

        #[test]
        fn different_addresses_never_have_the_same_text(
            one in (segment(), account(), segment(), prop::option::of(segment())),
            other in (segment(), account(), segment(), prop::option::of(segment())),
        ) {
            prop_assert_eq!(one == other, built(&one) == built(&other));
        }

        #[test]
        fn any_principal_comes_back_through_its_text(platform in segment(), account in account(), id in segment()) {
            let built = Principal::new(&platform, account.as_deref(), &id).unwrap();
            let principal: Principal = built.as_str().parse().unwrap();
            prop_assert_eq!(principal.platform(), platform);
            prop_assert_eq!(principal.account().name(), account.as_deref().unwrap_or("default"));
            prop_assert_eq!(principal.id(), id);
            prop_assert_eq!(principal, built);
        }

        #[test]
        fn a_text_that_parses_is_already_canonical(text in "x(@|:|%40|%3A|%3a|%|a|:topic:|default){1,6}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(address.as_str() == text || address.as_str() == text.replacen(":default:", ":", 1));
            }
            if let Ok(principal) = text.parse::<Principal>() {
                prop_assert!(principal.as_str() == text || principal.as_str() == text.replacen("@default:", ":", 1));
            }
        }
    }
}
