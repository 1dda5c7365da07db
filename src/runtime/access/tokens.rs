//! The named tokens of the API that are valid, found by their hashes.

use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use frontdesk_core::token::TokenName;
use frontdesk_store::row::TokenRow;
use tokio::sync::watch;

use super::Access;

impl Access {
    /// The token with this hash. It may have expired.
    pub(crate) fn token(&self, hash: &[u8; 32]) -> Option<TokenRow> {
        let tables = self.tables();
        // The hash of a secret of 256 random bits: how long the look-up takes tells nothing about the secret.
        if tables.tokens.is_empty() { None } else { tables.tokens.get(hash).cloned() }
    }

    /// Notes when a token was used.
    pub(crate) fn token_used(&self, name: &TokenName, at: DateTime<Utc>) {
        self.token_uses.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_string(), at);
    }

    /// The uses since the last call.
    pub(crate) fn take_token_uses(&self) -> Vec<(String, DateTime<Utc>)> {
        let mut uses = self.token_uses.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses).into_iter().collect()
    }

    /// The configuration's rules have changed.
    pub(crate) fn rules_changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Changes with every change of access.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
