//! Converts output that was written for a terminal to plain text: without colours, and with the final state of lines
//! that were rewritten.
//!
//! Programs write escape sequences even without a terminal: colours, titles, links, and progress bars that return to
//! the start of their line. A chat shows none of these.

use std::borrow::Cow;

use vte::Parser;

mod screen;

use screen::Screen;

/// The longest operating system command that is read (a link with its target), in bytes. Longer ones are dropped.
const COMMAND: usize = 4096;

/// A change of a text: first `retract` bytes are removed from its end, then `append` is added.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TextEdit {
    /// Bytes to remove from the end.
    pub retract: usize,
    /// The text to add.
    pub append: String,
}

/// Converts a text piece by piece; a sequence may be split anywhere. Its memory is bounded: lines far above the cursor
/// cannot be rewritten any more, as on a terminal once they have left the screen.
#[derive(Default)]
pub struct Terminal {
    parser: Parser<COMMAND>,
    screen: Screen,
}

impl Terminal {
    /// Adds a piece and returns how the text returned so far changes.
    pub fn feed(&mut self, piece: &str) -> TextEdit {
        if self.screen.is_at_end() && !piece.contains(steers) {
            self.screen.write_text(piece);
            self.screen.forget();
            return TextEdit { retract: 0, append: piece.to_owned() };
        }
        let before = self.screen.text();
        self.read(piece);
        self.change_from(&before)
    }

    /// Ends the text and returns the last change: the target of a link that was never closed.
    pub fn finish(&mut self) -> TextEdit {
        let before = self.screen.text();
        self.screen.close_link();
        self.change_from(&before)
    }

    /// The number of bytes at the end of the text that may still be rewritten, because the cursor has gone back.
    pub fn unsettled(&self) -> usize {
        self.screen.unsettled()
    }

    fn read(&mut self, piece: &str) {
        let mut bytes = [0; 4];
        for c in piece.chars() {
            match c {
                // A sequence ends at the end of its line at the latest, so that an unfinished one cannot swallow the
                // answer.
                '\n' if self.screen.in_sequence => self.parser.advance(&mut self.screen, b"\x18\n"),
                '\u{80}'..='\u{9f}' => {
                    // C1 control characters: the one-character form of the same sequences.
                    self.screen.in_sequence = true;
                    let second = u8::try_from(u32::from(c) - 0x40).unwrap_or_default();
                    self.parser.advance(&mut self.screen, &[0x1b, second]);
                }
                c => {
                    self.screen.in_sequence |= c == '\u{1b}';
                    self.parser.advance(&mut self.screen, c.encode_utf8(&mut bytes).as_bytes());
                }
            }
        }
    }

    fn change_from(&mut self, before: &str) -> TextEdit {
        let after = self.screen.text();
        let same = before.chars().zip(after.chars()).take_while(|(old, new)| old == new);
        let same: usize = same.map(|(c, _)| c.len_utf8()).sum();
        self.screen.forget();
        TextEdit { retract: before.len() - same, append: after[same..].to_owned() }
    }
}

/// A whole text as a terminal would finally show it.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut terminal = Terminal::default();
    let mut plain = String::with_capacity(text.len());
    // Line by line, to avoid comparing a long text with itself again and again.
    for line in text.split_inclusive('\n') {
        apply(&mut plain, terminal.feed(line));
    }
    apply(&mut plain, terminal.finish());
    Cow::Owned(plain)
}

fn apply(text: &mut String, change: TextEdit) {
    text.truncate(text.len() - change.retract);
    text.push_str(&change.append);
}

/// Whether a character controls a terminal.
fn steers(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

#[cfg(test)]
mod tests;
