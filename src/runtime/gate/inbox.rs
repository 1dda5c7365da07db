//! The gate as adapters use it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::message::{Cursor, Event, Outcome, Source};
use frontdesk_core::port::{Adapter, Busy, Inbox};
use frontdesk_store::StoreError;

use super::accept;
use crate::adapters::Login;
use crate::logins;
use crate::shared::Shared;

/// Maximum number of chats returned to an adapter that backfills missed messages.
const CHATS: usize = 1000;

/// The gate as one adapter uses it.
pub(crate) struct GateInbox {
    pub(crate) shared: Arc<Shared>,
    pub(crate) adapter: Arc<dyn Adapter>,
}

#[async_trait]
impl Inbox for GateInbox {
    async fn push(
        &self,
        source: &Source,
        batch: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Outcome>, Busy> {
        // Before it is stored: ids of messages that another login has received are not its own.
        let accepted = logins::accepted(&self.shared, self.adapter.as_ref()).await;
        accepted.map_err(|error| Busy::Storage(error.to_string()))?;
        accept(&self.shared, source, batch, cursor).await
    }

    async fn cursor(&self, source: &Source) -> Result<Option<Cursor>, Busy> {
        let cursor = self.shared.store.cursor(&source.id).await;
        cursor.map_err(|error: StoreError| Busy::Storage(error.to_string()))
    }

    async fn chats(&self, source: &Source, since: DateTime<Utc>) -> Result<Vec<Address>, Busy> {
        let chats = self.shared.store.chats_since(&source.account, since, CHATS).await;
        chats.map_err(|error| Busy::Storage(error.to_string()))
    }

    fn heard(&self, source: &Source) {
        self.shared.adapters.heard(&source.account);
        let connection = self.shared.adapters.get(&source.account);
        if connection.is_some_and(|connection| connection.login() != Login::Noted) {
            let (shared, adapter) = (self.shared.clone(), self.adapter.clone());
            self.shared.work.background.spawn(async move {
                let accepted = logins::accepted(&shared, adapter.as_ref()).await;
                shared.health.note(accepted.as_ref().err());
                if let Err(error) = accepted {
                    tracing::warn!(account = %adapter.account(), %error, "a login could not be stored");
                }
            });
        }
    }
}
