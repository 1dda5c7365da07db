//! Who may write, for the command line and the API.

use chrono::{DateTime, Utc};
use frontdesk_core::account::{AccountId, NoSuchChannel};
use frontdesk_core::address::Principal;
use frontdesk_store::row::{
    AccessChange, AccessDone, AuditRow, Author, BlockRow, ChatRow, PairingRow, Revoked, Scope, StoppedAccount,
};
use tokio::sync::watch;

use super::{GatewayError, GatewayHandle};
use crate::access::{ConfiguredAccess, block_summary, revocation_summary, still_in_file, unblock_summary};
use crate::process::{EMBEDDED, Lifecycle};

/// Who may write, as it stands now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessView {
    /// People, from the configuration and from admins.
    pub entries: Vec<AccessEntry>,
    /// What the configuration allows other than to single people to write.
    pub configured: Vec<ConfiguredAccess>,
    /// People and programs that admins have blocked.
    pub blocked: Vec<BlockRow>,
    /// Chats that admins have set.
    pub chats: Vec<ChatRow>,
    /// Accounts that admins have disconnected.
    pub stopped: Vec<StoppedAccount>,
}

/// One person who may do something.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessEntry {
    /// The person.
    pub principal: Principal,
    /// The scope of the permission.
    pub scope: Scope,
    /// Where the grant came from: `config`, `pairing`, `cli`, `api`, `chat`.
    pub source: String,
    /// Who granted it; unset for the configuration.
    pub by: Option<String>,
    /// The person's display name at that time.
    pub shown: Option<String>,
    /// When it was granted; unset for the configuration.
    pub created: Option<DateTime<Utc>>,
}

/// The accounts that were started or stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switched {
    /// All that were named.
    pub accounts: Vec<AccountId>,
    /// Those for which it is a change.
    pub changed: Vec<AccountId>,
    /// Says that no admin can reach the gateway from a chat now.
    pub warning: Option<String>,
}

/// Maximum length of an id in bytes; no platform has longer ones.
const LONGEST_ID: usize = 256;

impl GatewayHandle {
    /// Changes who may write, with immediate effect on waiting and running messages. The caller has asked
    /// [`GatewayHandle::authorize`] whether `author` may.
    pub async fn change_access(
        &self,
        change: AccessChange,
        author: Author,
    ) -> Result<AccessDone, GatewayError> {
        match &change {
            AccessChange::Grant { principal, scope } => {
                self.refuse_odd_ids(principal, scope)?;
                self.refuse_the_blocked(principal)?;
            }
            AccessChange::Block { principal, .. } => {
                let checked = self.0.may_be_blocked(principal);
                checked.map_err(|problem| GatewayError::Invalid(format!("{}: {problem}", principal.id())))?;
            }
            AccessChange::Revoke { principal, scope, .. } => {
                self.0
                    .may_be_revoked(principal)
                    .map_err(|problem| GatewayError::Invalid(format!("{}: {problem}", principal.id())))?;
                self.refuse_what_the_file_says(principal, scope.as_ref())?;
            }
            _ => {}
        }
        let shared = self.0.clone();
        self.to_its_end(async move {
            let done = shared.change_access(change, author).await;
            shared.health.note(done.as_ref().err());
            Ok(match done? {
                AccessDone::Locked { until } => AccessDone::Locked { until: shared.time.on_calendar(until) },
                done => done,
            })
        })
        .await
    }

    /// The result of a revocation in a few sentences. To be called after the revocation.
    pub fn revoked(&self, who: &Principal, scope: Option<&Scope>, ended: &Revoked) -> String {
        let rules = &self.0.settings().access;
        let remaining = self.0.access.remaining(rules, who, Some(scope.unwrap_or(&Scope::Admin)));
        let mut text = revocation_summary(who, scope, ended, &remaining);
        text.extend(still_in_file(rules, who));
        text = without_markdown(text);
        text.extend(self.locked_out().map(|warning| format!(" {warning}")));
        text
    }

    /// The result of a block in a few sentences.
    pub fn blocked(&self, who: &Principal, new: bool, ended: &Revoked) -> String {
        without_markdown(block_summary(who, new, ended))
    }

    /// The result of the end of a block in one sentence. To be called after it.
    pub fn unblocked(&self, who: &Principal, before: bool) -> String {
        let places = self.0.access.remaining_unblocked(&self.0.settings().access, who);
        without_markdown(unblock_summary(who, before, &places))
    }

    /// Starts or stops the accounts of a channel, or the one that is named with it (`telegram@work`).
    /// Returns them, which of them that changes, and a warning if no admin can reach the gateway by a chat now.
    pub async fn switch(&self, what: &str, stopped: bool, author: Author) -> Result<Switched, GatewayError> {
        let accounts = self.0.adapters.named(what);
        if accounts.is_empty() {
            return Err(NoSuchChannel::new(what, self.0.adapters.ids()).into());
        }
        let change = AccessChange::Switch { accounts: accounts.clone(), stopped };
        let changed = match self.change_access(change, author).await? {
            AccessDone::Switched { changed } => changed,
            _ => Vec::new(),
        };
        Ok(Switched { accounts, changed, warning: self.locked_out() })
    }

    /// Reports who has disconnected an account, whenever that changes, also for one that is configured later.
    pub fn disconnected(&self, account: &AccountId) -> watch::Receiver<Option<String>> {
        self.0.access.switch(account)
    }

    fn locked_out(&self) -> Option<String> {
        let locked = !self.0.has_reachable_admin(&[], None);
        locked.then(|| "No admin can reach the gateway from a chat now, only from the machine.".to_owned())
    }

    /// Unknown senders who wait for an admin, the oldest first.
    pub async fn pairing_requests(&self) -> Result<Vec<PairingRow>, GatewayError> {
        let shared = &self.0;
        let rows = shared.store.pairing_requests(shared.time.now().steady).await?;
        let shown = |row: PairingRow| PairingRow {
            created: shared.time.on_calendar(row.created),
            expires: shared.time.on_calendar(row.expires),
            ..row
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Who may write, and what admins have set.
    pub fn access(&self) -> AccessView {
        let state = self.0.access.state();
        let settings = self.0.settings();
        let written = settings.access.people().map(|(principal, scope)| {
            let source = "config".to_owned();
            AccessEntry { principal, scope, source, by: None, shown: None, created: None }
        });
        let mut entries: Vec<AccessEntry> = written.collect();
        entries.extend(state.grants.into_iter().map(|grant| AccessEntry {
            principal: grant.principal,
            scope: grant.scope,
            source: grant.source,
            by: Some(grant.by),
            shown: grant.shown,
            created: Some(grant.created),
        }));
        entries.sort_by(|a, b| (&a.principal, &a.scope).cmp(&(&b.principal, &b.scope)));
        let shown = |row: ChatRow| ChatRow {
            muted_until: row.muted_until.map(|until| self.0.time.on_calendar(until)),
            ..row
        };
        let chats = state.chats.into_iter().map(shown).collect();
        AccessView {
            entries,
            configured: settings.access.others(),
            blocked: state.blocked,
            chats,
            stopped: state.stopped,
        }
    }

    /// Writes an audit row for something that changes nothing else, such as a refusal. It must contain no code and no
    /// message text, and the caller limits how often an unknown sender can cause one.
    pub async fn audit(
        &self,
        author: &Author,
        action: &str,
        subject: &str,
        outcome: &str,
    ) -> Result<(), GatewayError> {
        Ok(self.0.store.audit(author, action, subject, outcome, self.0.time.wall()).await?)
    }

    /// Audit rows, the newest first, starting before a row.
    pub async fn audits(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>, GatewayError> {
        Ok(self.0.store.audits(before, limit).await?)
    }

    /// Audit rows in which these words stand, the newest first, starting before a row, and where the search goes on.
    pub async fn audits_with(
        &self,
        words: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<AuditRow>, Option<i64>), GatewayError> {
        Ok(self.0.store.audits_with(words, before, limit).await?)
    }

    /// Reports when an admin wants the process to end or to restart.
    pub fn lifecycle(&self) -> watch::Receiver<Option<Lifecycle>> {
        self.0.process.wanted.subscribe()
    }

    /// Asks the program to end or to restart the gateway, and records who did. Refused if the program would not do it.
    pub async fn end(&self, wanted: Lifecycle, author: &Author) -> Result<(), GatewayError> {
        if !self.0.process.obeys_admins {
            return Err(GatewayError::Invalid(EMBEDDED.to_owned()));
        }
        let action = match wanted {
            Lifecycle::Stop => "gateway stop",
            Lifecycle::Restart => "gateway restart",
            Lifecycle::Reload => "gateway reload",
        };
        self.audit(author, action, "gateway", "done").await?;
        tracing::info!(by = author.name, ?wanted, "an admin stops or restarts the gateway");
        self.0.process.wanted.send_replace(Some(wanted));
        Ok(())
    }

    /// Refuses to grant what would have no effect.
    fn refuse_the_blocked(&self, who: &Principal) -> Result<(), GatewayError> {
        match self.0.access.is_blocked(who) {
            false => Ok(()),
            true => Err(GatewayError::Invalid(format!(
                "{who} is blocked: run `frontdesk access unblock {} {}` first",
                who.account(),
                who.id()
            ))),
        }
    }

    /// Refuses to revoke what the configuration file alone grants, because it would remain granted.
    fn refuse_what_the_file_says(&self, who: &Principal, scope: Option<&Scope>) -> Result<(), GatewayError> {
        let written = self.0.settings().access.places_of(who, scope);
        if written.is_empty() || self.0.access.holds(who, scope) {
            return Ok(());
        }
        let written = without_markdown(written.join(", "));
        Err(GatewayError::Invalid(format!(
            "the configuration file allows {who} ({written}): remove the id {} there and run `frontdesk config reload`",
            who.id()
        )))
    }

    /// Refuses ids that no person or group of the platform can have.
    pub fn refuse_odd_ids(&self, who: &Principal, scope: &Scope) -> Result<(), GatewayError> {
        if who.id().len() > LONGEST_ID {
            return Err(GatewayError::Invalid(format!("an id has at most {LONGEST_ID} bytes")));
        }
        let odd = |id: &str, problem| GatewayError::Invalid(format!("{id}: {problem}"));
        let settings = self.0.settings();
        (settings.grant_rule)(who, &Scope::Dm).map_err(|problem| odd(who.id(), problem))?;
        let Scope::Group(group) = scope else { return Ok(()) };
        (settings.grant_rule)(who, scope).map_err(|problem| odd(group, problem))
    }
}

/// The text is read outside of chats, where Markdown is not rendered.
fn without_markdown(mut text: String) -> String {
    text.retain(|c| c != '`');
    text
}
