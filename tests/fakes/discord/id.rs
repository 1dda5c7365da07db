//! Discord's ids ("snowflakes"): 64-bit numbers that contain the time, written as texts in JSON.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The beginning of 2015, from which ids count milliseconds.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// The id of anything on Discord.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

impl Id {
    /// The time in the id, in milliseconds since 1970.
    pub fn ms(self) -> i64 {
        i64::try_from(self.0 >> 22).unwrap_or_default() + EPOCH_MS
    }

    /// Reads a text or a number: SDKs send both.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64().map(Self),
        }
    }
}

impl From<u64> for Id {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl FromStr for Id {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value).ok_or_else(|| serde::de::Error::custom(format!("{value} is no id")))
    }
}

/// Makes ids, each higher than the one before.
#[derive(Debug, Default)]
pub struct Ids {
    last: u64,
}

impl Ids {
    /// The next id at this time.
    pub fn next(&mut self, now_ms: i64) -> Id {
        let at = u64::try_from(now_ms - EPOCH_MS).unwrap_or_default() << 22;
        self.last = at.max(self.last + 1);
        Id(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_contain_the_time() {
        let mut ids = Ids::default();
        let now = 1_800_000_000_000;
        let (first, second, past) = (ids.next(now), ids.next(now), ids.next(now - 5000));
        assert!(first < second && second < past);
        assert_eq!((first.ms(), past.ms()), (now, now));
        assert_eq!(Id::read(&serde_json::json!("7")), Id::read(&serde_json::json!(7)));
    }
}
