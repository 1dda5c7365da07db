//! Code blocks, and words that are written as code because a platform would turn them into links.

use pulldown_cmark::CodeBlockKind;

use super::super::styled::{Format, StyledText};
use super::super::{Marks, Style};
use super::Reader;

/// A longer word is not the name of a language.
const LONGEST_LANGUAGE: usize = 32;

impl Reader<'_> {
    pub(super) fn start_code(&mut self, kind: &CodeBlockKind<'_>) {
        self.block();
        let (word, more) = words_of_fence(kind);
        self.styled.blocks.push(word.map(str::to_owned));
        self.format.pre = self.styled.blocks.len() as u32;
        self.before_code = self.styled.text.len();
        // The rest of the info string may be the command that the block is about, so it becomes the first line of the
        // code.
        if !more.is_empty() {
            self.text(more);
            self.text("\n");
        }
    }

    pub(super) fn end_code(&mut self) {
        // The parser ends every line of code with a line break, including the last one.
        let end = self.styled.text.len();
        if end > self.before_code && self.styled.text.ends_with('\n') {
            self.styled.truncate(end - 1);
        }
        self.format.pre = 0;
        self.block();
    }
}

/// The language of a code block, and what else stands behind its fence.
pub(in crate::markup) fn words_of_fence<'k>(kind: &'k CodeBlockKind<'_>) -> (Option<&'k str>, &'k str) {
    let info = match kind {
        CodeBlockKind::Fenced(info) => info.trim(),
        CodeBlockKind::Indented => "",
    };
    let word = info.split_whitespace().next().filter(|word| word.len() <= LONGEST_LANGUAGE);
    (word, info[word.map_or(0, str::len)..].trim())
}

/// Writes words as code that the platform would turn into links by itself, where they are plain text.
pub(super) fn set_words(styled: &mut StyledText, marks: &Marks) {
    let mut words = (marks.code_words)(&styled.text);
    words.retain(|word| styled.stretches(word.clone()).all(|(_, format)| is_plain(format)));
    if (marks.open)(Style::Code, &mut String::new()) {
        styled.set_format(&words, |format| match marks.code_alone {
            true => Format { code: true, quote: format.quote, ..Format::default() },
            false => Format { code: true, ..format },
        });
    }
}

fn is_plain(format: Format) -> bool {
    !format.code && format.pre == 0 && format.link == 0
}
