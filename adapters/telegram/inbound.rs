//! Converts updates to events. Nothing here waits, makes calls or logs.

mod album;
mod button;
mod content;
mod conversation;
mod forward;
mod link;
mod membership;
mod mention;
mod message;
mod model;
mod person;
mod quote;
mod reaction;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, AddressError, Principal};
use frontdesk_core::message::{Event, EventKind, RawEvent, Sender, SenderKind, Source};

pub(crate) use album::Albums;
use frontdesk_kit::json::{FieldError, Fields};

use crate::CHANNEL;

/// The kinds of updates that we ask for. Telegram leaves out some kinds that are not named.
pub(crate) const UPDATES: [&str; 7] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "message_reaction",
    "my_chat_member",
];

/// Kinds of updates that we do not ask for, but may get anyway.
const NOT_OURS: [&str; 18] = [
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "guest_message",
    "managed_bot",
];

/// The bot's own identity on Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bot {
    /// The bot's id.
    pub id: i64,
    /// The bot's user name, without its `@`.
    pub username: String,
    /// The account in the configuration.
    pub account: AccountId,
    /// Whether people without a user name are ignored.
    pub require_username: bool,
}

impl Bot {
    /// The source of this bot's updates. Another bot in the same account would be another source.
    pub(crate) fn source(&self) -> Source {
        Source { id: format!("{CHANNEL}:{}", self.id), account: self.account.clone() }
    }

    fn principal(&self, id: impl ToString) -> Result<Principal, AddressError> {
        Principal::at(&self.account, &id.to_string())
    }

    fn address(&self, chat: &str, thread: Option<&str>) -> Result<Address, AddressError> {
        Address::at(&self.account, chat, thread)
    }
}

/// An update, parsed as far as possible.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParsedUpdate {
    /// Its number, which acknowledges it; `None` if it cannot be read.
    pub id: Option<u64>,
    /// The event.
    pub event: Event,
    /// The id of the callback query that must be answered.
    pub callback: Option<String>,
}

/// Parses an update. No update is dropped: an unreadable one becomes an event that says so. An error means that our own
/// account's name cannot be part of an address.
pub(crate) fn parse(bot: &Bot, raw: &str) -> Result<ParsedUpdate, AddressError> {
    let update = Fields::of(raw, "");
    let number = update.as_ref().and_then(|update| update.maybe::<u64>("update_id"));
    let query = update.as_ref().and_then(|update| update.maybe::<Fields<'_>>("callback_query"));
    let callback = query.and_then(|query| query.maybe("id"));
    let read = match (&update, number) {
        (Some(update), Some(number)) => {
            event(bot, &number.to_string(), update, raw).map(|event| named(bot, update, event))
        }
        (Some(_), None) => Err(FieldError("update_id".to_owned())),
        (None, _) => Err(FieldError("the update".to_owned())),
    };
    let event = match read {
        Ok(event) => event,
        Err(FieldError(field)) => {
            let raw = raw_event(update.as_ref(), &field, raw);
            Event::undecodable(&bot.source(), number.map(|number| number.to_string()), raw)?
        }
    };
    Ok(ParsedUpdate { id: number, event, callback })
}

/// Converts an update of a known kind.
fn event(bot: &Bot, id: &str, update: &Fields<'_>, raw: &str) -> Result<Event, FieldError> {
    let kind = kind(update);
    let fields = || update.need::<Fields<'_>>(kind);
    match kind {
        "message" | "channel_post" => message::event(bot, id, &fields()?, false, raw),
        "edited_message" | "edited_channel_post" => message::event(bot, id, &fields()?, true, raw),
        "callback_query" => button::event(bot, id, &fields()?),
        "message_reaction" => reaction::event(bot, id, &fields()?),
        "my_chat_member" => membership::event(bot, id, &fields()?),
        "" => Err(FieldError(content::unknown(update, &["update_id"]))),
        other => {
            let sender = person::unknown_sender(bot)?;
            Ok(self::bare(id, EventKind::Other(other.to_owned()), sender, conversation::unknown_chat(bot)?))
        }
    }
}

/// The event, unless it is of a person whose user name is required and missing.
fn named(bot: &Bot, update: &Fields<'_>, event: Event) -> Event {
    if !bot.require_username || event.from.kind != SenderKind::Person {
        return event;
    }
    let fields = update.maybe::<Fields<'_>>(kind(update));
    let user = fields
        .and_then(|fields| fields.maybe::<Fields<'_>>("from").or_else(|| fields.maybe::<Fields<'_>>("user")));
    let has_name =
        user.and_then(|user| user.maybe::<String>("username")).is_some_and(|name| !name.is_empty());
    if has_name { event } else { Event { kind: EventKind::Other("without_username".to_owned()), ..event } }
}

/// The kind of an update; empty if it is unknown.
fn kind(update: &Fields<'_>) -> &'static str {
    let known = UPDATES.into_iter().chain(NOT_OURS).find(|kind| update.has(kind));
    known.unwrap_or_default()
}

/// An update as it arrived, with the name of the field that could not be read.
fn raw_event(update: Option<&Fields<'_>>, field: &str, raw: &str) -> RawEvent {
    let kind = match update {
        Some(update) if !kind(update).is_empty() => kind(update).to_owned(),
        Some(update) => content::unknown(update, &["update_id"]),
        None => "unknown".to_owned(),
    };
    let reason = format!("{field} is missing or cannot be read");
    RawEvent { kind, reason, body: raw.as_bytes().to_vec() }
}

/// An event without a text.
fn bare(id: &str, kind: EventKind, sender: Sender, event_chat: conversation::EventChat) -> Event {
    let conversation::EventChat { address, conversation, .. } = event_chat;
    Event { addressed: conversation.is_private(), ..Event::new(id, kind, sender, address, conversation) }
}

#[cfg(test)]
mod tests;
