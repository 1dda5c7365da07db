//! Which texts show anything.

use crate::visible::hides;

/// Whether a reader sees anything of `text`. Platforms refuse an invisible message or show an empty bubble.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(shows)
}

/// Whether a reader sees this character, or at least its effect on its neighbours.
///
/// Invisible are Unicode's white space, control characters and `Default_Ignorable_Code_Point`, the blank Braille
/// pattern, the object replacement character, and three combining marks that Telegram removes from every text.
pub fn shows(char: char) -> bool {
    !char.is_whitespace()
        && !char.is_control()
        && !hides(char)
        && !matches!(char,
            '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{30a}' | '\u{333}' | '\u{33f}'
            | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffc}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_without_ink_are_invisible_alone_and_together() {
        let blank = [
            '\u{a0}',
            '\u{ad}',
            '\u{1680}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2003}',
            '\u{202e}',
            '\u{202f}',
            '\u{205f}',
            '\u{2060}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fffc}',
            '\u{e0041}',
            '\t',
            '\n',
            ' ',
            '\0',
        ];
        for char in blank {
            assert!(!shows(char), "{char:?}");
        }
        let all: String = blank.into_iter().collect();
        assert!(!is_visible(&all));
        assert!(is_visible(&(all + ".")));
    }

    #[test]
    fn letters_signs_and_emoji_are_visible() {
        for text in ["a", "·", "👍🏽", "❤\u{fe0f}", "ש", "e\u{301}", "1\u{fe0f}\u{20e3}"] {
            assert!(is_visible(text), "{text:?}");
        }
    }
}
