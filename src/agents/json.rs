//! JSON of models and programs, some of which cut an emoji in two: half of a surrogate pair (`"\ud83d"`) is no text, and
//! serde_json refuses all that it stands in. JSON.parse and Python's json let it pass.

use serde::de::DeserializeOwned;

/// Parses a text. Each half of a surrogate pair is U+FFFD.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| match with_whole_characters(text) {
        Some(text) => serde_json::from_str(&text),
        None => Err(error),
    })
}

/// Parses a text in UTF-8. Each half of a surrogate pair is U+FFFD.
pub(crate) fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(text) {
        Ok(text) => from_str(text),
        Err(_) => serde_json::from_slice(text),
    }
}

/// The text with another escape in place of each half of a surrogate pair; `None` if there is none.
fn with_whole_characters(text: &str) -> Option<String> {
    let mut whole = String::with_capacity(text.len());
    let (mut rest, mut changed) = (text, false);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let (taken, replaced) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            (Some(_), _) => (6, false),
            // A backslash and the character after it.
            (None, _) => (1 + escape[1..].chars().next().map_or(0, char::len_utf8), false),
        };
        whole.push_str(if replaced { "\\ufffd" } else { &escape[..taken] });
        (rest, changed) = (&escape[taken..], changed || replaced);
    }
    whole.push_str(rest);
    changed.then_some(whole)
}

/// The UTF-16 code unit of an escape such as `\ud83d` at the beginning of a text.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn half_of_a_surrogate_pair_is_a_replacement_character() {
        for (text, expected) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ude00b""#, "\u{fffd}b"),
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\uDE00\uD83D""#, "\u{fffd}\u{fffd}"),
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
            (r#""\ud83dé\n\ud83d\u00e9""#, "\u{fffd}é\n\u{fffd}é"),
        ] {
            assert_eq!(from_str::<Value>(text).unwrap(), json!(expected), "{text}");
            assert_eq!(from_slice::<Value>(text.as_bytes()).unwrap(), json!(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for text in [r#""\ud83"#, r#""\ud83d"#, r#""\ud83d\"#, "\\", "{\"a\":\\ud83d}", r#""\x\ud83d""#, ""] {
            assert!(from_str::<Value>(text).is_err(), "{text}");
        }
    }
}
