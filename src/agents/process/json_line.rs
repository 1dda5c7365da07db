//! Protocols of JSON lines: one JSON value per line, in UTF-8, ended by `\n`. U+2028 and U+2029 are data.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

/// Parses a line; `None` for an empty one. The error says what is wrong without quoting the line, which may contain what
/// people wrote.
pub fn read<T: DeserializeOwned>(line: &[u8]) -> Result<Option<T>, String> {
    let text =
        std::str::from_utf8(line).map_err(|why| format!("invalid UTF-8 at byte {}", why.valid_up_to()))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|why| match why.classify() {
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
