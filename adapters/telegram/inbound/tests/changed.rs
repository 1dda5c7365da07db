//! Recorded updates with missing, unknown and wrong fields.

use frontdesk_core::message::SenderKind;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::needed::is_needed;
use super::recorded::{cases, described, parsed};
use crate::inbound::*;

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

fn remove(update: &mut Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    match update.pointer_mut(parent) {
        Some(Value::Object(object)) => drop(object.remove(key)),
        Some(Value::Array(array)) => drop(array.remove(key.parse().unwrap())),
        _ => {}
    }
}
