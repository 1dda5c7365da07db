//! What an answer refers to: a message, or an interaction that is no message.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What an answer refers to. Its text form is an event's `platform_message`; that of an interaction contains its token,
/// which lets anybody answer it for a quarter of an hour.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A message, by its id.
    Message(String),
    /// A command or a pressed button.
    Interaction {
        /// Its id, which contains its time.
        id: u64,
        /// Its token.
        token: String,
        /// Who reads the answer.
        readers: Readers,
    },
}

/// Who reads the answer to an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The person in the private chat, where every message is visible.
    PrivateChat,
    /// Everybody in the channel, unless the answer is for one person.
    Channel,
    /// The person alone, in a channel.
    Sender,
}

impl Readers {
    const ALL: [Self; 3] = [Self::PrivateChat, Self::Channel, Self::Sender];

    /// How the text form of a reference begins.
    fn mark(self) -> &'static str {
        match self {
            Self::PrivateChat => "i",
            Self::Channel => "c",
            Self::Sender => "s",
        }
    }
}

/// A text is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not the id of a message or of an interaction")]
pub(crate) struct NotAReference;

/// Without the token.
impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => write!(f, "Message({id})"),
            Self::Interaction { id, .. } => write!(f, "Interaction({id})"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => f.write_str(id),
            Self::Interaction { id, token, readers } => write!(f, "{}:{id}:{token}", readers.mark()),
        }
    }
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        if let Some((mark, rest)) = text.split_once(':') {
            let readers = Readers::ALL.into_iter().find(|readers| readers.mark() == mark);
            let readers = readers.ok_or(NotAReference)?;
            let (id, token) = rest.split_once(':').ok_or(NotAReference)?;
            let id = id.parse().map_err(|_| NotAReference)?;
            return if token.is_empty() {
                Err(NotAReference)
            } else {
                Ok(Self::Interaction { id, token: token.to_owned(), readers })
            };
        }
        text.parse::<u64>().map(|_| Self::Message(text.to_owned())).map_err(|_| NotAReference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_and_shows_no_token() {
        for text in ["100", "i:500:aW50:x", "c:500:aW50:x", "s:500:aW50:x"] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        for text in ["", "x", "x:500:t", "i:500", "i:500:", "i::t", "1/2"] {
            assert_eq!(text.parse::<Reference>(), Err(NotAReference), "{text}");
        }
        assert_eq!(format!("{:?}", "i:500:secret".parse::<Reference>().unwrap()), "Interaction(500)");
    }
}
