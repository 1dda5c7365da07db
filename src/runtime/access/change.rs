//! Changing who may speak: the database first, then the copy in memory, then whoever runs or waits. One road for
//! chats, the command line and the API.

use std::sync::PoisonError;

use frontdesk_core::address::Address;
use frontdesk_store::StoreError;
use frontdesk_store::row::{AccessChange, AccessDone, Author, Revoked};
use tokio::sync::MutexGuard;

use super::Known;
use crate::house::House;

/// The right to change something; others wait meanwhile.
pub(crate) struct Changing<'a>(#[expect(dead_code, reason = "held, not read")] MutexGuard<'a, ()>);

impl House {
    /// Changes who may speak. Whoever calls has asked whether its author may.
    pub(crate) async fn change_access(
        &self,
        change: AccessChange,
        author: Author,
    ) -> Result<AccessDone, StoreError> {
        let changing = self.before_change(&change).await;
        let done = self.store.change_access(change, author, self.clock.wall()).await;
        self.after_change(changing, done.as_ref().ok()).await;
        done
    }

    /// To be called before a change is stored. What is taken away is taken from memory at once, so that nothing
    /// gets in between the commit and its being known.
    pub(crate) async fn before_change(&self, change: &AccessChange) -> Changing<'_> {
        let changing = self.access.changing.lock().await;
        let mut known = self.access.known.write().unwrap_or_else(PoisonError::into_inner);
        match change {
            AccessChange::Revoke { principal, scope } => {
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
        drop(known);
        Changing(changing)
    }

    /// To be called when it was stored, or was not.
    pub(crate) async fn after_change(&self, changing: Changing<'_>, done: Option<&AccessDone>) {
        self.learn().await;
        drop(changing);
        if let Some(AccessDone::Revoked(ended) | AccessDone::Served { ended, .. }) = done {
            self.ended(ended).await;
        }
        self.adapters.switch(|place| self.access.stopped(place).map(|row| row.by));
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

    /// A chat has another id now. Its sessions, rules and grants keep the first one; what is to be sent goes to the
    /// new one.
    pub(crate) async fn chat_moved(&self, from: &Address, to: &Address) -> Result<(), StoreError> {
        let changing = self.access.changing.lock().await;
        let moved = self.store.chat_moved(from, to, self.clock.wall()).await?;
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
