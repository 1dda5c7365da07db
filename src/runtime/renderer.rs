//! Renders text into the parts of a platform, for the store.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::markup::Part;
use frontdesk_core::profile::{Profile, ReceiptRule};
use frontdesk_store::row::Renderer;

/// Renders text by the profile of the channel to which it is sent.
pub(crate) struct ProfileRenderer {
    profiles: HashMap<String, Profile>,
}

impl ProfileRenderer {
    pub(crate) fn new(profiles: impl IntoIterator<Item = Profile>) -> Self {
        Self { profiles: profiles.into_iter().map(|profile| (profile.channel.clone(), profile)).collect() }
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
