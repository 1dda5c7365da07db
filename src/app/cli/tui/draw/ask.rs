//! The question that waits for this person, with its answers as buttons.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::put;
use crate::cli::tui::app::App;
use crate::cli::tui::chat::Ask;
use crate::cli::tui::text::{clean_line, cut, width};

/// The lines that it takes.
pub fn height(app: &App, columns: usize) -> u16 {
    let lines = app.chat.asks.current().map_or(0, |ask| 1 + buttons(ask, columns).len());
    u16::try_from(lines).unwrap_or(u16::MAX)
}

/// The numbers and labels of the buttons, in lines.
fn buttons(ask: &Ask, columns: usize) -> Vec<Vec<(usize, String)>> {
    let mut lines: Vec<Vec<(usize, String)>> = Vec::new();
    let mut used = 0;
    for (n, (_, label)) in ask.choices.iter().enumerate() {
        let number = if n < 9 { format!("{} ", n + 1) } else { String::new() };
        let text = cut(&format!(" {number}{} ", clean_line(label)), columns.saturating_sub(2));
        let wide = width(&text) + 1;
        if used + wide > columns.saturating_sub(1) || lines.is_empty() {
            lines.push(Vec::new());
            used = 0;
        }
        used += wide;
        if let Some(line) = lines.last_mut() {
            line.push((n, text));
        }
    }
    lines
}

/// Draws it.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App) {
    let Some(ask) = app.chat.asks.current() else { return };
    let theme = app.look.theme;
    let hint = match (ask.choices.is_empty(), app.chat.asks.selected()) {
        (true, _) => " ? Type your answer and press Enter",
        (false, None) => " ? Select an answer: 1 to 9 or arrows",
        (false, Some(_)) => " ? Enter gives this answer, Escape none",
    };
    put(buffer, area, 0, &Line::styled(hint, theme.notice()));
    for (row, line) in (1..).zip(buttons(ask, usize::from(area.width))) {
        let mut spans = vec![Span::raw(" ")];
        for (n, text) in line {
            let is_selected = app.chat.asks.selected() == Some(n);
            spans.push(Span::styled(text, if is_selected { theme.selected() } else { theme.button() }));
            spans.push(Span::raw(" "));
        }
        put(buffer, area, row, &Line::from(spans));
    }
}
