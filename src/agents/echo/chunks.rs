//! Splits a text into small chunks that add up to exactly that text.

/// The number of words in a chunk.
const WORDS: usize = 4;
/// The maximum number of characters in a chunk, which may then end within a word.
const CHARS: usize = 80;

/// The chunks of a text.
pub(super) struct Chunks {
    text: String,
    at: usize,
}

impl Chunks {
    pub(super) fn of(text: String) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Chunks {
    type Item = String;
    fn next(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let mut words = 0;
        let mut in_word = false;
        let mut end = rest.len();
        for (count, (at, c)) in rest.char_indices().enumerate() {
            let begins = !in_word && !c.is_whitespace();
            in_word = !c.is_whitespace();
            if (begins && words == WORDS) || count == CHARS {
                end = at;
                break;
            }
            words += usize::from(begins);
        }
        self.at += end;
        (end > 0).then(|| rest[..end].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_a_few_words_and_add_up_to_the_text() {
        for text in [
            "",
            " ",
            "one",
            "a b c d e f g h i",
            "  zwölf Wörter\n\nfür die Welt,  mit 👋 Luft ",
            &"x".repeat(500),
        ] {
            let pieces: Vec<String> = Chunks::of(text.to_owned()).collect();
            assert_eq!(pieces.concat(), text);
            assert!(
                pieces.iter().all(|piece| !piece.is_empty() && piece.split_whitespace().count() <= WORDS)
            );
        }
        assert_eq!(Chunks::of("a b c d e".into()).collect::<Vec<_>>(), ["a b c d ", "e"]);
    }
}
