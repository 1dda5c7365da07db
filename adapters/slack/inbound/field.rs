//! Fields of JSON objects.

use frontdesk_core::address::AddressError;
use serde_json::Value;

/// The name of a field that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unread(pub &'static str);

/// An id that cannot be part of an address is treated as unreadable.
impl From<AddressError> for Unread {
    fn from(_: AddressError) -> Self {
        Unread("an id")
    }
}

/// A text that is not empty.
pub(super) fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value[name].as_str().filter(|text| !text.is_empty())
}

/// A text that must be there.
pub(super) fn need<'v>(value: &'v Value, name: &'static str) -> Result<&'v str, Unread> {
    text_of(value, name).ok_or(Unread(name))
}

/// The elements of a list; none if it is no list.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}
