//! Which platforms this program knows: the only file with `cfg(feature)`.
//!
//! A new platform is a feature in Cargo.toml and one line in each list here; its section of the configuration is a
//! file of its own.

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

/// Where people write from.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Channels {
    /// The web page, the WebSocket and `/api/chat`.
    #[cfg(feature = "web")]
    pub web: Web,
    /// Telegram bots: this one, and those under `accounts`. A bot and its token come from @BotFather; this one's
    /// token is also taken from the variable TELEGRAM_BOT_TOKEN.
    #[cfg(feature = "telegram")]
    pub telegram: Telegram,
}

impl Channels {
    /// Every account of every channel, connected or not.
    pub fn sections(&self) -> Vec<Section<'_>> {
        let all: Vec<Vec<Section<'_>>> = vec![
            #[cfg(feature = "web")]
            vec![self.web.section()],
            #[cfg(feature = "telegram")]
            self.telegram.sections(),
        ];
        all.into_iter().flatten().collect()
    }

    /// Where messages go, by account.
    pub fn routing(&self) -> BTreeMap<AccountId, Routing> {
        self.sections().iter().map(|section| (section.id(), section.routes())).collect()
    }

    /// Who may speak, by account.
    pub fn access(&self) -> BTreeMap<AccountId, ChannelAccess> {
        let all: Vec<Vec<(AccountId, ChannelAccess)>> = vec![
            #[cfg(feature = "web")]
            vec![(self.web.section().id(), self.web.access())],
            #[cfg(feature = "telegram")]
            self.telegram.access(),
        ];
        all.into_iter().flatten().collect()
    }

    /// Everything that the types cannot say and that is wrong. `gateway` is the door that platforms may have to
    /// reach.
    #[cfg_attr(
        not(feature = "telegram"),
        expect(unused_variables, reason = "only some platforms come to the door")
    )]
    pub fn check(&self, gateway: &frontdesk_api::Config) -> Vec<ConfigError> {
        let all: Vec<Vec<ConfigError>> = vec![
            #[cfg(feature = "telegram")]
            self.telegram.check(gateway),
        ];
        all.into_iter().flatten().collect()
    }

    /// What should be said of a configuration that is right and may not be meant.
    pub fn notices(&self) -> Vec<String> {
        let all: Vec<Vec<String>> = vec![
            #[cfg(feature = "telegram")]
            self.telegram.notices(),
        ];
        all.into_iter().flatten().collect()
    }

    /// Those of them that keep a channel from being connected.
    pub fn problems(&self) -> Vec<String> {
        let all: Vec<Vec<String>> = vec![
            #[cfg(feature = "telegram")]
            self.telegram.problems(),
        ];
        all.into_iter().flatten().collect()
    }

    /// Takes tokens from the variables under which every program looks for them, where the file gives none.
    #[cfg_attr(
        not(feature = "telegram"),
        expect(unused_variables, reason = "only some platforms have a token")
    )]
    pub fn take_tokens(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        #[cfg(feature = "telegram")]
        self.telegram.take_token(env);
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
    /// channel, `gateway` the door. The configuration has been checked.
    #[cfg_attr(
        not(all(feature = "web", feature = "telegram")),
        expect(unused_variables, reason = "each is for one platform")
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

/// How one channel's accounts inherit.
type Inherit = fn(&mut Node);

/// Gives accounts what their channel says for all of them, where they say nothing themselves.
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

/// What is wrong with letting somebody in by an id: that a name is none, that a group is no person.
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

/// The platforms whose texts `frontdesk format` can write.
pub fn profiles() -> Vec<Profile> {
    vec![
        #[cfg(feature = "web")]
        web::profile(),
        #[cfg(feature = "telegram")]
        frontdesk_telegram::profile(),
    ]
}
