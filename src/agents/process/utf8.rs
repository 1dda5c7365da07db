//! Decodes UTF-8 that arrives in pieces, which may end within a character.

/// Decodes one stream of bytes. Bytes that are not UTF-8 become U+FFFD.
#[derive(Default)]
pub struct Utf8 {
    /// The beginning of an incomplete character, at most three bytes.
    begun: Vec<u8>,
}

impl Utf8 {
    /// Adds bytes and returns the text that is complete.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.begun.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.begun.len());
        let mut whole = 0;
        for chunk in self.begun.utf8_chunks() {
            text.push_str(chunk.valid());
            whole += chunk.valid().len();
            let invalid = chunk.invalid();
            if whole + invalid.len() == self.begun.len() && begins_a_character(invalid) {
                break;
            }
            if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            whole += invalid.len();
        }
        self.begun.drain(..whole);
        text
    }

    /// The rest at the end: nothing, or U+FFFD for an incomplete character.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.begun)).into_owned()
    }
}

fn begins_a_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_within_characters_change_nothing() {
        let whole = b"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x91\x8b \xff\xe2\x82 \xf0\x9f z\xe2\x82";
        let expected = String::from_utf8_lossy(whole);
        for size in 1..=whole.len() {
            let mut utf8 = Utf8::default();
            let mut text: String = whole.chunks(size).map(|piece| utf8.push(piece)).collect();
            assert!(utf8.begun.len() < 4);
            text.push_str(&utf8.finish());
            assert_eq!(text, expected, "pieces of {size}");
        }
    }
}
