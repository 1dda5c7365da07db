//! What an agent can read of its conversation.

use async_trait::async_trait;
use frontdesk_core::history::{History, HistoryError, HistoryPage, HistoryRequest, MAX_BYTES, MAX_MESSAGES};
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_store::StoreReader;
use frontdesk_store::row::ClaimedTurn;

/// What was said in an epoch before a turn.
pub(super) struct Past {
    store: StoreReader,
    session: SessionKey,
    epoch: u64,
    turn: TurnId,
}

impl Past {
    pub(super) fn before(turn: &ClaimedTurn, store: &StoreReader) -> Self {
        let (session, epoch) = (turn.session.clone(), turn.epoch);
        Self { store: store.clone(), session, epoch, turn: turn.claim.id }
    }
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Past({}, epoch {})", self.session, self.epoch)
    }
}

#[async_trait]
impl History for Past {
    async fn page(&self, request: HistoryRequest) -> Result<HistoryPage, HistoryError> {
        let request = HistoryRequest {
            messages: request.messages.min(MAX_MESSAGES),
            bytes: request.bytes.min(MAX_BYTES),
            ..request
        };
        let page = self.store.conversation(&self.session, self.epoch, self.turn, request).await;
        page.map_err(|error| HistoryError(error.to_string()))
    }
}
