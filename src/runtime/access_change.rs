//! Changes of who may write: the database and the copy in memory first, then the turns that run or wait. Chats, the
//! command line and the API all use this.

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::delivery::Ending;
use frontdesk_store::StoreError;
use frontdesk_store::row::{AccessChange, AccessDone, Author, LostAccess, Revoked, Scope, Stopped};

use crate::access::AccessRules;
use crate::shared::Shared;

impl Shared {
    /// Changes who may write. The caller has checked that the author may.
    pub(crate) async fn change_access(
        &self,
        change: AccessChange,
        author: Author,
    ) -> Result<AccessDone, StoreError> {
        let change = match change {
            AccessChange::Revoke { principal, scope, .. } => self.revocation(principal, scope),
            AccessChange::Block { principal, .. } => self.block(principal),
            change => change,
        };
        let store = self.store.change_access(change.clone(), author, self.time.now());
        self.store_change(&change, store, |stored| stored.as_ref().ok()).await
    }

    /// The complete change that revokes a scope, or everything, from somebody.
    pub(crate) fn revocation(&self, principal: Principal, scope: Option<Scope>) -> AccessChange {
        let also = match &scope {
            // An admin may write where others need a grant of their own.
            Some(Scope::Admin) => self.access.scopes_as_admin(&self.settings().access, &principal),
            _ => Vec::new(),
        };
        let private = self.private_chat(&principal);
        AccessChange::Revoke { principal, scope, also, private }
    }

    /// The complete change that blocks somebody.
    pub(crate) fn block(&self, principal: Principal) -> AccessChange {
        let private = self.private_chat(&principal);
        AccessChange::Block { principal, private }
    }

    /// Fails if somebody may not be blocked: an id that nobody can have, or an admin, who could have no rights with which to
    /// end the block. The text ends without a full stop.
    pub(crate) fn may_be_blocked(&self, who: &Principal) -> Result<(), String> {
        let settings = self.settings();
        (settings.grant_rule)(who, &Scope::Dm)?;
        match self.access.admins(&settings.access, who.account()).iter().any(|admin| admin == who.id()) {
            true => Err("this is an admin: take that right away first".to_owned()),
            false => Ok(()),
        }
    }

    /// Fails if the id cannot belong to a person, so that nothing can have been granted to it. A grant that exists can be
    /// revoked in any case.
    pub(crate) fn may_be_revoked(&self, who: &Principal) -> Result<(), String> {
        if self.access.holds(who, None) { Ok(()) } else { (self.settings().grant_rule)(who, &Scope::Dm) }
    }

    /// Whether some admin could still administer the gateway from a chat if these accounts were disconnected and this
    /// person were no admin.
    pub(crate) fn has_reachable_admin(&self, without: &[AccountId], but: Option<&Principal>) -> bool {
        let is_other =
            |account: &AccountId, id: &str| but.is_none_or(|who| (who.account(), who.id()) != (account, id));
        let mut open = self
            .adapters
            .ids()
            .into_iter()
            .filter(|account| !without.contains(account) && self.access.stopped(account).is_none());
        let settings = self.settings();
        let admins = |account: &AccountId| self.access.admins(&settings.access, account);
        open.any(|account| admins(&account).iter().any(|id| is_other(&account, id)))
    }

    /// Stores a change. The access that it removes is removed from memory before the commit, so that no message is
    /// accepted in between; the commit renews the copy in memory. `done` extracts the change's result from what was stored.
    pub(crate) async fn store_change<T>(
        &self,
        change: &AccessChange,
        store: impl Future<Output = T>,
        done: impl FnOnce(&T) -> Option<&AccessDone>,
    ) -> T {
        let changing = self.access.begin_change().await;
        self.access.take_away(change);
        let stored = store.await;
        let done = done(&stored);
        if done.is_none() {
            self.reload_access().await;
        }
        drop(changing);
        if let Some(
            AccessDone::Revoked(ended) | AccessDone::Blocked { ended, .. } | AccessDone::Served { ended, .. },
        ) = done
        {
            self.ended(ended).await;
        }
        stored
    }

    /// Ends what people have open who may not write any more because the configuration does not name them any more. The
    /// new rules are in use already.
    pub(crate) async fn end_lost_access(
        &self,
        before: &AccessRules,
        after: &AccessRules,
    ) -> Result<(), StoreError> {
        let changing = self.access.begin_change().await;
        let lost = self.access.lost(before, after);
        if lost.is_empty() {
            return Ok(());
        }
        let lost = lost.into_iter().map(|lost| match lost {
            LostAccess::Person { principal, scope, .. } => {
                let private = self.private_chat(&principal);
                LostAccess::Person { principal, scope, private }
            }
            group => group,
        });
        let author = Author { name: "configuration".to_owned(), via: "config" };
        let ended = self.store.access_lost(lost.collect(), author, self.time.wall()).await;
        drop(changing);
        self.health.note(ended.as_ref().err());
        self.ended(&ended?).await;
        Ok(())
    }

    /// Restores the access that was removed from memory for a change that was not committed. If the tables cannot be
    /// read, memory allows less than the database, never more.
    async fn reload_access(&self) {
        match self.store.access_state().await {
            Ok(state) => self.access.replace(state),
            Err(error) => {
                tracing::error!(%error, "the access tables could not be read again; a restart reads them");
            }
        }
    }

    /// Stops the agents of turns that a revocation ended, and tells those who wait for answers.
    async fn ended(&self, ended: &Revoked) {
        for (session, address, turn) in &ended.running {
            let ended = Stopped { running: vec![*turn], waiting: Vec::new() };
            self.stopped(session, address, ended, Ending::Cancelled).await;
            self.work.turns.wake(session);
        }
        for (session, address, message) in &ended.waiting {
            let ended = Stopped { running: Vec::new(), waiting: vec![*message] };
            self.stopped(session, address, ended, Ending::Cancelled).await;
        }
    }

    /// A chat has a new id: what is to be sent goes there. If the old id is named here and the new one is not, the chat's
    /// sessions keep the first id, and rules and grants are found by either.
    pub(crate) async fn chat_moved(&self, from: &Address, to: &Address) -> Result<(), StoreError> {
        let changing = self.access.begin_change().await;
        let settings = self.settings();
        let is_named = |chat| self.access.is_named(&settings.access, chat);
        let named = is_named(from) && !is_named(to);
        let moved = self.store.chat_moved(from, to, named, self.time.wall()).await?;
        drop(changing);
        if let Some(moved) = moved {
            tracing::info!(original = %moved.row.original, current = %moved.row.current, "a chat has moved");
            for address in &moved.wake {
                self.work.outbox.wake(address);
            }
        }
        Ok(())
    }
}
