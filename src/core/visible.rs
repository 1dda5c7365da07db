//! Which characters a reader sees, and escapes for those that control a terminal, change the direction of a line or
//! are invisible.
//!
//! Names, messages and error texts of programs come from outside. They must be escaped wherever they are shown in a log
//! or on a terminal.

use std::borrow::Cow;

/// The longest label, in characters.
pub(crate) const LABEL: usize = 240;

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

/// Whether a character changes the direction of a line or is invisible. Variation selectors are not included: they
/// select how the character before them looks.
pub fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character starts a new line or controls a terminal (C0, DEL, C1).
pub fn breaks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character has an effect beyond what it shows. Joiners, Hangul fillers and soft hyphens are parts of words,
/// so a text may contain them; a name may not (see [`hides`]).
pub fn is_deceptive(c: char) -> bool {
    let joins = matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{200c}' | '\u{200d}');
    breaks(c) || (hides(c) && !joins)
}

/// The text on one line, with every such character as its number (`\u{1b}`), cut to `most` characters.
pub fn escaped(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most) + 8);
    for (at, c) in text.chars().enumerate() {
        if at == most {
            shown.push('…');
            break;
        }
        push(&mut shown, c);
    }
    shown
}

/// Foreign text inside a sentence of Frontdesk: a Markdown code span of at most `most` characters, on one line, so that
/// it is shown literally and cannot pass for the sentence around it.
pub fn quoted(text: &str, most: usize) -> String {
    let shown = clean(text.trim(), most).replace('`', "'");
    // Markdown has no empty code span.
    if is_visible(&shown) { format!("`{shown}`") } else { "(empty)".to_owned() }
}

/// A name, an id or an error as [`quoted`] text.
pub fn quoted_label(text: &str) -> String {
    quoted(text, LABEL)
}

/// The longest name that an agent reports, in characters: of a model, of a tool, of a level of thinking.
pub const NAME: usize = 128;

/// A name that an agent reports: on one line, at most [`NAME`] characters, and without invisible characters.
pub fn name(text: &str) -> String {
    clean(text.trim(), NAME)
}

/// The text on one line, shortened, and without characters that change the direction of a line or are invisible.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut kept: String =
        text.chars().filter(|c| !hides(*c)).map(|c| if breaks(c) { ' ' } else { c }).take(most + 1).collect();
    if let Some((cut, _)) = kept.char_indices().nth(most) {
        kept.truncate(cut);
        kept.push('…');
    }
    kept
}

/// Appends one character, or its number if it is deceptive.
pub fn push(shown: &mut String, c: char) {
    match c {
        '\t' => shown.push(c),
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        c if is_deceptive(c) => shown.extend(c.escape_unicode()),
        c => shown.push(c),
    }
}

/// JSON with such characters as `\uXXXX`: the same value, harmless on a terminal. Line breaks and tabs between the
/// values stay; inside of strings JSON has none.
pub fn json(json: &str) -> Cow<'_, str> {
    let steers = |c: char| is_deceptive(c) && c != '\n' && c != '\t';
    if !json.contains(steers) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if steers(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind that must not reach a terminal.
    const DECEPTIVE: &str = "\u{0}\u{7}\u{8}\u{b}\r\u{1b}\u{7f}\u{80}\u{9b}\u{9f}\u{61c}\u{200e}\u{200f}\u{202a}\
                             \u{202e}\u{2066}\u{2069}\u{2028}\u{2029}\u{feff}\u{200b}\u{3164}\u{e0001}\u{e007f}";

    #[test]
    fn everything_that_deceives_is_written_out_and_letters_are_not() {
        let shown = escaped(&format!("a{DECEPTIVE}\nb"), 100);
        assert!(shown.starts_with("a\\u{0}") && shown.ends_with("\\nb"), "{shown}");
        assert!(!shown.chars().any(is_deceptive), "{shown:?}");
        for text in ["Zoë 表 שלום", "👩\u{200d}👧 🏳\u{fe0f}", "می\u{200c}خواهم", "a\tb"] {
            assert_eq!(escaped(text, 100), text);
        }
        assert_eq!(escaped("abcdef", 3), "abc…");
    }

    #[test]
    fn foreign_text_in_a_sentence_is_literal_and_short() {
        assert_eq!(quoted_label(" a `[b](c)`\nd "), "`a '[b](c)' d`");
        assert_eq!(quoted(&"x".repeat(500), 3), "`xxx…`");
        assert_eq!(quoted("\u{200b} ", 3), "(empty)");
    }

    #[test]
    fn json_says_the_same_without_a_character_that_deceives() {
        let value = serde_json::json!({ DECEPTIVE: [DECEPTIVE, "ok ü 👩\u{200d}👧"] });
        for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = json(&text);
            assert!(!shown.chars().any(|c| is_deceptive(c) && c != '\n'), "{shown:?}");
            assert!(shown.contains("\\u009b") && shown.contains("\\udb40\\udc01"), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
        assert!(matches!(json("{\"a\":\"ü\"}"), Cow::Borrowed(_)));
    }

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
