//! Who may write according to the configuration file.

use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::access::{ChannelAccess, DmPolicy};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::visible::quoted_label;
use frontdesk_store::row::Scope;

/// What the configuration allows on one account to others than single people, or beside writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredAccess {
    /// The account.
    pub account: AccountId,
    /// To whom.
    pub who: AllowedGroup,
    /// What they may do there.
    pub may: AllowedAction,
    /// Where; `None` for wherever a person may.
    pub scope: Option<Scope>,
}

/// Those to whom the configuration allows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedGroup {
    /// Everybody who can write there.
    Everybody,
    /// Those with a role there, of a team or in a user group.
    Role(String),
    /// A person, by id.
    Person(String),
    /// A program, by id.
    Bot(String),
}

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedAction {
    /// To write to the agent.
    Write,
    /// To change the conversation of a group, and to stop what others asked for.
    Moderate,
}

fn of_account(account: &AccountId, rules: &ChannelAccess) -> Vec<ConfiguredAccess> {
    let entry = |who, may, scope| ConfiguredAccess { account: account.clone(), who, may, scope };
    let writes = |who, scope: &Scope| entry(who, AllowedAction::Write, Some(scope.clone()));
    let roles = |roles: &BTreeSet<String>| roles.iter().cloned().map(AllowedGroup::Role).collect::<Vec<_>>();
    let mut all = Vec::new();
    if rules.dm_policy == DmPolicy::Open {
        all.push(writes(AllowedGroup::Everybody, &Scope::Dm));
    }
    all.extend(roles(&rules.allow_roles).into_iter().map(|role| writes(role, &Scope::Dm)));
    for (id, group) in &rules.groups {
        let here = Scope::Group(id.clone());
        match group.closed {
            true => all.extend(roles(&group.members.roles).into_iter().map(|role| writes(role, &here))),
            false => all.push(writes(AllowedGroup::Everybody, &here)),
        }
        let people = group.moderators.people.iter().cloned().map(AllowedGroup::Person);
        let moderators = people.chain(roles(&group.moderators.roles));
        all.extend(moderators.map(|who| entry(who, AllowedAction::Moderate, Some(here.clone()))));
    }
    all.extend(rules.bots.iter().map(|id| entry(AllowedGroup::Bot(id.clone()), AllowedAction::Write, None)));
    all
}

/// The access rules of every configured account.
#[derive(Default)]
pub(crate) struct AccessRules(BTreeMap<AccountId, ChannelAccess>);

impl AccessRules {
    pub(crate) fn new(rules: BTreeMap<AccountId, ChannelAccess>) -> Self {
        Self(rules)
    }

    /// These rules for the accounts that are connected. The others keep those under which they were last connected.
    pub(crate) fn when_connected(
        &self,
        before: &AccessRules,
        connected: &BTreeSet<AccountId>,
    ) -> AccessRules {
        let mut rules = before.0.clone();
        let now = self.0.iter().filter(|(account, _)| connected.contains(*account));
        rules.extend(now.map(|(account, rules)| (account.clone(), rules.clone())));
        Self(rules)
    }

    /// The rules of one account; `None` if it is not configured.
    pub(crate) fn of(&self, account: &AccountId) -> Option<&ChannelAccess> {
        self.0.get(account)
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.0.keys()
    }

    /// The people whom the configuration names, and where they may write.
    pub(crate) fn people(&self) -> impl Iterator<Item = (Principal, Scope)> {
        self.0.iter().flat_map(|(account, rules)| {
            let people = rules.allow.iter().map(|id| (id, Scope::Dm));
            let admins = rules.admins.iter().map(|id| (id, Scope::Admin));
            let groups = rules.groups.iter().flat_map(|(group, named)| {
                named.members.people.iter().map(move |id| (id, Scope::Group(group.clone())))
            });
            let all = people.chain(admins).chain(groups);
            all.filter_map(move |(id, scope)| Some((Principal::at(account, id).ok()?, scope)))
        })
    }

    /// What the configuration allows other than to single people to write.
    pub(crate) fn others(&self) -> Vec<ConfiguredAccess> {
        self.0.iter().flat_map(|(account, rules)| of_account(account, rules)).collect()
    }

    /// The keys of the configuration that allow somebody something in a scope, or in any.
    pub(crate) fn places_of(&self, who: &Principal, scope: Option<&Scope>) -> Vec<String> {
        let named = self
            .people()
            .filter(|(named, allowed)| named == who && scope.is_none_or(|scope| scope == allowed));
        let key = |scope: &Scope| match scope {
            Scope::Dm => "`allow`".to_owned(),
            Scope::Admin => "`admins`".to_owned(),
            Scope::Group(group) => format!("`allow` of the group {}", quoted_label(group)),
        };
        named.map(|(_, allowed)| format!("{} of `{}`", key(&allowed), who.account())).collect()
    }

    /// Whether a group is configured by this id.
    pub(super) fn names_group(&self, chat: &Address) -> bool {
        self.of(chat.account()).is_some_and(|rules| rules.groups.contains_key(chat.chat()))
    }
}
