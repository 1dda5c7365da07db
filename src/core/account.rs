//! One account of one channel, in the one text form that people read and type: `telegram`, `telegram@work`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::segment::{BrokenEscape, decoded, push_name};
use crate::visible::{self, quoted};

/// The account that is meant when none is written.
pub const DEFAULT_ACCOUNT: &str = "default";

/// A channel and the name of its account in the configuration. Cloning costs a reference count; the account
/// [`default`](DEFAULT_ACCOUNT) is not spelled out in the text form.
///
/// The text form is part of session keys and principals, with the same escapes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId {
    /// `{channel}` or `{channel}@{name}`, without escapes.
    text: Arc<str>,
    /// How many bytes of the text are the channel.
    channel: usize,
}

impl AccountId {
    /// An account from its unescaped fields; `name` `None` and `default` mean the same.
    pub fn new(channel: &str, name: Option<&str>) -> Result<Self, AccountError> {
        match (channel, name) {
            ("", _) => Err(AccountError::Empty { field: "channel" }),
            (_, Some("")) => Err(AccountError::Empty { field: "account" }),
            (channel, name) => Ok(Self::of(channel, name)),
        }
    }

    /// An account from unescaped fields that are known not to be empty.
    pub(crate) fn of(channel: &str, name: Option<&str>) -> Self {
        match name.filter(|name| *name != DEFAULT_ACCOUNT) {
            Some(name) => Self { text: format!("{channel}@{name}").into(), channel: channel.len() },
            None => Self { text: channel.into(), channel: channel.len() },
        }
    }

    /// The default account of a channel, which is not empty.
    pub fn default_of(channel: &str) -> Self {
        Self::of(channel, None)
    }

    /// The channel: `telegram`.
    pub fn channel(&self) -> &str {
        &self.text[..self.channel]
    }

    /// The account's name in the configuration: `default` where none is written.
    pub fn name(&self) -> &str {
        self.named().unwrap_or(DEFAULT_ACCOUNT)
    }

    /// Appends the text form.
    pub(crate) fn push_to(&self, out: &mut String) {
        push_name(out, self.channel());
        if let Some(name) = self.named() {
            out.push('@');
            push_name(out, name);
        }
    }

    /// The account's name, `None` for the default account.
    pub(crate) fn named(&self) -> Option<&str> {
        self.text.get(self.channel + 1..)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(self.text.len());
        self.push_to(&mut text);
        f.pad(&text)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({:?})", self.text)
    }
}

impl FromStr for AccountId {
    type Err = AccountError;

    /// Reads the text form. Escapes that are not needed are accepted, because people type this.
    fn from_str(text: &str) -> Result<Self, AccountError> {
        let (channel, name) = split(text);
        let plain = |segment| decoded(text, segment);
        let name: Option<Cow<'_, str>> = name.map(plain).transpose()?;
        Self::new(&plain(channel)?, name.as_deref())
    }
}

/// The escaped channel, and the escaped name of its account where one is written.
pub(crate) fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((channel, name)) => (channel, Some(name)),
        None => (text, None),
    }
}

/// Why a text or a pair of fields does not name an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// A field that must say something is empty.
    #[error("the {field} is empty: write CHANNEL or CHANNEL@ACCOUNT, as in telegram or telegram@work")]
    Empty {
        /// The field's name.
        field: &'static str,
    },
    /// An escape cannot be decoded.
    #[error(transparent)]
    Escape(#[from] BrokenEscape),
}

/// Somebody typed a channel that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no channel {}; {}", visible::escaped(.typed, MAX_TYPED), listed(.known, |name| name.to_owned()))]
pub struct NoSuchChannel {
    typed: String,
    known: Vec<String>,
}

/// Maximum characters of a typed name that are repeated.
const MAX_TYPED: usize = 64;

impl NoSuchChannel {
    /// `typed` is not one of `known`.
    pub fn new(typed: impl fmt::Display, known: impl IntoIterator<Item: fmt::Display>) -> Self {
        let known = known.into_iter().map(|name| name.to_string()).collect();
        Self { typed: typed.to_string(), known }
    }

    /// The sentence for a chat, in Markdown: names are code, so that none of them is read as markup.
    pub fn in_chat(&self) -> String {
        let listed = listed(&self.known, |name| quoted(name, MAX_TYPED));
        format!("There is no channel {}; {listed}.", quoted(&self.typed, MAX_TYPED))
    }
}

fn listed(known: &[String], shown: impl Fn(&str) -> String) -> String {
    let names: Vec<String> = known.iter().map(|name| shown(name)).collect();
    match names.as_slice() {
        [] => "no channel is configured".to_owned(),
        [one] => format!("the only one is {one}"),
        more => format!("the channels are {}", more.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        for (channel, name, shown) in [
            ("telegram", DEFAULT_ACCOUNT, "telegram"),
            ("telegram", "work", "telegram@work"),
            ("my-own", "a.b", "my-own@a.b"),
            ("x@y", "a@b%", "x%40y@a%40b%25"),
        ] {
            let id = AccountId::new(channel, Some(name)).unwrap();
            assert_eq!((id.channel(), id.name(), id.to_string().as_str()), (channel, name, shown));
            assert_eq!(shown.parse(), Ok(id));
        }
        assert_eq!("telegram@default".parse(), Ok(AccountId::default_of("telegram")));
        let empty = |field| Err::<AccountId, _>(AccountError::Empty { field });
        assert_eq!("telegram@".parse(), empty("account"), "an empty name is not a name left out");
        assert_eq!("@work".parse(), empty("channel"));
    }

    #[test]
    fn accounts_with_the_same_characters_differ_by_their_channel() {
        let (one, other) =
            (AccountId::new("a@b", Some("c")).unwrap(), AccountId::new("a", Some("b@c")).unwrap());
        assert_ne!(one, other);
        assert_ne!(one.to_string(), other.to_string());
    }

    #[test]
    fn a_wrong_channel_is_shown_literally_beside_the_right_ones() {
        let wrong = NoSuchChannel::new("[x](http://e.vil)", ["telegram", "web"]);
        assert_eq!(
            wrong.to_string(),
            "there is no channel [x](http://e.vil); the channels are telegram, web"
        );
        assert_eq!(
            wrong.in_chat(),
            "There is no channel `[x](http://e.vil)`; the channels are `telegram`, `web`."
        );
        let long = NoSuchChannel::new("x".repeat(3000), ["web"]);
        assert!(long.to_string().len() < 200 && long.in_chat().len() < 200, "{long}");
    }

    proptest! {
        #[test]
        fn every_account_has_a_text_form(channel in "[a@%:é]{1,4}", name in "[a@%:é]{1,4}") {
            let id = AccountId::new(&channel, Some(&name)).unwrap();
            prop_assert_eq!((id.channel(), id.name()), (channel.as_str(), name.as_str()));
            prop_assert_eq!(id.to_string().parse::<AccountId>(), Ok(id));
        }
    }
}
