//! Keys, the connection and what is read change the state, and ask for something to be done.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::json;

use super::*;
use crate::cli::tui::chat::Page;
use crate::cli::tui::theme::Theme;

pub(crate) const KEY: &str = "agent:main:web:dm:main";

fn now() -> Now {
    Now { wall: "2026-11-21T12:00:00Z".parse().unwrap(), mono: Mono::default() }
}

fn id() -> Result<String, Failure> {
    Ok("id".to_owned())
}

/// A chat that has just begun.
pub(crate) fn begun() -> App {
    let look = Look { theme: Theme::new(true), zone: chrono_tz::UTC };
    App::new(Place::Chat("main".into()), look, id, now())
}

/// One that is connected and shows an empty timeline.
pub(crate) fn connected() -> App {
    let mut app = begun();
    app.on(Event::Link(Link::Open), now());
    let resume = app.resume.clone();
    frame(&mut app, json!({"id": resume, "result": {"session": KEY, "seq": 0}}));
    let opened = app.opened;
    app.on(Event::Fetched(Fetched::Newest(opened, Ok(Page::default()))), now());
    app.on(Event::Fetched(Fetched::Sessions(Ok(Vec::new()))), now());
    app
}

pub(crate) fn frame(app: &mut App, frame: Value) -> Vec<Effect> {
    app.on(Event::Link(Link::Frame(frame)), now())
}

pub(crate) fn press(app: &mut App, code: KeyCode, modifiers: KeyModifiers) -> Vec<Effect> {
    app.on(Event::Key(KeyEvent::new(code, modifiers)), now())
}

fn control(app: &mut App, c: char) -> Vec<Effect> {
    press(app, KeyCode::Char(c), KeyModifiers::CONTROL)
}

fn key(app: &mut App, code: KeyCode) -> Vec<Effect> {
    press(app, code, KeyModifiers::NONE)
}

pub(crate) fn typed(app: &mut App, text: &str) {
    for c in text.chars() {
        key(app, KeyCode::Char(c));
    }
}

fn sent(effects: &[Effect]) -> Vec<&Value> {
    effects
        .iter()
        .filter_map(|effect| if let Effect::Send(frame) = effect { Some(frame) } else { None })
        .collect()
}

fn prompt(text: &str) -> Value {
    json!({"type": "prompt", "id": "id", "chat": "main", "text": text})
}

#[test]
fn a_typed_message_is_sent_with_enter_and_its_line_breaks() {
    let mut app = connected();
    typed(&mut app, "one");
    press(&mut app, KeyCode::Enter, KeyModifiers::ALT);
    typed(&mut app, "two");
    app.on(Event::Paste("\nthree\n".into()), now());
    let effects = key(&mut app, KeyCode::Enter);
    assert_eq!(sent(&effects), [&prompt("one\ntwo\nthree\n")]);
    assert!(app.composer.is_empty());
    assert!(key(&mut app, KeyCode::Enter).is_empty(), "nothing is sent twice");
}

#[test]
fn what_is_written_without_a_connection_is_sent_when_it_is_back() {
    let mut app = connected();
    app.on(Event::Link(Link::Waiting(Duration::from_secs(3), String::new())), now());
    typed(&mut app, "hello");
    assert!(key(&mut app, KeyCode::Enter).is_empty());
    let effects = app.on(Event::Link(Link::Open), now());
    assert_eq!(sent(&effects)[1..], [&prompt("hello")]);
    // The gateway was killed before it accepted that.
    app.on(Event::Link(Link::Waiting(Duration::from_secs(3), String::new())), now());
    let effects = app.on(Event::Link(Link::Open), now());
    assert_eq!(sent(&effects)[1..], [&prompt("hello")], "with the same id");
    frame(&mut app, json!({"type": "accepted", "id": "id", "message": "m1", "session": KEY}));
    app.on(Event::Link(Link::Waiting(Duration::from_secs(3), String::new())), now());
    assert_eq!(sent(&app.on(Event::Link(Link::Open), now())).len(), 1, "only the resume");
}

#[test]
fn frames_wait_until_the_timeline_is_shown() {
    let mut app = begun();
    app.on(Event::Link(Link::Open), now());
    let resume = app.resume.clone();
    frame(&mut app, json!({"id": resume, "result": {"session": KEY, "seq": 0}}));
    frame(&mut app, json!({"type": "done", "fullText": "late", "message": "m1", "session": KEY, "seq": 1}));
    assert!(app.chat.rows.is_empty());
    let items = json!([{"type": "prompt", "message": "m1", "state": "in_turn", "text": "early", "answer": null, "principal": "web:x"}]);
    let page = Page { items: items.as_array().unwrap().clone(), next: None, tasks: Vec::new() };
    let opened = app.opened;
    app.on(Event::Fetched(Fetched::Newest(opened, Ok(page))), now());
    let texts: Vec<&str> = app.chat.rows.iter().map(|row| row.source()).collect();
    assert_eq!(texts, ["early", "late"]);
    assert!(!app.chat.is_running());
}

#[test]
fn a_timeline_of_a_conversation_that_was_left_is_dropped() {
    let mut app = connected();
    let before = app.opened;
    press(&mut app, KeyCode::Char('n'), KeyModifiers::CONTROL);
    let items =
        json!([{"type": "prompt", "message": "m1", "state": "answered", "text": "other", "answer": "x"}]);
    let page = Page { items: items.as_array().unwrap().clone(), next: None, tasks: Vec::new() };
    app.on(Event::Fetched(Fetched::Newest(before, Ok(page))), now());
    assert!(app.chat.rows.is_empty());
}

#[test]
fn a_draft_and_an_unsent_message_stay_with_their_conversation() {
    let mut app = connected();
    app.on(Event::Link(Link::Waiting(Duration::from_secs(3), String::new())), now());
    typed(&mut app, "for main");
    key(&mut app, KeyCode::Enter);
    typed(&mut app, "draft");
    app.open(Place::Chat("work".into()));
    assert!(app.composer.is_empty() && app.chat.rows.is_empty());
    let effects = app.on(Event::Link(Link::Open), now());
    assert_eq!(sent(&effects)[0]["chat"], "work");
    assert_eq!(sent(&effects)[1..], [&prompt("for main")]);
    frame(&mut app, json!({"type": "accepted", "id": "id", "message": "m1", "session": KEY}));
    assert_eq!(app.chat.session, None, "that was about the other one");
    assert!(app.parked.is_empty());
    app.open(Place::Chat("main".into()));
    assert_eq!(app.composer.text(), "draft");
}

#[test]
fn a_question_takes_digits_and_arrows_only_while_nothing_is_written() {
    let mut app = connected();
    let ask = json!({"type": "ask", "ask": "a1", "kind": "permission", "text": "May I?", "session": KEY,
        "choices": [{"id": "allow", "label": "Allow"}, {"id": "deny", "label": "Deny"}]});
    typed(&mut app, "x");
    frame(&mut app, ask);
    typed(&mut app, "2");
    assert_eq!((app.composer.text(), app.chat.asks.selected()), ("x2", None));
    key(&mut app, KeyCode::Backspace);
    key(&mut app, KeyCode::Backspace);
    assert!(key(&mut app, KeyCode::Enter).is_empty(), "nothing is selected");
    typed(&mut app, "2");
    key(&mut app, KeyCode::Right);
    key(&mut app, KeyCode::Left);
    assert_eq!(app.chat.asks.selected(), Some(1));
    let effects = key(&mut app, KeyCode::Enter);
    assert_eq!(sent(&effects), [&json!({"type": "answer", "id": "id", "ask": "a1", "choice": "deny"})]);
}

#[test]
fn a_question_for_words_takes_the_text_but_no_command() {
    let mut app = connected();
    frame(
        &mut app,
        json!({"type": "ask", "ask": "a2", "kind": "input", "text": "Its name?", "choices": [], "session": KEY}),
    );
    typed(&mut app, "/status");
    assert_eq!(sent(&key(&mut app, KeyCode::Enter)), [&prompt("/status")]);
    typed(&mut app, "Amsel");
    let effects = key(&mut app, KeyCode::Enter);
    assert_eq!(sent(&effects), [&json!({"type": "answer", "id": "id", "ask": "a2", "text": "Amsel"})]);
}

#[test]
fn escape_stops_what_runs_and_nothing_else() {
    let mut app = connected();
    assert!(key(&mut app, KeyCode::Esc).is_empty());
    typed(&mut app, "hello");
    key(&mut app, KeyCode::Enter);
    frame(&mut app, json!({"type": "accepted", "id": "id", "message": "m1", "session": KEY}));
    key(&mut app, KeyCode::F(1));
    assert!(key(&mut app, KeyCode::Esc).is_empty(), "it closes the help");
    assert_eq!(sent(&key(&mut app, KeyCode::Esc)), [&json!({"type": "abort", "chat": "main"})]);
}

#[test]
fn quitting_takes_two_interrupts_or_an_empty_line_and_loses_no_message_unsaid() {
    let mut app = connected();
    typed(&mut app, "ab");
    press(&mut app, KeyCode::Home, KeyModifiers::NONE);
    assert!(control(&mut app, 'd').is_empty());
    assert_eq!(app.composer.text(), "b", "it deletes while something is written");
    assert!(control(&mut app, 'c').is_empty());
    assert!(app.composer.is_empty() && app.sentence.is_some());
    typed(&mut app, "c");
    assert!(control(&mut app, 'c').is_empty(), "a key in between begins anew");
    assert_eq!(control(&mut app, 'c'), [Effect::Quit]);
    let mut app = connected();
    assert_eq!(control(&mut app, 'd'), [Effect::Quit]);
    app.on(Event::Link(Link::Waiting(Duration::from_secs(3), String::new())), now());
    typed(&mut app, "hello");
    key(&mut app, KeyCode::Enter);
    assert!(control(&mut app, 'd').is_empty());
    assert!(app.sentence.as_deref().unwrap().contains("1 message not sent yet"));
    assert_eq!(control(&mut app, 'd'), [Effect::Quit]);
}

#[test]
fn another_conversation_is_opened_from_the_list() {
    let mut app = connected();
    let row = |id: &str, seq: u64| {
        json!({"key": format!("agent:main:web:dm:{id}"), "id": id, "agent": "main", "scope": "dm",
        "account": "default", "seq": seq, "last_user_at": null, "created": "2026-01-01", "archived": null, "running": null, "waiting": 0})
    };
    app.on(Event::Fetched(Fetched::Sessions(Ok(vec![row("main", 1), row("work", 2)]))), now());
    assert!(app.entries()[1].is_unread, "it was not there when the list was first read");
    key(&mut app, KeyCode::Tab);
    key(&mut app, KeyCode::Down);
    let effects = key(&mut app, KeyCode::Enter);
    assert_eq!((app.chat.place.clone(), app.in_list), (Place::Chat("work".into()), false));
    assert_eq!(sent(&effects)[0]["chat"], "work");
    press(&mut app, KeyCode::Up, KeyModifiers::ALT);
    assert_eq!(app.chat.place, Place::Chat("main".into()));
}

#[test]
fn a_session_of_another_platform_is_followed_by_its_key_and_only_read() {
    let key_of = "agent:main:telegram:dm:5".parse().unwrap();
    let look = Look { theme: Theme::new(true), zone: chrono_tz::UTC };
    let mut app = App::new(Place::of(&key_of), look, id, now());
    let effects = app.on(Event::Link(Link::Open), now());
    assert_eq!(sent(&effects)[0]["session"], "agent:main:telegram:dm:5");
    typed(&mut app, "hello");
    assert!(key(&mut app, KeyCode::Enter).is_empty());
    assert!(app.sentence.as_deref().unwrap().contains("telegram"));
    assert_eq!(app.composer.text(), "hello", "nothing is lost");
}

#[test]
fn older_messages_are_read_when_the_beginning_is_near_and_once_at_a_time() {
    let mut app = connected();
    app.drawn(80, 20);
    let items: Vec<Value> = (100..150).rev().map(|n| json!({"type": "prompt", "message": format!("m{n}"), "state": "answered", "text": "q", "answer": "a"})).collect();
    app.chat.show_newest(&Page { items, next: Some("m100".into()), tasks: Vec::new() });
    assert!(app.drawn(80, 20).is_empty(), "the end is on the screen");
    let mut effects = Vec::new();
    for _ in 0..30 {
        effects.extend(key(&mut app, KeyCode::PageUp));
    }
    let opened = app.opened;
    assert_eq!(effects, [Effect::Fetch(Request::Earlier(opened, KEY.into(), "m100".into()))]);
    app.on(Event::Fetched(Fetched::Earlier(opened, Ok(Page::default()))), now());
    assert!(key(&mut app, KeyCode::PageUp).is_empty(), "there is nothing earlier");
}
