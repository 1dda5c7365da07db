//! Rows of tokens of the API.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::token::{Holder, TokenName, TokenScope};

/// A token of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name.
    pub name: TokenName,
    /// The person it stands for.
    pub holder: Holder,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What the token may be used for.
    pub scope: TokenScope,
    /// How it came about.
    pub kind: TokenKind,
    /// Who made it.
    pub by: String,
    /// When its present secret was made.
    pub created: DateTime<Utc>,
    /// From when on it is refused.
    pub expires: Option<DateTime<Utc>>,
    /// About when it was used last.
    pub last_used: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked: Option<DateTime<Utc>>,
}

/// The source of a grant that came with a token of the API.
pub const TOKEN: &str = "token";

/// How a token came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// It is the one in the home folder.
    Owner,
    /// An admin has made it.
    Named,
    /// A login link was exchanged for it.
    Browser,
}

impl TokenKind {
    /// The text form.
    pub fn name(self) -> &'static str {
        match self {
            TokenKind::Owner => "owner",
            TokenKind::Named => "named",
            TokenKind::Browser => "browser",
        }
    }

    /// The one with this text form.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Owner, Self::Named, Self::Browser].into_iter().find(|kind| kind.name() == name)
    }
}

/// A browser that a login link lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBrowser {
    /// The name of its token.
    pub name: TokenName,
    /// The person who logs in.
    pub holder: Holder,
    /// SHA-256 of the secret of its token.
    pub hash: [u8; 32],
    /// What the token may be used for.
    pub scope: TokenScope,
    /// From when on it is refused.
    pub expires: DateTime<Utc>,
}

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Its name.
    pub name: TokenName,
    /// The person of this name on the web channel.
    pub holder: Principal,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What the token may be used for.
    pub scope: TokenScope,
    /// From when on it is refused.
    pub expires: Option<DateTime<Utc>>,
}
