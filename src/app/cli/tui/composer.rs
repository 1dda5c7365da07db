//! The field in which a person writes: several lines, a cursor, and what was sent before.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::text::{clean, width};

/// The number of sent texts that are kept.
const KEPT: usize = 200;

/// The text that is being written.
#[derive(Debug, Default)]
pub struct Composer {
    text: String,
    /// A byte, at the boundary of a grapheme cluster.
    cursor: usize,
    sent: Vec<String>,
    /// Which of the sent texts is shown, and what was written before it was.
    recalled: Option<(usize, String)>,
}

/// The field as it is drawn.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its visible lines.
    pub lines: Vec<String>,
    /// Column and line of the cursor.
    pub cursor: (usize, usize),
}

impl Composer {
    /// What is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces everything.
    pub fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.cursor = self.text.len();
    }

    /// Takes the text, and remembers it.
    pub fn take(&mut self) -> String {
        self.recalled = None;
        self.cursor = 0;
        let text = std::mem::take(&mut self.text);
        self.remember(&text);
        text
    }

    /// Remembers a text that can be fetched back.
    pub fn remember(&mut self, text: &str) {
        if !text.trim().is_empty() && self.sent.last().is_none_or(|last| last != text) {
            self.sent.push(text.to_owned());
            let over = self.sent.len().saturating_sub(KEPT);
            self.sent.drain(..over);
        }
    }

    /// Inserts what was typed or pasted. Control characters other than line breaks and tabs are left out.
    pub fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
        self.settle();
    }

    /// Characters that have come together may have become one: the cursor goes behind it.
    fn settle(&mut self) {
        let mut cursor = GraphemeCursor::new(self.cursor, self.text.len(), true);
        if cursor.is_boundary(&self.text, 0) == Ok(false) {
            self.cursor = self.after(self.cursor);
        }
    }

    fn before(&self, from: usize) -> usize {
        GraphemeCursor::new(from, self.text.len(), true)
            .prev_boundary(&self.text, 0)
            .ok()
            .flatten()
            .unwrap_or(0)
    }

    fn after(&self, from: usize) -> usize {
        let next = GraphemeCursor::new(from, self.text.len(), true).next_boundary(&self.text, 0);
        next.ok().flatten().unwrap_or(self.text.len())
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    /// The beginning of the word before the cursor.
    fn word_before(&self) -> usize {
        let mut words = self.text[..self.cursor].trim_end().unicode_word_indices();
        words.next_back().map_or(0, |(at, _)| at)
    }

    /// The end of the word after the cursor.
    fn word_after(&self) -> usize {
        let mut words = self.text[self.cursor..].unicode_word_indices();
        words.next().map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }

    /// Moves the cursor, or deletes from the cursor to where it would move.
    pub fn go(&mut self, to: Motion, deletes: bool) {
        let target = match to {
            Motion::Left => self.before(self.cursor),
            Motion::Right => self.after(self.cursor),
            Motion::LineStart => self.line_start(),
            Motion::LineEnd => self.line_end(),
            Motion::WordLeft => self.word_before(),
            Motion::WordRight => self.word_after(),
        };
        if deletes {
            let (from, to) = (target.min(self.cursor), target.max(self.cursor));
            self.text.replace_range(from..to, "");
            self.cursor = from;
            self.settle();
        } else {
            self.cursor = target;
        }
    }

    /// One line up, or the text that was sent before.
    pub fn up(&mut self) {
        let start = self.line_start();
        if start > 0 {
            return self.enter_line(self.text[..start - 1].rfind('\n').map_or(0, |at| at + 1));
        }
        let at = self.recalled.as_ref().map_or(self.sent.len(), |(at, _)| *at);
        let Some(earlier) = at.checked_sub(1) else { return };
        let written = self.recalled.take().map_or_else(|| self.text.clone(), |(_, written)| written);
        self.set(self.sent[earlier].clone());
        self.recalled = Some((earlier, written));
    }

    /// One line down, or the text that was sent after the one that is shown.
    pub fn down(&mut self) {
        let end = self.line_end();
        if end < self.text.len() {
            return self.enter_line(end + 1);
        }
        let Some((at, written)) = self.recalled.take() else { return };
        match self.sent.get(at + 1).cloned() {
            Some(later) => {
                self.set(later);
                self.recalled = Some((at + 1, written));
            }
            None => self.set(written),
        }
    }

    /// Puts the cursor into another line, at the same column.
    fn enter_line(&mut self, start: usize) {
        let column = width(&clean(&self.text[self.line_start()..self.cursor]));
        let end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        self.cursor = start;
        while self.cursor < end && width(&clean(&self.text[start..self.cursor])) < column {
            self.cursor = self.after(self.cursor);
        }
    }

    /// The field as it is drawn, scrolled so that the cursor is visible.
    pub fn field(&self, columns: usize, most_lines: usize) -> Field {
        let columns = columns.max(2);
        let mut lines = vec![String::new()];
        let (mut column, mut cursor) = (0, (0, 0));
        for (at, grapheme) in self.text.grapheme_indices(true) {
            let shown = if grapheme == "\n" { String::new() } else { clean(grapheme) };
            let wide = width(&shown);
            if column + wide > columns {
                lines.push(String::new());
                column = 0;
            }
            if at == self.cursor {
                cursor = (column, lines.len() - 1);
            }
            if grapheme == "\n" {
                lines.push(String::new());
                column = 0;
                continue;
            }
            column += wide;
            if let Some(line) = lines.last_mut() {
                line.push_str(&shown);
            }
        }
        if self.cursor == self.text.len() {
            if column >= columns {
                lines.push(String::new());
                column = 0;
            }
            cursor = (column, lines.len() - 1);
        }
        let most_lines = most_lines.max(1);
        let first = (cursor.1 + 1).saturating_sub(most_lines);
        let last = lines.len().min(first + most_lines);
        Field { lines: lines[first..last].to_vec(), cursor: (cursor.0, cursor.1 - first) }
    }
}

/// Where the cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// One character.
    Left,
    /// One character.
    Right,
    /// The beginning of the line.
    LineStart,
    /// The end of the line.
    LineEnd,
    /// The beginning of the word.
    WordLeft,
    /// The end of the word.
    WordRight,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.insert(text);
        composer
    }

    #[test]
    fn a_character_is_deleted_as_a_whole() {
        let mut composer = typed("a👩\u{200d}👧e\u{301}");
        composer.go(Motion::Left, true);
        assert_eq!(composer.text(), "a👩\u{200d}👧");
        composer.go(Motion::Left, true);
        assert_eq!(composer.text(), "a");
        composer.go(Motion::Left, true);
        composer.go(Motion::Left, true);
        composer.go(Motion::Right, true);
        assert_eq!(composer.text(), "");
    }

    #[test]
    fn a_mark_that_joins_the_letter_before_it_takes_the_cursor_along() {
        let mut composer = typed("x\u{301}y");
        composer.go(Motion::LineStart, false);
        composer.go(Motion::Right, true);
        composer.insert("\u{301}y");
        composer.go(Motion::LineStart, false);
        composer.insert("e");
        assert_eq!(composer.field(9, 1).cursor, (1, 0));
        assert_eq!(composer.text(), "e\u{301}yy");
    }

    #[test]
    fn words_and_lines_are_deleted() {
        let mut composer = typed("one two\nthree four");
        composer.go(Motion::WordLeft, true);
        assert_eq!(composer.text(), "one two\nthree ");
        composer.go(Motion::LineStart, true);
        assert_eq!(composer.text(), "one two\n");
        composer.go(Motion::WordLeft, false);
        composer.insert("x");
        assert_eq!(composer.text(), "one xtwo\n");
        composer.go(Motion::LineEnd, true);
        assert_eq!(composer.text(), "one x\n");
    }

    #[test]
    fn what_was_sent_comes_back_and_the_draft_too() {
        let mut composer = typed("first");
        assert_eq!(composer.take(), "first");
        composer.insert("second");
        composer.take();
        composer.insert("dra");
        composer.up();
        assert_eq!(composer.text(), "second");
        composer.up();
        composer.up();
        assert_eq!(composer.text(), "first");
        composer.down();
        composer.down();
        assert_eq!(composer.text(), "dra");
    }

    #[test]
    fn in_several_lines_the_arrows_move_the_cursor() {
        let mut composer = typed("one\ntwo");
        composer.up();
        composer.insert("!");
        assert_eq!(composer.text(), "one!\ntwo");
        composer.down();
        composer.insert("?");
        assert_eq!(composer.text(), "one!\ntwo?");
    }

    #[test]
    fn what_is_pasted_brings_its_lines_and_no_control_characters() {
        let composer = typed("a\r\nb\rc\u{1b}[201~d\te");
        assert_eq!(composer.text(), "a\nb\nc[201~d\te");
    }

    #[test]
    fn the_field_is_wrapped_and_follows_the_cursor() {
        let mut composer = typed("abcdef\n表表");
        let field = composer.field(4, 9);
        assert_eq!(field.lines, ["abcd", "ef", "表表", ""]);
        assert_eq!(field.cursor, (0, 3));
        composer.go(Motion::Left, false);
        assert_eq!(composer.field(4, 9).cursor, (2, 2));
        assert_eq!(composer.field(4, 1), Field { lines: vec!["表表".into()], cursor: (2, 0) });
        assert_eq!(typed("").field(10, 3), Field { lines: vec![String::new()], cursor: (0, 0) });
        assert_eq!(typed("\n").field(10, 3).cursor, (0, 1));
    }
}
