//! Renders text into the parts of a platform, and announces new parts.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::markup::Part;
use frontdesk_core::profile::{Profile, ReceiptRule};
use frontdesk_store::row::{CommitListener, OutboxRow, Renderer};
use tokio::sync::mpsc;

/// Renders text by the profile of its channel.
pub(crate) struct ProfileRenderer {
    profiles: HashMap<String, Profile>,
}

impl ProfileRenderer {
    pub(crate) fn new(profiles: impl IntoIterator<Item = Profile>) -> Self {
        Self { profiles: profiles.into_iter().map(|profile| (profile.channel.to_owned(), profile)).collect() }
    }
}

/// Passes committed rows to the task that wakes the senders. The channel is not bounded because the writer must not
/// block; what it holds is bounded by what one group commit brings.
pub(crate) struct Announcer(mpsc::UnboundedSender<OutboxRow>);

impl Announcer {
    /// The listener, and the rows that it gets in the order of commit.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<OutboxRow>) {
        let (committed, rows) = mpsc::unbounded_channel();
        (Self(committed), rows)
    }
}

impl CommitListener for Announcer {
    fn committed(&self, rows: Vec<OutboxRow>) {
        for row in rows {
            // The receiver goes away last; a row that nobody gets is found at the next start.
            if self.0.send(row).is_err() {
                tracing::debug!("a row was committed after the last sender had gone");
            }
        }
    }
}

impl Renderer for ProfileRenderer {
    fn receipt(&self, to: &Address) -> ReceiptRule {
        self.profiles.get(to.channel()).map_or(ReceiptRule::Platform, |profile| profile.receipt)
    }

    fn parts(&self, to: &Address, text: &str) -> Vec<Part> {
        match self.profiles.get(to.channel()) {
            Some(profile) => profile.render(text),
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
}
