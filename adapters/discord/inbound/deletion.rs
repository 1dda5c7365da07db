//! Deleted messages. Discord names only their ids.

use frontdesk_core::address::AddressError;
use frontdesk_core::message::Event;
use frontdesk_kit::json::Fields;

use super::Bot;

/// The events of a dispatch that names deleted messages.
pub(crate) fn deleted(bot: &Bot, name: &str, data: &Fields<'_>) -> Result<Vec<Event>, AddressError> {
    let ids: Vec<String> = match name {
        "MESSAGE_DELETE" => data.maybe("id").into_iter().collect(),
        "MESSAGE_DELETE_BULK" => data.list("ids").unwrap_or_default(),
        _ => Vec::new(),
    };
    ids.into_iter().map(|id| Event::deleted_by_id(&bot.source(), id)).collect()
}
