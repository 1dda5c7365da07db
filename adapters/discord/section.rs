//! The `[channels.discord]` section: one bot, and further ones under `accounts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::account::AccountId;
use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::profile::Profile;
use frontdesk_kit::settings::keys_of;
use frontdesk_kit::{
    BotAccount, BuildAdapter, ConfiguredAccount, Fingerprint, Ids, Kind, Platform, Section, Setup, Unique,
    Variables, WebhookUrl, account,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Account, Settings};
use crate::{CHANNEL, DiscordAdapter};

/// The environment variable with the first bot's token.
pub(crate) const TOKEN: &str = "DISCORD_TOKEN";

const PLATFORM: Platform = Platform {
    channel: CHANNEL,
    name: "Discord",
    noun: "bot",
    variable: TOKEN,
    token: "the token from the developer portal",
    everybody: "everybody on Discord",
    // Ids of people and of channels look the same: both are numbers of up to 20 digits.
    ids: Ids {
        kind,
        a_person: "80351110224678912",
        a_group: "41771983423143937",
        has_roles: true,
        memberships: &[],
    },
};

/// Discord bots: this one, and further ones under `accounts`. The developer portal creates a bot and its token, and there
/// Message Content Intent must be switched on. The token of this bot may also be given in the environment variable
/// DISCORD_TOKEN.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Discord {
    /// The account `default`.
    #[serde(flatten)]
    pub bot: Bot,
    /// Further bots, each under a name of your choice. They inherit the Discord settings of this section, and `agent` and
    /// `role` hold for those that set none. Nothing else is inherited: access to one bot is no access to another.
    pub accounts: BTreeMap<String, Bot>,
    /// The variable for the first bot's token is set and empty.
    #[serde(skip)]
    #[schemars(skip)]
    empty_variable: bool,
}

/// One bot.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bot {
    /// The keys that accounts of all platforms have.
    #[serde(flatten)]
    pub account: account::Account,
    /// The keys that all bots inherit.
    #[serde(flatten)]
    pub settings: Settings,
}

impl Section for Discord {
    const CHANNEL: &'static str = CHANNEL;
    const VARIABLES: &'static [&'static str] = &[TOKEN];
    const IDS: Option<Ids> = Some(PLATFORM.ids);

    fn profile() -> Profile {
        Settings::default().profile()
    }

    fn inherited() -> Vec<String> {
        keys_of(&Settings::default())
    }

    fn take_variables(&mut self, variables: &Variables) {
        self.empty_variable = self.bot.account.take_token(variables.get(TOKEN).map(String::as_str));
    }

    fn accounts(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfiguredAccount> {
        PLATFORM.accounts(&self.bot, &self.accounts, self.empty_variable, webhook_url)
    }

    fn check(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfigError> {
        PLATFORM.check(&self.bot, &self.accounts, webhook_url)
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }
}

impl Discord {
    /// The bot of this account.
    pub(crate) fn of(&self, account: &AccountId) -> Option<&Bot> {
        PLATFORM.find(&self.bot, &self.accounts, account)
    }
}

impl BotAccount for Bot {
    fn account(&self) -> &account::Account {
        &self.account
    }

    fn is_on(&self) -> bool {
        self.account.is_on()
    }

    /// A token begins with the bot's id.
    fn unique(&self) -> Option<Unique<'_>> {
        let value = self.account.token()?.expose().split('.').next()?;
        Some(Unique { key: "token", noun: "bot", value })
    }

    fn check(&self, name: &str, path: &str, _: Option<String>) -> Vec<ConfigError> {
        match self.adapter_config(name) {
            Some(account) => account.check().err().into_iter().map(|error| error.under(path)).collect(),
            None => PLATFORM.without_token(name, path, &self.account, self.settings.check()),
        }
    }

    fn fingerprint(&self, _: Option<&str>) -> Fingerprint {
        let token = self.account.token().map(Secret::expose).unwrap_or_default();
        let settings = format!("{:?}", self.settings);
        Fingerprint::of([token, &settings].map(str::as_bytes))
    }

    fn build(&self, name: &str, path: &str, _: Option<String>) -> BuildAdapter {
        PLATFORM.builder(self.adapter_config(name), path, |account, host| {
            Ok(Arc::new(DiscordAdapter::new(account, host.clock.clone())?))
        })
    }
}

impl Bot {
    /// The configuration of the adapter; `None` without a token.
    pub(crate) fn adapter_config(&self, name: &str) -> Option<Account> {
        let token = self.account.token()?.expose();
        Some(Account { settings: self.settings.clone(), ..Account::new(name, token) })
    }
}

/// What kind of thing a Discord id belongs to, which it does not say.
fn kind(id: &str) -> Kind {
    match id.parse::<u64>() {
        // Ids are compared as texts, so only one spelling is accepted.
        Ok(n) if n.to_string() != id || n == 0 => Kind::None,
        Ok(_) => Kind::Either,
        Err(_) => Kind::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_number_in_one_spelling() {
        for id in ["1", "80351110224678912", "18446744073709551615"] {
            assert_eq!(kind(id), Kind::Either, "{id}");
        }
        for id in ["", "*", "@ann", "ann", "007", "+1", "1 ", "0", "-5", "<@7>", "184467440737095516160"] {
            assert_eq!(kind(id), Kind::None, "{id:?}");
        }
    }

    #[test]
    fn roles_and_channels_are_listed_by_ids_and_a_role_needs_a_channel() {
        let wrong = |allow: &[&str]| {
            let section = serde_json::json!({"token": "MQ.a.b", "allow": allow});
            let section: Discord = serde_json::from_value(section).unwrap();
            section.check(&|_| None).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(wrong(&["7", "channel:5", "role:33"]), "");
        assert!(wrong(&["role:33"]).contains("names no channel"));
        assert!(wrong(&["channel:5", "role:moderators"]).contains("not a role's id"));
        assert!(wrong(&["channel:general"]).contains("not a group's id"));
        assert!(wrong(&["user:7"]).contains("not an id"));
    }

    #[test]
    fn only_what_concerns_the_connection_changes_the_fingerprint() {
        let of = |section: serde_json::Value| {
            let section: Discord = serde_json::from_value(section).unwrap();
            section.accounts(&|_| None)[0].fingerprint
        };
        let first = of(serde_json::json!({"token": "MQ.a.b"}));
        let same = serde_json::json!({"token": "MQ.a.b", "allow": ["7"], "agent": "b"});
        assert_eq!(of(same), first);
        for other in [
            serde_json::json!({"token": "MQ.a.c"}),
            serde_json::json!({"token": "MQ.a.b", "api_url": "http://127.0.0.1:1"}),
            serde_json::json!({"token": "MQ.a.b", "streaming": "off"}),
        ] {
            assert_ne!(of(other.clone()), first, "{other}");
        }
    }
}
