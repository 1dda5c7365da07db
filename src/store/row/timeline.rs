//! What a chat has shown, in its order.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::{EpochReason, EpochRow, HistoryRow, OutboxRow};

/// One thing that a chat has shown.
#[derive(Debug, Clone, PartialEq)]
pub enum TimelineItem {
    /// What somebody has said. It has its answer only if no stored frame shows it.
    Message(Box<HistoryRow>),
    /// A stored frame: an answer, a notice, a question, a task's state.
    Frame(Box<OutboxRow>),
    /// A conversation began.
    Epoch(EpochRow),
}

impl TimelineItem {
    /// When it was shown.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            TimelineItem::Message(row) => row.message.received,
            TimelineItem::Frame(row) => row.created,
            TimelineItem::Epoch(row) => row.started,
        }
    }

    /// Its place among what was shown in the same millisecond: a conversation begins with the message that begins it, but
    /// after the command that asks for it.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            TimelineItem::Epoch(row) if row.reason != EpochReason::New => 0,
            TimelineItem::Message(_) => 1,
            TimelineItem::Epoch(_) => 2,
            TimelineItem::Frame(_) => 3,
        }
    }
}

/// The place in a timeline before which a page ends. The text form is `m12.s34.e2`: a message, the number of a frame and
/// an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelineCursor {
    pub(crate) message: i64,
    pub(crate) seq: u64,
    pub(crate) epoch: u64,
}

impl TimelineCursor {
    /// The end of a timeline.
    pub const END: TimelineCursor =
        TimelineCursor { message: i64::MAX, seq: i64::MAX as u64, epoch: i64::MAX as u64 };

    /// The place before these items, which end at this one.
    pub fn before(mut self, items: &[TimelineItem]) -> Self {
        for item in items {
            match item {
                TimelineItem::Message(row) => self.message = row.message.id.0,
                TimelineItem::Frame(row) => self.seq = row.post.seq.unwrap_or(self.seq),
                TimelineItem::Epoch(row) => self.epoch = row.n,
            }
        }
        self
    }
}

impl fmt::Display for TimelineCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}.s{}.e{}", self.message, self.seq, self.epoch)
    }
}

/// This is not the cursor of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor: use the value of next")]
pub struct NoCursor(pub String);

impl FromStr for TimelineCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let read = || {
            let (message, rest) = text.strip_prefix('m')?.split_once(".s")?;
            let (seq, epoch) = rest.split_once(".e")?;
            let cursor = TimelineCursor {
                message: message.parse().ok()?,
                seq: seq.parse().ok()?,
                epoch: epoch.parse().ok()?,
            };
            (cursor.to_string() == text).then_some(cursor)
        };
        read().ok_or_else(|| NoCursor(text.to_owned()))
    }
}
