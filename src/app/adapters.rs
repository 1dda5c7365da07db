//! Which platforms this program knows: the only file with `cfg(feature)`.
//!
//! A new platform is a feature in Cargo.toml and one line in each list here.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::port::{Adapter, Live};
use frontdesk_core::profile::Profile;
use frontdesk_runtime::config::Routing;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where people write from.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Channels {
    /// The web page, the WebSocket and `/api/chat`.
    #[cfg(feature = "web")]
    pub web: Web,
    /// The test platform of the crash test; in no released program.
    #[cfg(feature = "lab")]
    pub lab: Lab,
}

/// The web page, the WebSocket and `/api/chat`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Web {
    /// Whether it takes messages.
    pub enabled: bool,
    /// Where its messages go.
    #[serde(flatten)]
    pub routing: Routing,
}

impl Default for Web {
    fn default() -> Self {
        Self { enabled: true, routing: Routing::default() }
    }
}

/// The test platform of the crash test; in no released program.
#[cfg(feature = "lab")]
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

impl Channels {
    /// Where messages go, by channel.
    pub fn routing(&self) -> BTreeMap<String, Routing> {
        BTreeMap::from([
            #[cfg(feature = "web")]
            (frontdesk_web::CHANNEL.to_owned(), self.web.routing.clone()),
            #[cfg(feature = "lab")]
            (frontdesk_lab::CHANNEL.to_owned(), self.lab.routing.clone()),
        ])
    }

    /// Who may speak, by channel and account.
    pub fn access(&self) -> BTreeMap<(String, String), ChannelAccess> {
        BTreeMap::from([
            #[cfg(feature = "web")]
            (
                (frontdesk_web::CHANNEL.to_owned(), frontdesk_core::key::DEFAULT_ACCOUNT.to_owned()),
                web_access(),
            ),
            #[cfg(feature = "lab")]
            (
                (frontdesk_lab::CHANNEL.to_owned(), self.lab.platform.account.clone()),
                ChannelAccess {
                    dm_policy: frontdesk_core::access::DmPolicy::Open,
                    ..ChannelAccess::default()
                },
            ),
        ])
    }

    /// Whether anybody takes what comes through the API's door.
    pub fn takes_prompts(&self) -> bool {
        #[cfg(feature = "web")]
        let takes = self.web.enabled;
        #[cfg(not(feature = "web"))]
        let takes = false;
        takes
    }

    /// One adapter per account of every channel that is switched on. `live` is the API's side of the web
    /// channel.
    #[cfg_attr(
        not(feature = "web"),
        expect(unused_variables, reason = "only the web channel is the API's own")
    )]
    pub fn build(&self, live: &Arc<dyn Live>) -> Vec<Arc<dyn Adapter>> {
        let all: Vec<Option<Arc<dyn Adapter>>> = vec![
            #[cfg(feature = "web")]
            self.web
                .enabled
                .then(|| Arc::new(frontdesk_web::WebAdapter::new(live.clone())) as Arc<dyn Adapter>),
            #[cfg(feature = "lab")]
            (!self.lab.platform.address.is_empty()).then(|| {
                Arc::new(frontdesk_lab::LabAdapter::new(self.lab.platform.clone())) as Arc<dyn Adapter>
            }),
        ];
        all.into_iter().flatten().collect()
    }
}

/// Nobody comes to the web channel without a token of ours, and a token's holder is its admin.
#[cfg(feature = "web")]
fn web_access() -> ChannelAccess {
    ChannelAccess {
        dm_policy: frontdesk_core::access::DmPolicy::Open,
        admins: std::collections::BTreeSet::from([crate::token::ID.to_owned()]),
        ..ChannelAccess::default()
    }
}

/// The platforms whose texts `frontdesk format` can write.
pub fn profiles() -> Vec<Profile> {
    vec![
        // A door that nobody opens: only what the adapter says about itself is wanted.
        #[cfg(feature = "web")]
        frontdesk_web::WebAdapter::new(frontdesk_api::Door::new(&Default::default())).profile().clone(),
        #[cfg(feature = "telegram")]
        frontdesk_telegram::profile(),
    ]
}
