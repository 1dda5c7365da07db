//! The ids of a chat: one that has moved has several, and the configuration and admins may use any of them.

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_store::row::{GrantRow, Scope};

use super::{Access, AccessRules, AccessTables};

impl Access {
    /// The id of a chat for which `knows` is true: the given one, another one of the same chat, or else the first one.
    /// `None` if the given id serves.
    pub(crate) fn name_for(
        &self,
        account: &AccountId,
        chat: &str,
        knows: impl Fn(&str) -> bool,
    ) -> Option<String> {
        self.tables().name_for(account, chat, knows)
    }

    /// Whether the configuration or an admin names a chat by this id.
    pub(crate) fn is_named(&self, rules: &AccessRules, chat: &Address) -> bool {
        rules.names_group(chat) || self.tables().is_named(chat)
    }
}

impl AccessTables {
    /// See [`Access::name_for`].
    fn name_for(&self, account: &AccountId, chat: &str, knows: impl Fn(&str) -> bool) -> Option<String> {
        if self.originals.is_empty() || knows(chat) {
            return None;
        }
        let given = Address::at(account, chat, None).ok()?;
        let first = self.originals.get(&given).unwrap_or(&given);
        let later = self.originals.iter().filter(|(_, original)| *original == first).map(|(now, _)| now);
        let named = std::iter::once(first).chain(later).find(|name| knows(name.chat()));
        Some(named.unwrap_or(first).chat().to_owned())
    }

    /// The id by which an account's rules name a group, if it is not the given one.
    pub(super) fn configured_group(
        &self,
        rules: &ChannelAccess,
        account: &AccountId,
        group: &str,
    ) -> Option<String> {
        self.name_for(account, group, |name| rules.groups.contains_key(name))
    }

    /// Whether two ids of one account name one chat.
    pub(super) fn is_same(&self, account: &AccountId, one: &str, other: &str) -> bool {
        one == other
            || (!self.originals.is_empty() && {
                let first = |chat| {
                    let chat = Address::at(account, chat, None).ok()?;
                    Some(self.originals.get(&chat).cloned().unwrap_or(chat))
                };
                first(one).is_some_and(|one| Some(one) == first(other))
            })
    }

    fn is_named(&self, chat: &Address) -> bool {
        let granted = |grant: &GrantRow| {
            grant.principal.account() == chat.account()
                && matches!(&grant.scope, Scope::Group(group) if group == chat.chat())
        };
        self.chats.contains_key(chat)
            || self.zones.contains_key(chat)
            || self.grants.values().flatten().any(granted)
    }
}
