//! A stranger's message becomes a request to be let in; what it says is not kept.

use frontdesk_core::address::Address;
use frontdesk_core::pairing::{Code, Salt};
use frontdesk_store::row::{Ask, Item};

use super::DENIED;
use super::admission::Admission;
use crate::access::MOST_OPEN;

/// The request, or nothing where no code can be made.
pub(super) fn item(admission: &Admission<'_>) -> Item {
    let (shared, event) = (admission.shared, admission.event);
    let mut bits = [0; 16];
    let (Ok(()), Ok(session)) = (getrandom::fill(&mut bits), admission.session()) else {
        return Item::Dropped(format!("{DENIED}unknown"));
    };
    let salt = Salt(bits);
    let account = &admission.source.account;
    let known = shared.inbound.recent.contains(&admission.source.id, &event.id);
    Item::Ask(Box::new(Ask {
        event_id: event.id.clone(),
        session,
        principal: event.principal.clone(),
        address: event.address.clone(),
        sender: event.sender.clone(),
        platform_message: event.platform_message.clone(),
        salt,
        hash: Code::derive(&shared.settings.pairing_secret, salt).hash(salt),
        most: MOST_OPEN,
        open: known || shared.access.pairing_limits.may_ask(account),
        tell: admins(admission),
    }))
}

/// Where the account's admins are told who asks.
fn admins(admission: &Admission<'_>) -> Vec<Address> {
    let (shared, account) = (admission.shared, &admission.source.account);
    let prefix = shared.adapters.get(account).and_then(|to| to.adapter.profile().person_chat);
    let Some(prefix) = prefix else { return Vec::new() };
    let ids = shared.access.admins(&shared.settings.access, account);
    if ids.is_empty() || !shared.access.pairing_limits.may_tell(account) {
        return Vec::new();
    }
    let chat = |id: String| Address::at(account, &format!("{prefix}{id}"), None).ok();
    ids.into_iter().filter_map(chat).collect()
}
