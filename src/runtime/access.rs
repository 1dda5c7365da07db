//! Who may write according to the database: what admins granted, which chats they set and which accounts they stopped.
//! This is a copy in memory, so that a decision needs no read. The writer renews it with each commit that changes it,
//! before anything else of the commit can be seen.

mod bot_loops;
mod chat_ids;
mod lost;
mod pairing_limits;
mod remaining;
mod rules;
mod served;
mod tokens;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::access::{self, Action, Context, Decision, DenyReason, Grants, Requester};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::budget::BudgetScope;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Clock;
use frontdesk_core::time::Pause;
use frontdesk_core::token::TokenScope;
use frontdesk_core::zone::parse_zone;
use frontdesk_store::row::{
    AccessChange, AccessState, BlockRow, BudgetRow, ChatRow, GrantRow, LinkRow, Scope, StoppedAccount, TOKEN,
    TokenKind, TokenRow,
};
use tokio::sync::{Mutex, MutexGuard, watch};

use bot_loops::BotLoops;
pub(crate) use pairing_limits::MOST_OPEN;
use pairing_limits::PairingLimits;
pub(crate) use remaining::{block_summary, revocation_summary, still_in_file, unblock_summary};
pub(crate) use rules::AccessRules;
pub use rules::{AllowedAction, AllowedGroup, ConfiguredAccess};

pub(crate) struct Access {
    tables: RwLock<AccessTables>,
    /// The admin who has disconnected each account, for connections that wait for a change.
    switches: StdMutex<HashMap<AccountId, watch::Sender<Option<String>>>>,
    /// Held during a change. A change removes access from memory before its commit; without this lock, another change
    /// could restore that access meanwhile.
    changing: Mutex<()>,
    pub(crate) pairing_limits: PairingLimits,
    pub(crate) bot_loops: BotLoops,
    /// When tokens were used that the database does not know yet.
    token_uses: StdMutex<HashMap<String, DateTime<Utc>>>,
    /// Counts changes.
    changes: watch::Sender<u64>,
}

/// The database's access tables, indexed for decisions.
#[derive(Default)]
struct AccessTables {
    grants: HashMap<Principal, Vec<GrantRow>>,
    blocked: HashMap<Principal, BlockRow>,
    chats: HashMap<Address, ChatRow>,
    /// Private chats that share the session of another one, by the session of the chat itself.
    links: HashMap<SessionKey, LinkRow>,
    /// The time zones that were chosen in chats, by their first ids.
    zones: HashMap<Address, Tz>,
    /// Chats that have moved: from the current id to the first one.
    originals: HashMap<Address, Address>,
    stopped: HashMap<AccountId, StoppedAccount>,
    /// Budgets that admins have set.
    budgets: HashMap<BudgetScope, HashMap<String, BudgetRow>>,
    /// Named tokens of the API, by their hashes.
    tokens: HashMap<[u8; 32], TokenRow>,
    /// Programs that talk in the name of users of their own, who may write where the program may.
    programs: HashSet<Principal>,
}

impl Access {
    /// Nothing is granted until [`Access::replace`].
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            tables: RwLock::default(),
            switches: StdMutex::default(),
            changing: Mutex::default(),
            pairing_limits: PairingLimits::new(clock),
            bot_loops: BotLoops::default(),
            token_uses: StdMutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Whether a requester may do something. Every access check uses this function. `context` may name a group by any
    /// of its ids.
    pub(crate) fn decide(
        &self,
        rules: &AccessRules,
        who: Requester<'_>,
        context: Context<'_>,
        action: Action,
    ) -> Decision {
        let account = who.principal.account();
        let Some(rules) = rules.of(account) else { return Decision::Deny(DenyReason::NotAllowed) };
        let tables = self.tables();
        let configured = match context {
            Context::Group(group) => tables.configured_group(rules, account, group),
            Context::Dm => None,
        };
        let context = configured.as_deref().map_or(context, Context::Group);
        access::decide(rules, tables.grants_of(who.principal, context, |_| true), who, context, action)
    }

    /// Whether the configuration names moderators of a group, which may be named by any of its ids.
    pub(crate) fn names_moderators(&self, rules: &AccessRules, account: &AccountId, group: &str) -> bool {
        let Some(rules) = rules.of(account) else { return false };
        let configured = self.tables().configured_group(rules, account, group);
        let named = rules.groups.get(configured.as_deref().unwrap_or(group));
        named.is_some_and(|named| !named.moderators.is_empty())
    }

    /// The first id of a chat, which may have moved.
    pub(crate) fn original<'a>(&self, address: &'a Address) -> Cow<'a, str> {
        let tables = self.tables();
        if tables.originals.is_empty() {
            return Cow::Borrowed(address.chat());
        }
        match tables.originals.get(&address.without_thread()) {
            Some(original) => Cow::Owned(original.chat().to_owned()),
            None => Cow::Borrowed(address.chat()),
        }
    }

    /// The link by which the chat with this session shares the session of another one.
    pub(crate) fn link(&self, place: &SessionKey) -> Option<LinkRow> {
        let tables = self.tables();
        // Most gateways have none, and every message asks.
        if tables.links.is_empty() { None } else { tables.links.get(place).cloned() }
    }

    /// The chats that share this session with the chat whose own it is.
    pub(crate) fn linked_to(&self, session: &SessionKey) -> Vec<LinkRow> {
        let tables = self.tables();
        let mut links: Vec<LinkRow> =
            tables.links.values().filter(|link| link.target == *session).cloned().collect();
        links.sort_by(|a, b| a.place.cmp(&b.place));
        links
    }

    /// Whether a chat, named by its first id, is muted at `now`, which is steady time.
    pub(crate) fn is_muted(&self, account: &AccountId, chat: &str, now: DateTime<Utc>) -> bool {
        let tables = self.tables();
        if tables.chats.is_empty() {
            return false;
        }
        let muted = Address::at(account, chat, None).ok().and_then(|chat| {
            let row = tables.chats.get(&chat)?;
            Some(Pause { since: row.muted_at?, until: row.muted_until? })
        });
        muted.is_some_and(|pause| !pause.is_over(now))
    }

    /// The time zone that was chosen in a chat, which is named by its first id.
    pub(crate) fn zone(&self, account: &AccountId, chat: &str) -> Option<Tz> {
        let tables = self.tables();
        if tables.zones.is_empty() {
            return None;
        }
        tables.zones.get(&Address::at(account, chat, None).ok()?).copied()
    }

    /// Whether an admin has set any budget.
    pub(crate) fn has_budgets(&self) -> bool {
        !self.tables().budgets.is_empty()
    }

    /// What an admin has set for the budget of a subject and still holds.
    pub(crate) fn budget(&self, scope: BudgetScope, subject: &str, now: DateTime<Utc>) -> Option<BudgetRow> {
        let tables = self.tables();
        tables.budgets.get(&scope)?.get(subject).filter(|row| row.holds(now)).cloned()
    }

    /// Every budget that an admin has set and that still holds, in the order of their subjects.
    pub(crate) fn budgets(&self, now: DateTime<Utc>) -> Vec<BudgetRow> {
        let tables = self.tables();
        let rows = tables.budgets.values().flat_map(HashMap::values);
        let mut rows: Vec<BudgetRow> = rows.filter(|row| row.holds(now)).cloned().collect();
        rows.sort_by(|a, b| (a.scope, &a.subject).cmp(&(b.scope, &b.subject)));
        rows
    }

    /// The row of an account that an admin has disconnected.
    pub(crate) fn stopped(&self, account: &AccountId) -> Option<StoppedAccount> {
        self.tables().stopped.get(account).cloned()
    }

    /// Follows which admin has disconnected an account; `None` while it is connected.
    pub(crate) fn switch(&self, account: &AccountId) -> watch::Receiver<Option<String>> {
        let mut switches = self.switches.lock().unwrap_or_else(PoisonError::into_inner);
        let switch = switches.entry(account.clone());
        switch.or_insert_with(|| watch::Sender::new(self.stopped(account).map(|row| row.by))).subscribe()
    }

    /// The scopes in which somebody may write only because they are an admin: in private, and in groups that are open
    /// only to named people.
    pub(crate) fn scopes_as_admin(&self, rules: &AccessRules, principal: &Principal) -> Vec<Scope> {
        let Some(rules) = rules.of(principal.account()) else { return Vec::new() };
        let tables = self.tables();
        let closed_to_others = |context| {
            let grants = Grants { admin: false, ..tables.grants_of(principal, context, |_| true) };
            let who = Requester::person(principal);
            access::decide(rules, grants, who, context, Action::Write) != Decision::Allow
        };
        let groups = rules.groups.keys().map(|group| (Scope::Group(group.clone()), Context::Group(group)));
        let places = std::iter::once((Scope::Dm, Context::Dm)).chain(groups);
        places.filter(|(_, context)| closed_to_others(*context)).map(|(scope, _)| scope).collect()
    }

    /// Whether admins have granted somebody this scope; `None` means anything.
    pub(crate) fn holds(&self, who: &Principal, scope: Option<&Scope>) -> bool {
        let held = |grant: &GrantRow| scope.is_none_or(|scope| *scope == grant.scope);
        self.tables().grants.get(who).is_some_and(|grants| grants.iter().any(held))
    }

    /// Whether an admin has blocked somebody.
    pub(crate) fn is_blocked(&self, who: &Principal) -> bool {
        self.tables().blocked.contains_key(who)
    }

    /// Every valid grant, every chat that was set and every account that is disconnected.
    pub(crate) fn state(&self) -> AccessState {
        let tables = self.tables();
        AccessState {
            grants: tables.grants.values().flatten().cloned().collect(),
            blocked: tables.blocked.values().cloned().collect(),
            chats: tables.chats.values().cloned().collect(),
            links: tables.links.values().cloned().collect(),
            moved: Vec::new(),
            stopped: tables.stopped.values().cloned().collect(),
            budgets: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// The ids of an account's admins.
    pub(crate) fn admins(&self, rules: &AccessRules, account: &AccountId) -> Vec<String> {
        let tables = self.tables();
        let is_admin =
            |grant: &&GrantRow| grant.scope == Scope::Admin && grant.principal.account() == account;
        let granted = tables.grants.values().flatten().filter(is_admin);
        let mut ids: Vec<String> = granted.map(|grant| grant.principal.id().to_owned()).collect();
        ids.extend(rules.of(account).into_iter().flat_map(|rules| rules.admins.iter().cloned()));
        ids.sort();
        ids.dedup();
        ids
    }

    /// Waits until no other change is being made.
    pub(crate) async fn begin_change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Removes from memory the access that a change is about to remove from the database.
    pub(crate) fn take_away(&self, change: &AccessChange) {
        let mut tables = self.tables_mut();
        match change {
            AccessChange::Revoke { principal, scope, .. } => {
                if let Some(grants) = tables.grants.get_mut(principal) {
                    grants.retain(|grant| scope.as_ref().is_some_and(|scope| grant.scope != *scope));
                }
            }
            AccessChange::Block { principal, .. } => {
                // Only the key counts until the commit brings the row.
                let row = BlockRow {
                    principal: principal.clone(),
                    source: String::new(),
                    by: String::new(),
                    created: DateTime::UNIX_EPOCH,
                };
                tables.blocked.insert(principal.clone(), row);
            }
            AccessChange::Serve { chat, allowed: false } => {
                if let Some(row) = tables.chats.get_mut(chat) {
                    row.allowed = false;
                }
            }
            AccessChange::RotateToken { name, .. } => {
                tables.tokens.retain(|_, token| token.holder.name != *name)
            }
            AccessChange::RevokeToken { name, holder, .. } => {
                tables.tokens.retain(|_, token| token.holder.name != *name && token.name != *name);
                tables.grants.remove(holder);
                tables.programs.remove(holder);
            }
            AccessChange::LogOut { name } => tables.tokens.retain(|_, token| token.name != *name),
            _ => {}
        }
        drop(tables);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Takes over what is in the database, and connects or disconnects accounts accordingly.
    pub(crate) fn replace(&self, state: AccessState) {
        *self.tables_mut() = AccessTables::from(state);
        self.changes.send_modify(|count| *count += 1);
        for (account, switch) in &*self.switches.lock().unwrap_or_else(PoisonError::into_inner) {
            let by = self.stopped(account).map(|row| row.by);
            switch.send_if_modified(|known| {
                let changed = *known != by;
                *known = by;
                changed
            });
        }
    }

    fn tables(&self) -> RwLockReadGuard<'_, AccessTables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables_mut(&self) -> RwLockWriteGuard<'_, AccessTables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessTables {
    /// The program of which somebody is a user. An id of this form is nobody's user unless such a program exists.
    fn program_of(&self, principal: &Principal) -> Option<Principal> {
        if self.programs.is_empty() {
            return None;
        }
        principal.program().filter(|program| self.programs.contains(program))
    }

    fn grants_of(
        &self,
        principal: &Principal,
        context: Context<'_>,
        keeps: impl Fn(&Scope) -> bool,
    ) -> Grants {
        let account = principal.account();
        let mut grants = Grants { blocked: self.blocked.contains_key(principal), ..Grants::default() };
        if let Some(program) = self.program_of(principal) {
            let own = self.grants.get(&program).into_iter().flatten();
            grants.blocked |= self.blocked.contains_key(&program);
            grants.dm |= own.filter(|grant| keeps(&grant.scope)).any(|grant| grant.scope == Scope::Dm);
        }
        let held = self.grants.get(principal).into_iter().flatten();
        for grant in held.filter(|grant| keeps(&grant.scope)) {
            match (&grant.scope, context) {
                (Scope::Admin, _) => grants.admin = true,
                (Scope::Dm, _) => grants.dm = true,
                (Scope::Group(granted), Context::Group(group)) => {
                    grants.group |= self.is_same(account, granted, group);
                }
                (Scope::Group(_), Context::Dm) => {}
            }
        }
        if let Context::Group(group) = context
            && !self.chats.is_empty()
        {
            let here = |row: &ChatRow| {
                row.allowed && row.chat.account() == account && self.is_same(account, row.chat.chat(), group)
            };
            grants.here = match self.originals.is_empty() {
                true => {
                    let chat = Address::at(account, group, None).ok();
                    chat.and_then(|chat| self.chats.get(&chat)).is_some_and(|row| row.allowed)
                }
                false => self.chats.values().any(here),
            };
        }
        grants
    }
}

impl From<AccessState> for AccessTables {
    fn from(state: AccessState) -> Self {
        let mut grants: HashMap<Principal, Vec<GrantRow>> = HashMap::new();
        for grant in state.grants {
            grants.entry(grant.principal.clone()).or_default().push(grant);
        }
        let mut budgets: HashMap<BudgetScope, HashMap<String, BudgetRow>> = HashMap::new();
        for row in state.budgets {
            budgets.entry(row.scope).or_default().insert(row.subject.clone(), row);
        }
        let zone = |row: &ChatRow| Some((row.chat.clone(), parse_zone(row.zone.as_deref()?).ok()?));
        let zones = state.chats.iter().filter_map(zone).collect();
        let by_admins = |row: &ChatRow| row.zone.is_none() || row.allowed || row.muted_until.is_some();
        let chats = state.chats.into_iter().filter(by_admins);
        let is_program = |token: &TokenRow| token.scope == TokenScope::App && token.kind == TokenKind::Named;
        let names: HashSet<&str> =
            state.tokens.iter().filter(|token| is_program(token)).map(|token| token.name.as_str()).collect();
        let by_token = |grant: &GrantRow| grant.source == TOKEN && names.contains(grant.principal.id());
        let programs = grants.values().flatten().filter(|grant| by_token(grant));
        let programs = programs.map(|grant| grant.principal.clone()).collect();
        AccessTables {
            programs,
            grants,
            blocked: state.blocked.into_iter().map(|row| (row.principal.clone(), row)).collect(),
            chats: chats.map(|row| (row.chat.clone(), row)).collect(),
            zones,
            links: state.links.into_iter().map(|link| (link.place.clone(), link)).collect(),
            budgets,
            tokens: state.tokens.into_iter().map(|token| (token.hash, token)).collect(),
            originals: state.moved.into_iter().map(|row| (row.current, row.original)).collect(),
            stopped: state.stopped.into_iter().map(|row| (row.account.clone(), row)).collect(),
        }
    }
}
