//! Access: one function for every change, whether it comes from a chat, the command line or the API.

use chrono::{DateTime, Utc};
use frontdesk_core::time::Now;

use crate::audit::audit;
use crate::fault::Outcome;
use crate::pairing::{Decision, decide, decide_request};
use crate::queue::WorkClass;
use crate::revocation::{Target, end_access};
use crate::row::{AccessChange, AccessDone, Author, LostAccess, Revoked};
use crate::tx::Tx;
use crate::{Result, Store, account, block, budget, chat, grant, token};

impl Store {
    /// Makes a change of access, with what follows from it and its row in the audit.
    pub async fn change_access(
        &self,
        change: AccessChange,
        author: Author,
        now: impl Into<Now>,
    ) -> Result<AccessDone> {
        let now = now.into();
        self.write(WorkClass::Requests, move |tx| apply(tx, &change, &author, now)).await
    }
}

impl Store {
    /// Ends what people and groups have open who lost access because the configuration has changed, with a row in the
    /// audit for each. No grant is revoked.
    pub async fn access_lost(
        &self,
        lost: Vec<LostAccess>,
        author: Author,
        now: DateTime<Utc>,
    ) -> Result<Revoked> {
        self.write(WorkClass::Requests, move |tx| {
            let mut all = Revoked::default();
            for lost in &lost {
                let (target, action, subject) = match lost {
                    LostAccess::Person { principal, scope, private } => {
                        let target =
                            Target::Person { principal, scope: Some(scope), private: private.as_ref() };
                        (target, "revoke", format!("{principal} {}", scope.name()))
                    }
                    LostAccess::Group(chat) => (Target::Group(chat), "unserve", chat.to_string()),
                };
                all.extend(end_access(tx, target, now)?);
                audit(tx, &author, action, &subject, "done", now)?;
            }
            Ok(all)
        })
        .await
    }
}

/// Makes a change, and notes for the listener who has access then: by a command, from the command line and through the
/// API alike.
pub(crate) fn apply(tx: &Tx<'_>, change: &AccessChange, author: &Author, now: Now) -> Outcome<AccessDone> {
    let done = change_tables(tx, change, author, now)?;
    tx.note_access_change();
    Ok(done)
}

fn change_tables(tx: &Tx<'_>, change: &AccessChange, author: &Author, now: Now) -> Outcome<AccessDone> {
    let wall = now.wall;
    match change {
        AccessChange::Approve { code, account } => {
            decide(tx, Decision::Approved, code, account.as_ref(), author, now)
        }
        AccessChange::Deny { code, account } => {
            decide(tx, Decision::Denied, code, account.as_ref(), author, now)
        }
        AccessChange::ApproveRequest(id) => decide_request(tx, Decision::Approved, *id, author, now),
        AccessChange::DenyRequest(id) => decide_request(tx, Decision::Denied, *id, author, now),
        AccessChange::Grant { principal, scope } => grant::grant(tx, principal, scope, author, wall),
        AccessChange::Revoke { principal, scope, also, private } => {
            let from = grant::From { principal, scope: scope.as_ref(), also, private: private.as_ref() };
            grant::revoke(tx, from, author, wall)
        }
        AccessChange::Block { principal, private } => {
            block::block(tx, principal, private.as_ref(), author, wall)
        }
        AccessChange::Unblock { principal } => block::unblock(tx, principal, author, wall),
        AccessChange::Serve { chat, allowed } => chat::serve(tx, chat, *allowed, author, wall),
        AccessChange::Mute { chat, until } => chat::mute(tx, chat, *until, author, now),
        AccessChange::Zone { chat, zone } => chat::zone(tx, chat, zone.as_deref(), author, wall),
        AccessChange::Budget { scope, subject, set, until } => {
            budget::set(tx, (*scope, subject), set.as_ref(), *until, author, wall)
        }
        AccessChange::Switch { accounts, stopped } => account::switch(tx, accounts, *stopped, author, wall),
        AccessChange::MakeToken(new) => token::make(tx, new, author, wall),
        AccessChange::LogIn(new) => token::log_in(tx, new, author, wall),
        AccessChange::LogOut { name } => token::log_out(tx, name, author, wall),
        AccessChange::RotateToken { name, hash, expires } => {
            token::rotate(tx, name, hash, *expires, author, wall)
        }
        AccessChange::RevokeToken { name, holder, private } => {
            token::revoke(tx, name, holder, private.as_ref(), author, wall)
        }
        AccessChange::Note { action, subject, outcome } => {
            audit(tx, author, action, subject, outcome, wall)?;
            Ok(AccessDone::Noted)
        }
    }
}
