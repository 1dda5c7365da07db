//! Access tokens: stored as hashes, compared in constant time.

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{AddressError, Principal};
use frontdesk_core::key::{Scope as SessionScope, SessionKey};
use frontdesk_core::token::{AppUser, AppUserError};
use frontdesk_store::row::{Author, TokenRow};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tokio::sync::watch;

use crate::error::ApiError;

pub use frontdesk_core::token::TokenScope as Scope;

/// The channel of the holders of tokens.
const CHANNEL: &str = "web";

/// A token as it is stored, without its clear text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id, which is the person's id on the web channel.
    pub id: String,
    /// SHA-256 of the clear text.
    pub hash: [u8; 32],
    /// What its holder may do.
    pub scope: Scope,
}

/// The valid tokens. Clones share them.
#[derive(Clone)]
pub struct Tokens(Arc<TokenState>);

struct TokenState {
    list: RwLock<Arc<[KnownToken]>>,
    /// Counts replacements, so that open WebSockets check again whether their token is valid.
    replaced: watch::Sender<u64>,
}

/// A token and the person it identifies.
struct KnownToken {
    token: Token,
    principal: Principal,
}

/// The holder of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The person for whom the token stands, by their id on the web channel.
    pub(crate) person: Arc<str>,
    pub(crate) principal: Principal,
    /// What they may do: a user whom a program names has the scope `chat`.
    pub(crate) scope: Scope,
    /// The token's own name, scope and SHA-256.
    name: Arc<str>,
    granted: Scope,
    hash: [u8; 32],
}

impl Caller {
    /// The author of a change, for the audit: the token, or the user whom a program names.
    pub(crate) fn author(&self) -> Author {
        let name = if self.granted == Scope::App { &self.person } else { &self.name };
        Author { name: format!("api:{name}"), via: "api" }
    }

    /// The holder of a named token or of a browser's.
    pub(crate) fn named(row: &TokenRow) -> Result<Self, AddressError> {
        let person = row.holder.to_string();
        Ok(Self {
            principal: token_holder(&person)?,
            person: person.into(),
            scope: row.scope,
            name: row.name.as_str().into(),
            granted: row.scope,
            hash: row.hash,
        })
    }

    /// This user of the program that holds the token.
    pub(crate) fn for_user(&self, user: &AppUser) -> Result<Self, AddressError> {
        let person = format!("{}/{user}", self.person);
        let principal = token_holder(&person)?;
        Ok(Self { person: person.into(), principal, scope: Scope::Chat, ..self.clone() })
    }

    /// Whether this is the row of the caller's token, with the same scope.
    pub(crate) fn is_of(&self, row: &TokenRow) -> bool {
        row.name.as_str() == &*self.name && row.scope == self.granted
    }

    /// The name of the token.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the token.
    pub(crate) fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The chat that the caller means by a name: with the scope `chat` one of their own, otherwise the one that everybody
    /// else calls so.
    pub(crate) fn chat(&self, name: String) -> String {
        if self.scope == Scope::Chat { format!("{}/{name}", self.person) } else { name }
    }

    /// What the addresses of the caller's own chats begin with.
    pub(crate) fn chats(&self) -> String {
        format!("{CHANNEL}:{}/", self.person)
    }

    /// Whether a session may be named by the caller: with the scope `chat` only those of their own chats.
    pub(crate) fn owns(&self, session: &SessionKey) -> bool {
        let is_own = || {
            let chat = session.id().strip_prefix(&*self.person);
            *session.account() == AccountId::default_of(CHANNEL)
                && session.scope() == SessionScope::Dm
                && chat.is_some_and(|chat| chat.starts_with('/'))
        };
        self.scope != Scope::Chat || is_own()
    }
}

/// Makes a new token: 256 random bits as 43 characters of base64url.
pub fn make_token() -> Result<String, getrandom::Error> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(URL_SAFE_NO_PAD.encode(bits))
}

/// The hash by which a token is stored.
pub fn hash_token(clear: &str) -> [u8; 32] {
    Sha256::digest(clear.as_bytes()).into()
}

impl Tokens {
    /// These tokens and no others. A token with an empty id is an error.
    pub fn new(tokens: Vec<Token>) -> Result<Self, AddressError> {
        let list = RwLock::new(with_principals(tokens)?);
        Ok(Self(Arc::new(TokenState { list, replaced: watch::Sender::new(0) })))
    }

    /// Replaces all tokens. WebSockets whose token is not among the new ones are closed.
    pub fn replace(&self, tokens: Vec<Token>) -> Result<(), AddressError> {
        *self.0.list.write().unwrap_or_else(PoisonError::into_inner) = with_principals(tokens)?;
        self.0.replaced.send_modify(|count| *count += 1);
        Ok(())
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.list().len()
    }

    /// The person of the first token that may do everything: the operator.
    pub(crate) fn operator(&self) -> Option<Principal> {
        self.list()
            .iter()
            .find(|known| known.token.scope == Scope::Admin)
            .map(|known| known.principal.clone())
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The caller of a token. Every stored token is compared in full, whatever was given.
    pub(crate) fn find(&self, clear: &str) -> Option<Caller> {
        let list = self.list();
        let given = hash_token(clear);
        let mut at = 0_u64;
        let mut found = Choice::from(0);
        for (index, known) in list.iter().enumerate() {
            let same = known.token.hash.ct_eq(&given);
            at.conditional_assign(&(index as u64), same);
            found |= same;
        }
        let known =
            bool::from(found).then(|| usize::try_from(at).ok()).flatten().and_then(|at| list.get(at))?;
        let id: Arc<str> = known.token.id.as_str().into();
        Some(Caller {
            person: id.clone(),
            principal: known.principal.clone(),
            scope: known.token.scope,
            name: id,
            granted: known.token.scope,
            hash: known.token.hash,
        })
    }

    /// Whether a caller's token is still valid, with the same id and scope.
    pub(crate) fn is_valid(&self, caller: &Caller) -> bool {
        self.list().iter().any(|known| {
            known.token.hash == caller.hash
                && known.token.scope == caller.granted
                && known.token.id == *caller.name
        })
    }

    /// Changes whenever the tokens are replaced.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.replaced.subscribe()
    }

    fn list(&self) -> Arc<[KnownToken]> {
        self.0.list.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The person who holds the token with this name.
pub(crate) fn token_holder(name: &str) -> Result<Principal, AddressError> {
    Principal::new(CHANNEL, None, name)
}

/// The token of an `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The header in which a program names the user for whom it calls.
pub(crate) const USER: &str = "X-Frontdesk-User";

/// The user that a request names.
pub(crate) fn user(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut named = headers.get_all(USER).iter();
    match (named.next(), named.next()) {
        (None, _) => Ok(None),
        (Some(user), None) => user.to_str().map(Some).map_err(|_| ApiError::user(AppUserError.to_string())),
        (Some(_), Some(_)) => Err(ApiError::user(format!("the header {USER} is there twice"))),
    }
}

fn with_principals(tokens: Vec<Token>) -> Result<Arc<[KnownToken]>, AddressError> {
    tokens.into_iter().map(|token| Ok(KnownToken { principal: token_holder(&token.id)?, token })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, clear: &str, scope: Scope) -> Token {
        Token { id: id.into(), hash: hash_token(clear), scope }
    }

    #[test]
    fn only_the_whole_token_is_accepted() {
        let clear = make_token().unwrap();
        let tokens =
            Tokens::new(vec![token("a", &clear, Scope::Admin), token("b", "other", Scope::Read)]).unwrap();
        assert_eq!(tokens.find(&clear).map(|caller| caller.scope), Some(Scope::Admin));
        assert_eq!(
            tokens.find("other").map(|caller| (caller.person, caller.scope)),
            Some(("b".into(), Scope::Read))
        );
        for wrong in ["", "x", "null", &clear[1..], &format!("{clear}x"), &clear.to_uppercase()] {
            assert_eq!(tokens.find(wrong), None, "{wrong:?}");
        }
        assert_eq!(Tokens::new(Vec::new()).unwrap().find(""), None);
    }

    #[test]
    fn a_made_token_is_long_and_safe_in_a_header() {
        let (one, other) = (make_token().unwrap(), make_token().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert!(one.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }

    #[test]
    fn a_replaced_token_is_not_accepted() {
        let tokens = Tokens::new(vec![token("a", "old", Scope::Admin)]).unwrap();
        let caller = tokens.find("old").unwrap();
        assert!(tokens.is_valid(&caller));
        tokens.replace(vec![token("a", "old", Scope::Read)]).unwrap();
        assert!(!tokens.is_valid(&caller), "a smaller scope is another token");
        tokens.replace(vec![token("a", "new", Scope::Admin)]).unwrap();
        assert!(!tokens.is_valid(&caller));
        assert_eq!(tokens.find("old"), None);
    }

    #[test]
    fn the_scheme_of_a_token_is_read_in_any_case() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("Basic abc"), None);
        assert_eq!(of("Bearer"), None);
    }
}
