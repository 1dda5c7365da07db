//! Fields of the gateway's JSON. A missing field is an empty cell in a table, not an error.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use serde_json::Value;

use super::{screen, when};

/// A field as text; empty if it is missing.
pub fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// A number; 0 if it is missing.
pub fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// A time.
pub fn time(value: &Value, name: &str) -> Option<DateTime<Utc>> {
    value.get(name)?.as_str()?.parse().ok()
}

/// A time, relative, and absolute as well if nobody reads it at a terminal; empty if it is missing.
pub fn ago(value: &Value, name: &str) -> String {
    let Some(at) = time(value, name) else { return String::new() };
    let now = frontdesk::clock::wall();
    if screen::is_terminal() { when::relative(at, now) } else { when::both(at, now) }
}

/// A list; empty if it is missing.
pub fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The account of a JSON object, as it is typed: `telegram`, `telegram@work`. `channel` is the field with its channel.
pub fn account(value: &Value, channel: &str) -> String {
    let (channel, name) = (text(value, channel), text(value, "account"));
    AccountId::new(&channel, Some(&name)).map_or(channel, |account| account.to_string())
}
