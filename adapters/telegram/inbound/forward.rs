//! The original author of a forwarded message.

use frontdesk_core::message::{Forward, ForwardKind, SenderKind};

use super::model::{self, Chat, User};
use super::{Bot, person};
use frontdesk_kit::json::{FieldError, Fields};

/// Fields of messages whose text is not the sender's own: forwarded ones, including the format of older servers, and
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

/// The original author, if the message is forwarded.
pub(super) fn of(bot: &Bot, message: &Fields<'_>) -> Option<Forward> {
    if !PASSED_ON.iter().any(|sign| message.has(sign)) {
        return None;
    }
    // If the author cannot be determined, the message still counts as forwarded.
    Some(source(bot, message).ok().flatten().unwrap_or(Forward {
        kind: ForwardKind::Unknown,
        id: None,
        name: None,
    }))
}

fn source(bot: &Bot, message: &Fields<'_>) -> Result<Option<Forward>, FieldError> {
    if let Some(origin) = message.maybe::<Fields<'_>>("forward_origin") {
        return Ok(of_origin(bot, &origin));
    }
    if let Some(name) = message.maybe("forward_sender_name") {
        return Ok(Some(hidden(name)));
    }
    if let Some(chat) = model::chat(message, "forward_from_chat")? {
        let kind = match chat.kind {
            Some(model::ChatKind::Channel) => ForwardKind::Channel,
            _ => ForwardKind::Chat,
        };
        return of_chat(bot, kind, &chat).map(Some);
    }
    for name in ["forward_from", "via_bot", "sender_business_bot"] {
        if let Some(user) = model::user(message, name)? {
            return of_user(bot, &user).map(Some);
        }
    }
    Ok(None)
}

/// The author in a `MessageOrigin`; `None` if it cannot be read.
pub(super) fn of_origin(bot: &Bot, origin: &Fields<'_>) -> Option<Forward> {
    let chat = |kind, name| of_chat(bot, kind, &model::chat(origin, name).ok()??).ok();
    match origin.maybe::<String>("type")?.as_str() {
        "user" => of_user(bot, &model::user(origin, "sender_user").ok()??).ok(),
        "hidden_user" => Some(hidden(origin.maybe::<String>("sender_user_name").unwrap_or_default())),
        "chat" => chat(ForwardKind::Chat, "sender_chat"),
        "channel" => chat(ForwardKind::Channel, "chat"),
        _ => None,
    }
}

fn hidden(name: String) -> Forward {
    Forward { kind: ForwardKind::Hidden, id: None, name: Some(name).filter(|name| !name.is_empty()) }
}

fn of_chat(bot: &Bot, kind: ForwardKind, chat: &Chat) -> Result<Forward, FieldError> {
    let sender = person::of_chat(bot, chat)?;
    Ok(Forward { kind, id: Some(sender.id), name: sender.name })
}

fn of_user(bot: &Bot, user: &User) -> Result<Forward, FieldError> {
    let sender = person::of_user(bot, user)?;
    let kind = if sender.kind == SenderKind::Bot { ForwardKind::Bot } else { ForwardKind::Person };
    Ok(Forward { kind, id: Some(sender.id), name: sender.name })
}
