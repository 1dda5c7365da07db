//! Links whose target the text does not show.

/// A link whose target the text does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The linked words.
    pub label: String,
    /// The target, as the platform states it.
    pub url: String,
}

/// The longest target that is written out in a text, in characters. The link itself keeps the whole target.
const LONGEST_TARGET: usize = 2000;

impl Link {
    /// The text that follows the label where the target is to be shown: ` (https://example.com/)`. Characters that
    /// could end the bracket or the line are percent-encoded.
    pub fn beside(&self) -> String {
        let mut shown = String::from(" (");
        for c in self.url.chars().take(LONGEST_TARGET) {
            match c {
                '!'..='~' if !matches!(c, '(' | ')' | '<' | '>' | '"' | '`') => shown.push(c),
                _ => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        shown.push_str(&format!("%{byte:02X}"));
                    }
                }
            }
        }
        shown.push(')');
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(url: &str) -> String {
        Link { label: "this".into(), url: url.into() }.beside()
    }

    #[test]
    fn a_links_target_is_shown_as_it_is() {
        assert_eq!(beside("https://e.com/p?a=1&b=%20#c"), " (https://e.com/p?a=1&b=%20#c)");
    }

    #[test]
    fn a_links_target_can_end_neither_its_bracket_nor_its_line() {
        assert_eq!(
            beside("https://e.com/a) \n{\"files\":[]}\u{202e}"),
            " (https://e.com/a%29%20%0A{%22files%22:[]}%E2%80%AE)"
        );
        assert!(beside(&"é".repeat(9000)).len() <= LONGEST_TARGET * 6 + 3);
    }
}
