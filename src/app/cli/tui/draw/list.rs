//! The list of conversations.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::put;
use crate::cli::tui::app::App;
use crate::cli::tui::sessions::Entry;
use crate::cli::tui::text::{clean_line, cut};
use crate::cli::tui::theme::Theme;

/// Draws it, with a line at its right side if it is beside the conversation.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &App, is_beside: bool) {
    let theme = app.look.theme;
    let columns = usize::from(area.width).saturating_sub(if is_beside { 2 } else { 1 });
    put(buffer, area, 0, &Line::styled(" Conversations", Style::new().add_modifier(Modifier::BOLD)));
    let entries = app.entries();
    let lines = usize::from(area.height).saturating_sub(1);
    let current = app.current();
    let marked =
        if app.in_list { app.sessions.selected.min(entries.len().saturating_sub(1)) } else { current };
    // The marked one is visible.
    let first = (marked + 1).saturating_sub(lines);
    for (row, (n, entry)) in (1..).zip(entries.iter().enumerate().skip(first).take(lines)) {
        let is_selected = app.in_list && n == marked;
        put(buffer, area, row, &line(entry, n == current, is_selected, columns, theme));
    }
    if is_beside {
        for y in area.top()..area.bottom() {
            buffer.set_stringn(area.right() - 1, y, "│", 1, theme.dim());
        }
    }
}

fn line(entry: &Entry, is_current: bool, is_selected: bool, columns: usize, theme: Theme) -> Line<'static> {
    let mark = if is_current { "▸ " } else { "  " };
    let state = match entry {
        Entry { is_unread: true, .. } if !is_current => "● ",
        Entry { is_busy: true, .. } => "… ",
        _ => "",
    };
    let title = cut(&clean_line(&entry.title), columns.saturating_sub(2 + state.chars().count()));
    let mut style =
        if is_current || entry.is_unread { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    if is_selected {
        style = style.patch(theme.selected());
    }
    Line::from(vec![
        Span::styled(mark, theme.me()),
        Span::styled(state, theme.notice()),
        Span::styled(title, style),
    ])
}
