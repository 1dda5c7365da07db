//! Recorded updates and the events they become. `fixtures/*.json` is the table: a case, its update, and the fields of
//! the event that the case is about.

mod changed;
mod needed;
mod recorded;

use frontdesk_core::account::AccountId;
use serde_json::json;

use self::recorded::{bot, cases, described, kind, parsed};
use super::*;

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
fn a_person_without_a_user_name_is_ignored_where_one_is_required() {
    let strict = Bot { require_username: true, ..bot() };
    let from = |username: Option<&str>| json!({"id": 7, "is_bot": false, "first_name": "Anna", "username": username});
    let chat = json!({"id": 7, "type": "private"});
    let updates = |username: Option<&str>| {
        let message = json!({"message_id": 1, "date": 1, "chat": chat, "from": from(username), "text": "hi"});
        [
            json!({"update_id": 1, "message": message}),
            json!({"update_id": 2, "edited_message": message}),
            json!({"update_id": 3, "callback_query": {"id": "q", "from": from(username), "message": message, "data": "a1:0",
                   "chat_instance": "c"}}),
            json!({"update_id": 4, "message_reaction": {"chat": chat, "message_id": 1, "user": from(username), "date": 1,
                   "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]}}),
        ]
    };
    let ignored = EventKind::Other("without_username".to_owned());
    let events = |bot: &Bot, username: Option<&str>| {
        updates(username).map(|update| parse(bot, &update.to_string()).unwrap().event.kind)
    };
    assert!(events(&strict, None).iter().all(|kind| *kind == ignored));
    for (bot, username) in [(&strict, Some("anna")), (&bot(), None)] {
        assert!(events(bot, username).iter().all(|kind| *kind != ignored), "{username:?}");
    }
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
