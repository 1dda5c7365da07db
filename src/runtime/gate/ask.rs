//! A stranger's message becomes a request to be let in; what it says is not kept.

use frontdesk_core::address::Address;
use frontdesk_core::pairing::{Code, Salt};
use frontdesk_store::row::{Ask, Item};

use super::DENIED;
use super::scene::Scene;
use crate::access::MOST_OPEN;

/// The request, or nothing where no code can be made.
pub(super) fn item(scene: &Scene<'_>) -> Item {
    let (house, event) = (scene.house, scene.event);
    let mut bits = [0; 16];
    let (Ok(()), Ok(session)) = (getrandom::fill(&mut bits), scene.session()) else {
        return Item::PassedOver(format!("{DENIED}unknown"));
    };
    let salt = Salt(bits);
    let place = (scene.source.channel.to_owned(), scene.source.account.clone());
    let known = house.recent.knows(&scene.source.id, &event.id);
    Item::Ask(Box::new(Ask {
        event_id: event.id.clone(),
        session,
        principal: event.principal.clone(),
        address: event.address.clone(),
        sender: event.sender.clone(),
        platform_message: event.platform_message.clone(),
        salt,
        hash: Code::derive(&house.secret, salt).hash(salt),
        most: MOST_OPEN,
        open: known || house.access.strangers.may_ask(&place),
        tell: admins(scene, &place),
    }))
}

/// Where the account's admins are told who asks.
fn admins(scene: &Scene<'_>, place: &(String, String)) -> Vec<Address> {
    let house = scene.house;
    let prefix = house.adapters.get(&place.0, &place.1).and_then(|to| to.adapter.profile().person_chat);
    let Some(prefix) = prefix else { return Vec::new() };
    let ids = house.access.admins(place);
    if ids.is_empty() || !house.access.strangers.may_tell(place) {
        return Vec::new();
    }
    let chat = |id: String| Address::new(&place.0, Some(&place.1), &format!("{prefix}{id}"), None).ok();
    ids.into_iter().filter_map(chat).collect()
}
