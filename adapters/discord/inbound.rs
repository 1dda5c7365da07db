//! Converts dispatches of the gateway to events. Nothing here waits, makes calls or logs.

mod attachment;
mod content;
mod conversation;
mod deletion;
mod forward;
mod interaction;
mod mention;
mod message;
mod person;
mod places;
mod quote;
mod reaction;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, AddressError, Principal};
use frontdesk_core::message::{Event, EventKind, RawEvent, Sender, Source};
use frontdesk_kit::json::{FieldError, Fields};

pub(crate) use deletion::deleted;
pub(crate) use interaction::{Interaction, InteractionKind};
pub(crate) use places::{Missing, Places, mentions_roles};

use crate::CHANNEL;

/// The bot's own identity on Discord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bot {
    /// The id of the bot user.
    pub id: String,
    /// The account in the configuration.
    pub account: AccountId,
    /// Whether a mention in a channel opens a thread for its answer.
    pub answers_in_threads: bool,
}

impl Bot {
    /// The source of this bot's events. Another bot in the same account would be another source.
    pub(crate) fn source(&self) -> Source {
        Source { id: format!("{CHANNEL}:{}", self.id), account: self.account.clone() }
    }

    fn principal(&self, id: &str) -> Result<Principal, AddressError> {
        Principal::at(&self.account, id)
    }

    fn address(&self, chat: &str, thread: Option<&str>) -> Result<Address, AddressError> {
        Address::at(&self.account, chat, thread)
    }
}

/// A dispatch of the gateway (op 0).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dispatch<'a> {
    /// The name of the event (`t`).
    pub name: &'a str,
    /// Identifies the dispatch among those of the bot: its session and its sequence number.
    pub id: &'a str,
    /// The data (`d`), as it arrived.
    pub data: &'a str,
}

/// A dispatch, parsed as far as possible.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParsedDispatch {
    /// The event.
    pub event: Event,
    /// The interaction that must be answered within three seconds.
    pub interaction: Option<Interaction>,
}

/// Parses a dispatch. `None` if nothing happened that concerns the gateway: the bot's own messages, previews of links,
/// messages that only one person sees, and everything that is no message. A dispatch that should be an event and cannot
/// be read becomes an event that says so. An error means that our own account's name cannot be part of an address.
pub(crate) fn parse(
    bot: &Bot,
    places: &Places,
    dispatch: Dispatch<'_>,
) -> Result<Option<ParsedDispatch>, AddressError> {
    let fields = Fields::of(dispatch.data, "");
    let read = match &fields {
        Some(fields) => event(bot, places, dispatch, fields),
        None if is_event(dispatch.name) => Err(FieldError("the data".to_owned())),
        None => Ok(None),
    };
    read.or_else(|FieldError(field)| {
        let id = fields.as_ref().and_then(|fields| fields.maybe::<String>("id"));
        let id = id.unwrap_or_else(|| dispatch.id.to_owned());
        let event = unreadable(bot, &dispatch.name.to_ascii_lowercase(), Some(id), &field, dispatch.data)?;
        Ok(Some(ParsedDispatch { event, interaction: None }))
    })
}

/// Whether a dispatch of this name may be an event.
fn is_event(name: &str) -> bool {
    matches!(
        name,
        "MESSAGE_CREATE"
            | "MESSAGE_UPDATE"
            | "MESSAGE_REACTION_ADD"
            | "MESSAGE_REACTION_REMOVE"
            | "INTERACTION_CREATE"
    )
}

fn event(
    bot: &Bot,
    places: &Places,
    dispatch: Dispatch<'_>,
    fields: &Fields<'_>,
) -> Result<Option<ParsedDispatch>, FieldError> {
    let plain = |event: Option<Event>| event.map(|event| ParsedDispatch { event, interaction: None });
    match dispatch.name {
        "MESSAGE_CREATE" => message::created(bot, places, fields, dispatch.data).map(plain),
        "MESSAGE_UPDATE" => message::updated(bot, places, fields, dispatch.data).map(plain),
        "MESSAGE_REACTION_ADD" => reaction::event(bot, places, dispatch, fields, true).map(plain),
        "MESSAGE_REACTION_REMOVE" => reaction::event(bot, places, dispatch, fields, false).map(plain),
        "INTERACTION_CREATE" => interaction::event(bot, dispatch, fields).map(Some),
        _ => Ok(None),
    }
}

/// Parses a message that was read from a channel's history after a gap; such a message names neither its guild nor
/// roles. No events as in [`parse`].
pub(crate) fn missed(
    bot: &Bot,
    places: &Places,
    in_guild: bool,
    data: &str,
) -> Result<Vec<Event>, AddressError> {
    let fields = Fields::of(data, "");
    let read = match &fields {
        Some(fields) => message::from_history(bot, places, fields, data, in_guild),
        None => Err(FieldError("the message".to_owned())),
    };
    read.or_else(|FieldError(field)| {
        let id = fields.as_ref().and_then(|fields| fields.maybe::<String>("id"));
        Ok(vec![unreadable(bot, "message_create", id, &field, data)?])
    })
}

/// An event whose sender or place could not be read.
fn unreadable(
    bot: &Bot,
    kind: &str,
    id: Option<String>,
    field: &str,
    data: &str,
) -> Result<Event, AddressError> {
    Event::undecodable(&bot.source(), id, raw_event(kind, field, data))
}

/// What arrived, with the name of the field that is to blame.
fn raw_event(kind: &str, field: &str, data: &str) -> RawEvent {
    let reason = format!("{field} is missing or cannot be read");
    RawEvent { kind: kind.to_owned(), reason, body: data.as_bytes().to_vec() }
}

/// An event without a text.
fn bare(id: &str, kind: EventKind, sender: Sender, place: conversation::EventPlace) -> Event {
    let conversation::EventPlace { address, conversation } = place;
    Event { addressed: conversation.is_private(), ..Event::new(id, kind, sender, address, conversation) }
}

#[cfg(test)]
mod tests;
