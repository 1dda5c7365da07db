//! Tokens of the API: who holds one, and what it is for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenScope {
    /// Talk to agents in chats of its own, and see and change only those.
    Chat,
    /// Read everything, and change nothing.
    Read,
    /// Everything.
    Admin,
}

impl TokenScope {
    /// Every scope.
    pub const ALL: [TokenScope; 3] = [TokenScope::Chat, TokenScope::Read, TokenScope::Admin];

    /// The text form.
    pub fn name(self) -> &'static str {
        match self {
            TokenScope::Chat => "chat",
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
    fn every_scope_has_a_text_form() {
        for scope in TokenScope::ALL {
            assert_eq!(TokenScope::named(scope.name()), Some(scope));
        }
        assert_eq!(TokenScope::named("Admin"), None);
    }
}
