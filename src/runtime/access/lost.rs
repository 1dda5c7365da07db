//! Who may not write any more because the configuration has changed.

use std::collections::BTreeSet;

use frontdesk_core::access::{Action, Context, Decision, Requester};
use frontdesk_core::address::{Address, Principal};
use frontdesk_store::row::{LostAccess, Scope};

use super::{Access, AccessRules};

impl Access {
    /// What people and groups have lost that the configuration named before and does not name any more. The rules
    /// are those of accounts when they were last connected: the messages of one that is not wait until it comes back.
    pub(crate) fn lost(&self, before: &AccessRules, after: &AccessRules) -> Vec<LostAccess> {
        let named: BTreeSet<(Principal, Scope)> = after.people().collect();
        let gone = before.people().filter(|entry| !named.contains(entry));
        let mut lost = Vec::new();
        for (principal, scope) in gone.filter(|(principal, _)| after.of(principal.account()).is_some()) {
            let scopes = match scope {
                Scope::Admin => self.lost_as_admin(before, after, &principal),
                scope if self.may_write_in(after, &principal, &scope) => continue,
                scope => vec![scope],
            };
            lost.extend(scopes.into_iter().map(|scope| LostAccess::Person {
                scope: self.by_first_id(&principal, scope),
                principal: principal.clone(),
                private: None,
            }));
        }
        lost.extend(self.lost_groups(before, after));
        lost
    }

    /// What somebody loses whom the configuration does not name as an admin any more: an admin's rights, and the places where
    /// they could write only with those.
    fn lost_as_admin(&self, before: &AccessRules, after: &AccessRules, who: &Principal) -> Vec<Scope> {
        let person = Requester::person(who);
        let is_admin = self.decide(after, person, Context::Dm, Action::Administer) == Decision::Allow;
        let groups = before.of(who.account()).into_iter().flat_map(|rules| rules.groups.keys());
        let places = std::iter::once(Scope::Dm).chain(groups.cloned().map(Scope::Group));
        let lost =
            |place: &Scope| self.may_write_in(before, who, place) && !self.may_write_in(after, who, place);
        (!is_admin).then_some(Scope::Admin).into_iter().chain(places.filter(lost)).collect()
    }

    fn may_write_in(&self, rules: &AccessRules, who: &Principal, place: &Scope) -> bool {
        let context = match place {
            Scope::Group(group) => Context::Group(group),
            Scope::Dm | Scope::Admin => Context::Dm,
        };
        self.decide(rules, Requester::person(who), context, Action::Write) == Decision::Allow
    }

    /// Groups that the configuration does not name any more and that no admin has set to be served.
    fn lost_groups(&self, before: &AccessRules, after: &AccessRules) -> Vec<LostAccess> {
        let mut lost = Vec::new();
        for account in before.accounts() {
            let (Some(old), Some(new)) = (before.of(account), after.of(account)) else { continue };
            let gone = old.groups.keys().filter(|group| !new.groups.contains_key(*group));
            let chats = gone.filter_map(|group| Address::at(account, group, None).ok());
            let unserved = chats.filter(|chat| !self.is_set_served(chat));
            lost.extend(unserved.map(|chat| LostAccess::Group(self.first_chat(chat))));
        }
        lost
    }

    /// The scope with the first id of its group, by which sessions are named.
    fn by_first_id(&self, who: &Principal, scope: Scope) -> Scope {
        match &scope {
            Scope::Group(group) => match Address::at(who.account(), group, None) {
                Ok(chat) => Scope::Group(self.original(&chat).into_owned()),
                Err(_) => scope,
            },
            Scope::Dm | Scope::Admin => scope,
        }
    }

    fn first_chat(&self, chat: Address) -> Address {
        Address::at(chat.account(), &self.original(&chat), None).unwrap_or(chat)
    }
}
