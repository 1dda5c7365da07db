//! How reactions are written.

/// Asks for the coloured form of the character before it.
const SELECTOR: char = '\u{fe0f}';

/// A reaction without the selector (U+FE0F), which keyboards, models and platforms add to some emoji or leave out: ❤ is the
/// same reaction with and without it. An adapter whose platform insists on the selector adds it.
pub fn normalized(reaction: &str) -> String {
    reaction.trim().replace(SELECTOR, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_the_same_reaction_with_and_without_the_selector() {
        for written in ["❤", "❤\u{fe0f}", " ❤\u{fe0f} "] {
            assert_eq!(normalized(written), "❤");
        }
        assert_eq!(normalized("❤\u{fe0f}\u{200d}🔥"), "❤\u{200d}🔥");
        assert_eq!(normalized(""), "");
    }
}
