//! An update's text as teloxide's types.
//!
//! Those types know one version of the Bot API and are strict: of what they do not know, an entity of a new kind
//! say, a whole message can become nothing. So what did not come out whole is mended and read once more.

use std::collections::BTreeMap;
use std::panic::catch_unwind;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use teloxide_core::types::{Message, MessageKind, Update, UpdateKind};

use super::mend;

/// The longest name of something unknown, in bytes.
const LONGEST_NAME: usize = 40;
/// The name of what should be known and is not.
const UNPARSABLE: &str = "unparsable";
/// What stands in any message, whatever it says.
const COMMON: [&str; 24] = [
    "message_id",
    "message_thread_id",
    "direct_messages_topic",
    "from",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "date",
    "business_connection_id",
    "chat",
    "forward_origin",
    "is_topic_message",
    "is_automatic_forward",
    "reply_to_message",
    "external_reply",
    "quote",
    "via_bot",
    "edit_date",
    "has_protected_content",
    "is_from_offline",
    "media_group_id",
    "author_signature",
    "reply_markup",
];

/// How much of an update was understood.
pub(super) enum Read {
    /// The update; if its message says something of an unknown kind, that kind's name.
    Update(Box<Update>, Option<String>),
    /// Nothing but its kind.
    Unknown(String),
}

#[derive(Deserialize)]
struct Head {
    update_id: i64,
}

/// Reads an update; `None` if it has no number.
pub(super) fn read(raw: &str) -> Option<(i64, Read)> {
    let Head { update_id } = serde_json::from_str(raw).ok()?;
    let first = parse(raw);
    let read = match first {
        Some(update) if is_whole(&update) => Read::Update(Box::new(update), None),
        first => match mend::update(raw).and_then(|mended| parse(&mended)).or(first) {
            Some(update) if is_whole(&update) => Read::Update(Box::new(update), None),
            Some(update) if !matches!(update.kind, UpdateKind::Error(_)) => {
                Read::Update(Box::new(update), Some(said(raw)))
            }
            _ => Read::Unknown(match name(raw) {
                name if is_asked_for(&name) => UNPARSABLE.to_owned(),
                name => name,
            }),
        },
    };
    Some((update_id, read))
}

/// The name of an update's kind.
pub(super) fn name(raw: &str) -> String {
    first_key(raw, &["update_id"])
}

/// Parsed as it stands. The types are not ours and panic in places; what they panic at costs itself alone.
fn parse(raw: &str) -> Option<Update> {
    if is_nobodys_reaction(raw) {
        return None;
    }
    catch_unwind(|| serde_json::from_str(raw).ok()).ok().flatten()
}

/// A place of which it is known that they panic.
fn is_nobodys_reaction(raw: &str) -> bool {
    #[derive(Deserialize)]
    struct Reaction {
        message_reaction: Actor,
    }
    #[derive(Deserialize)]
    struct Actor {
        user: Option<IgnoredAny>,
        actor_chat: Option<IgnoredAny>,
    }
    raw.contains("\"message_reaction\"")
        && serde_json::from_str(raw).is_ok_and(|Reaction { message_reaction: Actor { user, actor_chat } }| {
            user.is_none() && actor_chat.is_none()
        })
}

fn is_whole(update: &Update) -> bool {
    match &update.kind {
        UpdateKind::Error(_) => false,
        kind => message(kind).is_none_or(|message| !matches!(message.kind, MessageKind::Empty {})),
    }
}

fn message(kind: &UpdateKind) -> Option<&Message> {
    match kind {
        UpdateKind::Message(message)
        | UpdateKind::EditedMessage(message)
        | UpdateKind::ChannelPost(message)
        | UpdateKind::EditedChannelPost(message) => Some(message),
        _ => None,
    }
}

fn is_asked_for(name: &str) -> bool {
    crate::poll::UPDATES.contains(&name)
}

/// The name of what an update's message says.
fn said(raw: &str) -> String {
    let fields: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(raw).ok();
    let message = fields.and_then(|fields| fields.get(&name(raw)).map(|message| message.get()));
    message.map_or_else(|| UNPARSABLE.to_owned(), |message| first_key(message, &COMMON))
}

/// What stands in a message whose words are not its sender's own: forwarded ones, also as older servers say it, and
/// those that another program wrote in the sender's name.
const PASSED_ON: [&str; 8] = [
    "forward_origin",
    "forward_from",
    "forward_from_chat",
    "forward_sender_name",
    "forward_date",
    "is_automatic_forward",
    "via_bot",
    "sender_business_bot",
];

/// Whether an update's message says somebody else's words. Read from the text, because what teloxide's types do not
/// know of must count as well.
pub(super) fn is_passed_on(raw: &str) -> bool {
    if !PASSED_ON.iter().any(|sign| raw.contains(sign)) {
        return false;
    }
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw).unwrap_or_default();
    let Some(message) = fields.get(&name(raw)) else { return false };
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_str(message.get()).unwrap_or_default();
    PASSED_ON.iter().any(|sign| keys.contains_key(*sign))
}

/// The first key that is not one of `but`. What strangers wrote does not become a label as it stands.
fn first_key(object: &str, but: &[&str]) -> String {
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_str(object).unwrap_or_default();
    keys.into_keys()
        .find(|key| !but.contains(&key.as_str()))
        .filter(|key| key.len() <= LONGEST_NAME)
        .filter(|key| {
            key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        })
        .unwrap_or_else(|| UNPARSABLE.to_owned())
}
