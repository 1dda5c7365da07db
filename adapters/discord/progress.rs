//! How far the stream of events has been read: the cursor of this adapter.

use chrono::{DateTime, Utc};
use frontdesk_core::message::Cursor;
use serde::{Deserialize, Serialize};

/// The position in the stream of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The session that can be taken up again.
    pub session: Option<Session>,
    /// The id of the latest message that is stored. Ids contain the time and are ordered across channels.
    pub last: u64,
    /// From where messages are missing, until the last channel has been read.
    pub gap: Option<u64>,
    /// When the last session was begun.
    #[serde(default)]
    pub begun: Option<DateTime<Utc>>,
}

/// A session of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Its id.
    pub id: String,
    /// Where it is taken up again.
    pub url: String,
    /// The last dispatch that is stored, or that was no event.
    pub seq: u64,
}

impl Progress {
    /// Reads a cursor. One of another version counts as none, and what was missed is then not known.
    pub(crate) fn of(cursor: Option<&Cursor>) -> Self {
        cursor.and_then(|cursor| serde_json::from_str(&cursor.0).ok()).unwrap_or_default()
    }

    /// The cursor.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }

    /// Prepares for a connection; returns whether it is the very first one, before which nothing was missed. Without a session,
    /// everything after the latest stored message was missed.
    pub(crate) fn begin(&mut self, now: DateTime<Utc>) -> bool {
        if self.last == 0 {
            self.last = first_id(now);
            return true;
        }
        if self.session.is_none() {
            self.gap = self.gap.or(Some(self.last));
        }
        false
    }

    /// The session is over: what comes from now on comes in a new one, and what was missed has to be read.
    pub(crate) fn lose_session(&mut self) {
        self.session = None;
        self.gap = self.gap.or(Some(self.last));
    }
}

/// The beginning of 2015 in milliseconds, from which ids count.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// The lowest id that something made at this time can have.
pub(crate) fn first_id(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp_millis() - EPOCH_MS).unwrap_or_default() << 22
}

/// When something with this id was made.
pub(crate) fn made_at(id: u64) -> DateTime<Utc> {
    let ms = i64::try_from(id >> 22).unwrap_or_default() + EPOCH_MS;
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_lost_session_leaves_a_gap() {
        let session = Session { id: "s".into(), url: "wss://g".into(), seq: 7 };
        let mut progress = Progress { session: Some(session), last: 100, gap: None, begun: None };
        assert_eq!(Progress::of(Some(&progress.cursor())), progress);
        progress.lose_session();
        progress.last = 200;
        progress.lose_session();
        assert_eq!(progress, Progress { session: None, last: 200, gap: Some(100), begun: None });
        assert_eq!(Progress::of(Some(&Cursor("7".into()))), Progress::default());
        let mut first = Progress::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert!(first.begin(now));
        assert_eq!(first.gap, None);
        // The process died before it stored its first session.
        assert!(!first.begin(now));
        assert_eq!(first.gap.map(made_at), Some(now), "what came before the first connection was not missed");
    }
}
