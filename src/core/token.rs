//! Tokens of the API: who holds one, whom it stands for, and what it is for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenScope {
    /// Talk to agents in chats of its own, and see and change only those.
    Chat,
    /// The same in the name of users, whom each request names: each has chats of their own.
    App,
    /// Read everything, and change nothing.
    Read,
    /// Everything.
    Admin,
}

impl TokenScope {
    /// Every scope.
    pub const ALL: [TokenScope; 4] = [TokenScope::Chat, TokenScope::App, TokenScope::Read, TokenScope::Admin];

    /// The text form.
    pub fn name(self) -> &'static str {
        match self {
            TokenScope::Chat => "chat",
            TokenScope::App => "app",
            TokenScope::Read => "read",
            TokenScope::Admin => "admin",
        }
    }

    /// The one with this text form.
    pub fn named(name: &str) -> Option<TokenScope> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// The name of a token, which is also the id of its holder on the web channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenName(String);

/// Why a text is not the name of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a token's name has 1 to {LONGEST} letters from a to z, digits, `-`, `_` and `.`, and begins with a letter or a digit"
)]
pub struct TokenNameError;

/// The maximum length of a name, in bytes.
const LONGEST: usize = 40;

impl TokenName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenName {
    type Err = TokenNameError;

    fn from_str(text: &str) -> Result<Self, TokenNameError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_right = text.len() <= LONGEST
            && text.starts_with(is_plain)
            && text.chars().all(|c| is_plain(c) || matches!(c, '-' | '_' | '.'));
        if is_right { Ok(Self(text.to_owned())) } else { Err(TokenNameError) }
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user of a program whose token has the scope `app`, by the id that the program gives them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppUser(String);

/// Why a text is not the id of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a user's id has 1 to {LONGEST_USER} letters of ASCII, digits and characters of `-_.@+~=`")]
pub struct AppUserError;

/// The maximum length of a user's id, in bytes.
const LONGEST_USER: usize = 100;

impl FromStr for AppUser {
    type Err = AppUserError;

    fn from_str(text: &str) -> Result<Self, AppUserError> {
        let is_right = (1..=LONGEST_USER).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@+~=".contains(c));
        if is_right { Ok(Self(text.to_owned())) } else { Err(AppUserError) }
    }
}

impl fmt::Display for AppUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The person for whom a token stands: the one of its name, or a user of the program that holds it. The text form, `name` or
/// `name/user`, is the person's id on the web channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holder {
    /// The token's name, or that of the program's token.
    pub name: TokenName,
    /// The program's user.
    pub user: Option<AppUser>,
}

impl From<TokenName> for Holder {
    fn from(name: TokenName) -> Self {
        Self { name, user: None }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "{}/{user}", self.name),
            None => self.name.fmt(f),
        }
    }
}

impl FromStr for Holder {
    type Err = HolderError;

    fn from_str(text: &str) -> Result<Self, HolderError> {
        Ok(match text.split_once('/') {
            Some((name, user)) => Self { name: name.parse()?, user: Some(user.parse()?) },
            None => Self::from(text.parse::<TokenName>()?),
        })
    }
}

/// Why a text names no holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HolderError {
    /// The name of the token is wrong.
    #[error(transparent)]
    Name(#[from] TokenNameError),
    /// The user is.
    #[error(transparent)]
    User(#[from] AppUserError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_in_keys_and_paths_as_it_is() {
        for right in ["a", "laptop", "ci-2.build_7", "0", &"x".repeat(40)] {
            assert_eq!(right.parse::<TokenName>().map(|name| name.to_string()), Ok(right.to_owned()));
        }
        for wrong in ["", "-a", ".", "A", "a b", "a/b", "a:b", "a%b", "ä", &"x".repeat(41)] {
            assert_eq!(wrong.parse::<TokenName>(), Err(TokenNameError), "{wrong:?}");
        }
    }

    #[test]
    fn a_holder_is_a_name_or_a_user_of_a_program() {
        for right in ["anna", "shop/anna@example.org", "shop/4F1c-9", "shop/~x=+_."] {
            assert_eq!(right.parse::<Holder>().map(|holder| holder.to_string()), Ok(right.to_owned()));
        }
        for wrong in [
            "",
            "/",
            "shop/",
            "/anna",
            "shop/a/b",
            "shop/a:b",
            "shop/a b",
            "shop/\u{e4}",
            &format!("a/{}", "x".repeat(101)),
        ] {
            assert!(wrong.parse::<Holder>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_scope_has_a_text_form() {
        for scope in TokenScope::ALL {
            assert_eq!(TokenScope::named(scope.name()), Some(scope));
        }
        assert_eq!(TokenScope::named("Admin"), None);
    }
}
