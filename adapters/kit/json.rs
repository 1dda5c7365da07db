//! Reads JSON field by field: fields that no rule asks for are not parsed, so that nothing in them can cause an error.

use std::borrow::Cow;
use std::fmt;

use frontdesk_core::address::AddressError;
use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A required field is missing or has another type. Contains the field's name, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError(pub String);

/// An id that cannot be part of an address is treated as unreadable.
impl From<AddressError> for FieldError {
    fn from(error: AddressError) -> Self {
        FieldError(error.to_string())
    }
}

/// A JSON object. Its fields are kept as text and parsed on request.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    path: String,
    fields: Vec<(Cow<'a, str>, &'a str)>,
}

/// A type that a field can be parsed as.
pub trait Read<'a>: Sized {
    /// `None` if the value has another type.
    fn read(raw: &'a str, path: String) -> Option<Self>;
}

impl<'a> Fields<'a> {
    /// Parses an object; `path` names it in errors. `None` if the text is not an object.
    pub fn of(raw: &'a str, path: &str) -> Option<Self> {
        <Fields<'a> as Read<'a>>::read(raw, path.to_owned())
    }

    /// Whether the field exists, with any value.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// The names of the fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_ref())
    }

    /// An optional field of a fixed type; `null` counts as missing.
    pub fn get<T: Read<'a>>(&self, name: &str) -> Result<Option<T>, FieldError> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) => T::read(raw, self.path(name)).map(Some).ok_or_else(|| self.field_error(name)),
        }
    }

    /// A required field.
    pub fn need<T: Read<'a>>(&self, name: &str) -> Result<T, FieldError> {
        self.get(name)?.ok_or_else(|| self.field_error(name))
    }

    /// A field for display only: a value of another type counts as missing.
    pub fn maybe<T: Read<'a>>(&self, name: &str) -> Option<T> {
        self.raw(name).and_then(|raw| T::read(raw, self.path(name)))
    }

    /// The elements of a list; a missing list is empty.
    pub fn list<T: Read<'a>>(&self, name: &str) -> Result<Vec<T>, FieldError> {
        let Some(raw) = self.raw(name) else { return Ok(Vec::new()) };
        let elements: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| self.field_error(name))?;
        let each = elements.into_iter().map(|element| T::read(element.get(), self.path(name)));
        each.collect::<Option<_>>().ok_or_else(|| self.field_error(name))
    }

    /// An error that names a field of this object.
    pub fn field_error(&self, name: &str) -> FieldError {
        FieldError(self.path(name))
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        let (_, raw) = self.fields.iter().find(|(known, _)| known == name)?;
        (*raw != "null").then_some(*raw)
    }

    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

impl<'a> Read<'a> for Fields<'a> {
    fn read(raw: &'a str, path: String) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_str(raw);
        let fields = json.deserialize_map(ObjectVisitor).ok()?;
        json.end().ok()?;
        Some(Self { path, fields })
    }
}

/// The unparsed text of the value.
impl<'a> Read<'a> for &'a str {
    fn read(raw: &'a str, _: String) -> Option<Self> {
        Some(raw)
    }
}

impl Read<'_> for i64 {
    fn read(raw: &str, _: String) -> Option<Self> {
        serde_json::from_str(raw).ok()
    }
}

impl Read<'_> for u64 {
    fn read(raw: &str, _: String) -> Option<Self> {
        serde_json::from_str(raw).ok()
    }
}

impl Read<'_> for f64 {
    fn read(raw: &str, _: String) -> Option<Self> {
        serde_json::from_str(raw).ok()
    }
}

impl Read<'_> for bool {
    fn read(raw: &str, _: String) -> Option<Self> {
        serde_json::from_str(raw).ok()
    }
}

/// An unpaired surrogate, which some programs produce when they cut a text, becomes U+FFFD.
impl Read<'_> for String {
    fn read(raw: &str, _: String) -> Option<Self> {
        if !raw.starts_with('"') {
            return None;
        }
        let read: Result<String, _> = serde_json::from_str(raw);
        read.or_else(|_| serde_json::Deserializer::from_str(raw).deserialize_bytes(LossyText)).ok()
    }
}

struct LossyText;

impl Visitor<'_> for LossyText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

struct ObjectVisitor;

impl<'a> Visitor<'a> for ObjectVisitor {
    type Value = Vec<(Cow<'a, str>, &'a str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<&'a RawValue, &'a RawValue>()? {
            let quoted = name.get();
            let plain = quoted.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
            let name = match plain {
                Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
                _ => Cow::Owned(String::read(quoted, String::new()).unwrap_or_default()),
            };
            fields.push((name, value.get()));
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_not_requested_are_not_parsed() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let raw =
            format!(r#"{{"a":{deep},"b":1e999,"c":"\ud800","\ud83d":1,"a":2,"id":9223372036854775807}}"#);
        let fields = Fields::of(&raw, "update").unwrap();
        assert_eq!(fields.need::<i64>("id"), Ok(i64::MAX));
        assert_eq!(fields.get::<i64>("b"), Err(FieldError("update.b".into())));
        assert_eq!(fields.maybe::<String>("c").unwrap().trim_matches('\u{fffd}'), "");
        assert_eq!(fields.get::<String>("d"), Ok(None));
        assert_eq!(fields.need::<String>("d"), Err(FieldError("update.d".into())));
    }

    #[test]
    fn only_an_object_has_fields() {
        for raw in ["", "{", "[]", "7", "{} {}", r#""{}""#, "null"] {
            assert!(Fields::of(raw, "").is_none(), "{raw}");
        }
    }
}
