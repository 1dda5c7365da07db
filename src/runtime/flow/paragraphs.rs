//! How far a growing answer consists of whole paragraphs.

use super::fence::Fence;

/// Reads a text that only grows, each line once.
#[derive(Debug, Default)]
pub(super) struct Paragraphs {
    /// Where the first line begins that has no end yet.
    line: usize,
    /// How far that line was looked through for its end.
    looked: usize,
    fence: Fence,
    /// Where the last whole paragraph ends.
    end: usize,
}

impl Paragraphs {
    /// The text has grown.
    pub(super) fn grown(&mut self, text: &str) {
        while let Some(found) = text.as_bytes()[self.looked..].iter().position(|byte| *byte == b'\n') {
            let next = self.looked + found + 1;
            let line = &text[self.line..next - 1];
            if self.fence.is_text(line) && line.trim().is_empty() {
                self.end = self.line;
            }
            (self.line, self.looked) = (next, next);
        }
        self.looked = text.len();
    }

    /// How much of the text is whole paragraphs, in bytes.
    pub(super) fn end(&self) -> usize {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> &str {
        let mut paragraphs = Paragraphs::default();
        // Byte by byte where that is possible, as the worst agent would say it.
        for at in (1..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            paragraphs.grown(&text[..at]);
        }
        &text[..paragraphs.end()]
    }

    #[test]
    fn a_paragraph_ends_with_a_blank_line_outside_of_code() {
        for (text, shown) in [
            ("one", ""),
            ("one\ntwo\n", ""),
            ("one\ntwo\n\n", "one\ntwo\n"),
            ("one\n \t\ntwö", "one\n"),
            ("one\r\n\r\ntwo", "one\r\n"),
            ("one\n\n```\na\n\nb\n", "one\n"),
            ("one\n\n```\na\n\nb\n```\n\n", "one\n\n```\na\n\nb\n```\n"),
        ] {
            assert_eq!(whole(text), shown, "{text:?}");
        }
    }
}
