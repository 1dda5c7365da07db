//! Frames and timelines become rows.

use super::*;
use crate::cli::tui::row::Look;
use crate::cli::tui::theme::Theme;

const KEY: &str = "agent:main:web:dm:main";

fn chat() -> Chat {
    let mut chat = Chat::new(Place::Chat("main".into()), chrono_tz::UTC);
    chat.session = Some(KEY.into());
    chat
}

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// The rows as they are drawn, without empty lines.
fn shown(chat: &mut Chat) -> Vec<String> {
    let look = Look { theme: Theme::new(false), zone: chrono_tz::UTC };
    let view = chat.rows.view(100, 1000, &look);
    let plain = |line: &ratatui::text::Line<'_>| {
        line.spans.iter().map(|span| span.content.as_ref()).collect::<String>()
    };
    view.lines.iter().map(plain).filter(|line| !line.is_empty()).collect()
}

fn handle(chat: &mut Chat, frame: Value) -> Wants {
    chat.handle(&frame, noon())
}

fn say(chat: &mut Chat, id: &str, text: &str) {
    chat.say(id.into(), text.into(), true, noon());
}

#[test]
fn an_answer_grows_and_is_replaced_by_the_whole_one() {
    let mut chat = chat();
    say(&mut chat, "1", "hello");
    handle(&mut chat, json!({"type": "accepted", "id": "1", "message": "m1", "session": KEY}));
    assert!(chat.is_running() && !chat.is_writing());
    handle(&mut chat, json!({"type": "delta", "text": "He", "message": "m1", "attempt": 1, "session": KEY}));
    handle(&mut chat, json!({"type": "delta", "text": "llo", "message": "m1", "attempt": 1, "session": KEY}));
    assert_eq!(shown(&mut chat), ["You  12:00", "  hello", "main  12:00", "  Hello"]);
    // A later attempt starts over, and a client that comes back gets the text so far.
    handle(
        &mut chat,
        json!({"type": "delta", "text": "Good", "message": "m1", "attempt": 2, "session": KEY}),
    );
    handle(
        &mut chat,
        json!({"type": "delta", "text": "Good day", "whole": true, "message": "m1", "attempt": 2, "session": KEY}),
    );
    assert_eq!(shown(&mut chat)[3], "  Good day");
    handle(
        &mut chat,
        json!({"type": "done", "fullText": "**Good** day.", "message": "m1", "session": KEY, "seq": 1}),
    );
    assert_eq!(shown(&mut chat)[3], "  Good day.");
    assert!(!chat.is_running() && !chat.is_writing());
    // What comes late changes nothing.
    handle(
        &mut chat,
        json!({"type": "delta", "text": "late", "message": "m1", "attempt": 3, "session": KEY}),
    );
    assert_eq!(shown(&mut chat)[3], "  Good day.");
}

#[test]
fn a_message_is_sent_again_until_it_is_accepted_and_shown_once() {
    let mut chat = chat();
    let sent = chat.say("1".into(), "hello".into(), false, noon());
    assert_eq!(shown(&mut chat)[2], "  Sent when the connection is back");
    assert_eq!(chat.unacknowledged(), std::slice::from_ref(&sent), "with the same id");
    assert_eq!(sent, json!({"type": "prompt", "id": "1", "chat": "main", "text": "hello"}));
    // It was accepted before the connection was lost: the timeline has it.
    chat.show_newest(&page(json!([{"type": "prompt", "message": "m1", "state": "in_turn", "text": "hello", "answer": null, "principal": "web:owner"}])));
    handle(&mut chat, json!({"type": "accepted", "id": "1", "message": "m1", "session": KEY}));
    assert_eq!(shown(&mut chat), ["You", "  hello"]);
    assert!(chat.unacknowledged().is_empty() && chat.is_running());
}

#[test]
fn a_refused_message_says_why_and_its_text_comes_back() {
    let mut chat = chat();
    say(&mut chat, "1", "hello");
    let refused =
        json!({"type": "error", "id": "1", "code": "rate_limited", "message": "Too fast.", "about": "m1"});
    assert_eq!(handle(&mut chat, refused).rejected.as_deref(), Some("hello"));
    assert_eq!(shown(&mut chat)[2], "  Too fast. (Up brings the text back)");
    assert_eq!((chat.unsent(), chat.is_running()), (0, false));
    // A message that is too large for a frame is known only by being the last one.
    say(&mut chat, "2", "long");
    let wants = handle(&mut chat, json!({"type": "error", "code": "too_large", "message": "x"}));
    assert_eq!(wants.rejected.as_deref(), Some("long"));
    assert_eq!(chat.unsent(), 0);
}

#[test]
fn messages_wait_in_line() {
    let mut chat = chat();
    for n in 1..=3 {
        say(&mut chat, &n.to_string(), &format!("text {n}"));
        handle(
            &mut chat,
            json!({"type": "accepted", "id": n.to_string(), "message": format!("m{n}"), "session": KEY}),
        );
    }
    let lines = shown(&mut chat);
    assert!(
        lines.contains(&"  Waits, number 2 in line (/queue drop m3 withdraws it)".to_owned()),
        "{lines:#?}"
    );
    assert_eq!(chat.waiting(), 2);
    handle(&mut chat, json!({"type": "done", "fullText": "x", "message": "m1", "session": KEY, "seq": 1}));
    let lines = shown(&mut chat);
    assert!(lines.iter().any(|line| line.contains("number 1 in line (/queue drop m3")), "{lines:#?}");
    assert_eq!(chat.waiting(), 1);
}

#[test]
fn what_others_write_is_shown_and_other_sessions_are_not() {
    let mut chat = chat();
    handle(
        &mut chat,
        json!({"type": "prompt", "id": "9", "text": "from the page", "message": "m7", "session": KEY}),
    );
    let elsewhere = json!({"type": "done", "fullText": "secret", "message": "m8", "session": "agent:main:web:dm:b", "seq": 4});
    assert!(handle(&mut chat, elsewhere).list, "but the list shows that something happened");
    assert_eq!(shown(&mut chat), ["You  12:00", "  from the page"]);
    assert!(chat.is_running());
}

#[test]
fn a_stopped_and_a_failed_answer_keep_their_text() {
    let mut chat = chat();
    say(&mut chat, "1", "a");
    handle(&mut chat, json!({"type": "accepted", "id": "1", "message": "m1", "session": KEY}));
    handle(
        &mut chat,
        json!({"type": "delta", "text": "half", "message": "m1", "attempt": 1, "session": KEY}),
    );
    handle(
        &mut chat,
        json!({"type": "error", "code": "cancelled", "message": "It was stopped.", "about": "m1", "session": KEY}),
    );
    assert_eq!(shown(&mut chat)[3..], ["  half", "  (stopped)"]);
    say(&mut chat, "2", "b");
    handle(&mut chat, json!({"type": "accepted", "id": "2", "message": "m2", "session": KEY}));
    handle(
        &mut chat,
        json!({"type": "error", "code": "agent_failed", "message": "It failed.", "about": "m2", "session": KEY}),
    );
    handle(
        &mut chat,
        json!({"type": "message", "kind": "notice", "text": "It crashed. Send /retry.", "message": "m2", "session": KEY, "seq": 3}),
    );
    assert!(chat.rows.get(&RowId::Seq(3)).unwrap().is_bad);
    assert!(!chat.is_running());
}

fn page(items: Value) -> Page {
    Page { items: items.as_array().unwrap().clone(), next: None, tasks: Vec::new() }
}

#[test]
fn a_timeline_is_read_backwards_and_each_item_once() {
    let mut chat = chat();
    let items = json!([
        {"type": "frame", "at": "2026-11-21T11:00:03Z", "frame": {"type": "done", "fullText": "Two.", "message": "m2", "seq": 2}},
        {"type": "prompt", "at": "2026-11-21T11:00:02Z", "message": "m2", "state": "answered", "text": "two?", "answer": null, "principal": "web:owner"},
        {"type": "epoch", "at": "2026-11-21T11:00:01Z", "epoch": 2, "reason": "daily"},
        {"type": "prompt", "at": "2026-11-20T11:00:00Z", "message": "m1", "state": "answered", "text": "one?", "answer": "One.", "principal": "telegram:5", "sender": "Anna"},
        {"type": "epoch", "at": "2026-11-20T10:00:00Z", "epoch": 1, "reason": "first"},
    ]);
    for _ in 0..2 {
        chat.show_newest(&page(items.clone()));
        let lines = shown(&mut chat);
        assert_eq!(lines[..4], ["Anna  11:00", "  one?", "main  11:00", "  One."]);
        assert!(
            lines[4].contains("New conversation, for a new day") && lines[4].contains("/resume 1 returns"),
            "{lines:#?}"
        );
        assert_eq!(lines[5..], ["You  11:00", "  two?", "main  11:00", "  Two."]);
    }
}

#[test]
fn a_gap_after_a_long_absence_is_not_closed_by_guessing() {
    let mut chat = chat();
    chat.show_newest(&page(
        json!([{"type": "prompt", "message": "m1", "state": "answered", "text": "old", "answer": "x"}]),
    ));
    let later =
        json!([{"type": "prompt", "message": "m900", "state": "answered", "text": "new", "answer": "y"}]);
    chat.show_newest(&Page { next: Some("m900".into()), ..page(later) });
    assert_eq!(shown(&mut chat), ["You", "  new", "main", "  y"]);
    assert_eq!(chat.earlier.as_deref(), Some("m900"));
}

fn ask(kind: &str) -> Value {
    let choices = json!([{"id": "allow", "label": "Allow"}, {"id": "deny", "label": "Deny"}]);
    json!({"type": "ask", "ask": "a1", "kind": kind, "text": "May I?", "choices": choices, "deadline": null, "may_answer": true, "session": KEY})
}

#[test]
fn a_question_is_answered_by_a_selected_button_and_only_once() {
    let mut chat = chat();
    handle(&mut chat, ask("permission"));
    assert_eq!(shown(&mut chat)[2], "  [1] Allow  [2] Deny");
    assert_eq!(chat.choose("f1".into()), None, "nothing is selected by itself");
    assert!(chat.asks.select(1) && !chat.asks.select(7));
    let frame = chat.choose("f1".into()).unwrap();
    assert_eq!(frame, json!({"type": "answer", "id": "f1", "ask": "a1", "choice": "deny"}));
    assert_eq!(chat.asks.current(), None, "it is on its way");
    assert_eq!(chat.unacknowledged(), [frame], "and sent again after a reconnect");
    handle(&mut chat, json!({"type": "error", "id": "f1", "code": "not_yours", "message": "Not yours."}));
    assert_eq!(shown(&mut chat)[2], "  Not yours.");
    assert!(chat.asks.step(true));
    chat.choose("f2".into()).unwrap();
    handle(
        &mut chat,
        json!({"type": "ask_closed", "ask": "a1", "state": "answered", "choice": "allow", "by": "web:owner", "session": KEY}),
    );
    assert_eq!(shown(&mut chat)[2], "  Answer: Allow");
    assert!(chat.unacknowledged().is_empty() && !chat.asks.any());
}

#[test]
fn a_question_of_the_timeline_whose_end_is_newer_is_closed() {
    let mut chat = chat();
    chat.show_newest(&page(json!([
        {"type": "frame", "frame": {"type": "ask_closed", "ask": "a1", "state": "expired", "session": KEY}},
        {"type": "frame", "frame": ask("permission")},
    ])));
    assert_eq!(shown(&mut chat)[2], "  This question has expired");
    assert_eq!(chat.asks.current(), None);
}

#[test]
fn a_question_of_others_cannot_be_answered() {
    let mut chat = chat();
    let mut others = ask("permission");
    others["may_answer"] = false.into();
    handle(&mut chat, others);
    assert_eq!(chat.asks.current(), None);
    assert_eq!(shown(&mut chat)[3], "  Somebody else has to answer this");
}

#[test]
fn a_task_shows_how_far_it_is_and_no_step_backwards() {
    let mut chat = chat();
    let task = |state: &str, seq: u64| json!({"type": "task", "task": "b1", "state": state, "attempt": 1, "title": "Read it", "seq": seq, "session": KEY});
    handle(&mut chat, task("running", 2));
    handle(
        &mut chat,
        json!({"type": "progress", "task": "b1", "attempt": 1, "percent": 50, "text": "page 5", "session": KEY}),
    );
    let lines = shown(&mut chat);
    assert_eq!(
        lines[1..],
        ["  Read it", "  ██████████░░░░░░░░░░ 50 % · page 5", "  Background task b1 is running."]
    );
    handle(&mut chat, task("succeeded", 3));
    handle(&mut chat, task("running", 2));
    assert_eq!(shown(&mut chat)[1..], ["  Read it", "  Background task b1 is done."]);
}
