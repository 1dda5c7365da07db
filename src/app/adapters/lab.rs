//! The `[channels.lab]` section: the test platform of the crash test; in no released program.

use std::sync::Arc;

use frontdesk_core::access::{ChannelAccess, DmPolicy};
use frontdesk_core::port::Adapter;
use frontdesk_lab::{CHANNEL, LabAdapter};
use frontdesk_runtime::config::Routing;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::channel::Section;

/// The test platform of the crash test; in no released program.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Lab {
    /// Where it is.
    #[serde(flatten)]
    pub platform: frontdesk_lab::Config,
    /// Where its messages go.
    #[serde(flatten)]
    pub routing: Routing,
}

impl Lab {
    pub(super) fn section(&self) -> Section<'_> {
        Section {
            path: "channels.lab".to_owned(),
            channel: CHANNEL,
            account: &self.platform.account,
            routing: &self.routing,
            groups: None,
        }
    }

    pub(super) fn access(&self) -> ChannelAccess {
        ChannelAccess { dm_policy: DmPolicy::Open, ..ChannelAccess::default() }
    }

    pub(super) fn build(&self) -> Vec<Arc<dyn Adapter>> {
        let adapter = || Arc::new(LabAdapter::new(self.platform.clone())) as Arc<dyn Adapter>;
        (!self.platform.address.is_empty()).then(adapter).into_iter().collect()
    }
}
