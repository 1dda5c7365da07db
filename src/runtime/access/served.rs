//! Which groups are served: those that the configuration names, and those that admins have set.

use std::collections::BTreeSet;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_store::row::ChatRow;

use super::{Access, AccessRules};

impl Access {
    /// Whether the configuration or an admin has a group served. It may be named by any of its ids.
    pub(crate) fn serves(&self, rules: &AccessRules, account: &AccountId, group: &str) -> bool {
        let configured = rules.of(account).is_some_and(|rules| {
            let configured = self.tables().configured_group(rules, account, group);
            rules.groups.contains_key(configured.as_deref().unwrap_or(group))
        });
        configured || Address::at(account, group, None).is_ok_and(|chat| self.is_set_served(&chat))
    }

    /// The ids of the groups of an account that are served.
    pub(crate) fn served_groups(&self, rules: &AccessRules, account: &AccountId) -> BTreeSet<String> {
        let tables = self.tables();
        let set = tables.chats.values().filter(|row| row.allowed && row.chat.account() == account);
        let configured = rules.of(account).into_iter().flat_map(|rules| rules.groups.keys().cloned());
        configured.chain(set.map(|row| row.chat.chat().to_owned())).collect()
    }

    /// Whether an admin has set a group to be served.
    pub(super) fn is_set_served(&self, chat: &Address) -> bool {
        let (tables, account) = (self.tables(), chat.account());
        let is_this = |row: &ChatRow| {
            row.chat.account() == account && tables.is_same(account, row.chat.chat(), chat.chat())
        };
        tables.chats.values().any(|row| row.allowed && is_this(row))
    }
}
