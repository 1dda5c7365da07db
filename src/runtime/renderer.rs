//! Renders text into the parts of a platform, for the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use frontdesk_core::address::Address;
use frontdesk_core::markup::Part;
use frontdesk_core::profile::{Profile, ReceiptRule};
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::Renderer;

use crate::media;

/// Renders text by the profile of the channel to which it is sent.
pub(crate) struct ProfileRenderer {
    profiles: ArcSwap<HashMap<String, Profile>>,
    /// Whether hooks see texts before they are rendered.
    hooks: bool,
}

impl ProfileRenderer {
    pub(crate) fn new(profiles: impl IntoIterator<Item = Profile>, hooks: bool) -> Self {
        let renderer = Self { profiles: ArcSwap::default(), hooks };
        renderer.learn(profiles);
        renderer
    }

    /// Renders by these profiles from now on. Profiles of other channels stay known, because their accounts may come back, and what
    /// is rendered meanwhile waits for them.
    pub(crate) fn learn(&self, profiles: impl IntoIterator<Item = Profile>) {
        let mut known = HashMap::clone(&self.profiles.load());
        known.extend(profiles.into_iter().map(|profile| (profile.channel.clone(), profile)));
        self.profiles.store(Arc::new(known));
    }

    /// The profile of an address's channel, whether its account is configured at present or not. `None` if this program does not
    /// have the channel.
    pub(crate) fn profile(&self, to: &Address) -> Option<Profile> {
        self.profiles.load().get(to.channel()).cloned()
    }
}

impl Renderer for ProfileRenderer {
    fn receipt(&self, to: &Address) -> ReceiptRule {
        self.profiles.load().get(to.channel()).map_or(ReceiptRule::Platform, |profile| profile.receipt)
    }

    fn parts(&self, to: &Address, text: &str) -> Vec<Part> {
        match self.profiles.load().get(to.channel()) {
            Some(profile) => profile.render(text),
            // A channel that this program does not have: kept as written until one does that has it.
            None if !is_visible(text) => Vec::new(),
            None => vec![Part { key: 0, body: text.to_owned(), plain: text.to_owned() }],
        }
    }

    fn buttons(&self, to: &Address) -> bool {
        self.profiles.load().get(to.channel()).is_some_and(|profile| profile.buttons)
    }

    fn edits(&self, to: &Address) -> bool {
        self.profiles.load().get(to.channel()).is_some_and(|profile| profile.changes.edit)
    }

    fn fits(&self, to: &Address, text: &str) -> bool {
        self.profiles.load().get(to.channel()).is_none_or(|profile| profile.limit.holds(text))
    }

    fn caption(&self, to: &Address, text: &str) -> (Option<Part>, Vec<Part>) {
        match self.profiles.load().get(to.channel()) {
            Some(profile) => media::caption(text, profile),
            None => (self.parts(to, text).pop(), Vec::new()),
        }
    }

    fn waits_for_hooks(&self) -> bool {
        self.hooks
    }

    fn command_mark(&self, to: &Address) -> char {
        self.profiles.load().get(to.channel()).map_or('/', |profile| profile.command_mark)
    }

    fn idempotent(&self, to: &Address) -> Option<Duration> {
        self.profiles.load().get(to.channel()).and_then(|profile| profile.idempotent)
    }
}
