//! Session keys: every scope, every refusal, and that different fields never give the same text.

use std::collections::HashMap;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::account::DEFAULT_ACCOUNT;

fn parse(text: &str) -> SessionKey {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The canonical spelling that an error shows.
fn corrected(text: &str) -> String {
    match text.parse::<SessionKey>() {
        Err(KeyError::NotCanonical { canonical, .. }) => canonical,
        other => panic!("{text:?} is {other:?}"),
    }
}

#[rstest]
#[case("agent:main:telegram:dm:123456789", "main", Scope::Dm, "123456789", None)]
#[case("agent:main:telegram:group:-100123456789", "main", Scope::Group, "-100123456789", None)]
#[case("agent:main:telegram:topic:-100123456789:456", "main", Scope::Topic, "-100123456789", Some("456"))]
#[case("agent:main:discord:channel:789012345", "main", Scope::Channel, "789012345", None)]
#[case("agent:mentor:telegram:dm:123456789", "mentor", Scope::Dm, "123456789", None)]
fn the_examples_of_the_specification_parse(
    #[case] text: &str,
    #[case] agent: &str,
    #[case] scope: Scope,
    #[case] id: &str,
    #[case] thread: Option<&str>,
) {
    let key = parse(text);
    assert_eq!((key.agent(), key.scope(), key.id(), key.thread()), (agent, scope, id, thread));
    assert_eq!((key.account().name(), key.person()), ("default", None));
    assert_eq!(key.to_string(), text);
}

fn dm(agent: &str, channel: &str, account: Option<&str>, id: &str) -> SessionKey {
    SessionKey::build(agent, channel, account, Scope::Dm, id, None, None).unwrap()
}

#[test]
fn every_scope_has_its_form() {
    let keys = [
        (Scope::Dm, "1", None, None, "agent:main:telegram@work:dm:1"),
        (Scope::Dm, "1", Some("8"), None, "agent:main:telegram@work:dm:1:8"),
        (Scope::Group, "-1", None, None, "agent:main:telegram@work:group:-1"),
        (Scope::Channel, "7", None, None, "agent:main:telegram@work:channel:7"),
        (Scope::Topic, "-1", Some("8"), None, "agent:main:telegram@work:topic:-1:8"),
        (Scope::Thread, "-1", Some("8"), None, "agent:main:telegram@work:thread:-1:8"),
        (Scope::Member, "-1", None, Some("5"), "agent:main:telegram@work:member:-1::5"),
        (Scope::Member, "-1", Some("8"), Some("5"), "agent:main:telegram@work:member:-1:8:5"),
        (Scope::Task, "t1", None, None, "agent:main:telegram@work:task:t1"),
        (Scope::Job, "daily", None, None, "agent:main:telegram@work:job:daily"),
    ];
    for (scope, id, thread, person, text) in keys {
        let key = SessionKey::build("main", "telegram", Some("work"), scope, id, thread, person).unwrap();
        assert_eq!(key.as_str(), text);
        assert_eq!(parse(text).as_str(), text);
    }
}

#[test]
fn the_default_account_is_never_written() {
    let written = dm("main", "telegram", Some("default"), "1");
    assert_eq!(written, dm("main", "telegram", None, "1"));
    assert_eq!(corrected("agent:main:telegram@default:dm:1"), "agent:main:telegram:dm:1");
}

#[test]
fn characters_that_would_break_the_form_are_escaped() {
    let key = dm("a:b", "x@y", Some("@me:home"), "50%\n\u{85}é@");
    assert_eq!(key.as_str(), "agent:a%3Ab:x%40y@%40me%3Ahome:dm:50%25%0A%C2%85é@");
    assert_eq!((key.channel(), key.account().name(), key.id()), ("x@y", "@me:home", "50%\n\u{85}é@"));
}

#[rstest]
#[case("agent:main:telegram:dm:a%3ab", "agent:main:telegram:dm:a%3Ab")]
#[case("agent:main:telegram:dm:%61", "agent:main:telegram:dm:a")]
#[case("agent:main:telegram:dm:a%40b", "agent:main:telegram:dm:a@b")]
#[case("agent:main:telegram@a@b:dm:1", "agent:main:telegram@a%40b:dm:1")]
#[case("agent:main:telegram:dm:a\tb", "agent:main:telegram:dm:a%09b")]
fn another_spelling_is_refused_with_the_right_one(#[case] text: &str, #[case] canonical: &str) {
    assert_eq!(corrected(text), canonical);
    assert_eq!(parse(canonical).as_str(), canonical);
}

#[rstest]
#[case("", "is not a session key")]
#[case("telegram:123", "is not a session key")]
#[case("Agent:main:telegram:dm:1", "is not a session key")]
#[case("agent:main:telegram", "is not a session key")]
#[case("agent:main:telegram:room:1", "use dm, group,")]
#[case("agent:main:telegram:dm", "dm:{id}")]
#[case("agent:main:telegram:dm:1:2:3", "dm:{id}")]
#[case("agent:main:telegram:topic:1", "topic:{chat}:{topic}")]
#[case("agent:main:telegram:member:1:2", "member:{chat}:{thread or nothing}:{person}")]
#[case("agent:main:telegram:member:1:2:3:4:5:6:7", "member:{chat}")]
#[case("agent::telegram:dm:1", "the agent of")]
#[case("agent:main::dm:1", "the channel of")]
#[case("agent:main:telegram@:dm:1", "the account of")]
#[case("agent:main:telegram:dm:", "the id of")]
#[case("agent:main:telegram:topic:1:", "the thread of")]
#[case("agent:main:telegram:member:1::", "the person of")]
#[case("agent:main:telegram:dm:100%", "broken escape")]
#[case("agent:main:telegram:dm:%2", "broken escape")]
#[case("agent:main:telegram:dm:%+1", "broken escape")]
#[case("agent:main:telegram:dm:%FF", "broken escape")]
fn a_refusal_says_what_is_wrong(#[case] text: &str, #[case] says: &str) {
    let error = text.parse::<SessionKey>().unwrap_err().to_string();
    assert!(error.contains(says), "{text:?}: {error}");
}

#[test]
fn a_scope_takes_only_the_fields_it_has() {
    let build = |scope, thread, person| SessionKey::build("main", "web", None, scope, "1", thread, person);
    for scope in Scope::ALL {
        let threaded = matches!(scope, Scope::Topic | Scope::Thread);
        let (member, dm) = (scope == Scope::Member, scope == Scope::Dm);
        assert_eq!(build(scope, None, None).is_ok(), !threaded && !member, "{scope}");
        assert_eq!(build(scope, Some("2"), None).is_ok(), threaded || dm, "{scope}");
        assert_eq!(build(scope, None, Some("3")).is_ok(), member, "{scope}");
        assert_eq!(build(scope, Some("2"), Some("3")).is_ok(), member, "{scope}");
        assert_eq!(scope.name().parse(), Ok(scope));
    }
    assert_eq!(
        build(Scope::Topic, None, None),
        Err(KeyError::Lacks { scope: Scope::Topic, field: "thread" })
    );
    assert_eq!(build(Scope::Dm, None, Some("3")), Err(KeyError::HasNo { scope: Scope::Dm, field: "person" }));
}

#[test]
fn ids_that_differ_in_a_sign_stay_apart() {
    let ids = ["a.b", "a_b", "a-b", "a:b", "a%3Ab", "a%253Ab", "a b", "A.B", "a.b ", "ab"];
    let keys: std::collections::BTreeSet<SessionKey> =
        ids.iter().map(|id| dm("main", "web", None, id)).collect();
    assert_eq!(keys.len(), ids.len());
}

#[test]
fn a_map_of_keys_can_be_asked_with_text() {
    let key = parse("agent:main:web:dm:main");
    let map = HashMap::from([(key.clone(), 1)]);
    assert_eq!((map.get("agent:main:web:dm:main"), map.get(&key)), (Some(&1), Some(&1)));
}

#[test]
fn a_long_text_is_not_repeated_whole_in_the_error() {
    let error = "é".repeat(100_000).parse::<SessionKey>().unwrap_err().to_string();
    assert!(error.len() < 1000);
}

type Raw = (String, String, Option<String>, Scope, String, Option<String>, Option<String>);

/// Parts that escaping could confuse, and any other characters.
fn segment() -> impl Strategy<Value = String> {
    let trap = prop::sample::select(vec![
        ":", "%", "@", "3A", "%3A", "%3a", "%25", "a", ".", "_", "default", "topic",
    ]);
    let piece = prop_oneof![4 => trap.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn raw() -> impl Strategy<Value = Raw> {
    let optional = || prop::option::of(segment());
    let scope = prop::sample::select(Scope::ALL.to_vec());
    (segment(), segment(), optional(), scope, segment(), optional(), segment()).prop_map(
        |(agent, channel, account, scope, id, thread, other)| {
            let account = account.filter(|account| account != DEFAULT_ACCOUNT);
            let (thread, person) = match scope {
                Scope::Topic | Scope::Thread => (Some(other), None),
                Scope::Member => (thread, Some(other)),
                _ => (None, None),
            };
            (agent, channel, account, scope, id, thread, person)
        },
    )
}

fn built((agent, channel, account, scope, id, thread, person): &Raw) -> SessionKey {
    let (account, thread, person) = (account.as_deref(), thread.as_deref(), person.as_deref());
    SessionKey::build(agent, channel, account, *scope, id, thread, person).unwrap()
}

proptest! {
    #[test]
    fn any_fields_come_back_through_the_text(raw in raw()) {
        let key = parse(built(&raw).as_str());
        let (agent, channel, account, scope, id, thread, person) = &raw;
        prop_assert_eq!(key.agent(), agent);
        prop_assert_eq!(key.channel(), channel);
        prop_assert_eq!(key.account().name(), account.as_deref().unwrap_or("default"));
        prop_assert_eq!(key.scope(), *scope);
        prop_assert_eq!(key.id(), id);
        prop_assert_eq!(key.thread(), thread.as_deref());
        prop_assert_eq!(key.person(), person.as_deref());
        prop_assert_eq!(&key, &built(&raw));
        prop_assert!(!key.as_str().contains(char::is_control));
    }

    #[test]
    fn different_fields_never_have_the_same_text(one in raw(), other in raw()) {
        prop_assert_eq!(one == other, built(&one) == built(&other));
    }

    #[test]
    fn moving_a_colon_from_one_field_to_the_next_makes_another_key(a in "[a:%.]{1,4}", b in "[a:%.]{1,4}") {
        let topic = |chat: &str, thread: &str| {
            SessionKey::build("x", "y", None, Scope::Topic, chat, Some(thread), None).unwrap()
        };
        prop_assert_ne!(topic(&format!("{a}:"), &b), topic(&a, &format!(":{b}")));
    }

    #[test]
    fn a_text_that_parses_is_already_canonical(
        account in "(x|x@y|x@|@|%40|x%40y)", scope in "(dm|topic|member|job)", rest in "(:|%|%3A|%3a|%41|a|@|é){1,5}",
    ) {
        let text = format!("agent:main:{account}:{scope}:{rest}");
        if let Ok(key) = text.parse::<SessionKey>() {
            prop_assert_eq!(key.as_str(), text);
        }
    }

    #[test]
    fn no_text_panics(text in r"(agent:)?\PC*") {
        match text.parse::<SessionKey>() {
            Ok(key) => prop_assert_eq!(key.as_str(), text),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
