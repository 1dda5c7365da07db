//! The chats of the people who operate the gateway.

use frontdesk_core::account::{AccountId, NoSuchChannel};
use frontdesk_core::address::{Address, Principal};

use crate::settings::Settings;
use crate::shared::Shared;

impl Shared {
    /// The chats that are told of what concerns the gateway itself: those in the file, else the operator's chat on the
    /// page and the private chats of all admins. Chats of channels that are not configured do not count: an alarm must reach
    /// somebody.
    pub(crate) fn operator_chats(&self, settings: &Settings) -> Vec<Address> {
        let mut configured = settings.config.watchdog.chats();
        configured.retain(|chat| self.adapters.at(chat).is_some());
        if !configured.is_empty() {
            return configured;
        }
        let mut chats = Vec::new();
        for account in self.adapters.ids() {
            chats.extend(self.operator_chat(&account));
            chats.extend(self.admins_chats(settings, &account));
        }
        chats
    }

    /// The chat that hears of the heartbeat; `None` if nobody can be told.
    pub(crate) fn heartbeat_chat(&self, settings: &Settings) -> Option<Address> {
        let configured = settings.config.heartbeat.chat().filter(|chat| self.adapters.at(chat).is_some());
        configured.or_else(|| self.operator_chats(settings).into_iter().next())
    }

    /// The chats in the file that cannot be told anything, because their channel is not configured. One sentence each.
    pub(crate) fn unreachable_chats(&self, settings: &Settings) -> Vec<String> {
        let config = &settings.config;
        let mut named: Vec<(String, Address)> = Vec::new();
        named.extend(config.watchdog.chats().into_iter().map(|chat| ("watchdog.notify".to_owned(), chat)));
        named.extend(config.heartbeat.chat().map(|chat| ("heartbeat.to".to_owned(), chat)));
        for (name, list) in &config.broadcast {
            let chats = list.addresses().unwrap_or_default();
            named.extend(chats.into_iter().map(|chat| (format!("broadcast.{name}.to"), chat)));
        }
        named.retain(|(_, chat)| self.adapters.at(chat).is_none());
        let sentence = |(key, chat): (String, Address)| {
            let unknown = NoSuchChannel::new(chat.account(), self.adapters.ids());
            format!("{key}: {chat} gets nothing, because {unknown}")
        };
        named.into_iter().map(sentence).collect()
    }

    /// The private chats of an account's admins, on platforms where the chat follows from a person's id.
    pub(crate) fn admins_chats(&self, settings: &Settings, account: &AccountId) -> Vec<Address> {
        let Some(prefix) = self.person_chat(account) else { return Vec::new() };
        let ids = self.access.admins(&settings.access, account);
        let chat = |id: String| Address::at(account, &format!("{prefix}{id}"), None).ok();
        ids.into_iter().filter_map(chat).collect()
    }

    /// The private chat of a person, on platforms where the chat follows from their id.
    pub(crate) fn private_chat(&self, principal: &Principal) -> Option<Address> {
        let prefix = self.person_chat(principal.account())?;
        Address::at(principal.account(), &format!("{prefix}{}", principal.id()), None).ok()
    }

    fn operator_chat(&self, account: &AccountId) -> Option<Address> {
        let connection = self.adapters.get(account)?;
        let chat = connection.adapter().profile().operator_chat.clone()?;
        Address::at(account, &chat, None).ok()
    }

    fn person_chat(&self, account: &AccountId) -> Option<String> {
        self.adapters.get(account)?.adapter().profile().person_chat.clone()
    }
}
