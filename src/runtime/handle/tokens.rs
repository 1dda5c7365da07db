//! Tokens of the API: who holds one, and an admin's changes to them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::port::OWNER_TOKEN;
use frontdesk_core::token::{Holder, TokenName, TokenScope};
use frontdesk_store::row::{AccessChange, AccessDone, Author, NewBrowser, NewToken, Revoked, TokenRow};
use tokio::sync::watch;

use super::{GatewayError, GatewayHandle};

impl GatewayHandle {
    /// The named token with this hash, if it is valid now. The token of the home folder is not among them.
    pub fn token(&self, hash: &[u8; 32]) -> Option<TokenRow> {
        let token = self.0.access.token(hash)?;
        token.expires.is_none_or(|expires| self.0.time.wall() < expires).then_some(token)
    }

    /// Notes that a token was used now. The database learns it with the next sweep.
    pub fn token_used(&self, name: &TokenName) {
        self.0.access.token_used(name, self.0.time.wall());
    }

    /// Changes whenever a token may have become invalid, or somebody may do less than before.
    pub fn access_changed(&self) -> watch::Receiver<u64> {
        self.0.access.changes()
    }

    /// Every token, in the order of names, also those that were revoked.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, GatewayError> {
        Ok(self.0.store.tokens().await?)
    }

    /// Makes a token of which only the hash is known here. `holder` is the person of its name. Returns from when on it is
    /// refused.
    pub async fn make_token(
        &self,
        (name, holder): (TokenName, Principal),
        scope: TokenScope,
        hash: [u8; 32],
        valid_for: Option<Duration>,
        author: Author,
    ) -> Result<Option<DateTime<Utc>>, GatewayError> {
        not_the_owners(&name)?;
        let expires = self.expiry(valid_for)?;
        let new = NewToken { name: name.clone(), holder, hash, scope, expires };
        match self.change_access(AccessChange::MakeToken(new), author).await? {
            AccessDone::TokenStored => Ok(expires),
            _ => Err(GatewayError::Invalid(format!(
                "there is or was a token called {name}, and a name is never used again, because its chats are somebody's: choose \
                 another one, or rotate the token"
            ))),
        }
    }

    /// Makes the token of a browser for a person whose login link was opened. Returns from when on it is refused.
    pub async fn log_in(
        &self,
        (name, holder): (TokenName, Holder),
        scope: TokenScope,
        hash: [u8; 32],
        valid_for: Duration,
        author: Author,
    ) -> Result<DateTime<Utc>, GatewayError> {
        let expires = self.expiry(Some(valid_for))?.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let change = AccessChange::LogIn(NewBrowser { name, holder, hash, scope, expires });
        match self.change_access(change, author).await? {
            AccessDone::TokenStored => Ok(expires),
            _ => Err(GatewayError::Invalid("this browser is logged in already".to_owned())),
        }
    }

    /// Revokes the token of a browser; its sockets close, and what its holder has open goes on.
    pub async fn log_out(&self, name: TokenName, author: Author) -> Result<(), GatewayError> {
        match self.change_access(AccessChange::LogOut { name: name.clone() }, author).await? {
            AccessDone::TokenStored => Ok(()),
            _ => Err(no_such(&name)),
        }
    }

    /// Replaces the secret of a token; the old one is refused at once. Returns from when on the new one is.
    pub async fn rotate_token(
        &self,
        name: TokenName,
        hash: [u8; 32],
        valid_for: Option<Duration>,
        author: Author,
    ) -> Result<Option<DateTime<Utc>>, GatewayError> {
        not_the_owners(&name)?;
        let expires = self.expiry(valid_for)?;
        let change = AccessChange::RotateToken { name: name.clone(), hash, expires };
        match self.change_access(change, author).await? {
            AccessDone::TokenStored => Ok(expires),
            _ => Err(no_such(&name)),
        }
    }

    /// Revokes a token at once: its sockets close, its holder's waiting messages are refused, and running turns are cancelled.
    pub async fn revoke_token(
        &self,
        (name, holder): (TokenName, Principal),
        author: Author,
    ) -> Result<Revoked, GatewayError> {
        not_the_owners(&name)?;
        let private = self.0.private_chat(&holder);
        let change = AccessChange::RevokeToken { name: name.clone(), holder, private };
        match self.change_access(change, author).await? {
            AccessDone::Revoked(ended) => Ok(ended),
            _ => Err(no_such(&name)),
        }
    }

    fn expiry(&self, valid_for: Option<Duration>) -> Result<Option<DateTime<Utc>>, GatewayError> {
        let Some(valid_for) = valid_for else { return Ok(None) };
        let until = chrono::Duration::from_std(valid_for).ok();
        let until = until.and_then(|span| self.0.time.wall().checked_add_signed(span));
        until.map(Some).ok_or_else(|| GatewayError::Invalid("this time is beyond the calendar".to_owned()))
    }
}

fn no_such(name: &TokenName) -> GatewayError {
    GatewayError::NotFound(format!("valid token {name}"))
}

fn not_the_owners(name: &TokenName) -> Result<(), GatewayError> {
    if name.as_str() != OWNER_TOKEN {
        return Ok(());
    }
    Err(GatewayError::Invalid(format!(
        "{OWNER_TOKEN} is the token in the home folder: to replace it, stop the gateway, delete the file `token` and start it again"
    )))
}
