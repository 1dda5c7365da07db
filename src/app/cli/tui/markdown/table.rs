//! Tables: columns as wide as their cells, or narrower with wrapped cells where the terminal is too narrow.

use frontdesk_core::markup::{Element, Node};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use super::inline;
use crate::cli::tui::text::{width, wrap};
use crate::cli::tui::theme::Theme;

/// The narrowest column.
const NARROWEST: usize = 4;

/// What stands between two columns.
const BETWEEN: &str = " │ ";

type Spans = Vec<Span<'static>>;

/// The lines of a table of at most `columns` columns of text. A table with too many columns for that is cut by the screen.
pub fn lines(
    align: &[Option<&'static str>],
    rows: &[Node],
    columns: usize,
    theme: Theme,
    style: Style,
) -> Vec<Spans> {
    let rows: Vec<Vec<Spans>> = rows
        .iter()
        .enumerate()
        .map(|(n, row)| cells(row, if n == 0 { style.add_modifier(Modifier::BOLD) } else { style }, theme))
        .collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let natural = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.flat_map(|cell| wrap(cell, usize::MAX)).map(|line| measure(&line)).max().unwrap_or_default()
    };
    let widths = fit((0..count).map(natural).collect(), columns);
    let mut shown = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        shown.extend(row_lines(row, &widths, align, theme));
        if n == 0 && rows.len() > 1 {
            let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            shown.push(vec![Span::styled(rule.join("─┼─"), theme.dim())]);
        }
    }
    shown
}

fn cells(row: &Node, style: Style, theme: Theme) -> Vec<Spans> {
    let Node::Element(Element::Row { children }) = row else { return Vec::new() };
    let cell = |cell: &Node| {
        let mut spans = Vec::new();
        inline(cell, style, theme, &mut spans);
        spans
    };
    children.iter().map(cell).collect()
}

fn measure(line: &[Span<'_>]) -> usize {
    line.iter().map(|span| width(&span.content)).sum()
}

/// Takes columns away from the widest until the table fits.
fn fit(mut widths: Vec<usize>, columns: usize) -> Vec<usize> {
    let between = width(BETWEEN) * widths.len().saturating_sub(1);
    let most = columns.saturating_sub(between);
    while widths.iter().sum::<usize>() > most {
        let total = widths.iter().sum::<usize>();
        let Some((widest, size)) = widths.iter().copied().enumerate().max_by_key(|(_, width)| *width) else {
            break;
        };
        if size <= NARROWEST {
            break;
        }
        // Down to the second widest, but not further than necessary.
        let second = widths.iter().enumerate().filter(|(at, _)| *at != widest).map(|(_, width)| *width).max();
        let step = (size - second.unwrap_or_default().min(size - 1)).min(total - most);
        widths[widest] = (size - step).max(NARROWEST);
    }
    widths
}

fn row_lines(cells: &[Spans], widths: &[usize], align: &[Option<&'static str>], theme: Theme) -> Vec<Spans> {
    let wrapped: Vec<Vec<Spans>> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| cells.get(column).map(|cell| wrap(cell, *width)).unwrap_or_default())
        .collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or_default();
    let line = |n: usize| {
        let mut line = Vec::new();
        for (column, (cell, width)) in wrapped.iter().zip(widths).enumerate() {
            if column > 0 {
                line.push(Span::styled(BETWEEN, theme.dim()));
            }
            let text = cell.get(n).cloned().unwrap_or_default();
            let space = width.saturating_sub(measure(&text));
            let before = match align.get(column).copied().flatten() {
                Some("right") => space,
                Some("center") => space / 2,
                _ => 0,
            };
            // No spaces at the end of the line.
            let after = if column + 1 == widths.len() { 0 } else { space - before };
            line.push(Span::raw(" ".repeat(before)));
            line.extend(text);
            line.push(Span::raw(" ".repeat(after)));
        }
        line
    };
    (0..height).map(line).collect()
}
