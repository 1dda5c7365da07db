//! What follows `/queue`.

use crate::id::MessageId;
use crate::queue_mode::QueueMode;

/// What somebody wants with the messages that wait, and with those that will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueRequest {
    /// List them, and show the mode of the conversation.
    List,
    /// Choose the mode of the conversation; `None` leaves it to the configuration.
    Mode(Option<QueueMode>),
    /// Send a message to the agent, in a mode of its own.
    Send {
        /// Its mode.
        mode: QueueMode,
        /// Its text.
        text: String,
    },
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
        let word = word.to_ascii_lowercase();
        if let Some(mode) = QueueMode::named(&word) {
            return Some(match rest {
                "" => QueueRequest::Mode(Some(mode)),
                text => QueueRequest::Send { mode, text: text.to_owned() },
            });
        }
        match word.as_str() {
            "" => Some(QueueRequest::List),
            "default" if rest.is_empty() => Some(QueueRequest::Mode(None)),
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
