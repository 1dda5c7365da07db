//! How the server treats control characters, white space and invisible characters, as in tdlib's `clean_input_string`,
//! `fix_formatted_text` and `strip_empty_characters`.

use crate::entity::{Formatted, utf16};

impl Formatted {
    /// Replaces each control character with a space, and removes some others.
    pub fn replace_control_characters(&mut self) {
        // The offsets of the characters that are removed; each of them is one UTF-16 unit long.
        let mut removed = Vec::new();
        let (mut text, mut at) = (String::with_capacity(self.text.len()), 0);
        for char in self.text.chars() {
            match char {
                '\n' => text.push('\n'),
                '\r' | '\u{2028}'..='\u{202e}' | '\u{30a}' | '\u{333}' | '\u{33f}' => removed.push(at),
                '\0'..=' ' => text.push(' '),
                char => text.push(char),
            }
            at += char.len_utf16();
        }
        self.text = text;
        let before = |at: usize| removed.partition_point(|unit| *unit < at);
        self.entities.retain_mut(|entity| {
            let end = entity.offset + entity.length;
            entity.offset -= before(entity.offset);
            entity.length = end - before(end) - entity.offset;
            entity.length > 0
        });
    }

    /// Removes spaces and line feeds at the end, and at the beginning as far as no entity covers them.
    pub fn trim(&mut self) {
        let blank = [' ', '\n'];
        self.text.truncate(self.text.trim_end_matches(blank).len());
        let end = utf16(&self.text);
        self.entities.retain_mut(|entity| {
            entity.length = (entity.offset + entity.length).min(end).saturating_sub(entity.offset);
            entity.length > 0
        });
        self.sort();
        let spaces = self.text.len() - self.text.trim_start_matches(blank).len();
        let start = self.entities.first().map_or(spaces, |first| first.offset.min(spaces));
        self.text.drain(..start);
        for entity in &mut self.entities {
            entity.offset -= start;
        }
    }

    /// Whether the server takes it for empty. Some invisible characters pass, and are shown as an empty message.
    pub fn is_empty(&self) -> bool {
        self.text.chars().all(|char| {
            matches!(char,
                '\0'..=' ' | '\u{a0}' | '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{202e}' | '\u{202f}'
                | '\u{205f}' | '\u{2800}' | '\u{3000}' | '\u{feff}' | '\u{fffc}' | '\u{e0000}'..='\u{e007f}')
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html;

    fn cleaned(source: &str) -> (String, Vec<(usize, usize)>) {
        let mut formatted = html::parse(source).unwrap();
        formatted.replace_control_characters();
        formatted.trim();
        (formatted.text, formatted.entities.iter().map(|entity| (entity.offset, entity.length)).collect())
    }

    #[test]
    fn white_space_at_the_ends_goes_unless_an_entity_begins_there() {
        assert_eq!(cleaned("\n <b> x </b>\n"), (" x".to_owned(), vec![(0, 2)]));
        assert_eq!(cleaned(" x <b>y</b>"), ("x y".to_owned(), vec![(2, 1)]));
        assert_eq!(cleaned("<pre>    x\n</pre>"), ("    x".to_owned(), vec![(0, 5)]));
        assert_eq!(cleaned(" <b> </b>\n"), (String::new(), vec![]));
        assert_eq!(cleaned("\u{a0}x\u{a0}").0, "\u{a0}x\u{a0}");
    }

    #[test]
    fn control_characters_become_spaces_and_some_characters_go() {
        assert_eq!(cleaned("a\tb\u{1}c\r\nd"), ("a b c\nd".to_owned(), vec![]));
        assert_eq!(cleaned("<pre>a&#9;b</pre>"), ("a b".to_owned(), vec![(0, 3)]));
        assert_eq!(cleaned("a\u{2028}b <b>c\rd</b> e\u{30a}").0, "ab cd e");
        assert_eq!(cleaned("a\u{2028}b <b>c\rd</b>").1, [(3, 2)]);
    }

    #[test]
    fn much_that_is_invisible_is_empty() {
        let is_empty = |text: &str| Formatted { text: text.to_owned(), entities: Vec::new() }.is_empty();
        for text in ["", "\u{200b}", "\u{a0}\u{feff}", "\u{2800}\u{3000}\u{fffc}", "\u{200e}\u{202e}"] {
            assert!(is_empty(text), "{text:?}");
        }
        assert!(!is_empty("\u{2060}") && !is_empty("\u{ad}") && !is_empty("."));
    }
}
