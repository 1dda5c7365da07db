//! Where an incoming file is: a message that has it, or a sticker.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Where an incoming file is. The addresses of attachments expire after a day, so a message is named and not an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileReference {
    /// An attachment of a message, or of one that it forwards.
    Attachment {
        /// The message's channel.
        channel: String,
        /// The message.
        message: String,
        /// The attachment.
        attachment: String,
    },
    /// A sticker.
    Sticker {
        /// Its id.
        id: String,
        /// How its file's name ends: `png` or `gif`.
        ending: String,
    },
}

/// A text is not a reference to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a reference to a file on Discord")]
pub(crate) struct NotAFile;

impl fmt::Display for FileReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attachment { channel, message, attachment } => {
                write!(f, "{channel}/{message}/{attachment}")
            }
            Self::Sticker { id, ending } => write!(f, "sticker/{id}.{ending}"),
        }
    }
}

impl FromStr for FileReference {
    type Err = NotAFile;

    fn from_str(text: &str) -> Result<Self, NotAFile> {
        let id = |text: &str| text.parse::<u64>().map(|_| text.to_owned()).map_err(|_| NotAFile);
        if let Some(file) = text.strip_prefix("sticker/") {
            let (name, ending) = file.split_once('.').ok_or(NotAFile)?;
            let known = ["png", "gif"].contains(&ending);
            return if known {
                Ok(Self::Sticker { id: id(name)?, ending: ending.to_owned() })
            } else {
                Err(NotAFile)
            };
        }
        match *text.split('/').collect::<Vec<_>>() {
            [channel, message, attachment] => Ok(Self::Attachment {
                channel: id(channel)?,
                message: id(message)?,
                attachment: id(attachment)?,
            }),
            _ => Err(NotAFile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_and_nothing_else_does() {
        for text in ["5/100/8", "sticker/12.png"] {
            assert_eq!(
                text.parse::<FileReference>().map(|reference| reference.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in ["", "5/100", "5/100/8/1", "a/b/c", "sticker/12.exe", "sticker/../x.png", "no such file"]
        {
            assert_eq!(text.parse::<FileReference>(), Err(NotAFile), "{text}");
        }
    }
}
