//! How Frontdesk's own words become parts of a platform, and how new parts are made known.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::markup::{self, Part};
use frontdesk_core::profile::{Profile, ReceiptRule};
use frontdesk_store::row::{OutboxRow, Speech};
use tokio::sync::mpsc;

/// The profiles of all channels, and the way from the writer to those who send.
pub(crate) struct ProfileRenderer {
    profiles: HashMap<String, Profile>,
    committed: mpsc::UnboundedSender<OutboxRow>,
}

impl ProfileRenderer {
    /// The renderer, and the rows it hears of in the order of commit. The channel is not bounded because the
    /// writer must not block; what it holds is bounded by what one group commit brings.
    pub(crate) fn new(
        profiles: impl IntoIterator<Item = Profile>,
    ) -> (Self, mpsc::UnboundedReceiver<OutboxRow>) {
        let (committed, rows) = mpsc::unbounded_channel();
        let profiles = profiles.into_iter().map(|profile| (profile.channel.to_owned(), profile)).collect();
        (Self { profiles, committed }, rows)
    }
}

impl Speech for ProfileRenderer {
    fn receipt(&self, to: &Address) -> ReceiptRule {
        self.profiles.get(to.channel()).map_or(ReceiptRule::Platform, |profile| profile.receipt)
    }

    fn parts(&self, to: &Address, text: &str) -> Vec<Part> {
        match self.profiles.get(to.channel()) {
            Some(profile) => markup::render(text, profile),
            // A channel that is not configured any more: kept as written until it comes back.
            None => vec![Part { key: 0, body: text.to_owned(), plain: text.to_owned() }],
        }
    }

    fn fits(&self, to: &Address, text: &str) -> bool {
        self.profiles.get(to.channel()).is_none_or(|profile| profile.limit.holds(text))
    }

    fn idempotent(&self, to: &Address) -> Option<Duration> {
        self.profiles.get(to.channel()).and_then(|profile| profile.idempotent)
    }

    fn committed(&self, rows: &[OutboxRow]) {
        for row in rows {
            // The receiver goes away last; a row that nobody hears of is found at the next start.
            if self.committed.send(row.clone()).is_err() {
                tracing::debug!("a row was committed after the last sender had gone");
            }
        }
    }
}
