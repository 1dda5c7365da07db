//! Updates as events. Nothing here waits, asks or logs.

mod album;
mod button;
mod content;
mod conversation;
mod forward;
mod json;
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
use frontdesk_core::message::{Event, EventKind, FirstLine, RawEvent, Source};

pub(crate) use album::Albums;
use json::{Fields, Unread};

use crate::CHANNEL;
use crate::poll::UPDATES;

/// Kinds of updates that we did not ask for, which may come all the same.
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

/// Who we are on Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    /// The bot's id.
    pub id: i64,
    /// The bot's name, without its `@`.
    pub username: String,
    /// The account as the configuration names it.
    pub account: AccountId,
}

impl Me {
    /// Where this bot's updates come from. Another bot under the same account is another source.
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

/// An update, understood as far as it can be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Understood {
    /// Its number, by which it is acknowledged; `None` if it has none that can be read.
    pub id: Option<u64>,
    /// What it says.
    pub event: Event,
    /// What must be answered so that the button stops to turn.
    pub callback: Option<String>,
}

/// What an update says. Nothing is passed over: what cannot be read becomes an event that says so. An error is our
/// own account's, whose name makes no address.
pub(crate) fn understand(me: &Me, raw: &str) -> Result<Understood, AddressError> {
    let update = Fields::of(raw, "");
    let number = update.as_ref().and_then(|update| update.maybe::<u64>("update_id"));
    let query = update.as_ref().and_then(|update| update.maybe::<Fields<'_>>("callback_query"));
    let callback = query.and_then(|query| query.maybe("id"));
    let read = match (&update, number) {
        (Some(update), Some(number)) => event(me, &number.to_string(), update, raw),
        (Some(_), None) => Err(Unread("update_id".to_owned())),
        (None, _) => Err(Unread("the update".to_owned())),
    };
    let event = match read {
        Ok(event) => event,
        Err(Unread(field)) => {
            let raw = raw_event(update.as_ref(), &field, raw);
            Event::undecodable(&me.source(), number.map(|number| number.to_string()), raw)?
        }
    };
    Ok(Understood { id: number, event, callback })
}

/// The kind of an update and what it says.
fn event(me: &Me, id: &str, update: &Fields<'_>, raw: &str) -> Result<Event, Unread> {
    let kind = kind(update);
    let fields = || update.need::<Fields<'_>>(kind);
    match kind {
        "message" | "channel_post" => message::event(me, id, &fields()?, false, raw),
        "edited_message" | "edited_channel_post" => message::event(me, id, &fields()?, true, raw),
        "callback_query" => button::event(me, id, &fields()?),
        "message_reaction" => reaction::event(me, id, &fields()?),
        "my_chat_member" => membership::event(me, id, &fields()?),
        "" => Err(Unread(content::unknown(update, &["update_id"]))),
        other => {
            let who = person::nobody(me)?;
            Ok(self::bare(id, EventKind::Other(other.to_owned()), who, conversation::nowhere(me)?))
        }
    }
}

/// What kind of update it is; empty if it is none that we know.
fn kind(update: &Fields<'_>) -> &'static str {
    let known = UPDATES.into_iter().chain(NOT_OURS).find(|kind| update.has(kind));
    known.unwrap_or_default()
}

/// An update as it arrived, with the field that could not be read.
fn raw_event(update: Option<&Fields<'_>>, field: &str, raw: &str) -> RawEvent {
    let kind = match update {
        Some(update) if !kind(update).is_empty() => kind(update).to_owned(),
        Some(update) => content::unknown(update, &["update_id"]),
        None => "unknown".to_owned(),
    };
    let reason = format!("{field} is missing or cannot be read");
    RawEvent { kind, reason, body: raw.as_bytes().to_vec() }
}

/// An event without words.
fn bare(id: &str, kind: EventKind, who: person::Who, spot: conversation::Spot) -> Event {
    Event {
        id: id.to_owned(),
        kind,
        principal: who.principal,
        sender_kind: who.sender_kind,
        roles: Vec::new(),
        addressed: spot.conversation.is_private(),
        address: spot.address,
        conversation: spot.conversation,
        forward: None,
        first_line: FirstLine::Formatted,
        text: String::new(),
        links: Vec::new(),
        sender: who.name,
        platform_message: None,
        quote: None,
        album: None,
        attachments: Vec::new(),
        sent_at: None,
    }
}

/// An id that makes no address is one that cannot be read.
impl From<AddressError> for Unread {
    fn from(error: AddressError) -> Self {
        Unread(error.to_string())
    }
}

#[cfg(test)]
mod tests;
