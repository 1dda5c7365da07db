//! Rows as JSON, with the field names of the API. Each type here is a body or a part of one, and describes itself.

pub(crate) mod access;
pub(crate) mod error;
pub(crate) mod outbox;
pub(crate) mod session;
pub(crate) mod status;

use chrono::{DateTime, SecondsFormat, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::visible;
use schemars::JsonSchema;
use serde::Serialize;

/// A time as RFC 3339 in UTC, with milliseconds.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time as RFC 3339 in UTC, with milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Timestamp(#[schemars(extend("format" = "date-time"))] String);

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(time(at))
    }
}

/// A time that may be unset.
pub(crate) fn maybe(time: Option<DateTime<Utc>>) -> Option<Timestamp> {
    time.map(Timestamp::from)
}

/// Maximum characters of a name.
const NAME: usize = 120;

/// A name that a person chose, shortened, with control, bidirectional and invisible characters escaped, so that it
/// cannot change how the text around it reads. It does not identify the person; the id beside it does.
pub(crate) fn escaped(name: &str) -> String {
    let odd = |c: char| visible::is_deceptive(c) || visible::hides(c);
    let mut shown = String::new();
    for (n, c) in name.chars().enumerate() {
        match c {
            _ if n == NAME => {
                shown.push('…');
                break;
            }
            '\\' => shown.push_str("\\\\"),
            odd_one if odd(odd_one) => shown.extend(odd_one.escape_unicode()),
            plain => shown.push(plain),
        }
    }
    shown
}

/// A person on a platform.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Person {
    /// The person as paths and lists name it, for example `telegram:4711`.
    principal: String,
    platform: String,
    account: String,
    /// The platform's stable id.
    user: String,
}

impl From<&Principal> for Person {
    fn from(principal: &Principal) -> Self {
        Self {
            principal: principal.as_str().to_owned(),
            platform: principal.platform().to_owned(),
            account: principal.account().name().to_owned(),
            user: principal.id().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_change_how_the_line_around_it_reads() {
        assert_eq!(escaped("Anna Müller 🦊"), "Anna Müller 🦊");
        assert_eq!(escaped("a\u{202e}b\u{200b}c\u{1b}[2J\n"), "a\\u{202e}b\\u{200b}c\\u{1b}[2J\\u{a}");
        assert_eq!(escaped("\\u{202e}"), "\\\\u{202e}", "nobody writes what looks escaped");
        assert_eq!(escaped(&"x".repeat(500)).chars().count(), NAME + 1);
    }
}
