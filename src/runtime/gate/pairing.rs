//! The message of an unknown sender becomes a request for a pairing code; its text is not kept.

use frontdesk_core::address::Address;
use frontdesk_core::pairing::{Code, Salt};
use frontdesk_store::row::PairingRequest;

use super::admission::Admission;
use crate::access::MOST_OPEN;

/// The request; `None` where no code can be made.
pub(super) fn request(admission: &Admission<'_>) -> Option<PairingRequest> {
    let (shared, event) = (admission.shared, admission.event);
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).ok()?;
    let salt = Salt(bits);
    let known = shared.inbound.recent.contains(&admission.source.id, &event.id);
    Some(PairingRequest {
        salt,
        hash: Code::derive(&admission.settings.pairing_secret, salt).hash(salt),
        most: MOST_OPEN,
        open: known || shared.access.pairing_limits.may_ask(&admission.source.account),
        tell: admins(admission),
    })
}

/// Where the account's admins are told who asks.
fn admins(admission: &Admission<'_>) -> Vec<Address> {
    let (shared, account) = (admission.shared, &admission.source.account);
    let chats = shared.admins_chats(admission.settings, account);
    match chats.is_empty() || !shared.access.pairing_limits.may_tell(account) {
        true => Vec::new(),
        false => chats,
    }
}
