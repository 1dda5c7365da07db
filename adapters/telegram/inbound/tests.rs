//! Recorded updates and the events they become. `fixtures/*.json` is the table: a case, its update, and the fields of
//! the event that the case is about.

use std::sync::LazyLock;

use frontdesk_core::account::AccountId;
use frontdesk_core::message::{Attachment, Conversation, Forward, Link, Quote, SenderKind};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const FIXTURES: [(&str, &str); 17] = [
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
    ("link", include_str!("../fixtures/link.json")),
    ("shown", include_str!("../fixtures/shown.json")),
    ("forward", include_str!("../fixtures/forward.json")),
];

fn bot() -> Bot {
    Bot { id: 42, username: "front_bot".into(), account: AccountId::default_of(CHANNEL) }
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

fn parsed(update: &Value) -> ParsedUpdate {
    parse(&bot(), &update.to_string()).unwrap()
}

/// An event in the format of the fixtures.
fn described(parsed: &ParsedUpdate) -> Value {
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

#[test]
fn every_recorded_update_becomes_the_expected_event() {
    let mut wrong = Vec::new();
    for (name, update, says) in cases() {
        let parsed = parsed(update);
        assert_eq!(parsed.event.id, update["update_id"].to_string(), "{name}");
        assert_eq!(parsed.id, update["update_id"].as_u64(), "{name}");
        let described = described(&parsed);
        for (field, expected) in says.as_object().unwrap() {
            if described[field] != *expected {
                wrong.push(format!("{name}: {field} is {}, not {expected}", described[field]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(cases().len() > 90);
}

#[test]
fn another_account_is_in_every_name() {
    let bot = Bot { account: AccountId::new(CHANNEL, Some("work")).unwrap(), ..bot() };
    for (name, update, _) in cases() {
        let event = parse(&bot, &update.to_string()).unwrap().event;
        assert_eq!(
            (event.address.account(), event.from.id.account()),
            (&bot.account, &bot.account),
            "{name}"
        );
    }
    assert_eq!(bot.source().id, "telegram:42", "the bot, not the account");
}

#[test]
fn an_update_without_a_readable_number_is_kept_under_a_name_of_its_own() {
    let mut names = Vec::new();
    for raw in ["", "{", "[]", "7", r#"{"message":{}}"#, r#"{"update_id":"7"}"#, r#"{"update_id":-7}"#] {
        let read = parse(&bot(), raw).unwrap();
        assert_eq!(parse(&bot(), raw).unwrap(), read, "brought again it is the same");
        assert_eq!(read.id, None, "{raw}");
        let EventKind::Undecodable(kept) = read.event.kind else { panic!("{raw}: {:?}", read.event.kind) };
        assert_eq!(kept.body, raw.as_bytes());
        names.push(read.event.id);
    }
    names.dedup();
    assert_eq!(names.len(), 7);
}

#[test]
fn a_deeply_nested_field_that_no_rule_needs_is_not_parsed() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let (name, update, _) = &cases()[0];
    let raw = update.to_string();
    let odd = raw.replacen(
        r#""message":{"#,
        &format!(r#""message":{{"effect":{deep},"big":1e999,"half":"\ud800","#),
        1,
    );
    assert_ne!(raw, odd, "{name}");
    assert_eq!(parse(&bot(), &odd), parse(&bot(), &raw), "{name}");
    let needed = parse(&bot(), &format!(r#"{{"update_id":7,"message":{deep}}}"#)).unwrap();
    let says = kind(&needed.event.kind);
    assert_eq!(
        (needed.id, says.as_str()),
        (Some(7), "undecodable message: message is missing or cannot be read")
    );
}

#[test]
fn an_unpaired_surrogate_does_not_lose_the_text() {
    let (_, update, _) = &cases()[0];
    let mut update = update.clone();
    update["message"]["text"] = json!("HERE");
    let raw = update.to_string().replace("HERE", r"before \ud83d after");
    let event = parse(&bot(), &raw).unwrap().event;
    assert!(event.text.starts_with("before \u{fffd}") && event.text.ends_with(" after"), "{}", event.text);
}

#[test]
fn ids_have_64_bits() {
    let (_, update, _) = &cases()[0];
    for id in [i64::MIN, -1_002_999_999_999_999, 1 << 33, 1 << 52, i64::MAX] {
        let mut update = update.clone();
        for path in ["/message/from/id", "/message/chat/id", "/message/message_id"] {
            *update.pointer_mut(path).unwrap() = json!(id);
        }
        let event = parsed(&update).event;
        let id = id.to_string();
        assert_eq!((event.from.id.id(), event.address.chat()), (id.as_str(), id.as_str()));
        assert_eq!(event.platform_message, Some(id));
    }
}

#[test]
fn a_quoted_text_is_cut() {
    let (_, update, _) =
        cases().iter().find(|(name, ..)| name.contains("a_reply_to_us_addresses_us")).unwrap();
    let mut update = update.clone();
    update["message"]["reply_to_message"]["text"] = json!("é".repeat(4000));
    let quote = parsed(&update).event.quote.unwrap();
    assert_eq!(quote.text.chars().count(), 1000);
}

#[test]
fn all_messages_of_an_album_that_mentions_the_bot_are_addressed() {
    let album = |name: &str| -> Vec<Event> {
        cases()
            .iter()
            .filter(|(case, ..)| case.contains(name))
            .map(|(_, update, _)| parsed(update).event)
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

/// Values that no field should have.
fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
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
        r"\PC{0,8}".prop_map(|text| Value::from(format!("junk{text}"))),
    ]
}

/// A recorded update in which some values were replaced or some keys removed.
fn mutated() -> impl Strategy<Value = Value> {
    let change = (any::<prop::sample::Index>(), prop::option::of(junk()));
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
    #![proptest_config(ProptestConfig { cases: 512, max_global_rejects: 65_536, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_panics_and_a_number_is_never_lost(update in mutated()) {
        let parsed = parsed(&update);
        let id = update.get("update_id").and_then(Value::as_u64);
        prop_assert_eq!(parsed.id, id);
        prop_assert_eq!(parsed.event.address.channel(), CHANNEL);
        prop_assert!(parsed.event.quote.is_none_or(|quote| quote.text.chars().count() <= 1000));
    }

    #[test]
    fn a_forwarded_message_stays_forwarded(update in mutated()) {
        let message = update.get("message").or_else(|| update.get("edited_message"));
        let passed_on = message.is_some_and(|message| message.get("forward_origin").is_some_and(|origin| !origin.is_null()));
        let event = parsed(&update).event;
        if passed_on && matches!(event.kind, EventKind::Message | EventKind::Edit) {
            prop_assert!(event.forward.is_some());
        }
    }

    #[test]
    fn a_sender_chat_never_becomes_a_person(update in mutated()) {
        let message = update.get("message").or_else(|| update.get("channel_post"));
        let chat = message.and_then(|message| message.get("sender_chat")).filter(|chat| !chat.is_null());
        if chat.is_some() {
            prop_assert_eq!(parsed(&update).event.from.kind, SenderKind::Chat);
        }
    }

    #[test]
    fn a_number_of_any_size_is_read(case: prop::sample::Index, number: u64) {
        let mut update = cases()[case.index(cases().len())].1.clone();
        let mut before = parsed(&update);
        update["update_id"] = json!(number);
        let after = parsed(&update);
        prop_assert_eq!(after.id, Some(number));
        prop_assert_eq!(&after.event.id, &number.to_string());
        (before.id, before.event.id) = (after.id, after.event.id.clone());
        prop_assert_eq!(described(&before), described(&after));
    }

    #[test]
    fn a_field_that_no_rule_needs_may_be_missing_or_hold_anything(
        case: prop::sample::Index,
        at: prop::sample::Index,
        junk in prop::option::of(junk()),
    ) {
        let update = &cases()[case.index(cases().len())].1;
        let unneeded: Vec<String> = paths(update, "").into_iter().filter(|path| !is_needed(path)).collect();
        prop_assume!(!unneeded.is_empty());
        let path = &unneeded[at.index(unneeded.len())];
        let mut changed = update.clone();
        match junk {
            Some(junk) => *changed.pointer_mut(path).unwrap() = junk,
            None => remove(&mut changed, path),
        }
        prop_assert_eq!(described(&parsed(&changed)), described(&parsed(update)), "{}", path);
    }

    #[test]
    fn an_unknown_field_changes_nothing(case: prop::sample::Index, at: prop::sample::Index, junk in junk()) {
        let update = &cases()[case.index(cases().len())].1;
        prop_assume!(!matches!(parsed(update).event.kind, EventKind::Undecodable(_)));
        let mut changed = update.clone();
        let objects: Vec<String> =
            paths(update, "").into_iter().filter(|path| update.pointer(path).unwrap().is_object()).collect();
        let path = &objects[at.index(objects.len())];
        changed.pointer_mut(path).unwrap()["zz_to_come"] = junk;
        prop_assert_eq!(described(&parsed(&changed)), described(&parsed(update)), "{}", path);
    }

    #[test]
    fn a_message_with_an_unreadable_required_field_is_never_dropped(
        case: prop::sample::Index,
        at: prop::sample::Index,
        junk in prop::option::of(junk()),
    ) {
        let update = &cases()[case.index(cases().len())].1;
        let before = parsed(update).event.kind;
        prop_assume!(!matches!(before, EventKind::Other(_)));
        let needed: Vec<String> = paths(update, "").into_iter().filter(|path| is_needed(path)).collect();
        let path = &needed[at.index(needed.len())];
        let mut changed = update.clone();
        match junk {
            Some(junk) => *changed.pointer_mut(path).unwrap() = junk,
            None => remove(&mut changed, path),
        }
        match parsed(&changed).event.kind {
            // A button without data belongs to a game, and only people get a notice about unreadable messages.
            EventKind::Other(name) => match before {
                EventKind::Unreadable { kind, raw: None, .. } => prop_assert_eq!(name, kind, "{}", path),
                _ => prop_assert_eq!(name, "callback_without_message", "{}", path),
            },
            EventKind::Undecodable(raw) => prop_assert!(!raw.reason.contains("junk"), "{}", raw.reason),
            _ => {}
        }
    }
}

/// The names of fields that a rule needs. A field is needed if all fields that contain it are.
const NEEDED: [&str; 90] = [
    "update_id",
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "message_reaction",
    "my_chat_member",
    "message_id",
    "message_thread_id",
    "is_topic_message",
    "chat",
    "id",
    "type",
    "title",
    "username",
    "from",
    "is_bot",
    "first_name",
    "last_name",
    "sender_chat",
    "date",
    "edit_date",
    "text",
    "entities",
    "offset",
    "length",
    "url",
    "user",
    "caption",
    "caption_entities",
    "media_group_id",
    "business_connection_id",
    "forward_origin",
    "forward_from",
    "forward_from_chat",
    "forward_sender_name",
    "forward_date",
    "is_automatic_forward",
    "via_bot",
    "sender_business_bot",
    "reply_to_message",
    "quote",
    "external_reply",
    "origin",
    "sender_user",
    "sender_user_name",
    "forum_topic_created",
    "photo",
    "document",
    "audio",
    "video",
    "animation",
    "voice",
    "video_note",
    "sticker",
    "file_id",
    "file_unique_id",
    "file_name",
    "mime_type",
    "file_size",
    "width",
    "height",
    "emoji",
    "is_animated",
    "is_video",
    "venue",
    "location",
    "address",
    "latitude",
    "longitude",
    "live_period",
    "contact",
    "phone_number",
    "poll",
    "question",
    "options",
    "checklist",
    "tasks",
    "dice",
    "value",
    "data",
    "actor_chat",
    "old_reaction",
    "new_reaction",
    "custom_emoji_id",
    "old_chat_member",
    "new_chat_member",
    "status",
    "migrate_to_chat_id",
];

fn is_needed(path: &str) -> bool {
    path.split('/').filter(|segment| !segment.is_empty() && segment.parse::<usize>().is_err()).all(
        |segment| {
            let kind = NOT_OURS.contains(&segment) || content::is_known(segment) || segment == "hologram";
            kind || NEEDED.contains(&segment)
        },
    )
}

fn remove(update: &mut Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    match update.pointer_mut(parent) {
        Some(Value::Object(object)) => drop(object.remove(key)),
        Some(Value::Array(array)) => drop(array.remove(key.parse().unwrap())),
        _ => {}
    }
}
