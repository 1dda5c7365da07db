//! Protocols of JSON lines: one JSON value per line, in UTF-8, ended by `\n`. U+2028 and U+2029 are data.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use crate::json;

/// Parses a line; `None` for an empty one. The error says what is wrong without quoting the line, which may contain what
/// people wrote.
pub fn read<T: DeserializeOwned>(line: &[u8]) -> Result<Option<T>, String> {
    let text =
        std::str::from_utf8(line).map_err(|why| format!("invalid UTF-8 at byte {}", why.valid_up_to()))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    json::from_str(text).map(Some).map_err(|why| match why.classify() {
        Category::Data => "JSON that is not a line of the protocol".to_owned(),
        _ => format!("invalid JSON at byte {}", why.column()),
    })
}

/// A value as a line.
pub fn write(value: &Value) -> Vec<u8> {
    let mut bytes = value.to_string().into_bytes();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_with_half_an_emoji_is_a_line_and_an_error_does_not_quote_it() {
        assert_eq!(read(br#"{"text":"hi \ud83d"}"#), Ok(Some(json!({"text": "hi \u{fffd}"}))));
        assert_eq!(read::<Value>(b" \r"), Ok(None));
        assert_eq!(read::<Value>(br#"{"text": secret}"#), Err("invalid JSON at byte 10".to_owned()));
    }
}
