//! Changing who may speak: the database first, then the copy in memory, then whoever runs or waits. One road for
//! chats, the command line and the API.

use std::sync::PoisonError;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_store::StoreError;
use frontdesk_store::row::{AccessChange, AccessDone, Author, Revoked, Scope};

use super::Known;
use crate::shared::Shared;

impl Shared {
    /// Changes who may speak. Whoever calls has asked whether its author may.
    pub(crate) async fn change_access(
        &self,
        change: AccessChange,
        author: Author,
    ) -> Result<AccessDone, StoreError> {
        let change = match change {
            AccessChange::Revoke { principal, scope, .. } => self.revocation(principal, scope),
            change => change,
        };
        let store = self.store.change_access(change.clone(), author, self.now());
        self.changing(&change, store, |stored| stored.as_ref().ok()).await
    }

    /// What it means to take this from somebody.
    pub(crate) fn revocation(&self, principal: Principal, scope: Option<Scope>) -> AccessChange {
        let also = match &scope {
            // An admin may speak where others need to be let in.
            Some(Scope::Admin) => self.access.open_to_admins_alone(&principal),
            _ => Vec::new(),
        };
        let connection = self.adapters.get(principal.account());
        let prefix = connection.and_then(|to| to.adapter.profile().person_chat);
        let private = prefix.and_then(|prefix| {
            let chat = format!("{prefix}{}", principal.id());
            Address::at(principal.account(), &chat, None).ok()
        });
        AccessChange::Revoke { principal, scope, also, private }
    }

    /// Says why somebody can have been granted nothing: the id is none that a person could have. What is granted all
    /// the same can be taken back.
    pub(crate) fn may_be_revoked(&self, who: &Principal) -> Result<(), String> {
        if self.access.holds_any(who) { Ok(()) } else { (self.grant_rule)(who, &Scope::Dm) }
    }

    /// Whether an admin could look after the gateway from some chat, if these accounts were disconnected and this
    /// person were no admin.
    pub(crate) fn has_way_in(&self, without: &[AccountId], but: Option<&Principal>) -> bool {
        let is_other =
            |account: &AccountId, id: &str| but.is_none_or(|who| (who.account(), who.id()) != (account, id));
        let mut open = self
            .adapters
            .ids()
            .into_iter()
            .filter(|account| !without.contains(account) && self.access.stopped(account).is_none());
        open.any(|account| self.access.admins(&account).iter().any(|id| is_other(&account, id)))
    }

    /// Has a change stored, and makes it known. What is taken away is taken from memory before, so that nothing
    /// gets in between the commit and its being known. `done` finds in what was stored what came of the change.
    pub(crate) async fn changing<T>(
        &self,
        change: &AccessChange,
        store: impl Future<Output = T>,
        done: impl FnOnce(&T) -> Option<&AccessDone>,
    ) -> T {
        let changing = self.access.changing.lock().await;
        self.take_away(change);
        let stored = store.await;
        self.learn().await;
        self.adapters.switch(|account| self.access.stopped(account).map(|row| row.by));
        drop(changing);
        if let Some(AccessDone::Revoked(ended) | AccessDone::Served { ended, .. }) = done(&stored) {
            self.ended(ended).await;
        }
        stored
    }

    fn take_away(&self, change: &AccessChange) {
        let mut known = self.access.known.write().unwrap_or_else(PoisonError::into_inner);
        match change {
            AccessChange::Revoke { principal, scope, .. } => {
                if let Some(grants) = known.grants.get_mut(principal) {
                    grants.retain(|grant| scope.as_ref().is_some_and(|scope| grant.scope != *scope));
                }
            }
            AccessChange::Serve { chat, allowed: false } => {
                if let Some(row) = known.chats.get_mut(chat) {
                    row.allowed = false;
                }
            }
            _ => {}
        }
    }

    /// Reads what the database says. If it cannot be read, less is allowed than might be, never more.
    async fn learn(&self) {
        match self.store.access_state().await {
            Ok(state) => {
                *self.access.known.write().unwrap_or_else(PoisonError::into_inner) = Known::from(state);
            }
            Err(error) => tracing::error!(%error, "who may speak could not be read again; a restart does"),
        }
    }

    /// Tells the agents of turns that a revocation ended, and those who wait for answers.
    async fn ended(&self, ended: &Revoked) {
        for (session, address, turn) in &ended.running {
            self.cancelled(session, address, &[*turn], Vec::new()).await;
            self.turns.wake(session);
        }
        for (session, address, message) in &ended.waiting {
            self.cancelled(session, address, &[], vec![*message]).await;
        }
    }

    /// A chat has another id now: what is to be sent goes there. If it is known here by its old id and not by the new
    /// one, its sessions keep the first one, and rules and grants are found by either.
    pub(crate) async fn chat_moved(&self, from: &Address, to: &Address) -> Result<(), StoreError> {
        let changing = self.access.changing.lock().await;
        let named = self.access.is_named(from) && !self.access.is_named(to);
        let moved = self.store.chat_moved(from, to, named, self.clock.wall()).await?;
        self.learn().await;
        drop(changing);
        if let Some(moved) = moved {
            tracing::info!(original = %moved.row.original, current = %moved.row.current, "a chat has moved");
            for address in &moved.wake {
                self.outbox.wake(address);
            }
        }
        Ok(())
    }
}
