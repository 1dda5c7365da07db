//! The `[channels.slack]` section: one app in one workspace, and further ones under `accounts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::account::{AccountId, DEFAULT_ACCOUNT};
use frontdesk_core::config::{Assignment, ConfigError, Secret, join};
use frontdesk_core::port::Adapter;
use frontdesk_core::profile::Profile;
use frontdesk_kit::{
    BuildAdapter, ConfiguredAccount, Fingerprint, Host, Ids, Kind, Membership, Section, Setup, Variables,
    WebhookUrl, account,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Api;
use crate::config::{Account, Events, Settings};
use crate::incoming_webhook::{IncomingWebhook, WebhookAdapter};
use crate::{CHANNEL, SlackAdapter};

/// The path of the section.
const PATH: &str = "channels.slack";

/// The environment variables with the tokens of the first app.
pub(crate) const TOKEN: &str = "SLACK_BOT_TOKEN";
pub(crate) const APP_TOKEN: &str = "SLACK_APP_TOKEN";

/// Ids of people begin with U or W, those of channels with C or G. People of other workspaces have its id before theirs.
const IDS: Ids = Ids {
    kind,
    a_person: "U0123456789",
    a_group: "C0123456789",
    has_roles: false,
    memberships: &MEMBERSHIPS,
};

const MEMBERSHIPS: [Membership; 2] = [
    Membership { example: "team:T0123456789", is: |entry| is_id_of(entry, "team:", &['T', 'E']) },
    Membership { example: "usergroup:S0123456789", is: |entry| is_id_of(entry, "usergroup:", &['S']) },
];

const NO_TOKEN: &str = "it is enabled and has no token: write the bot's token (xoxb-) here, as a text, as \
                        { file = \"...\" } or as { command = [...] }";

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
    /// The app's signing secret, instead of `app_token`: then Slack sends events to `gateway.public_url` +
    /// `/webhooks/slack/ACCOUNT`, and Socket Mode must be off.
    pub signing_secret: Option<Secret>,
    /// The address of an incoming webhook, a secret, instead of all tokens: then the account only sends, to the webhook's one
    /// channel, as `slack:ACCOUNT:webhook`.
    pub webhook_url: Option<Secret>,
    /// The keys that all apps inherit.
    #[serde(flatten)]
    pub settings: Settings,
}

impl Section for Slack {
    const CHANNEL: &'static str = CHANNEL;
    const VARIABLES: &'static [&'static str] = &[TOKEN, APP_TOKEN];
    const IDS: Option<Ids> = Some(IDS);

    fn profile() -> Profile {
        Settings::default().profile()
    }

    fn inherited() -> Vec<String> {
        match serde_json::to_value(Settings::default()) {
            Ok(serde_json::Value::Object(settings)) => settings.into_iter().map(|(key, _)| key).collect(),
            _ => Vec::new(),
        }
    }

    fn take_variables(&mut self, variables: &Variables) {
        self.empty_variable = self.bot.account.take_token(variables.get(TOKEN).map(String::as_str));
        let has_none = self.bot.app_token.is_none() && self.bot.signing_secret.is_none();
        if let Some(token) = variables.get(APP_TOKEN).filter(|token| !token.is_empty() && has_none) {
            self.bot.app_token = Some(Secret::new(token.as_str()));
        }
    }

    fn accounts(&self, _: WebhookUrl<'_>) -> Vec<ConfiguredAccount> {
        let of_channel = &self.bot.account.routing;
        let configured = |(name, path, bot): (&str, String, &Bot)| {
            // An empty name is refused by the check.
            let id = AccountId::new(CHANNEL, Some(name)).unwrap_or_else(|_| AccountId::default_of(CHANNEL));
            ConfiguredAccount {
                routing: bot.account.routing.clone(),
                channel: Assignment { agent: of_channel.agent.clone(), role: of_channel.role.clone() },
                people: bot.account.people.people.clone(),
                groups: bot.account.people.groups.clone(),
                access: bot.account.people.access(),
                on: bot.is_on(),
                problem: self.problem(&path, bot),
                notice: bot.notice(&path),
                fingerprint: bot.fingerprint(),
                build: build(bot.adapter_config(name), &path),
                id,
                path,
            }
        };
        self.bots().map(configured).collect()
    }

    fn check(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfigError> {
        let mut wrong = Vec::new();
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for (name, path, bot) in self.bots() {
            if path != PATH {
                let problem = account::check_name(PATH, name).err();
                wrong.extend(problem.map(|problem| ConfigError::new(path.clone(), problem)));
            }
            wrong.extend(IDS.check(&path, &bot.account.people, &bot.account.routing));
            wrong.extend(bot.check(name, &path, webhook_url));
            // Slack gives each event to any socket of an app, or to its one address.
            let (key, secret) = bot.own_secret();
            let Some(token) = secret.map(Secret::expose).filter(|token| !token.is_empty()) else { continue };
            match known.get(token) {
                Some(first) => {
                    let what = if bot.webhook_url.is_some() { "webhook" } else { "app" };
                    let problem =
                        format!("this is the same {what} as {first}; one {what} can be one account only");
                    wrong.push(ConfigError::new(join(&path, key), problem));
                }
                None => drop(known.insert(token, path)),
            }
        }
        wrong
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }
}

impl Slack {
    fn bots(&self) -> impl Iterator<Item = (&str, String, &Bot)> {
        account::named(PATH, &self.bot, &self.accounts)
    }

    /// The bot of this account.
    pub(crate) fn of(&self, account: &AccountId) -> Option<&Bot> {
        self.bots().find(|(name, ..)| *name == account.name()).map(|(_, _, bot)| bot)
    }

    /// A token that is given and empty: an app was meant, and none is connected.
    fn problem(&self, path: &str, bot: &Bot) -> Option<String> {
        if path == PATH && self.empty_variable {
            return Some(format!(
                "the environment variable {TOKEN} is empty, so no Slack app is connected: set it to the bot's token"
            ));
        }
        let key = join(path, "token");
        bot.account
            .token_is_empty()
            .then(|| format!("{key} is empty, so this app is not connected: write the bot's token there"))
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

    fn build(self, host: &Host) -> Result<Arc<dyn Adapter>, ConfigError> {
        Ok(match self {
            Configured::App(account) => Arc::new(SlackAdapter::new(account, host.clock.clone())?),
            Configured::Webhook(webhook) => Arc::new(WebhookAdapter::new(webhook)?),
        })
    }
}

/// Builds the adapter of an account; without a token and without a webhook it has no configuration.
fn build(account: Option<Configured>, path: &str) -> BuildAdapter {
    let path = path.to_owned();
    Arc::new(move |host: &Host| {
        let account = account.clone().ok_or_else(|| ConfigError::new(path.clone(), NO_TOKEN))?;
        account.build(host).map_err(|error| error.under(&path))
    })
}

impl Bot {
    fn notice(&self, path: &str) -> Option<String> {
        let account = &self.account;
        if account.token_is_empty() {
            return None;
        }
        let forgotten = account.enabled.is_none() && !self.is_on() && *self != Bot::default();
        if forgotten {
            return Some(format!("{path} has no token, so this app is not connected"));
        }
        let open = self.is_on() && account.people.dm_policy == DmPolicy::Open;
        open.then(|| {
            format!("{path}: dm_policy is open, so everybody in the workspace may write to the agent")
        })
    }

    /// Whether the account is to be connected.
    fn is_on(&self) -> bool {
        self.account.enabled.unwrap_or(self.account.token().is_some() || self.webhook_url.is_some())
    }

    /// What no other account has: its key, and the secret. Of an app it says how events arrive.
    fn own_secret(&self) -> (&'static str, Option<&Secret>) {
        match (&self.webhook_url, &self.signing_secret) {
            (Some(url), _) => ("webhook_url", Some(url)),
            (None, Some(secret)) => ("signing_secret", Some(secret)),
            (None, None) => ("app_token", self.app_token.as_ref()),
        }
    }

    fn check(&self, name: &str, path: &str, webhook_url: WebhookUrl<'_>) -> Vec<ConfigError> {
        let Some(account) = self.adapter_config(name) else {
            let settings = self.settings.check().err();
            let mut wrong: Vec<ConfigError> = settings.into_iter().map(|error| error.under(path)).collect();
            if self.account.enabled == Some(true) {
                let or = if name == DEFAULT_ACCOUNT { ", or set SLACK_BOT_TOKEN" } else { "" };
                wrong.push(ConfigError::new(join(path, "token"), format!("{NO_TOKEN}{or}")));
            }
            return wrong;
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
        if self.signing_secret.is_some() {
            let url = AccountId::new(CHANNEL, Some(name)).ok().and_then(|id| webhook_url(&id));
            match () {
                () if self.app_token.is_some() => {
                    return at(
                        "signing_secret",
                        "it is given together with app_token; leave one of them out",
                    );
                }
                () if url.is_none() => {
                    return at(
                        "signing_secret",
                        "Slack must be able to reach the gateway: set gateway.public_url",
                    );
                }
                () => {}
            }
        }
        account.check().err().into_iter().map(|error| error.under(path)).collect()
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

    /// Changes with everything that [`Bot::adapter_config`] contains.
    fn fingerprint(&self) -> Fingerprint {
        let token = self.account.token().map(Secret::expose).unwrap_or_default();
        let (key, secret) = self.own_secret();
        let secret = secret.map(Secret::expose).unwrap_or_default();
        let settings = format!("{:?} {:?}", self.settings, self.account.people.memberships());
        Fingerprint::of([token, key, secret, &settings].map(str::as_bytes))
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
