//! The `[channels.web]` section.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use frontdesk_core::access::{ChannelAccess, DmPolicy};
use frontdesk_core::account::AccountId;
use frontdesk_core::config::{Assignment, ConfigError, Routing};
use frontdesk_core::port::{Adapter, OWNER_TOKEN};
use frontdesk_core::profile::Profile;
use frontdesk_kit::{ConfiguredAccount, Fingerprint, Host, Ids, Section, Setup, Variables, WebhookUrl};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{CHANNEL, WebAdapter, profile};

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

impl Section for Web {
    const CHANNEL: &'static str = CHANNEL;
    const VARIABLES: &'static [&'static str] = &[];
    // Clients choose the names of chats, and the ids of people are those of tokens.
    const IDS: Option<Ids> = None;

    fn profile() -> Profile {
        profile()
    }

    fn inherited() -> Vec<String> {
        Vec::new()
    }

    fn take_variables(&mut self, _: &Variables) {}

    fn accounts(&self, _: WebhookUrl<'_>) -> Vec<ConfiguredAccount> {
        vec![ConfiguredAccount {
            id: AccountId::default_of(CHANNEL),
            path: "channels.web".to_owned(),
            routing: self.routing.clone(),
            channel: Assignment::default(),
            // A chat belongs to one token, so the rules of the chat are those of the person.
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            // The API has checked the token of everybody who uses the web channel.
            access: ChannelAccess {
                dm_policy: DmPolicy::Open,
                admins: BTreeSet::from([OWNER_TOKEN.to_owned()]),
                ..ChannelAccess::default()
            },
            on: self.enabled,
            problem: None,
            notice: None,
            fingerprint: Fingerprint::of([]),
            build: Arc::new(|host: &Host| {
                Ok(Arc::new(WebAdapter::new(host.live.clone())) as Arc<dyn Adapter>)
            }),
        }]
    }

    fn check(&self, _: WebhookUrl<'_>) -> Vec<ConfigError> {
        Vec::new()
    }

    fn setup(&self) -> Option<&dyn Setup> {
        None
    }
}
