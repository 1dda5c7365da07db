//! Recorded updates, and what they say. `fixtures/*.json` is the table: a case, its update, and those fields of the
//! event that the case is about.

use std::sync::LazyLock;

use frontdesk_core::message::{Attachment, Quote};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const FIXTURES: [(&str, &str); 14] = [
    ("private", include_str!("../fixtures/private.json")),
    ("group", include_str!("../fixtures/group.json")),
    ("topic", include_str!("../fixtures/topic.json")),
    ("chat_speaks", include_str!("../fixtures/chat_speaks.json")),
    ("edit", include_str!("../fixtures/edit.json")),
    ("file", include_str!("../fixtures/file.json")),
    ("words", include_str!("../fixtures/words.json")),
    ("service", include_str!("../fixtures/service.json")),
    ("quote", include_str!("../fixtures/quote.json")),
    ("reaction", include_str!("../fixtures/reaction.json")),
    ("button", include_str!("../fixtures/button.json")),
    ("membership", include_str!("../fixtures/membership.json")),
    ("unknown", include_str!("../fixtures/unknown.json")),
    ("album", include_str!("../fixtures/album.json")),
];

fn me() -> Me {
    Me { id: 42, username: "front_bot".into(), account: "default".into() }
}

type Case = (String, Value, Value);

fn cases() -> &'static [Case] {
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

fn understood(update: &Value) -> Understood {
    understand(&me(), &update.to_string()).unwrap()
}

/// An event as the fixtures write it.
fn told(understood: &Understood) -> Value {
    let event = &understood.event;
    json!({
        "kind": kind(&event.kind),
        "principal": event.principal.as_str(),
        "speaker": event.speaker.name(),
        "address": event.address.as_str(),
        "place": place(&event.place),
        "addressed": event.addressed,
        "forwarded": event.forwarded,
        "text": event.text,
        "sender": event.sender,
        "message": event.platform_message,
        "quote": event.quote.as_ref().map(quote),
        "album": event.album,
        "files": event.attachments.iter().map(file).collect::<Vec<_>>(),
        "sent_at": event.sent_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        "callback": understood.callback,
    })
}

fn kind(kind: &EventKind) -> String {
    match kind {
        EventKind::Message => "message".into(),
        EventKind::Edit => "edit".into(),
        EventKind::Reaction { target, added, removed } => {
            let added = added.iter().map(|mark| format!(" +{mark}"));
            let removed = removed.iter().map(|mark| format!(" -{mark}"));
            format!("reaction {target}{}", added.chain(removed).collect::<String>())
        }
        EventKind::Button { target } => format!("button {}", target.as_deref().unwrap_or("nowhere")),
        EventKind::Unreadable(name) => format!("unreadable {name}"),
        EventKind::Moved { to } => format!("moved {to}"),
        EventKind::Other(name) => format!("other {name}"),
    }
}

fn place(place: &Place) -> String {
    let name = match place {
        Place::Dm { .. } => "dm",
        Place::Group { .. } => "group",
        Place::Channel { .. } => "channel",
        Place::Topic { .. } => "topic",
        Place::Thread { .. } => "thread",
    };
    let thread = place.thread().map(|thread| format!("/{thread}")).unwrap_or_default();
    format!("{name} {}{thread}", place.chat())
}

fn quote(quote: &Quote) -> Value {
    json!({"message": quote.message, "sender": quote.sender, "text": quote.text, "ours": quote.ours})
}

fn file(file: &Attachment) -> String {
    let mut told = format!("{} {}", file.kind.name(), file.reference);
    let name = file.name.as_ref().map(|name| format!("'{name}'"));
    for more in [file.mime.clone(), file.size.map(|size| size.to_string()), name].into_iter().flatten() {
        told = format!("{told} {more}");
    }
    told
}

#[test]
fn every_recorded_update_says_what_it_should() {
    let mut wrong = Vec::new();
    for (name, update, says) in cases() {
        let understood = understood(update);
        assert_eq!(understood.event.id, update["update_id"].to_string(), "{name}");
        let told = told(&understood);
        for (field, expected) in says.as_object().unwrap() {
            if told[field] != *expected {
                wrong.push(format!("{name}: {field} is {}, not {expected}", told[field]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(cases().len() > 90);
}

#[test]
fn another_account_is_in_every_name() {
    let me = Me { account: "work".into(), ..me() };
    for (name, update, _) in cases() {
        let event = understand(&me, &update.to_string()).unwrap().event;
        assert_eq!((event.address.account(), event.principal.account()), ("work", "work"), "{name}");
    }
    assert_eq!(me.source().id, "telegram:42", "the bot, not the account");
}

#[test]
fn an_update_without_a_number_cannot_be_acknowledged() {
    for raw in ["", "{", "[]", "7", r#"{"message":{}}"#, r#"{"update_id":"7"}"#] {
        assert_eq!(understand(&me(), raw), None);
    }
}

#[test]
fn an_update_of_any_depth_is_told_by_its_number() {
    let raw = format!(r#"{{"update_id":7,"message":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let understood = understand(&me(), &raw).unwrap();
    assert_eq!((understood.id, kind(&understood.event.kind)), (7, "other unparsable".to_owned()));
}

#[test]
fn a_quoted_text_is_cut() {
    let (_, update, _) =
        cases().iter().find(|(name, ..)| name.contains("a_reply_to_us_addresses_us")).unwrap();
    let mut update = update.clone();
    update["message"]["reply_to_message"]["text"] = json!("é".repeat(4000));
    let quote = understood(&update).event.quote.unwrap();
    assert_eq!(quote.text.chars().count(), 1000);
}

#[test]
fn all_pieces_of_an_album_that_speaks_to_us_speak_to_us() {
    let album = |name: &str| -> Vec<Event> {
        cases()
            .iter()
            .filter(|(case, ..)| case.contains(name))
            .map(|(_, update, _)| understood(update).event)
            .collect()
    };
    let mut albums = Albums::default();
    let (mut ours, mut others) = (album("our_album"), album("other_album"));
    assert_eq!(ours.iter().map(|event| event.addressed).collect::<Vec<_>>(), [false, true, false]);
    let (now, later) = ours.split_at_mut(2);
    albums.settle(now.iter_mut().chain(&mut others));
    albums.settle(later.iter_mut());
    assert!(
        ours.iter().all(|event| event.addressed),
        "before and after the words, in this batch and the next"
    );
    assert!(others.iter().all(|event| !event.addressed), "somebody else's album with the same id");
}

/// A recorded update in which one value was replaced, one key was dropped, or both.
fn mutated() -> impl Strategy<Value = Value> {
    let junk = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!(-1)),
        Just(json!(1e300)),
        Just(json!(u64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!({"type": "?"})),
        Just(json!([[{"a": 1}]])),
        r"\PC{0,8}".prop_map(Value::from),
    ];
    let change = (any::<prop::sample::Index>(), prop::option::of(junk));
    let changes = prop::collection::vec(change, 1..4);
    (any::<prop::sample::Index>(), changes).prop_map(|(case, changes)| {
        let all = cases();
        let mut update = all[case.index(all.len())].1.clone();
        for (at, junk) in changes {
            let paths = paths(&update, "");
            let path = &paths[at.index(paths.len())];
            match (junk, path.rsplit_once('/')) {
                (Some(junk), _) => *update.pointer_mut(path).unwrap() = junk,
                (None, Some((parent, key))) => {
                    if let Some(Value::Object(object)) = update.pointer_mut(parent) {
                        object.remove(key);
                    }
                }
                (None, None) => {}
            }
            if !update.is_object() {
                update = Value::Object(Map::new());
            }
        }
        update
    })
}

fn paths(value: &Value, at: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (format!("{at}/{key}"), value)).collect(),
        Value::Array(array) => {
            array.iter().enumerate().map(|(n, value)| (format!("{at}/{n}"), value)).collect()
        }
        _ => Vec::new(),
    };
    let mut all = vec![at.to_owned()];
    all.extend(below.iter().flat_map(|(at, value)| paths(value, at)));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_mutation_panics_and_a_number_is_never_lost(update in mutated()) {
        let understood = understand(&me(), &update.to_string());
        let id = update.get("update_id").and_then(Value::as_i64);
        prop_assert_eq!(understood.as_ref().map(|understood| understood.id), id);
        if let Some(understood) = understood {
            prop_assert_eq!(understood.event.address.channel(), CHANNEL);
            prop_assert!(understood.event.quote.is_none_or(|quote| quote.text.chars().count() <= 1000));
        }
    }

    #[test]
    fn what_was_passed_on_stays_passed_on(update in mutated()) {
        let message = update.get("message").or_else(|| update.get("edited_message"));
        let passed_on = message.is_some_and(|message| message.get("forward_origin").is_some_and(|origin| !origin.is_null()));
        let Some(understood) = understand(&me(), &update.to_string()) else { return Ok(()) };
        if passed_on && matches!(understood.event.kind, EventKind::Message | EventKind::Edit) {
            prop_assert!(understood.event.forwarded);
        }
    }

    #[test]
    fn a_sender_chat_never_becomes_a_person(update in mutated()) {
        let message = update.get("message").or_else(|| update.get("channel_post"));
        let chat = message.and_then(|message| message.get("sender_chat")).filter(|chat| !chat.is_null());
        let Some(understood) = understand(&me(), &update.to_string()) else { return Ok(()) };
        if chat.is_some() {
            prop_assert_eq!(understood.event.speaker, Speaker::Chat);
        }
    }
}
