//! The keys, over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::put;
use crate::cli::tui::keys::HELP;
use crate::cli::tui::text::width;
use crate::cli::tui::theme::Theme;

/// Draws the keys in the middle.
pub fn draw(buffer: &mut Buffer, area: Rect, theme: Theme) {
    let keys = HELP.iter().map(|(keys, _)| width(keys)).max().unwrap_or_default();
    let words = HELP.iter().map(|(_, words)| width(words)).max().unwrap_or_default();
    let columns = u16::try_from(keys + words + 6).unwrap_or(u16::MAX).min(area.width);
    let lines = u16::try_from(HELP.len() + 3).unwrap_or(u16::MAX).min(area.height);
    let area = Rect {
        x: area.x + (area.width - columns) / 2,
        y: area.y + (area.height - lines) / 2,
        width: columns,
        height: lines,
    };
    for position in area.positions() {
        buffer[position].reset();
    }
    buffer.set_style(area, theme.selected());
    put(buffer, area, 0, &Line::styled("  Keys", Style::new().add_modifier(Modifier::BOLD)));
    for (row, (key, words)) in (1..).zip(HELP) {
        let space = " ".repeat(keys - width(key) + 2);
        put(buffer, area, row, &Line::from(vec![Span::raw(format!("  {key}{space}")), Span::raw(words)]));
    }
    put(buffer, area, lines.saturating_sub(1), &Line::raw("  Any key closes this."));
}
