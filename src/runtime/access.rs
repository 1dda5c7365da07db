//! Who may speak, as it is known right now: the configuration's rules and what admins granted. The truth is the
//! database; this is its copy in memory, so that a decision costs no read.

mod change;
mod left;
mod loops;
mod names;
mod strangers;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use chrono::{DateTime, Utc};
use frontdesk_core::access::{self, Action, ChannelAccess, Context, Decision, DenyReason, Grants, Who};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::port::Clock;
use frontdesk_core::time::Pause;
use frontdesk_store::row::{AccessState, ChatRow, GrantRow, Scope, StoppedAccount};
use tokio::sync::Mutex;

pub(crate) use left::said as revoked;
use loops::Loops;
pub(crate) use strangers::MOST_OPEN;
use strangers::Strangers;

pub(crate) struct Access {
    /// What the operator wrote.
    rules: BTreeMap<AccountId, ChannelAccess>,
    /// What admins granted.
    known: RwLock<Known>,
    /// Held while something is changed, so that an older reading of the database never replaces a newer one.
    changing: Mutex<()>,
    /// How many strangers get an answer.
    pub(crate) strangers: Strangers,
    /// Programs that talk to each other without end.
    pub(crate) loops: Loops,
}

/// The database's tables, arranged for questions.
#[derive(Default)]
struct Known {
    grants: HashMap<Principal, Vec<GrantRow>>,
    chats: HashMap<Address, ChatRow>,
    /// Chats that have moved: from what they are called now to what they were called first.
    originals: HashMap<Address, Address>,
    stopped: HashMap<AccountId, StoppedAccount>,
}

impl Access {
    pub(crate) fn new(
        rules: BTreeMap<AccountId, ChannelAccess>,
        state: AccessState,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            rules,
            known: RwLock::new(Known::from(state)),
            changing: Mutex::default(),
            strangers: Strangers::new(clock),
            loops: Loops::default(),
        }
    }

    /// Whether somebody may do something: the one rule, for every way in. A group is named by any of its ids.
    pub(crate) fn decide(&self, who: Who<'_>, context: Context<'_>, action: Action) -> Decision {
        let account = who.principal.account();
        let Some(rules) = self.rules.get(account) else { return Decision::Deny(DenyReason::NotAllowed) };
        let known = self.known();
        let ruled = match context {
            Context::Group(group) => known.ruled(rules, account, group),
            Context::Dm => None,
        };
        let context = ruled.as_deref().map_or(context, Context::Group);
        access::decide(rules, known.grants_of(who.principal, context, |_| true), who, context, action)
    }

    /// The first id of a chat that may have moved.
    pub(crate) fn original<'a>(&self, address: &'a Address) -> Cow<'a, str> {
        let known = self.known();
        if known.originals.is_empty() {
            return Cow::Borrowed(address.chat());
        }
        match whole(address).and_then(|chat| known.originals.get(&chat).cloned()) {
            Some(original) => Cow::Owned(original.chat().to_owned()),
            None => Cow::Borrowed(address.chat()),
        }
    }

    /// Whether nothing is answered in a chat now, which is steady time. The chat is named by its first id.
    pub(crate) fn is_muted(&self, account: &AccountId, chat: &str, now: DateTime<Utc>) -> bool {
        let known = self.known();
        if known.chats.is_empty() {
            return false;
        }
        let muted = Address::at(account, chat, None).ok().and_then(|chat| {
            let row = known.chats.get(&chat)?;
            Some(Pause { since: row.muted_at?, until: row.muted_until? })
        });
        muted.is_some_and(|pause| !pause.is_over(now))
    }

    /// Who disconnected an account.
    pub(crate) fn stopped(&self, account: &AccountId) -> Option<StoppedAccount> {
        self.known().stopped.get(account).cloned()
    }

    /// What the operator wrote about an account.
    pub(crate) fn rules(&self, account: &AccountId) -> Option<&ChannelAccess> {
        self.rules.get(account)
    }

    /// What the operator wrote, all of it.
    pub(crate) fn all_rules(&self) -> &BTreeMap<AccountId, ChannelAccess> {
        &self.rules
    }

    /// Where somebody could not speak without an admin's grant: in private, and in groups that are for some people
    /// alone.
    pub(crate) fn open_to_admins_alone(&self, principal: &Principal) -> Vec<Scope> {
        let Some(rules) = self.rules.get(principal.account()) else { return Vec::new() };
        let known = self.known();
        let shut = |context| {
            let grants = Grants { admin: false, ..known.grants_of(principal, context, |_| true) };
            let who = Who::person(principal);
            access::decide(rules, grants, who, context, Action::Speak) != Decision::Allow
        };
        let groups = rules.groups.keys().map(|group| (Scope::Group(group.clone()), Context::Group(group)));
        let places = std::iter::once((Scope::Dm, Context::Dm)).chain(groups);
        places.filter(|(_, context)| shut(*context)).map(|(scope, _)| scope).collect()
    }

    /// People whom the operator named, and where.
    pub(crate) fn written(&self) -> impl Iterator<Item = (Principal, Scope)> {
        self.rules.iter().flat_map(|(account, rules)| {
            let people = rules.allow.iter().map(|id| (id, Scope::Dm));
            let admins = rules.admins.iter().map(|id| (id, Scope::Admin));
            let groups = rules.groups.iter().flat_map(|(group, named)| {
                named.people.iter().map(move |id| (id, Scope::Group(group.clone())))
            });
            let all = people.chain(admins).chain(groups);
            all.filter_map(move |(id, scope)| Some((Principal::at(account, id).ok()?, scope)))
        })
    }

    /// Whether anything is granted to somebody.
    pub(crate) fn holds_any(&self, who: &Principal) -> bool {
        self.known().grants.get(who).is_some_and(|grants| !grants.is_empty())
    }

    /// Every grant that holds, every chat that was set and every account that is disconnected.
    pub(crate) fn state(&self) -> AccessState {
        let known = self.known();
        AccessState {
            grants: known.grants.values().flatten().cloned().collect(),
            chats: known.chats.values().cloned().collect(),
            moved: Vec::new(),
            stopped: known.stopped.values().cloned().collect(),
        }
    }

    /// The ids of an account's admins.
    pub(crate) fn admins(&self, account: &AccountId) -> Vec<String> {
        let known = self.known();
        let granted = known
            .grants
            .values()
            .flatten()
            .filter(|grant| grant.scope == Scope::Admin && grant.principal.account() == account);
        let mut ids: Vec<String> = granted.map(|grant| grant.principal.id().to_owned()).collect();
        ids.extend(self.rules.get(account).into_iter().flat_map(|rules| rules.admins.iter().cloned()));
        ids.sort();
        ids.dedup();
        ids
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn grants_of(
        &self,
        principal: &Principal,
        context: Context<'_>,
        keeps: impl Fn(&Scope) -> bool,
    ) -> Grants {
        let account = principal.account();
        let mut grants = Grants::default();
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

impl From<AccessState> for Known {
    fn from(state: AccessState) -> Self {
        let mut grants: HashMap<Principal, Vec<GrantRow>> = HashMap::new();
        for grant in state.grants {
            grants.entry(grant.principal.clone()).or_default().push(grant);
        }
        Known {
            grants,
            chats: state.chats.into_iter().map(|row| (row.chat.clone(), row)).collect(),
            originals: state.moved.into_iter().map(|row| (row.current, row.original)).collect(),
            stopped: state.stopped.into_iter().map(|row| (row.account.clone(), row)).collect(),
        }
    }
}

/// A chat without its thread.
pub(crate) fn whole(address: &Address) -> Option<Address> {
    Address::at(address.account(), address.chat(), None).ok()
}
