//! What Slack sends, in the form of its published examples, and the events that it becomes.

use frontdesk_core::account::AccountId;
use frontdesk_core::message::{Attachment, Conversation, Event, EventKind, Forward, Quote};
use serde_json::{Value, json};

use super::*;

const FIXTURES: [(&str, &str); 12] = [
    ("private", include_str!("../fixtures/private.json")),
    ("channel", include_str!("../fixtures/channel.json")),
    ("bot", include_str!("../fixtures/bot.json")),
    ("edit", include_str!("../fixtures/edit.json")),
    ("file", include_str!("../fixtures/file.json")),
    ("words", include_str!("../fixtures/words.json")),
    ("shared", include_str!("../fixtures/shared.json")),
    ("service", include_str!("../fixtures/service.json")),
    ("reaction", include_str!("../fixtures/reaction.json")),
    ("interaction", include_str!("../fixtures/interaction.json")),
    ("command", include_str!("../fixtures/command.json")),
    ("unknown", include_str!("../fixtures/unknown.json")),
];

fn app() -> App {
    App {
        account: AccountId::default_of(CHANNEL),
        app: "A0FFV41KK".to_owned(),
        team: "T061EG9R6".to_owned(),
        enterprise: Some("E0ORG".to_owned()),
        user: "U0LAN0Z89".to_owned(),
        bot: "B0LAN0Z89".to_owned(),
        dm_sessions: DmSessions::Auto,
        has_agent_view: false,
        externals: true,
        guests: false,
    }
}

fn parsed(app: &App, from: &Value, given: &Value) -> Event {
    let raw = given.to_string();
    let payload = match from.as_str() {
        Some("event") => Payload::Event(&raw),
        Some("interaction") => Payload::Interaction(&raw),
        _ => Payload::Command(&raw),
    };
    parse(app, payload).unwrap()
}

fn cases() -> Vec<(String, Value)> {
    let all = FIXTURES.iter().flat_map(|(file, text)| {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        cases.into_iter().map(move |case| (format!("{file}: {}", case["case"].as_str().unwrap()), case))
    });
    all.collect()
}

/// An event in the format of the fixtures.
fn described(event: &Event) -> Value {
    json!({
        "id": event.id,
        "kind": kind(&event.kind),
        "principal": event.from.id.as_str(),
        "sender_kind": event.from.kind.name(),
        "sender": event.from.name,
        "address": event.address.as_str(),
        "conversation": conversation(&event.conversation),
        "addressed": event.addressed,
        "forward": event.forward.as_ref().map(forward),
        "first_line": format!("{:?}", event.first_line),
        "text": event.text,
        "links": event.links.iter().map(|link| json!({"label": link.label, "url": link.url})).collect::<Vec<_>>(),
        "message": event.platform_message,
        "quote": event.quote.as_ref().map(quote),
        "files": event.attachments.iter().map(file).collect::<Vec<_>>(),
        "sent_at": event.sent_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
    })
}

fn kind(kind: &EventKind) -> String {
    match kind {
        EventKind::Message => "message".to_owned(),
        EventKind::Edit => "edit".to_owned(),
        EventKind::Deleted => "deleted".to_owned(),
        EventKind::Reaction { target, added, removed } => {
            let signed =
                |sign, list: &[String]| list.iter().map(|one| format!(" {sign}{one}")).collect::<String>();
            format!("reaction {target}{}{}", signed('+', added), signed('-', removed))
        }
        EventKind::Button { target } => format!("button {}", target.as_deref().unwrap_or("none")),
        EventKind::Other(name) => format!("other {name}"),
        EventKind::Undecodable(raw) => format!("undecodable {}: {}", raw.kind, raw.reason),
        EventKind::Unreadable { kind, notify_sender: false, raw: Some(_) } => {
            format!("unreadable {kind} untold kept")
        }
        other => format!("{other:?}"),
    }
}

fn conversation(conversation: &Conversation) -> String {
    let name = match conversation {
        Conversation::Dm { chat, thread: Some(thread) } => return format!("dm {chat} thread {thread}"),
        Conversation::Dm { .. } => "dm",
        Conversation::Group { .. } => "group",
        Conversation::Channel { .. } => "channel",
        Conversation::Topic { .. } => "topic",
        Conversation::Thread { .. } => "thread",
    };
    let thread = conversation.thread().map(|thread| format!(" {thread}")).unwrap_or_default();
    format!("{name} {}{thread}", conversation.chat())
}

fn forward(forward: &Forward) -> String {
    let parts =
        [Some(forward.kind.name()), forward.id.as_ref().map(|id| id.as_str()), forward.name.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn quote(quote: &Quote) -> String {
    let ours = quote.ours.then_some("ours");
    let parts =
        [ours, quote.id.as_ref().map(|id| id.as_str()), quote.sender.as_deref(), quote.message.as_deref()];
    format!("{}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(" "), quote.text)
}

fn file(file: &Attachment) -> Value {
    json!({
        "reference": file.reference, "unique": file.unique, "kind": file.kind.name(), "name": file.name,
        "mime": file.mime, "size": file.size, "seconds": file.seconds,
    })
}

/// Whether `whole` says everything that `part` says.
fn says(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| says(whole, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| says(whole, part))
        }
        (whole, part) => whole == part,
    }
}

#[test]
fn each_payload_becomes_the_event_that_its_fixture_says() {
    let cases = cases();
    assert!(cases.len() >= 100, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        let described = described(&parsed(&app(), &case["from"], &case["given"]));
        if !says(&described, &case["says"]) {
            wrong.push(format!("{name}\n  wanted {}\n  got    {described}", case["says"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn names_of_cases_are_used_once() {
    let mut names: Vec<_> = cases().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn an_agents_private_chat_opens_a_thread_with_each_message() {
    let app = App { has_agent_view: true, ..app() };
    let case = cases().into_iter().find(|(name, _)| name.ends_with("a_private_message_is_for_us")).unwrap().1;
    let event = parsed(&app, &case["from"], &case["given"]);
    assert_eq!(conversation(&event.conversation), "dm U2147483697 thread 1767225600.000200");
    assert_eq!(event.address.thread(), Some("1767225600.000200"));
}

#[test]
fn an_agent_view_is_known_by_the_events_that_only_such_apps_get() {
    for (kind, text, shows) in [
        ("agent_session_stopped", "", true),
        ("agent_session_title_changed", "", true),
        ("app_context_changed", "", true),
        ("app_home_opened", "", false),
        ("message", "what does app_context_changed mean?", false),
    ] {
        let raw = json!({"type": "event_callback", "event": {"type": kind, "text": text}}).to_string();
        assert_eq!(shows_agent_view(Payload::Event(&raw)), shows, "{kind}");
        assert!(!shows_agent_view(Payload::Interaction(&raw)));
    }
}

#[test]
fn people_of_other_organisations_are_shut_out_unless_they_are_let_in() {
    let app = App { externals: false, ..app() };
    let said = |channel_is_external: Option<bool>, team: &str| {
        let event = json!({"type": "message", "channel": "C1", "channel_type": "channel", "user": "U7", "user_team": team,
                           "text": "<@U0LAN0Z89> hi", "ts": "1.000100"});
        let given = json!({"event": event, "event_id": "Ev1", "is_ext_shared_channel": channel_is_external});
        parse(&app, Payload::Event(&given.to_string())).unwrap()
    };
    let stranger = said(Some(true), "T2");
    assert_eq!(
        (kind(&stranger.kind).as_str(), stranger.text.as_str()),
        ("other from_another_organisation", "")
    );
    assert_eq!(said(None, "T2").kind, stranger.kind, "in doubt");
    for (external, team) in [(Some(true), "T061EG9R6"), (Some(false), "T2")] {
        assert_eq!(said(external, team).kind, EventKind::Message, "{team}");
    }
    let press = json!({"type": "block_actions", "trigger_id": "1.2", "user": {"id": "U7", "team_id": "T2"},
                       "container": {"channel_id": "C1", "message_ts": "1.000100"}, "actions": [{"value": "a1:0"}]});
    let pressed = parse(&app, Payload::Interaction(&press.to_string())).unwrap();
    assert_eq!(pressed.kind, stranger.kind);
    let open = App { externals: true, ..app.clone() };
    let pressed = parse(&open, Payload::Interaction(&press.to_string())).unwrap();
    assert_eq!((pressed.from.id.id(), pressed.text.as_str()), ("T2/U7", "a1:0"), "they are let in");
    let alone = App { enterprise: None, ..app };
    let given = json!({"event": {"type": "message", "channel": "C1", "user": "U7", "user_team": "T2", "text": "x",
                       "ts": "1.000100"}, "is_ext_shared_channel": false, "event_id": "Ev1"});
    assert_eq!(parse(&alone, Payload::Event(&given.to_string())).unwrap().kind, stranger.kind);
}

#[test]
fn a_missed_message_is_the_same_event_as_one_that_arrives() {
    let (_, case) =
        cases().into_iter().find(|(name, _)| name.ends_with("a_private_message_is_for_us")).unwrap();
    let arrived = parsed(&app(), &case["from"], &case["given"]);
    let mut message = case["given"]["event"].clone();
    for field in ["channel", "channel_type", "event_ts"] {
        message.as_object_mut().unwrap().remove(field);
    }
    let channel = arrived.address.chat().to_owned();
    let read = |message: &Value| missed(&app(), &channel, Kind::Private, message).unwrap();
    let found = read(&message).unwrap();
    assert_eq!((found.message, found.edit.is_none()), (arrived.clone(), true));
    message["edited"] = json!({"user": "U1", "ts": "1767225700.000000"});
    message["text"] = "changed".into();
    let found = read(&message).unwrap();
    assert_eq!((found.message.id, found.message.kind), (arrived.id.clone(), EventKind::Message));
    let edit = found.edit.unwrap();
    assert_eq!((edit.kind, edit.text.as_str()), (EventKind::Edit, "changed"));
    assert_eq!(edit.id, format!("{}:1767225700.000000", arrived.id));
    for nobody in [
        json!({"subtype": "channel_join", "user": "U1", "text": "x", "ts": "1.000100"}),
        json!({"user": "U0LAN0Z89", "bot_id": "B0LAN0Z89", "text": "x", "ts": "1.000100"}),
        json!({"subtype": "tombstone", "ts": "1.000100"}),
        json!({"user": "U1"}),
    ] {
        assert!(read(&nobody).is_none(), "{nobody}");
    }
}

#[test]
fn a_field_of_a_wrong_type_never_costs_the_text() {
    let odd = [json!(null), json!(7), json!("x"), json!([]), json!({}), json!([{}]), json!([[null]])];
    let (_, case) =
        cases().into_iter().find(|(name, _)| name.ends_with("a_private_message_is_for_us")).unwrap();
    let used = ["channel", "channel_type", "user", "text", "ts", "type"];
    for field in [
        "files",
        "attachments",
        "blocks",
        "edited",
        "team",
        "user_profile",
        "metadata",
        "parent_user_id",
        "root",
    ] {
        assert!(!used.contains(&field));
        for odd in &odd {
            let mut given = case["given"].clone();
            given["event"][field] = odd.clone();
            let event = parsed(&app(), &case["from"], &given);
            assert_eq!(
                (event.text.as_str(), kind(&event.kind).as_str()),
                ("hello", "message"),
                "{field} {odd}"
            );
        }
    }
}

#[test]
fn what_is_no_json_is_kept_as_it_came() {
    for payload in [Payload::Event("<html>"), Payload::Interaction(""), Payload::Command("{\"a\":")] {
        let event = parse(&app(), payload).unwrap();
        let EventKind::Undecodable(raw) = &event.kind else { panic!("{:?}", event.kind) };
        assert_eq!(raw.kind, "unknown");
        assert!(event.id.starts_with("raw:"));
    }
}

#[test]
fn a_kind_that_is_no_plain_word_is_no_label() {
    let raw = json!({"event": {"type": "<b>\n"}, "event_id": "Ev1"}).to_string();
    let event = parse(&app(), Payload::Event(&raw)).unwrap();
    assert_eq!(
        (kind(&event.kind), event.id),
        ("undecodable unknown: event.type is missing or cannot be read".to_owned(), "Ev1".to_owned())
    );
}

#[test]
fn a_payload_says_for_which_workspaces_it_is() {
    let (_, event) = cases().into_iter().find(|(name, _)| name.starts_with("private")).unwrap();
    assert_eq!(teams(&event["given"].to_string()), ["T061EG9R6"]);
    let shared = json!({"team_id": "T2", "authorizations": [{"team_id": "T1"}]});
    assert_eq!(teams(&shared.to_string()), ["T1", "T2"]);
    assert_eq!(teams(&json!({"team": null, "user": {"team_id": "T3"}}).to_string()), ["T3"]);
    assert_eq!(teams("nothing"), [""; 0]);
}
