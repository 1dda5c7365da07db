//! The recorded updates, and events in their format.

use std::sync::LazyLock;

use frontdesk_core::account::AccountId;
use frontdesk_core::message::{Attachment, Conversation, Forward, Link, Quote};
use serde_json::{Value, json};

use crate::inbound::*;

const FIXTURES: [(&str, &str); 17] = [
    ("private", include_str!("../../fixtures/private.json")),
    ("group", include_str!("../../fixtures/group.json")),
    ("topic", include_str!("../../fixtures/topic.json")),
    ("chat_speaks", include_str!("../../fixtures/chat_speaks.json")),
    ("edit", include_str!("../../fixtures/edit.json")),
    ("file", include_str!("../../fixtures/file.json")),
    ("words", include_str!("../../fixtures/words.json")),
    ("service", include_str!("../../fixtures/service.json")),
    ("quote", include_str!("../../fixtures/quote.json")),
    ("reaction", include_str!("../../fixtures/reaction.json")),
    ("button", include_str!("../../fixtures/button.json")),
    ("membership", include_str!("../../fixtures/membership.json")),
    ("unknown", include_str!("../../fixtures/unknown.json")),
    ("album", include_str!("../../fixtures/album.json")),
    ("link", include_str!("../../fixtures/link.json")),
    ("shown", include_str!("../../fixtures/shown.json")),
    ("forward", include_str!("../../fixtures/forward.json")),
];

pub fn bot() -> Bot {
    Bot {
        id: 42,
        username: "front_bot".into(),
        account: AccountId::default_of(CHANNEL),
        require_username: false,
    }
}

pub type Case = (String, Value, Value);

pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(read);
    &CASES
}

fn read() -> Vec<Case> {
    let all = FIXTURES.iter().flat_map(|(file, text)| {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        cases.into_iter().map(move |mut case| {
            let name = format!("{file}: {}", case["case"].as_str().unwrap());
            (name, case["update"].take(), case["says"].take())
        })
    });
    all.collect()
}

pub fn parsed(update: &Value) -> ParsedUpdate {
    parse(&bot(), &update.to_string()).unwrap()
}

/// An event in the format of the fixtures.
pub fn described(parsed: &ParsedUpdate) -> Value {
    let event = &parsed.event;
    json!({
        "kind": kind(&event.kind),
        "principal": event.from.id.as_str(),
        "sender_kind": event.from.kind.name(),
        "address": event.address.as_str(),
        "conversation": conversation(&event.conversation),
        "addressed": event.addressed,
        "forwarded": event.forward.is_some(),
        "forward": event.forward.as_ref().map(forward),
        "first_line": format!("{:?}", event.first_line),
        "text": event.text,
        "links": event.links.iter().map(link).collect::<Vec<_>>(),
        "sender": event.from.name,
        "message": event.platform_message,
        "quote": event.quote.as_ref().map(quote),
        "album": event.album,
        "files": event.attachments.iter().map(file).collect::<Vec<_>>(),
        "sent_at": event.sent_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        "callback": parsed.callback,
    })
}

pub fn kind(kind: &EventKind) -> String {
    match kind {
        EventKind::Message => "message".into(),
        EventKind::Edit => "edit".into(),
        EventKind::Deleted => "deleted".into(),
        EventKind::DeletedById => "deleted by its id".into(),
        EventKind::Reaction { target, added, removed } => {
            let added = added.iter().map(|mark| format!(" +{mark}"));
            let removed = removed.iter().map(|mark| format!(" -{mark}"));
            format!("reaction {target}{}", added.chain(removed).collect::<String>())
        }
        EventKind::Button { target } => format!("button {}", target.as_deref().unwrap_or("nowhere")),
        EventKind::Unreadable { kind, notify_sender, raw } => {
            let sign = |on: bool, sign: &'static str| if on { sign } else { "" };
            format!("unreadable {kind}{}{}", sign(!notify_sender, " untold"), sign(raw.is_some(), " kept"))
        }
        EventKind::Undecodable(raw) => format!("undecodable {}: {}", raw.kind, raw.reason),
        EventKind::Moved { to } => format!("moved {to}"),
        EventKind::Other(name) => format!("other {name}"),
    }
}

fn conversation(conversation: &Conversation) -> String {
    let name = match conversation {
        Conversation::Dm { .. } => "dm",
        Conversation::Group { .. } => "group",
        Conversation::Channel { .. } => "channel",
        Conversation::Topic { .. } => "topic",
        Conversation::Thread { .. } => "thread",
    };
    let thread = conversation.thread().map(|thread| format!("/{thread}")).unwrap_or_default();
    format!("{name} {}{thread}", conversation.chat())
}

/// A quote in the format of the fixtures: empty fields are left out.
fn quote(quote: &Quote) -> Value {
    let mut described =
        json!({"message": quote.message, "sender": quote.sender, "text": quote.text, "ours": quote.ours});
    if let Some(id) = &quote.id {
        described["id"] = json!(id.as_str());
    }
    if !quote.links.is_empty() {
        described["links"] = quote.links.iter().map(link).collect();
    }
    if !quote.attachments.is_empty() {
        described["files"] = quote.attachments.iter().map(file).collect();
    }
    described
}

fn forward(forward: &Forward) -> Value {
    json!({"kind": forward.kind.name(), "id": forward.id.as_ref().map(|id| id.as_str()), "name": forward.name})
}

fn link(link: &Link) -> String {
    format!("{} -> {}", link.label, link.url)
}

fn file(file: &Attachment) -> String {
    let mut described = format!("{} {}", file.kind.name(), file.reference);
    let name = file.name.as_ref().map(|name| format!("'{name}'"));
    for more in [file.mime.clone(), file.size.map(|size| size.to_string()), name].into_iter().flatten() {
        described = format!("{described} {more}");
    }
    described
}
