//! Recorded dispatches and the events they become. `fixtures/*.json` is the table: a case, its dispatch, and the fields
//! of the event that the case is about.

mod recorded;

use proptest::prelude::*;
use serde_json::{Value, json};

use self::recorded::{Case, bot, cases, described, parsed, places};
use super::*;

#[test]
fn every_recorded_dispatch_becomes_the_expected_event() {
    let mut wrong = Vec::new();
    for case in cases() {
        let described = parsed(&case.event, &case.data).map(|parsed| described(&parsed));
        if case.says.is_null() {
            if let Some(described) = described {
                wrong.push(format!("{}: it is {described}, not nothing", case.name));
            }
            continue;
        }
        let described = described.unwrap_or_default();
        for (field, expected) in case.says.as_object().unwrap() {
            if described[field] != *expected {
                wrong.push(format!("{}: {field} is {}, not {expected}", case.name, described[field]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(cases().len() >= 60, "{} cases", cases().len());
}

#[test]
fn another_account_is_in_every_name() {
    let bot = Bot { account: AccountId::new(CHANNEL, Some("work")).unwrap(), ..bot() };
    for case in cases() {
        let data = case.data.to_string();
        let dispatch = Dispatch { name: &case.event, id: "s/7", data: &data };
        let Some(parsed) = parse(&bot, places(), dispatch).unwrap() else { continue };
        let event = parsed.event;
        assert_eq!(
            (event.address.account(), event.from.id.account()),
            (&bot.account, &bot.account),
            "{}",
            case.name
        );
    }
    assert_eq!(bot.source().id, "discord:42", "the bot, not the account");
}

#[test]
fn what_should_be_an_event_and_cannot_be_read_is_kept() {
    for data in ["", "[]", "7", r#"{"id":"100"}"#, r#"{"id":7,"author":{}}"#] {
        let dispatch = Dispatch { name: "MESSAGE_CREATE", id: "s/7", data };
        let read = parse(&bot(), places(), dispatch).unwrap().unwrap();
        let EventKind::Undecodable(kept) = &read.event.kind else { panic!("{data}: {:?}", read.event.kind) };
        assert_eq!((kept.body.as_slice(), kept.kind.as_str()), (data.as_bytes(), "message_create"));
        assert_eq!(read.event.id, if data.contains("\"100\"") { "100" } else { "s/7" }, "{data}");
    }
    let other = Dispatch { name: "SOMETHING_NEW", id: "s/7", data: "[]" };
    assert_eq!(parse(&bot(), places(), other), Ok(None));
}

#[test]
fn a_deeply_nested_field_that_no_rule_needs_is_not_parsed() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let case = &cases()[0];
    let raw = case.data.to_string();
    let odd = raw.replacen('{', &format!(r#"{{"to_come":{deep},"big":1e999,"half":"\ud800","#), 1);
    let read = |data: &str| parse(&bot(), places(), Dispatch { name: &case.event, id: "s/7", data }).unwrap();
    assert_eq!(read(&odd), read(&raw));
}

#[test]
fn a_missed_message_is_the_event_that_it_would_have_been() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.event == "MESSAGE_CREATE") {
        let mut data = case.data.clone();
        let Some(live) = parsed("MESSAGE_CREATE", &data).map(|parsed| parsed.event) else { continue };
        if matches!(live.kind, EventKind::Undecodable(_)) {
            continue;
        }
        let in_guild = data.get("guild_id").is_some();
        for name in ["guild_id", "member"] {
            data.as_object_mut().unwrap().remove(name);
        }
        let mut missed = missed(&bot(), places(), in_guild, &data.to_string()).unwrap().remove(0);
        (missed.from.roles, missed.from.name) = (live.from.roles.clone(), live.from.name.clone());
        if let (EventKind::Unreadable { raw, .. }, EventKind::Unreadable { .. }) =
            (&mut missed.kind, &live.kind)
        {
            *raw = None;
            continue;
        }
        assert_eq!(missed, live, "{}", case.name);
        compared += 1;
    }
    assert!(compared > 20, "only {compared}");
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
        Just(json!([[{"a": 1}]])),
        r"\PC{0,8}".prop_map(|text| Value::from(format!("junk{text}"))),
    ]
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

/// A recorded dispatch in which some values were replaced.
fn mutated() -> impl Strategy<Value = (&'static Case, Value)> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), junk()), 1..4);
    (any::<prop::sample::Index>(), changes).prop_map(|(case, changes)| {
        let case = &cases()[case.index(cases().len())];
        let mut data = case.data.clone();
        for (at, junk) in changes {
            let paths = paths(&data, "");
            *data.pointer_mut(&paths[at.index(paths.len())]).unwrap() = junk;
        }
        (case, data)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_panics_or_shows_a_value((case, data) in mutated()) {
        if let Some(parsed) = parsed(&case.event, &data) {
            prop_assert_eq!(parsed.event.address.channel(), CHANNEL);
            if let EventKind::Undecodable(raw) = parsed.event.kind {
                prop_assert!(!raw.reason.contains("junk"), "{}", raw.reason);
            }
        }
    }

    #[test]
    fn a_message_of_a_person_is_never_dropped_for_a_value((case, data) in mutated()) {
        let before = parsed(&case.event, &case.data).map(|parsed| parsed.event.kind);
        let about = |name: &str| data.get(name) == case.data.get(name);
        // Whose it is, whether only one person sees it and whether it was edited decide whether it concerns us.
        let decides = ["author", "flags", "edited_timestamp", "user_id", "webhook_id"].iter().all(|name| about(name));
        if matches!(before, Some(EventKind::Message)) && decides && data.is_object() {
            prop_assert!(parsed(&case.event, &data).is_some());
        }
    }
}
