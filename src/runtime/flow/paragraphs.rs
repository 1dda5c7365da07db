//! Finds the end of the last complete paragraph of a growing answer.

use crate::code_fence::CodeFence;

/// Reads each line of a growing text once.
#[derive(Debug, Default)]
pub(super) struct Paragraphs {
    /// Start of the last line, which is not complete yet.
    line: usize,
    /// Position up to which that line was searched for its end.
    looked: usize,
    fence: CodeFence,
    /// End of the last complete paragraph.
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

    /// The text was truncated. It is read again from the start if a complete line was lost.
    pub(super) fn shrunk(&mut self, text: &str) {
        if text.len() < self.line {
            *self = Self::default();
            self.grown(text);
        }
        self.looked = self.looked.min(text.len());
    }

    /// Length in bytes of the complete paragraphs.
    pub(super) fn end(&self) -> usize {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> &str {
        let mut paragraphs = Paragraphs::default();
        // Character by character, the smallest chunks an agent can send.
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

    #[test]
    fn a_truncated_text_is_read_like_a_new_one() {
        let text = "one\n\n```\na\n\nb\n```\n\nc";
        for kept in 0..=text.len() {
            let (mut shrunk, mut fresh) = (Paragraphs::default(), Paragraphs::default());
            shrunk.grown(text);
            shrunk.shrunk(&text[..kept]);
            let longer = format!("{}\n\nd\n\n", &text[..kept]);
            shrunk.grown(&longer);
            fresh.grown(&longer);
            assert_eq!(shrunk.end(), fresh.end(), "{kept}");
        }
    }
}
