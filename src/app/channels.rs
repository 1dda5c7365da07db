//! The `[channels]` table of the configuration: one section for each platform.

use std::borrow::Cow;
use std::collections::BTreeMap;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Principal;
use frontdesk_core::config::{ConfigError, Routing};
use frontdesk_core::profile::ReceiptRule;
use frontdesk_kit::channel::AnySection;
use frontdesk_kit::{Channel, ConfiguredAccount, Section, Setup};
use frontdesk_store::row::Scope;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json, json};

use crate::adapters::registry;

/// The channels: the platforms on which people write.
#[derive(Debug, Clone, PartialEq)]
pub struct Channels(Vec<AnySection>);

impl Default for Channels {
    fn default() -> Self {
        Self(registry().iter().map(Channel::default_section).collect())
    }
}

impl Channels {
    /// Reads the sections of these platforms from the table `channels`. Secrets have been replaced by their texts.
    pub fn read(platforms: &[Channel], mut table: Json) -> Result<Self, serde_json::Error> {
        let mut section = |platform: &Channel| match table.get_mut(platform.name).map(Json::take) {
            Some(written) => platform.parse(written),
            None => Ok(platform.default_section()),
        };
        platforms.iter().map(&mut section).collect::<Result<_, _>>().map(Self)
    }

    /// The section of a platform.
    pub fn get<S: Section>(&self) -> Option<&S> {
        self.0.iter().find_map(AnySection::get)
    }

    /// Sets the section of a platform.
    pub fn set<S: Section>(&mut self, section: S) {
        self.0.retain(|known| known.channel().name != S::CHANNEL);
        self.0.push(AnySection::new(section));
    }

    /// Adds the default sections of these platforms, unless they are there.
    pub fn add(&mut self, platforms: &[Channel]) {
        for platform in platforms {
            if !self.0.iter().any(|known| known.channel().name == platform.name) {
                self.0.push(platform.default_section());
            }
        }
    }

    /// The platforms.
    pub fn platforms(&self) -> impl Iterator<Item = &Channel> {
        self.0.iter().map(AnySection::channel)
    }

    /// All accounts of all platforms, connected or not. `gateway` has the public URL for webhooks.
    pub fn accounts(&self, gateway: &frontdesk_api::Config) -> Vec<ConfiguredAccount> {
        self.0.iter().flat_map(|section| section.accounts(&|id| webhook_url(gateway, id))).collect()
    }

    /// The platforms whose accounts people set up on the platform's own pages.
    pub fn setups(&self) -> impl Iterator<Item = (&Channel, &dyn Setup)> {
        self.0.iter().filter_map(|section| Some((section.channel(), section.setup()?)))
    }

    /// Checks what the types cannot express.
    pub fn check(&self, gateway: &frontdesk_api::Config) -> Vec<ConfigError> {
        self.0.iter().flat_map(|section| section.check(&|id| webhook_url(gateway, id))).collect()
    }

    /// Takes what the file does not give, such as tokens, from the usual environment variables.
    pub fn take_variables(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        self.0.iter_mut().for_each(|section| section.take_variables(env));
    }
}

/// The URL of an account's webhook, if the gateway has a public URL.
pub fn webhook_url(gateway: &frontdesk_api::Config, id: &AccountId) -> Option<String> {
    let base = gateway.public_url.as_deref()?.trim_end_matches('/');
    Some(format!("{base}{}", frontdesk_api::webhook_path(id.channel(), id.name())))
}

/// The routing rules of each account.
pub fn routing(accounts: &[ConfiguredAccount]) -> BTreeMap<AccountId, Routing> {
    accounts.iter().map(|account| (account.id.clone(), account.routes())).collect()
}

/// The access rules of each account.
pub fn access(accounts: &[ConfiguredAccount]) -> BTreeMap<AccountId, ChannelAccess> {
    accounts.iter().map(|account| (account.id.clone(), account.access.clone())).collect()
}

/// Reasons why an account is not connected, for the status.
pub fn problems(accounts: &[ConfiguredAccount]) -> Vec<String> {
    accounts.iter().filter_map(|account| account.problem.clone()).collect()
}

/// Warnings about a valid configuration that may not be what was meant.
pub fn notices(accounts: &[ConfiguredAccount]) -> Vec<String> {
    let odd = accounts.iter().filter_map(|account| account.notice.clone());
    problems(accounts).into_iter().chain(odd).collect()
}

impl Channels {
    /// Whether a platform whose clients are those of the HTTP server is on. Its parts count as sent when they are
    /// committed, because those clients fetch them from us.
    pub fn take_prompts(&self, accounts: &[ConfiguredAccount]) -> bool {
        let ours = |platform: &&Channel| (platform.profile)().receipt == ReceiptRule::Commit;
        let on = |name: &str| accounts.iter().any(|account| account.on && account.id.channel() == name);
        self.platforms().filter(ours).any(|platform| on(platform.name))
    }
}

/// Checks that a permission is given to an id that can have it: not to a name, and not to a group as a person.
pub fn check_grant(platforms: &[Channel], principal: &Principal, scope: &Scope) -> Result<(), String> {
    let platform = platforms.iter().find(|platform| platform.name == principal.platform());
    let Some(ids) = platform.and_then(|platform| platform.ids) else { return Ok(()) };
    ids.person(principal.id())?;
    match scope {
        Scope::Group(group) => ids.group(group),
        Scope::Dm | Scope::Admin => Ok(()),
    }
}

impl<'de> Deserialize<'de> for Channels {
    /// Reads the sections of this program's platforms.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&registry(), Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Channels {
    fn schema_name() -> Cow<'static, str> {
        "Channels".into()
    }

    /// The sections of this program's platforms.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "The channels: the platforms on which people write.",
            "type": "object",
            "properties": sections(&registry(), generator)
        })
    }
}

/// The schemas of the sections of these platforms.
pub fn sections(platforms: &[Channel], generator: &mut SchemaGenerator) -> Json {
    let section = |platform: &Channel| (platform.name.to_owned(), json!((platform.schema)(generator)));
    Json::Object(platforms.iter().map(section).collect::<Map<_, _>>())
}
