//! The `[channels.slack]` section: one app in one workspace, and further ones under `accounts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::account::AccountId;
use frontdesk_core::config::{ConfigError, Secret, join};
use frontdesk_core::profile::Profile;
use frontdesk_kit::settings::keys_of;
use frontdesk_kit::{
    BotAccount, BuildAdapter, Built, ConfiguredAccount, Fingerprint, Host, Ids, Kind, Membership, Platform,
    Section, Setup, Unique, Variables, WebhookUrl, account,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Api;
use crate::config::{Account, Events, Settings};
use crate::incoming_webhook::{IncomingWebhook, WebhookAdapter};
use crate::{CHANNEL, SlackAdapter};

/// The environment variables with the tokens of the first app.
pub(crate) const TOKEN: &str = "SLACK_BOT_TOKEN";
pub(crate) const APP_TOKEN: &str = "SLACK_APP_TOKEN";

const PLATFORM: Platform = Platform {
    channel: CHANNEL,
    name: "Slack",
    noun: "app",
    variable: TOKEN,
    token: "the bot's token (xoxb-)",
    everybody: "everybody in the workspace",
    // Ids of people begin with U or W, those of channels with C or G. People of other workspaces have its id before theirs.
    ids: Ids {
        kind,
        a_person: "U0123456789",
        a_group: "C0123456789",
        has_roles: false,
        memberships: &MEMBERSHIPS,
    },
};

const MEMBERSHIPS: [Membership; 2] = [
    Membership { example: "team:T0123456789", is: |entry| is_id_of(entry, "team:", &['T', 'E']) },
    Membership { example: "usergroup:S0123456789", is: |entry| is_id_of(entry, "usergroup:", &['S']) },
];

/// Slack apps: this one, and further ones under `accounts`, each in one workspace. The tokens of this app may also be
/// given in the environment variables SLACK_BOT_TOKEN and SLACK_APP_TOKEN.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Slack {
    /// The account `default`.
    #[serde(flatten)]
    pub bot: Bot,
    /// Further apps, each under a name of your choice. They inherit the Slack settings of this section (`streaming`, the
    /// limits and times), and `agent` and `role` hold for those that set none. Nothing else is inherited: access to one
    /// app is no access to another.
    pub accounts: BTreeMap<String, Bot>,
    /// A variable for a token is set and empty.
    #[serde(skip)]
    #[schemars(skip)]
    empty_variable: bool,
}

/// One app.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bot {
    /// The keys that accounts of all platforms have.
    #[serde(flatten)]
    pub account: account::Account,
    /// The app-level token for Socket Mode, with the scope connections:write; it begins with xapp-.
    pub app_token: Option<Secret>,
    /// The app's signing secret, instead of `app_token`, if Slack sends the events over HTTP: to `gateway.public_url` +
    /// `/webhooks/slack/ACCOUNT`. Socket Mode must be off.
    pub signing_secret: Option<Secret>,
    /// The address of an incoming webhook, which is a secret, instead of all tokens. Such an account only sends, and only to
    /// the channel of the webhook: `slack:ACCOUNT:webhook`.
    pub webhook_url: Option<Secret>,
    /// The keys that all apps inherit.
    #[serde(flatten)]
    pub settings: Settings,
}

impl Section for Slack {
    const CHANNEL: &'static str = CHANNEL;
    const VARIABLES: &'static [&'static str] = &[TOKEN, APP_TOKEN];
    const IDS: Option<Ids> = Some(PLATFORM.ids);

    fn profile() -> Profile {
        Settings::default().profile()
    }

    fn inherited() -> Vec<String> {
        keys_of(&Settings::default())
    }

    fn take_variables(&mut self, variables: &Variables) {
        self.empty_variable = self.bot.account.take_token(variables.get(TOKEN).map(String::as_str));
        let has_none = self.bot.app_token.is_none() && self.bot.signing_secret.is_none();
        if let Some(token) = variables.get(APP_TOKEN).filter(|token| !token.is_empty() && has_none) {
            self.bot.app_token = Some(Secret::new(token.as_str()));
        }
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

impl Slack {
    /// The bot of this account.
    pub(crate) fn of(&self, account: &AccountId) -> Option<&Bot> {
        PLATFORM.find(&self.bot, &self.accounts, account)
    }
}

/// What an account is built from.
#[derive(Clone)]
enum Configured {
    App(Account),
    Webhook(IncomingWebhook),
}

impl Configured {
    fn check(&self) -> Result<(), ConfigError> {
        match self {
            Configured::App(account) => account.check().and_then(|()| Api::new(account).map(drop)),
            Configured::Webhook(webhook) => webhook.check(),
        }
    }

    fn build(self, host: &Host) -> Built {
        Ok(match self {
            Configured::App(account) => Arc::new(SlackAdapter::new(account, host.clock.clone())?),
            Configured::Webhook(webhook) => Arc::new(WebhookAdapter::new(webhook)?),
        })
    }
}

impl BotAccount for Bot {
    fn account(&self) -> &account::Account {
        &self.account
    }

    fn is_on(&self) -> bool {
        self.account.enabled.unwrap_or(self.account.token().is_some() || self.webhook_url.is_some())
    }

    fn unique(&self) -> Option<Unique<'_>> {
        let (key, secret) = self.own_secret();
        let value = secret.map(Secret::expose).filter(|secret| !secret.is_empty())?;
        let noun = if self.webhook_url.is_some() { "webhook" } else { "app" };
        Some(Unique { key, noun, value })
    }

    fn check(&self, name: &str, path: &str, public_url: Option<String>) -> Vec<ConfigError> {
        let Some(account) = self.adapter_config(name) else {
            return PLATFORM.without_token(name, path, &self.account, self.settings.check());
        };
        let at = |key: &str, problem: &str| vec![ConfigError::new(join(path, key), problem)];
        let has_others =
            self.account.token.is_some() || self.app_token.is_some() || self.signing_secret.is_some();
        if self.webhook_url.is_some() && has_others {
            return at(
                "webhook_url",
                "an incoming webhook needs no token and no signing secret; make the webhook an account of its own under \
                 `accounts`",
            );
        }
        if self.signing_secret.is_some() && self.app_token.is_some() {
            return at("signing_secret", "it is given together with app_token; leave one of them out");
        }
        if self.signing_secret.is_some() && public_url.is_none() {
            return at("signing_secret", "Slack must be able to reach the gateway: set gateway.public_url");
        }
        account.check().err().into_iter().map(|error| error.under(path)).collect()
    }

    fn fingerprint(&self, _: Option<&str>) -> Fingerprint {
        let token = self.account.token().map(Secret::expose).unwrap_or_default();
        let (key, secret) = self.own_secret();
        let secret = secret.map(Secret::expose).unwrap_or_default();
        let settings = format!("{:?} {:?}", self.settings, self.account.people.memberships());
        Fingerprint::of([token, key, secret, &settings].map(str::as_bytes))
    }

    fn build(&self, name: &str, path: &str, _: Option<String>) -> BuildAdapter {
        PLATFORM.builder(self.adapter_config(name), path, Configured::build)
    }
}

impl Bot {
    /// The secret that no other account has, and its key. Slack gives each event to any socket of an app, or to its one
    /// address, so two accounts must not share an app.
    fn own_secret(&self) -> (&'static str, Option<&Secret>) {
        match (&self.webhook_url, &self.signing_secret) {
            (Some(url), _) => ("webhook_url", Some(url)),
            (None, Some(secret)) => ("signing_secret", Some(secret)),
            (None, None) => ("app_token", self.app_token.as_ref()),
        }
    }

    /// The configuration of the adapter; `None` without a token and without a webhook.
    fn adapter_config(&self, name: &str) -> Option<Configured> {
        if let Some(url) = self.webhook_url.clone() {
            let (name, settings) = (name.to_owned(), self.settings.clone());
            return Some(Configured::Webhook(IncomingWebhook { name, url, settings }));
        }
        let token = self.account.token()?.expose();
        let events = match &self.signing_secret {
            Some(secret) => Events::Http { signing_secret: secret.clone() },
            None => Events::SocketMode { app_token: self.app_token.clone().unwrap_or_default() },
        };
        let memberships = self.account.people.memberships();
        let account =
            Account { memberships, settings: self.settings.clone(), ..Account::new(name, token, events) };
        Some(Configured::App(account))
    }
}

/// Whether an id begins with one of these letters and goes on as Slack's ids do.
fn is_id(id: &str, letters: &[char]) -> bool {
    let rest = id.strip_prefix(letters).unwrap_or_default();
    rest.len() >= 2 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_id_of(entry: &str, word: &str, letters: &[char]) -> bool {
    entry.strip_prefix(word).is_some_and(|id| is_id(id, letters))
}

/// What kind of thing an id belongs to.
fn kind(id: &str) -> Kind {
    let (team, own) = id.split_once('/').unwrap_or(("T00", id));
    match () {
        () if !is_id(team, &['T', 'E']) => Kind::None,
        () if is_id(own, &['U', 'W', 'B']) => Kind::Person,
        () if id == own && is_id(own, &['C', 'G']) => Kind::Group,
        () => Kind::None,
    }
}

#[cfg(test)]
mod tests;
