//! The outbox as operators list it: the newest first, of one state or of all.

use frontdesk_core::id::OutId;
use rusqlite::params;

use crate::outbox::texts;
use crate::part::{out, out_columns};
use crate::row::{OutboxRow, OutboxState, Page};
use crate::{Result, StoreReader};

/// A list whose rows fulfil a condition. Each names the index that holds only its rows.
macro_rules! list {
    ($from:literal) => {
        concat!(
            "SELECT ",
            out_columns!(),
            " FROM outbox o ",
            $from,
            " AND o.id < ?1 AND (?3 IS NULL OR o.state = ?3) ORDER BY o.id DESC LIMIT ?2"
        )
    };
}

/// Parts of any state, or those that were sent: nearly all.
pub(crate) const ALL: &str = list!("WHERE TRUE");
pub(crate) const OPEN: &str =
    list!("INDEXED BY outbox_open WHERE o.state IN ('queued', 'streaming', 'sending')");
pub(crate) const FAILED: &str =
    list!("INDEXED BY outbox_failed WHERE o.state IN ('unknown', 'dead') AND o.state = ?3");
pub(crate) const DROPPED: &str = list!("INDEXED BY outbox_dropped WHERE o.state = 'dropped'");

impl StoreReader {
    /// Parts, the newest first, of one state or of all.
    pub async fn parts(
        &self,
        state: Option<OutboxState>,
        before: Option<OutId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>> {
        Ok(self.parts_page(state, before, limit, usize::MAX).await?.rows)
    }

    /// The same, with at most so many bytes of text, but at least one part.
    pub async fn parts_page(
        &self,
        state: Option<OutboxState>,
        before: Option<OutId>,
        limit: u32,
        most: usize,
    ) -> Result<Page<OutboxRow>> {
        let before = before.map_or(i64::MAX, |before| before.0);
        let list = match state {
            None | Some(OutboxState::Sent) => ALL,
            Some(OutboxState::Queued | OutboxState::Streaming | OutboxState::Sending) => OPEN,
            Some(OutboxState::Unknown | OutboxState::Dead) => FAILED,
            Some(OutboxState::Dropped) => DROPPED,
        };
        let state = state.map(OutboxState::name);
        self.read(move |sql| sql.within(list, params![before, limit, state], most, texts, out)).await
    }
}
