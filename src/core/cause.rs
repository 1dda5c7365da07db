//! Why an agent or a platform failed: what may be logged of it, and what may quote a message.

use std::fmt;

/// Why an agent or a platform failed.
///
/// A literal is the first part of a cause, and a `String` the second: what was put together at run time may contain
/// what somebody wrote. [`Cause::plain`] is for texts of which that is known not to be true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cause {
    plain: String,
    foreign: String,
}

impl Cause {
    /// Words that quote no message.
    pub fn plain(words: impl Into<String>) -> Self {
        Self { plain: words.into(), foreign: String::new() }
    }

    /// What happened, in words that quote no message, and what a program or a provider says about it.
    pub fn quoting(words: impl Into<String>, foreign: impl Into<String>) -> Self {
        Self { plain: words.into(), foreign: foreign.into() }
    }

    /// The same cause with what it prevented before it.
    #[must_use]
    pub fn after(self, context: &str) -> Self {
        let plain = match self.plain.is_empty() {
            true => context.to_owned(),
            false => format!("{context}: {}", self.plain),
        };
        Self { plain, ..self }
    }

    /// The same cause with both parts changed by this.
    #[must_use]
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        Self { plain: change(&self.plain), foreign: change(&self.foreign) }
    }

    /// The part that may be logged at every level; may be empty.
    pub fn for_log(&self) -> &str {
        &self.plain
    }

    /// The words of a program or a provider, which may quote a message: they are for the operator and not for the log,
    /// except at its level `debug`. May be empty.
    pub fn foreign(&self) -> &str {
        &self.foreign
    }
}

/// Both parts.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.plain.as_str(), self.foreign.as_str()) {
            (plain, "") => f.write_str(plain),
            ("", foreign) => f.write_str(foreign),
            (plain, foreign) => write!(f, "{plain}: {foreign}"),
        }
    }
}

impl From<&'static str> for Cause {
    fn from(words: &'static str) -> Self {
        Self::plain(words)
    }
}

impl From<String> for Cause {
    fn from(foreign: String) -> Self {
        Self::quoting("", foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_literal_and_what_is_called_plain_are_for_the_log() {
        let said = "the password is hunter2".to_owned();
        for (cause, logged, whole) in [
            (Cause::from("it died"), "it died", "it died"),
            (said.clone().into(), "", "the password is hunter2"),
            (
                Cause::quoting("exit code 1", said.clone()),
                "exit code 1",
                "exit code 1: the password is hunter2",
            ),
            (Cause::from(said).after("pi ended"), "pi ended", "pi ended: the password is hunter2"),
            (Cause::plain("exit code 1").after("pi ended"), "pi ended: exit code 1", "pi ended: exit code 1"),
        ] {
            assert_eq!((cause.for_log(), cause.to_string().as_str()), (logged, whole));
        }
    }
}
