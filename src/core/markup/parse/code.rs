//! Code: blocks, and words that are written as code because a platform would make links of them.

use pulldown_cmark::CodeBlockKind;

use super::super::styled::{Look, StyledText};
use super::super::{Marks, Style};
use super::Reader;

/// A language's name longer than this is none.
const LONGEST_LANGUAGE: usize = 32;

impl Reader<'_> {
    pub(super) fn start_code(&mut self, kind: &CodeBlockKind<'_>) {
        self.block();
        let info = match kind {
            CodeBlockKind::Fenced(info) => info.trim(),
            CodeBlockKind::Indented => "",
        };
        let word = info.split_whitespace().next().filter(|word| word.len() <= LONGEST_LANGUAGE);
        self.styled.blocks.push(word.map(str::to_owned));
        self.look.pre = self.styled.blocks.len() as u32;
        self.before_code = self.styled.text.len();
        // What stands behind the language has no place of its own, and may be the command that the block is
        // about.
        let more = info[word.map_or(0, str::len)..].trim();
        if !more.is_empty() {
            self.text(more);
            self.text("\n");
        }
    }

    pub(super) fn end_code(&mut self) {
        // The parser ends every line of code with a break, the last one too.
        let end = self.styled.text.len();
        if end > self.before_code && self.styled.text.ends_with('\n') {
            self.styled.truncate(end - 1);
        }
        self.look.pre = 0;
        self.block();
    }
}

/// Writes as code what the platform would make a link of without being asked, where it is plain words.
pub(super) fn set_words(styled: &mut StyledText, marks: &Marks) {
    let mut words = (marks.code_words)(&styled.text);
    words.retain(|word| styled.stretches(word.clone()).all(|(_, look)| is_plain(look)));
    if (marks.open)(Style::Code, &mut String::new()) {
        styled.set_look(&words, |look| match marks.bare_code {
            true => Look { code: true, quote: look.quote, ..Look::default() },
            false => Look { code: true, ..look },
        });
    }
}

fn is_plain(look: Look) -> bool {
    !look.code && look.pre == 0 && look.link == 0
}
