//! Messages that wait, as lists show them, and how they are dropped.

use frontdesk_core::command::WaitingPlace;
use frontdesk_core::id::MessageId;

use super::InboundRow;

/// A message that waits for its turn. The pieces of an album are one message.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingMessage {
    /// Its row; of an album the first one.
    pub message: InboundRow,
    /// The ids of its rows.
    pub pieces: Vec<MessageId>,
}

/// Which waiting messages are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dequeue {
    /// One of them.
    One(WaitingPlace),
    /// All of them.
    All,
}

/// What was dropped.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dequeued {
    /// The messages that do not wait any more.
    pub dropped: Vec<WaitingMessage>,
    /// How many messages were not dropped because they are other people's.
    pub of_others: u64,
}
