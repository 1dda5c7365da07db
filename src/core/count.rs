//! Numbers with their nouns, for sentences.

/// `1 message`, `2 messages`: for nouns with a plural in `s`.
pub fn counted(count: u64, noun: &str) -> String {
    of(count, noun, &format!("{noun}s"))
}

/// `1 person`, `2 people`.
pub fn of(count: u64, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_none_is_plural() {
        let text = |count| counted(count, "message");
        assert_eq!(
            (text(0), text(1), text(2)),
            ("0 messages".into(), "1 message".into(), "2 messages".into())
        );
        assert_eq!(
            (of(1, "person", "people"), of(3, "person", "people")),
            ("1 person".into(), "3 people".into())
        );
    }
}
