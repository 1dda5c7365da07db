//! The beginnings of lines: line breaks, indents, bullets, column separators.

use std::ops::Range;

use super::super::styled::Format;
use super::{Reader, shown_format};

/// Lists and quotes nested deeper than this are not indented further.
pub(super) const DEEPEST: usize = 8;

/// The bullet or number of a list item, written before its first text.
pub(super) struct ItemMarker {
    pub(super) text: String,
    /// The number of indents before it.
    pub(super) depth: usize,
    /// The quote that contains the item.
    pub(super) quote: u32,
}

impl Reader<'_> {
    /// Begins or ends a block: with an empty line at the top level, on a new line inside a list.
    pub(super) fn block(&mut self) {
        self.break_line(if self.lists.is_empty() { 2 } else { 1 });
    }

    pub(super) fn break_line(&mut self, lines: usize) {
        self.pending_breaks = self.pending_breaks.max(lines);
    }

    pub(super) fn line_break(&mut self) {
        if self.pending_breaks == 0 {
            let format = self.shown_format();
            self.styled.push("\n", format);
            self.indent(0..self.indents.len().min(DEEPEST), format, "");
        }
    }

    /// Writes what precedes the next text: line breaks, indents, bullets, column separators.
    pub(super) fn flush(&mut self) {
        let begins = self.styled.text.is_empty();
        let pending_breaks = std::mem::take(&mut self.pending_breaks);
        let quote_only = Format { quote: self.shown_format().quote, ..Format::default() };
        if !begins && pending_breaks > 0 {
            let between = if self.styled.last_format().quote == quote_only.quote {
                quote_only
            } else {
                Format::default()
            };
            self.styled.push(&"\n\n"[..pending_breaks.min(2)], between);
        }
        if begins || pending_breaks > 0 {
            self.begin_line(quote_only);
        }
        for _ in 0..std::mem::take(&mut self.separators) {
            self.styled.push(" | ", shown_format(self.cell, self.marks, &self.supported));
        }
    }

    fn begin_line(&mut self, quote_only: Format) {
        let depth = self.indents.len().min(DEEPEST);
        if let Some(marker) = self.marker.take() {
            let outside = Format { quote: marker.quote.min(quote_only.quote), ..Format::default() };
            let after = marker.depth.min(depth);
            self.indent(0..after, outside, "");
            if self.format.pre != 0 || marker.quote != self.format.quote {
                // A block within the item begins below the bullet, not beside it.
                self.styled.push(marker.text.trim_end(), outside);
                self.styled.push("\n", outside);
            } else {
                self.styled.push(&marker.text, quote_only);
            }
            // The bullet replaces the indent of its item, but not the mark of a quote.
            self.indent(after..depth, quote_only, "  ");
        } else if self.format.pre == 0 {
            // Code keeps its own indentation and gets no other.
            self.indent(0..depth, quote_only, "");
        }
    }

    /// Writes some of the indents, except those that begin with `except`, if it is not empty.
    fn indent(&mut self, which: Range<usize>, format: Format, except: &str) {
        let first =
            if format.quote != 0 { which.start.max(self.before_quote).min(which.end) } else { which.start };
        for indent in &self.indents[first..which.end] {
            if except.is_empty() || !indent.starts_with(except) {
                self.styled.push(indent, format);
            }
        }
    }
}
