//! The recorded dispatches, and events in their format.

use std::sync::LazyLock;

use frontdesk_core::account::AccountId;
use frontdesk_core::message::{Attachment, Conversation, Forward, Link, Quote};
use serde_json::{Value, json};

use crate::inbound::*;

const FIXTURES: [(&str, &str); 8] = [
    ("message", include_str!("../../fixtures/message.json")),
    ("group", include_str!("../../fixtures/group.json")),
    ("sender", include_str!("../../fixtures/sender.json")),
    ("content", include_str!("../../fixtures/content.json")),
    ("quote", include_str!("../../fixtures/quote.json")),
    ("edit", include_str!("../../fixtures/edit.json")),
    ("reaction", include_str!("../../fixtures/reaction.json")),
    ("interaction", include_str!("../../fixtures/interaction.json")),
];

pub fn bot() -> Bot {
    Bot { id: "42".into(), account: AccountId::default_of(CHANNEL), answers_in_threads: false }
}

/// The guild of the fixtures: channel 5, and in it the thread 6.
pub fn places() -> &'static Places {
    static PLACES: LazyLock<Places> = LazyLock::new(|| {
        let mut places = Places::default();
        let guild = r#"{"channels":[{"id":"5","type":0}],"threads":[{"id":"6","type":11,"parent_id":"5"}]}"#;
        places.learn("GUILD_CREATE", &Fields::of(guild, "").unwrap());
        places
    });
    &PLACES
}

#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub event: String,
    pub data: Value,
    /// The expected fields; null if there is no event.
    pub says: Value,
}

pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(read);
    &CASES
}

fn read() -> Vec<Case> {
    let all = FIXTURES.iter().flat_map(|(file, text)| {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        cases.into_iter().map(move |mut case| Case {
            name: format!("{file}: {}", case["case"].as_str().unwrap()),
            event: case["event"].as_str().unwrap().to_owned(),
            data: case["data"].take(),
            says: case["says"].take(),
        })
    });
    all.collect()
}

pub fn parsed(event: &str, data: &Value) -> Option<ParsedDispatch> {
    parse(&bot(), places(), Dispatch { name: event, id: "s/7", data: &data.to_string() }).unwrap()
}

/// An event in the format of the fixtures.
pub fn described(parsed: &ParsedDispatch) -> Value {
    let event = &parsed.event;
    json!({
        "id": event.id,
        "kind": kind(&event.kind),
        "principal": event.from.id.as_str(),
        "sender_kind": event.from.kind.name(),
        "sender": event.from.name,
        "roles": event.from.roles,
        "address": event.address.as_str(),
        "conversation": conversation(&event.conversation),
        "addressed": event.addressed,
        "forward": event.forward.as_ref().map(forward),
        "first_line": format!("{:?}", event.first_line),
        "text": event.text,
        "links": event.links.iter().map(link).collect::<Vec<_>>(),
        "message": event.platform_message,
        "quote": event.quote.as_ref().map(quote),
        "files": event.attachments.iter().map(file).collect::<Vec<_>>(),
        "sent_at": event.sent_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        "interaction": parsed.interaction.as_ref().map(|one| format!("{:?} {}", one.kind, one.id)),
    })
}

fn kind(kind: &EventKind) -> String {
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
    let mut described = json!({
        "message": quote.message, "sender": quote.sender, "text": quote.text, "ours": quote.ours,
        "id": quote.id.as_ref().map(|id| id.as_str()),
    });
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
    let seconds = file.seconds.map(|seconds| format!("{seconds}s"));
    for more in
        [file.mime.clone(), file.size.map(|size| size.to_string()), seconds, name].into_iter().flatten()
    {
        described = format!("{described} {more}");
    }
    described
}
