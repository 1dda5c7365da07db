//! The platforms of this program. This is the only file with `cfg(feature)`.
//!
//! A new platform needs a feature in Cargo.toml, one line in each list here, and a file for its section of the
//! configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Principal;
use frontdesk_core::config::ConfigError;
use frontdesk_core::port::{Adapter, Clock, Live};
use frontdesk_core::profile::Profile;
use frontdesk_runtime::config::Routing;
use frontdesk_store::row::Scope;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::channel::Section;
use crate::channel::ids::Ids;
use crate::document::Node;

#[cfg(feature = "telegram")]
pub mod telegram;
#[cfg(feature = "web")]
mod web;

#[cfg(feature = "telegram")]
pub use telegram::Telegram;
#[cfg(feature = "web")]
pub use web::Web;

/// The channels: the platforms on which people write.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Channels {
    /// The web page, the WebSocket and `/api/chat`.
    #[cfg(feature = "web")]
    pub web: Web,
    /// Telegram bots: this one, and further ones under `accounts`. @BotFather creates a bot and its token. The token of
    /// this bot may also be given in the environment variable TELEGRAM_BOT_TOKEN.
    #[cfg(feature = "telegram")]
    pub telegram: Telegram,
}

impl Channels {
    /// All accounts of all channels, connected or not.
    pub fn sections(&self) -> Vec<Section<'_>> {
        let all: Vec<Vec<Section<'_>>> = vec![
            #[cfg(feature = "web")]
            vec![self.web.section()],
            #[cfg(feature = "telegram")]
            self.telegram.sections(),
        ];
        all.into_iter().flatten().collect()
    }

    /// The routing rules of each account.
    pub fn routing(&self) -> BTreeMap<AccountId, Routing> {
        self.sections().iter().map(|section| (section.id(), section.routes())).collect()
    }

    /// The access rules of each account.
    pub fn access(&self) -> BTreeMap<AccountId, ChannelAccess> {
        let all: Vec<Vec<(AccountId, ChannelAccess)>> = vec![
            #[cfg(feature = "web")]
            vec![(self.web.section().id(), self.web.access())],
            #[cfg(feature = "telegram")]
            self.telegram.access(),
        ];
        all.into_iter().flatten().collect()
    }

    /// Checks what the types cannot express. `gateway` has the public URL that webhooks need.
    #[cfg_attr(
        not(feature = "telegram"),
        expect(unused_variables, reason = "only some platforms use webhooks")
    )]
    pub fn check(&self, gateway: &frontdesk_api::Config) -> Vec<ConfigError> {
        let all: Vec<Vec<ConfigError>> = vec![
            #[cfg(feature = "telegram")]
            self.telegram.check(gateway),
        ];
        all.into_iter().flatten().collect()
    }

    /// Warnings about a valid configuration that may not be what was meant.
    pub fn notices(&self) -> Vec<String> {
        let all: Vec<Vec<String>> = vec![
            #[cfg(feature = "telegram")]
            self.telegram.notices(),
        ];
        all.into_iter().flatten().collect()
    }

    /// Reasons why an account is not connected, for the status.
    pub fn problems(&self) -> Vec<String> {
        let all: Vec<Vec<String>> = vec![
            #[cfg(feature = "telegram")]
            self.telegram.problems(),
        ];
        all.into_iter().flatten().collect()
    }

    /// Takes tokens that the file does not give from the usual environment variables.
    #[cfg_attr(
        not(feature = "telegram"),
        expect(unused_variables, reason = "only some platforms have a token")
    )]
    pub fn take_tokens(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        #[cfg(feature = "telegram")]
        self.telegram.take_token(env);
    }

    /// Whether the web channel accepts messages from the API.
    pub fn takes_prompts(&self) -> bool {
        #[cfg(feature = "web")]
        let takes = self.web.enabled;
        #[cfg(not(feature = "web"))]
        let takes = false;
        takes
    }

    /// Builds one adapter for each enabled account. `live` delivers the messages of the API to the web adapter, `gateway`
    /// has the public URL for webhooks. The configuration has been checked.
    #[cfg_attr(
        not(all(feature = "web", feature = "telegram")),
        expect(unused_variables, reason = "each is used by one platform only")
    )]
    pub fn build(
        &self,
        live: &Arc<dyn Live>,
        gateway: &frontdesk_api::Config,
        clock: &Arc<dyn Clock>,
    ) -> Result<Vec<Arc<dyn Adapter>>, ConfigError> {
        let all: Vec<Vec<Arc<dyn Adapter>>> = vec![
            #[cfg(feature = "web")]
            self.web.build(live),
            #[cfg(feature = "telegram")]
            self.telegram.build(gateway, clock)?,
        ];
        Ok(all.into_iter().flatten().collect())
    }
}

/// Copies settings of one channel to its accounts.
type Inherit = fn(&mut Node);

/// Copies settings that a channel gives for all its accounts to the accounts that do not set them.
pub fn inherit(document: &mut Node) {
    let Some(channels) = document.get_mut("channels") else { return };
    let all: &[(&str, Inherit)] = &[
        #[cfg(feature = "telegram")]
        (frontdesk_telegram::CHANNEL, telegram::inherit),
    ];
    for (channel, inherit) in all {
        if let Some(section) = channels.get_mut(channel) {
            inherit(section);
        }
    }
}

/// Checks that a permission is given to an id that can have it: not to a name, and not to a group as a person.
pub fn check_grant(principal: &Principal, scope: &Scope) -> Result<(), String> {
    let all: &[(&str, Ids)] = &[
        #[cfg(feature = "telegram")]
        (frontdesk_telegram::CHANNEL, telegram::IDS),
    ];
    let Some((_, ids)) = all.iter().find(|(channel, _)| *channel == principal.platform()) else {
        return Ok(());
    };
    ids.person(principal.id())?;
    match scope {
        Scope::Group(group) => ids.group(group),
        Scope::Dm | Scope::Admin => Ok(()),
    }
}

/// The profiles of the platforms for which `frontdesk format` renders.
pub fn profiles() -> Vec<Profile> {
    vec![
        #[cfg(feature = "web")]
        web::profile(),
        #[cfg(feature = "telegram")]
        frontdesk_telegram::profile(),
    ]
}
