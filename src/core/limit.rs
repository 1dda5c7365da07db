//! Limits of the length of a text.

/// The longest text of one part, in the platform's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The maximum number of units, including markup.
    pub max: usize,
    /// The unit.
    pub unit: Unit,
}

/// The unit in which a platform limits the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// UTF-8 bytes.
    Bytes,
    /// Unicode scalar values.
    Characters,
    /// UTF-16 code units.
    Utf16,
}

impl Unit {
    /// The length of `text` in this unit.
    pub fn len(self, text: &str) -> usize {
        match self {
            Unit::Bytes => text.len(),
            Unit::Characters => text.chars().count(),
            Unit::Utf16 => text.encode_utf16().count(),
        }
    }

    /// The name that `frontdesk format --json` prints.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Bytes => "bytes",
            Unit::Characters => "characters",
            Unit::Utf16 => "utf16",
        }
    }
}

impl Limit {
    /// Whether `text` is within the limit.
    pub fn holds(self, text: &str) -> bool {
        // The number of bytes is never smaller than the other units, so most texts need no counting.
        text.len() <= self.max || self.unit.len(text) <= self.max
    }
}
