//! Updates as events. Nothing here waits, asks or logs.

mod album;
mod button;
mod content;
mod membership;
mod mend;
mod mention;
mod message;
mod person;
mod place;
mod quote;
mod reaction;
mod read;

use frontdesk_core::address::{Address, AddressError, Principal};
use frontdesk_core::message::{Event, EventKind, Place, Source, Speaker};
use teloxide_core::types::UpdateKind;

pub(crate) use album::Albums;
use read::Read;

use crate::CHANNEL;

/// Who we are on Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    /// The bot's id.
    pub id: u64,
    /// The bot's name, without its `@`.
    pub username: String,
    /// The account as the configuration names it.
    pub account: String,
}

impl Me {
    /// Where this bot's updates come from. Another bot under the same account is another source.
    pub(crate) fn source(&self) -> Source {
        Source { id: format!("{CHANNEL}:{}", self.id), channel: CHANNEL, account: self.account.clone() }
    }

    fn principal(&self, id: impl ToString) -> Result<Principal, AddressError> {
        Principal::new(CHANNEL, Some(&self.account), &id.to_string())
    }

    fn address(&self, chat: &str, thread: Option<&str>) -> Result<Address, AddressError> {
        Address::new(CHANNEL, Some(&self.account), chat, thread)
    }
}

/// An update, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Understood {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub event: Event,
    /// What must be answered so that the button stops to turn.
    pub callback: Option<String>,
}

/// What an update says; `None` if it has no number, by which alone it could be acknowledged.
pub(crate) fn understand(me: &Me, raw: &str) -> Option<Understood> {
    let (id, read) = read::read(raw)?;
    let mut callback = None;
    let event = match read {
        Read::Unknown(name) => unknown(me, id, name),
        Read::Update(update, strange) => match &update.kind {
            UpdateKind::Message(said) | UpdateKind::ChannelPost(said) => {
                let way = message::Way { edited: false, passed_on: read::is_passed_on(raw) };
                message::event(me, id, said, way, strange)
            }
            UpdateKind::EditedMessage(said) | UpdateKind::EditedChannelPost(said) => {
                let way = message::Way { edited: true, passed_on: read::is_passed_on(raw) };
                message::event(me, id, said, way, strange)
            }
            UpdateKind::CallbackQuery(query) => {
                callback = Some(query.id.0.clone());
                button::event(me, id, query)
            }
            UpdateKind::MessageReaction(reaction) => reaction::event(me, id, reaction),
            UpdateKind::MyChatMember(change) => membership::event(me, id, change),
            // We did not ask for the others.
            _ => unknown(me, id, read::name(raw)),
        },
    };
    Some(Understood { id, event: event.ok()?, callback })
}

/// An event of which nothing is known but its number.
fn unknown(me: &Me, id: i64, name: String) -> Result<Event, AddressError> {
    let nobody = person::Who { principal: me.principal(0)?, speaker: Speaker::Chat, name: None };
    let nowhere =
        place::Spot { address: me.address("0", None)?, place: Place::Group { chat: "0".to_owned() } };
    Ok(event(id, EventKind::Other(name), nobody, nowhere))
}

/// An event without words.
fn event(id: i64, kind: EventKind, who: person::Who, spot: place::Spot) -> Event {
    Event {
        id: id.to_string(),
        kind,
        principal: who.principal,
        speaker: who.speaker,
        roles: Vec::new(),
        addressed: spot.place.is_private(),
        address: spot.address,
        place: spot.place,
        forwarded: false,
        text: String::new(),
        sender: who.name,
        platform_message: None,
        quote: None,
        album: None,
        attachments: Vec::new(),
        sent_at: None,
    }
}

#[cfg(test)]
mod tests;
