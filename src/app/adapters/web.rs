//! The `[channels.web]` section.

use std::collections::BTreeSet;
use std::sync::Arc;

use frontdesk_core::access::{ChannelAccess, DmPolicy};
use frontdesk_core::account::DEFAULT_ACCOUNT;
use frontdesk_core::port::{Adapter, Live};
use frontdesk_core::profile::Profile;
use frontdesk_runtime::config::Routing;
use frontdesk_web::{CHANNEL, WebAdapter};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::channel::Section;

/// The web page, the WebSocket and `/api/chat`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Web {
    /// Whether the web channel accepts messages.
    pub enabled: bool,
    /// Routing of its messages.
    #[serde(flatten)]
    pub routing: Routing,
}

impl Default for Web {
    fn default() -> Self {
        Self { enabled: true, routing: Routing::default() }
    }
}

impl Web {
    pub(super) fn section(&self) -> Section<'_> {
        Section {
            path: "channels.web".to_owned(),
            channel: CHANNEL,
            account: DEFAULT_ACCOUNT,
            routing: &self.routing,
            groups: None,
        }
    }

    /// The API has checked the token of everybody who uses the web channel, and the holder of a token is its admin.
    pub(super) fn access(&self) -> ChannelAccess {
        ChannelAccess {
            dm_policy: DmPolicy::Open,
            admins: BTreeSet::from([crate::token::ID.to_owned()]),
            ..ChannelAccess::default()
        }
    }

    pub(super) fn build(&self, live: &Arc<dyn Live>) -> Vec<Arc<dyn Adapter>> {
        let adapter = || Arc::new(WebAdapter::new(live.clone())) as Arc<dyn Adapter>;
        self.enabled.then(adapter).into_iter().collect()
    }
}

/// The web adapter's profile, taken from an adapter that is never connected.
pub(super) fn profile() -> Profile {
    WebAdapter::new(frontdesk_api::WebHub::new(&Default::default())).profile().clone()
}
