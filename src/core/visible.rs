//! Escapes characters that control a terminal, change the direction of a line or are invisible.
//!
//! Names, messages and error texts of programs come from outside. They must go through here wherever they are shown in
//! a log or on a terminal.

use std::borrow::Cow;

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
}
