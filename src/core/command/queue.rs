//! What follows `/queue`.

use crate::id::MessageId;

/// What somebody wants with the messages that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueRequest {
    /// List them.
    List,
    /// Drop one of them.
    Drop(WaitingPlace),
    /// Drop all of them that the person may drop.
    Clear,
}

/// Names a message that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingPlace {
    /// By its place in the list, from 1.
    Place(usize),
    /// By its id.
    Message(MessageId),
}

impl QueueRequest {
    /// Parses the words after `/queue`; `None` if they are no request.
    pub(super) fn parse(words: &str) -> Option<Self> {
        let (word, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        let rest = rest.trim();
        match word.to_ascii_lowercase().as_str() {
            "" => Some(QueueRequest::List),
            "clear" if rest.is_empty() => Some(QueueRequest::Clear),
            "drop" => WaitingPlace::parse(rest).map(QueueRequest::Drop),
            _ => None,
        }
    }
}

impl WaitingPlace {
    fn parse(word: &str) -> Option<Self> {
        let place = super::number(word).filter(|place| *place >= 1).map(WaitingPlace::Place);
        place.or_else(|| word.to_ascii_lowercase().parse().ok().map(WaitingPlace::Message))
    }
}
