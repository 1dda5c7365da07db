//! Text in columns: cleaned of what could control the terminal, measured, and wrapped.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::cli::screen;

/// Distance between two tab stops, in columns.
const TAB: usize = 4;

/// The text without anything that could control the terminal. Line breaks stay; tabs become spaces.
pub fn clean(text: &str) -> String {
    let harmless = screen::harmless(text);
    if !harmless.contains('\t') {
        return harmless;
    }
    let mut clean = String::with_capacity(harmless.len() + 8);
    let mut column = 0;
    for grapheme in harmless.graphemes(true) {
        match grapheme {
            "\t" => {
                let spaces = TAB - column % TAB;
                clean.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            "\n" => {
                clean.push('\n');
                column = 0;
            }
            other => {
                clean.push_str(other);
                column += width(other);
            }
        }
    }
    clean
}

/// The same on one line.
pub fn clean_line(text: &str) -> String {
    screen::one_line(text).replace('\t', " ")
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of a text that fits into `most` columns, with an ellipsis if something is missing.
pub fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used >= most {
            break;
        }
        cut.push_str(grapheme);
    }
    if most > 0 {
        cut.push('…');
    }
    cut
}

/// Where a line may end.
#[derive(Clone, Copy, PartialEq)]
enum Breaks {
    /// Between words, or within a word that is longer than a line.
    Words,
    /// Anywhere, so that no space is lost.
    Anywhere,
}

/// Wraps a text between its words.
pub fn wrap(spans: &[Span<'_>], width: usize) -> Vec<Vec<Span<'static>>> {
    lines(spans, width, Breaks::Words)
}

/// Wraps a text whose spaces matter: code.
pub fn chop(spans: &[Span<'_>], width: usize) -> Vec<Vec<Span<'static>>> {
    lines(spans, width, Breaks::Anywhere)
}

/// One grapheme cluster of a styled text.
#[derive(Clone, Copy)]
struct Cell<'a> {
    text: &'a str,
    width: usize,
    style: Style,
}

impl Cell<'_> {
    fn is_space(&self) -> bool {
        self.text == " "
    }
}

/// The line that is being filled.
#[derive(Default)]
struct Filling<'a> {
    cells: Vec<Cell<'a>>,
    width: usize,
    /// The number of cells after which the line may end.
    may_end: usize,
}

impl<'a> Filling<'a> {
    fn push(&mut self, cell: Cell<'a>) {
        self.width += cell.width;
        self.cells.push(cell);
        // Scripts with wide characters have no spaces between their words.
        if cell.is_space() || cell.width > 1 {
            self.may_end = self.cells.len();
        }
    }

    /// Ends the line where it may end, and keeps the rest for the next one.
    fn end(&mut self) -> Vec<Span<'static>> {
        let at = if self.may_end > 0 { self.may_end } else { self.cells.len() };
        let rest = self.cells.split_off(at);
        let ended = std::mem::take(self);
        rest.into_iter().for_each(|cell| self.push(cell));
        self.may_end = 0;
        joined(&ended.cells, true)
    }
}

fn lines(spans: &[Span<'_>], most: usize, breaks: Breaks) -> Vec<Vec<Span<'static>>> {
    let most = most.max(1);
    let mut lines = Vec::new();
    let mut line = Filling::default();
    let mut wrapped = false;
    for span in spans {
        for text in span.content.graphemes(true) {
            if text == "\n" {
                lines.push(joined(&std::mem::take(&mut line).cells, false));
                wrapped = false;
                continue;
            }
            let cell = Cell { text, width: width(text), style: span.style };
            let by_words = breaks == Breaks::Words;
            if by_words && cell.is_space() && (line.width >= most || (wrapped && line.cells.is_empty())) {
                // The end of the line stands for the spaces around it.
                line.may_end = line.cells.len();
                continue;
            }
            while line.width + cell.width > most && !line.cells.is_empty() {
                if !by_words {
                    line.may_end = 0;
                }
                lines.push(line.end());
                wrapped = true;
            }
            line.push(cell);
        }
    }
    lines.push(joined(&line.cells, false));
    lines
}

/// Cells of the same style become one span.
fn joined(cells: &[Cell<'_>], trims: bool) -> Vec<Span<'static>> {
    let kept = if trims {
        cells.iter().rposition(|cell| !cell.is_space()).map_or(0, |at| at + 1)
    } else {
        cells.len()
    };
    let mut spans: Vec<Span<'static>> = Vec::new();
    for cell in &cells[..kept] {
        match spans.last_mut() {
            Some(last) if last.style == cell.style => last.content.to_mut().push_str(cell.text),
            _ => spans.push(Span::styled(cell.text.to_owned(), cell.style)),
        }
    }
    spans
}

/// Wraps a plain text, with the same words before each line.
pub fn indented(text: &str, style: Style, indent: &str, most: usize) -> Vec<Line<'static>> {
    let lines = wrap(&[Span::styled(clean(text), style)], most.saturating_sub(width(indent)));
    let indented = lines.into_iter().map(|line| {
        let mut spans = vec![Span::raw(indent.to_owned())];
        spans.extend(line);
        Line::from(spans)
    });
    indented.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, most: usize) -> Vec<String> {
        plain(wrap(&[Span::raw(text.to_owned())], most))
    }

    fn plain(lines: Vec<Vec<Span<'_>>>) -> Vec<String> {
        lines.iter().map(|line| line.iter().map(|span| span.content.as_ref()).collect()).collect()
    }

    #[test]
    fn lines_end_between_words_and_long_words_are_cut() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("a incomprehensible b", 8), ["a", "incompre", "hensible", "b"]);
        assert_eq!(wrapped("one\n\ntwo", 9), ["one", "", "two"]);
        assert_eq!(wrapped("", 9), [""]);
        assert_eq!(wrapped("  indented", 20), ["  indented"]);
    }

    #[test]
    fn wide_characters_take_two_columns_and_stay_whole() {
        assert_eq!(wrapped("表表表", 5), ["表表", "表"]);
        assert_eq!(wrapped("表", 1), ["表"], "narrower than a character");
        assert_eq!(wrapped("a👩\u{200d}👧b", 3), ["a👩\u{200d}👧", "b"]);
        assert_eq!(wrapped("e\u{301}e\u{301}e\u{301}", 2), ["e\u{301}e\u{301}", "e\u{301}"]);
        assert_eq!(cut("表表表", 5), "表表…");
        assert_eq!(cut("表表", 4), "表表");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_whatever_the_text() {
        let text = "Zoë 表表 x\u{301}yz 👩\u{200d}👧👧 internationalisation  of   spaces\nשלום עולם end";
        for most in 2..30 {
            for line in wrapped(text, most) {
                assert!(width(&line) <= most, "{line:?} is wider than {most}");
            }
        }
    }

    #[test]
    fn code_keeps_its_spaces() {
        assert_eq!(plain(chop(&[Span::raw("  a   b c")], 5)), ["  a", " b c"]);
    }

    #[test]
    fn a_text_cannot_control_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\u{9b}c\n\td"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\n    d");
        assert_eq!(clean("ab\tc"), "ab  c");
        assert_eq!(clean_line("a\nb\tc"), "a\u{fffd}b c");
    }
}
