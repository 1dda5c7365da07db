//! What a terminal would show of a text that was written for one: colours are gone, a line that was rewritten
//! counts in its last state.
//!
//! Programs write escape sequences also where nobody has a terminal: colours, titles, links, and progress bars that
//! return to the start of their line. A chat shows none of that, so the answer becomes the text that is left.

use std::borrow::Cow;

use vte::Parser;

mod screen;

use screen::Screen;

/// The longest operating system command that is read, in bytes: a link with its target. What is longer is dropped.
const COMMAND: usize = 4096;

/// How a text changes: first `retract` bytes are taken from its end, then `append` is added.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Bytes to take from the end.
    pub retract: usize,
    /// What comes instead, or in addition.
    pub append: String,
}

/// Reads a text piece by piece; a sequence may be cut anywhere. Its memory is bounded: lines that are far above the
/// cursor are settled, as they are on a terminal once they have left the screen.
#[derive(Default)]
pub struct Terminal {
    parser: Parser<COMMAND>,
    screen: Screen,
}

impl Terminal {
    /// What the next piece changes in the text that was passed on so far.
    pub fn feed(&mut self, piece: &str) -> Change {
        if self.screen.is_at_end() && !piece.contains(steers) {
            self.screen.type_on(piece);
            self.screen.forget();
            return Change { retract: 0, append: piece.to_owned() };
        }
        let before = self.screen.text();
        self.read(piece);
        self.change_from(&before)
    }

    /// The text is complete: what a link that was never closed still says.
    pub fn finish(&mut self) -> Change {
        let before = self.screen.text();
        self.screen.close_link();
        self.change_from(&before)
    }

    /// How many bytes at the end of the text may still be rewritten, because the program has returned to the start
    /// of their line.
    pub fn unsettled(&self) -> usize {
        self.screen.unsettled()
    }

    fn read(&mut self, piece: &str) {
        let mut bytes = [0; 4];
        for c in piece.chars() {
            match c {
                // A sequence ends with its line at the latest: an unfinished one must not swallow the answer.
                '\n' if self.screen.in_sequence => self.parser.advance(&mut self.screen, b"\x18\n"),
                '\u{80}'..='\u{9f}' => {
                    // The same in one character; terminals know both spellings.
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

    fn change_from(&mut self, before: &str) -> Change {
        let after = self.screen.text();
        let same = before.chars().zip(after.chars()).take_while(|(old, new)| old == new);
        let same: usize = same.map(|(c, _)| c.len_utf8()).sum();
        self.screen.forget();
        Change { retract: before.len() - same, append: after[same..].to_owned() }
    }
}

/// A whole text as a terminal would show it.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut terminal = Terminal::default();
    let mut plain = String::with_capacity(text.len());
    // Line by line, so that a long text is not compared with itself again and again.
    for line in text.split_inclusive('\n') {
        apply(&mut plain, terminal.feed(line));
    }
    apply(&mut plain, terminal.finish());
    Cow::Owned(plain)
}

fn apply(text: &mut String, change: Change) {
    text.truncate(text.len() - change.retract);
    text.push_str(&change.append);
}

/// Whether a character does something else than show.
fn steers(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

#[cfg(test)]
mod tests;
