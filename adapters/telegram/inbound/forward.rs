//! Whose words a message passes on.

use frontdesk_core::message::{Forward, ForwardKind, SenderKind};

use super::json::{Fields, Unread};
use super::model::{self, Chat, User};
use super::{Me, person};

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

/// The source of the words that a message passes on, if it does.
pub(super) fn of(me: &Me, message: &Fields<'_>) -> Option<Forward> {
    if !PASSED_ON.iter().any(|sign| message.has(sign)) {
        return None;
    }
    // Where nobody can say from whom, it is known all the same that the words are somebody else's.
    Some(source(me, message).ok().flatten().unwrap_or(Forward {
        kind: ForwardKind::Unknown,
        id: None,
        name: None,
    }))
}

fn source(me: &Me, message: &Fields<'_>) -> Result<Option<Forward>, Unread> {
    if let Some(origin) = message.maybe::<Fields<'_>>("forward_origin") {
        return Ok(of_origin(me, &origin));
    }
    if let Some(name) = message.maybe("forward_sender_name") {
        return Ok(Some(hidden(name)));
    }
    if let Some(chat) = model::chat(message, "forward_from_chat")? {
        let kind = match chat.kind {
            Some(model::ChatKind::Channel) => ForwardKind::Channel,
            _ => ForwardKind::Chat,
        };
        return of_chat(me, kind, &chat).map(Some);
    }
    for name in ["forward_from", "via_bot", "sender_business_bot"] {
        if let Some(user) = model::user(message, name)? {
            return of_user(me, &user).map(Some);
        }
    }
    Ok(None)
}

/// Where words come from; `None` where that cannot be read.
pub(super) fn of_origin(me: &Me, origin: &Fields<'_>) -> Option<Forward> {
    let chat = |kind, name| of_chat(me, kind, &model::chat(origin, name).ok()??).ok();
    match origin.maybe::<String>("type")?.as_str() {
        "user" => of_user(me, &model::user(origin, "sender_user").ok()??).ok(),
        "hidden_user" => Some(hidden(origin.maybe::<String>("sender_user_name").unwrap_or_default())),
        "chat" => chat(ForwardKind::Chat, "sender_chat"),
        "channel" => chat(ForwardKind::Channel, "chat"),
        _ => None,
    }
}

fn hidden(name: String) -> Forward {
    Forward { kind: ForwardKind::Hidden, id: None, name: Some(name).filter(|name| !name.is_empty()) }
}

fn of_chat(me: &Me, kind: ForwardKind, chat: &Chat) -> Result<Forward, Unread> {
    let who = person::of_chat(me, chat)?;
    Ok(Forward { kind, id: Some(who.principal), name: who.name })
}

fn of_user(me: &Me, user: &User) -> Result<Forward, Unread> {
    let who = person::of_user(me, user)?;
    let kind = if who.sender_kind == SenderKind::Bot { ForwardKind::Bot } else { ForwardKind::Person };
    Ok(Forward { kind, id: Some(who.principal), name: who.name })
}
