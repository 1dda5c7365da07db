//! What stands between lines and at their beginning: breaks, indents, bullets, bars.

use std::ops::Range;

use super::super::styled::Look;
use super::Reader;

/// Lists and quotes nested deeper than this are not indented further.
pub(super) const DEEPEST: usize = 8;

/// What stands before an item's first text.
pub(super) struct Marker {
    pub(super) text: String,
    /// How many indents stand before it.
    pub(super) depth: usize,
    /// The quote that the item stands in.
    pub(super) quote: u32,
}

impl Reader<'_> {
    /// A block begins or ends here: an empty line at the top, a new line inside a list.
    pub(super) fn block(&mut self) {
        self.break_line(if self.lists.is_empty() { 2 } else { 1 });
    }

    pub(super) fn break_line(&mut self, lines: usize) {
        self.gap = self.gap.max(lines);
    }

    pub(super) fn line_break(&mut self) {
        if self.gap == 0 {
            let look = self.worn();
            self.styled.push("\n", look);
            self.indent(0..self.indents.len().min(DEEPEST), look, "");
        }
    }

    /// Writes what has to stand before the next text: line breaks, indents, bullets, bars.
    pub(super) fn flush(&mut self) {
        let begins = self.styled.text.is_empty();
        let gap = std::mem::take(&mut self.gap);
        let quiet = Look { quote: self.worn().quote, ..Look::default() };
        if !begins && gap > 0 {
            let between = if self.styled.last_look().quote == quiet.quote { quiet } else { Look::default() };
            self.styled.push(&"\n\n"[..gap.min(2)], between);
        }
        if begins || gap > 0 {
            self.begin_line(quiet);
        }
        for _ in 0..std::mem::take(&mut self.bars) {
            self.styled.push(" | ", self.worn());
        }
    }

    fn begin_line(&mut self, quiet: Look) {
        let depth = self.indents.len().min(DEEPEST);
        if let Some(marker) = self.marker.take() {
            let outside = Look { quote: marker.quote.min(quiet.quote), ..Look::default() };
            let after = marker.depth.min(depth);
            self.indent(0..after, outside, "");
            if self.look.pre != 0 || marker.quote != self.look.quote {
                // A block of its own begins below the bullet, not beside it.
                self.styled.push(marker.text.trim_end(), outside);
                self.styled.push("\n", outside);
            } else {
                self.styled.push(&marker.text, quiet);
            }
            // The bullet stands for its item's indent, but not for a quote's mark.
            self.indent(after..depth, quiet, "  ");
        } else if self.look.pre == 0 {
            // Code keeps its own indentation and no other.
            self.indent(0..depth, quiet, "");
        }
    }

    /// Writes some of the indents, except those that begin with `but`, where it is not empty.
    fn indent(&mut self, which: Range<usize>, look: Look, but: &str) {
        let first =
            if look.quote != 0 { which.start.max(self.before_quote).min(which.end) } else { which.start };
        for indent in &self.indents[first..which.end] {
            if but.is_empty() || !indent.starts_with(but) {
                self.styled.push(indent, look);
            }
        }
    }
}
