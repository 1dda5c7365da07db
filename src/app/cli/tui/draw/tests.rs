//! What is on the screen.

use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use serde_json::json;

use super::*;
use crate::cli::tui::app::tests::{KEY, begun, connected, frame, press, typed};
use crate::cli::tui::theme::Theme;

/// The lines of the screen.
fn screen(app: &mut App, columns: u16, lines: u16) -> Vec<String> {
    let terminal = drawn(app, columns, lines);
    let buffer = terminal.backend().buffer();
    let line = |y: u16| {
        let mut line = String::new();
        let mut x = 0;
        while x < columns {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(width(symbol).max(1)).unwrap();
        }
        line.trim_end().to_owned()
    };
    (0..lines).map(line).collect()
}

fn drawn(app: &mut App, columns: u16, lines: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    terminal.draw(|frame| _ = draw(frame, app)).unwrap();
    terminal
}

fn has(lines: &[String], wanted: &str) -> bool {
    lines.iter().any(|line| line.contains(wanted))
}

#[test]
fn an_empty_conversation_says_who_answers() {
    let lines = screen(&mut connected(), 80, 24);
    assert!(lines[0].contains("Main chat") && lines[0].contains("agent main · ● connected"), "{lines:#?}");
    assert!(has(&lines, "You write to the agent main"), "{lines:#?}");
    assert_eq!(lines[23], "> Write a message");
}

#[test]
fn the_conversation_is_above_the_field_and_the_cursor_in_it() {
    let mut app = connected();
    frame(
        &mut app,
        json!({"type": "prompt", "id": "9", "text": "Which tea?", "message": "m1", "session": KEY}),
    );
    frame(
        &mut app,
        json!({"type": "delta", "text": "- **Assam**\n- 表", "message": "m1", "attempt": 1, "session": KEY}),
    );
    typed(&mut app, "thanks 表");
    let mut terminal = drawn(&mut app, 60, 12);
    terminal.backend_mut().assert_cursor_position((2 + 9, 11));
    let lines = screen(&mut app, 60, 12);
    assert_eq!(lines[1..7], ["You  12:00", "  Which tea?", "", "main  12:00", "  • Assam", "  • 表"]);
    assert!(lines[10].contains("main writes · Esc stops"), "{lines:#?}");
    assert_eq!(lines[11], "> thanks 表");
}

#[test]
fn the_list_is_beside_a_wide_conversation_and_over_a_narrow_one() {
    let mut app = connected();
    assert!(!has(&screen(&mut app, 99, 10), "Conversations"));
    let lines = screen(&mut app, 100, 10);
    assert!(lines[0].starts_with(" Conversations"), "{lines:#?}");
    assert!(lines[1].starts_with("▸ Main chat"), "{lines:#?}");
    press(&mut app, KeyCode::Tab, KeyModifiers::NONE);
    assert!(has(&screen(&mut app, 40, 10), "Conversations"));
}

#[test]
fn a_question_has_buttons_and_the_selected_one_is_marked() {
    let mut app = connected();
    frame(
        &mut app,
        json!({"type": "ask", "ask": "a1", "kind": "permission", "text": "May I delete it?", "session": KEY,
        "choices": [{"id": "allow", "label": "Allow\u{1b}[2J"}, {"id": "deny", "label": "Deny"}]}),
    );
    let lines = screen(&mut app, 60, 14);
    assert!(has(&lines, "1 to 9 or arrows") && has(&lines, " 1 Allow\u{fffd}[2J   2 Deny"), "{lines:#?}");
    press(&mut app, KeyCode::Char('2'), KeyModifiers::NONE);
    let terminal = drawn(&mut app, 60, 14);
    let buffer = terminal.backend().buffer();
    let reversed: String = buffer
        .content()
        .iter()
        .skip(60)
        .filter(|cell| cell.modifier.contains(Modifier::REVERSED))
        .map(|cell| cell.symbol())
        .collect();
    assert_eq!(reversed, " 2 Deny ");
}

#[test]
fn without_a_connection_a_banner_says_when_the_next_attempt_comes() {
    let mut app = begun();
    assert!(has(&screen(&mut app, 80, 10), "Connecting to the gateway"));
    let waiting =
        crate::cli::tui::connection::Link::Waiting(std::time::Duration::from_millis(2500), String::new());
    let now = app.now;
    app.on(crate::cli::tui::app::Event::Link(waiting), now);
    let lines = screen(&mut app, 100, 10);
    assert!(has(&lines, "What you write is kept. Next try in 3 s"), "{lines:#?}");
}

#[test]
fn the_keys_are_shown_and_fit_a_small_terminal() {
    let mut app = connected();
    press(&mut app, KeyCode::F(1), KeyModifiers::NONE);
    let lines = screen(&mut app, 80, 24);
    assert!(has(&lines, "Alt+Enter, Ctrl+J") && has(&lines, "Any key closes this"), "{lines:#?}");
    screen(&mut app, 10, 4);
}

#[test]
fn no_size_is_too_small() {
    let mut app = connected();
    frame(
        &mut app,
        json!({"type": "prompt", "id": "9", "text": "表表 long words here", "message": "m1", "session": KEY}),
    );
    frame(
        &mut app,
        json!({"type": "ask", "ask": "a1", "text": "May I?", "session": KEY, "choices": [{"id": "a", "label": "Allow"}]}),
    );
    frame(
        &mut app,
        json!({"type": "done", "fullText": "| a | b |\n|--|--|\n| 1 | 2 |\n\n```\ncode\n```", "message": "m1", "session": KEY, "seq": 1}),
    );
    typed(&mut app, "a\u{1f469}\u{200d}\u{1f467}表bcdefgh");
    for columns in 1..20 {
        for lines in 1..12 {
            screen(&mut app, columns, lines);
        }
    }
}

#[test]
fn nothing_on_the_screen_controls_the_terminal() {
    let evil = "a\u{1b}[2J\u{9b}1m\u{7}\u{202e}b";
    let mut app = connected();
    frame(&mut app, json!({"type": "prompt", "id": "9", "text": evil, "message": "m1", "session": KEY}));
    frame(&mut app, json!({"type": "message", "kind": "notice", "text": evil, "session": KEY, "seq": 1}));
    frame(
        &mut app,
        json!({"type": "task", "task": "b1", "state": "failed", "title": evil, "error": {"message": evil}, "attempt": 1, "session": KEY}),
    );
    frame(&mut app, json!({"type": "status", "state": "done", "model": evil, "session": KEY}));
    app.sentence = Some(evil.to_owned());
    let odd = |c: char| c.is_control() || c == '\u{202e}';
    assert!(!screen(&mut app, 120, 40).concat().contains(odd));
}

#[test]
fn without_colours_nothing_is_coloured() {
    let mut app = connected();
    app.look.theme = Theme::new(false);
    frame(
        &mut app,
        json!({"type": "done", "fullText": "# a\n\n`b` [c](https://d.example)\n\n> e", "message": "m1", "session": KEY, "seq": 1}),
    );
    frame(&mut app, json!({"type": "message", "kind": "notice", "text": "x", "session": KEY, "seq": 2}));
    let terminal = drawn(&mut app, 120, 30);
    let cells = terminal.backend().buffer().content();
    assert!(cells.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(cells.iter().any(|cell| cell.modifier.contains(Modifier::BOLD)));
}
