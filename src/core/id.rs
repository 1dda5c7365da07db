//! The ids that Frontdesk assigns, each with one text form.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not the id of {what}: write it as it is shown, for example `{prefix}42`")]
pub struct IdError {
    text: String,
    what: &'static str,
    prefix: char,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .filter(|digits| !digits.starts_with(['+', '-']))
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or_else(|| IdError { text: text.into(), what: $what, prefix: $prefix })
            }
        }
    };
}

id!(
    /// The id of an accepted message: the same in `accepted`, the log, the command line and the database.
    MessageId, 'm', "a message"
);
id!(
    /// The id of a turn, which is one run of an agent.
    TurnId, 't', "a turn"
);
id!(
    /// The id of a row of the outbox.
    OutId, 'o', "an outgoing message"
);
id!(
    /// The id of a question, the same in its buttons, the log, the command line and the database.
    AskId, 'a', "a question"
);

id!(
    /// The id of a background task.
    TaskId, 'b', "a background task"
);
id!(
    /// The id of a run of a scheduled job.
    RunId, 'r', "a run of a job"
);

/// A message of a chat as agents name it: one that was received (`m42`), or one that was sent (`o42`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatMessageId {
    /// It was received.
    Received(MessageId),
    /// It was sent, or is to be sent.
    Sent(OutId),
}

impl fmt::Display for ChatMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChatMessageId::Received(id) => id.fmt(f),
            ChatMessageId::Sent(id) => id.fmt(f),
        }
    }
}

impl FromStr for ChatMessageId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.parse() {
            Ok(sent) => Ok(ChatMessageId::Sent(sent)),
            Err(_) => text.parse().map(ChatMessageId::Received),
        }
    }
}

/// The id of one start of the gateway. Claimed work stores it as its owner, so that work of an earlier process can be
/// told from work in progress without looking at a clock.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BootId(String);

impl BootId {
    /// Creates an id from 64 random bits.
    pub fn from_bits(bits: u64) -> Self {
        Self(format!("{bits:016x}"))
    }

    /// The text form: sixteen hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_a_chat_is_named_by_either_kind_of_id() {
        assert_eq!("m42".parse(), Ok(ChatMessageId::Received(MessageId(42))));
        assert_eq!("o7".parse(), Ok(ChatMessageId::Sent(OutId(7))));
        assert_eq!(ChatMessageId::Sent(OutId(7)).to_string(), "o7");
        assert!(
            "t7".parse::<ChatMessageId>().is_err_and(|error| error.to_string().contains("for example `m42`"))
        );
    }

    #[test]
    fn an_id_reads_back_as_it_is_shown() {
        assert_eq!("m42".parse(), Ok(MessageId(42)));
        assert_eq!(MessageId(42).to_string(), "m42");
        for wrong in ["42", "t42", "m", "m-1", "m+1", "m4x", ""] {
            assert!(wrong.parse::<MessageId>().is_err(), "{wrong:?} was taken for an id");
        }
    }
}
