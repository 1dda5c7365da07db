//! The `[channels.telegram]` section: one bot, and further ones under `accounts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::account::AccountId;
use frontdesk_core::config::{ConfigError, Secret, join};
use frontdesk_core::profile::Profile;
use frontdesk_kit::settings::keys_of;
use frontdesk_kit::{
    BotAccount, BuildAdapter, ConfiguredAccount, Fingerprint, Ids, Kind, Platform, Section, Setup, Unique,
    Variables, WebhookUrl, account,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::config::{Account, Settings, WebhookAccess};
use crate::{CHANNEL, TelegramAdapter};

/// The environment variable with the first bot's token.
pub(crate) const TOKEN: &str = "TELEGRAM_BOT_TOKEN";

const PLATFORM: Platform = Platform {
    channel: CHANNEL,
    name: "Telegram",
    noun: "bot",
    variable: TOKEN,
    token: "the token from @BotFather",
    everybody: "everybody on Telegram",
    // Ids are whole numbers, positive for people and bots, negative for groups (Bot API, User and Chat).
    ids: Ids { kind, a_person: "123456789", a_group: "-1001234567890", has_roles: false, memberships: &[] },
};

/// Accounts of Telegram itself, behind which any person may stand: service notices, and the senders of messages
/// written as a group or as a channel (Bot API, Message.from and sender_chat).
const ANYBODY: [i64; 3] = [777_000, 1_087_968_824, 136_817_688];

/// Telegram bots: this one, and further ones under `accounts`. @BotFather creates a bot and its token. The token of
/// this bot may also be given in the environment variable TELEGRAM_BOT_TOKEN.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Telegram {
    /// The account `default`.
    #[serde(flatten)]
    pub bot: Bot,
    /// Further bots, each under a name of your choice. They inherit the Telegram settings of this section (`api_url`,
    /// `streaming`, the limits and times), and `agent` and `role` hold for those that set none. Nothing else is inherited:
    /// access to one bot is no access to another.
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
    /// How updates arrive: with `polling` the gateway asks Telegram for them, with `webhook` Telegram sends them to
    /// `gateway.public_url` + `/webhooks/telegram/ACCOUNT`.
    pub mode: Mode,
    /// With `webhook`: the secret that Telegram sends with each update, 1 to 256 letters, digits, `_` and `-`.
    pub webhook_secret: Option<Secret>,
    /// The keys that all bots inherit.
    #[serde(flatten)]
    pub settings: Settings,
}

/// How a bot receives updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The gateway asks Telegram for them.
    #[default]
    Polling,
    /// Telegram sends them to the gateway.
    Webhook,
}

impl Section for Telegram {
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

impl Telegram {
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

    /// A token begins with the bot's number.
    fn unique(&self) -> Option<Unique<'_>> {
        let value = self.account.token()?.expose().split(':').next()?;
        Some(Unique { key: "token", noun: "bot", value })
    }

    fn check(&self, name: &str, path: &str, public_url: Option<String>) -> Vec<ConfigError> {
        let at = |key: &str, problem: String| ConfigError::new(join(path, key), problem);
        let reachable = public_url.is_some();
        let Some(account) = self.adapter_config(name, public_url) else {
            return PLATFORM.without_token(name, path, &self.account, self.settings.check());
        };
        if self.mode == Mode::Webhook && !reachable {
            let problem =
                "Telegram must be able to reach the gateway: set gateway.public_url, or mode = \"polling\"";
            return vec![at("mode", problem.to_owned())];
        }
        let wrong = account.check().and_then(|()| Api::new(&account).map(drop)).err();
        let wrong = wrong.map(|error| match error.path.as_str() {
            "webhook.secret" => at("webhook_secret", error.problem),
            "webhook.public_url" => at("mode", format!("gateway.public_url: {}", error.problem)),
            _ => error.under(path),
        });
        wrong.into_iter().collect()
    }

    fn fingerprint(&self, public_url: Option<&str>) -> Fingerprint {
        let token = self.account.token().map(Secret::expose).unwrap_or_default();
        let secret = self.webhook_secret.as_ref().map(Secret::expose).unwrap_or_default();
        let (mode, url, secret) = match self.mode {
            Mode::Polling => ("polling", "", ""),
            Mode::Webhook => ("webhook", public_url.unwrap_or_default(), secret),
        };
        let settings = format!("{:?}", self.settings);
        Fingerprint::of([token, mode, url, secret, &settings].map(str::as_bytes))
    }

    fn build(&self, name: &str, path: &str, public_url: Option<String>) -> BuildAdapter {
        PLATFORM.builder(self.adapter_config(name, public_url), path, |account, host| {
            Ok(Arc::new(TelegramAdapter::new(account, host.clock.clone())?))
        })
    }
}

impl Bot {
    /// The configuration of the adapter; `None` without a token.
    pub(crate) fn adapter_config(&self, name: &str, public_url: Option<String>) -> Option<Account> {
        let token = self.account.token()?.expose();
        let webhook = (self.mode == Mode::Webhook).then(|| WebhookAccess {
            public_url: public_url.unwrap_or_default(),
            secret: self.webhook_secret.clone().unwrap_or_default(),
        });
        Some(Account { webhook, settings: self.settings.clone(), ..Account::new(name, token) })
    }
}

/// What kind of thing a Telegram id belongs to.
fn kind(id: &str) -> Kind {
    match id.parse::<i64>() {
        // Ids are compared as texts, so only one spelling is accepted.
        Ok(n) if n.to_string() != id || n == 0 => Kind::None,
        Ok(n) if ANYBODY.contains(&n) => Kind::Anybody,
        Ok(n) if n < 0 => Kind::Group,
        Ok(_) => Kind::Person,
        Err(_) => Kind::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_number_in_one_spelling() {
        for id in ["1", "123456789", "7000000000"] {
            assert_eq!(kind(id), Kind::Person, "{id}");
        }
        assert_eq!((kind("-1001234567890"), kind("-5")), (Kind::Group, Kind::Group));
        for id in [
            "",
            " ",
            "*",
            "@anna",
            "anna",
            "007",
            "+1",
            "1 ",
            "0",
            "-0",
            "1e3",
            "١٢٣",
            "99999999999999999999",
        ] {
            assert_eq!(kind(id), Kind::None, "{id:?}");
        }
        assert_eq!(kind("1087968824"), Kind::Anybody);
    }

    #[test]
    fn only_what_concerns_the_connection_changes_the_fingerprint() {
        let of = |section: serde_json::Value| {
            let section: Telegram = serde_json::from_value(section).unwrap();
            section.accounts(&|_| Some("https://example.org/hook".to_owned()))[0].fingerprint
        };
        let first = of(serde_json::json!({"token": "1:a"}));
        let same = serde_json::json!({"token": "1:a", "allow": [7], "agent": "b", "groups": {"-5": {"require_mention": false}}});
        assert_eq!(of(same), first);
        for other in [
            serde_json::json!({"token": "1:b"}),
            serde_json::json!({"token": "1:a", "api_url": "http://127.0.0.1:1"}),
            serde_json::json!({"token": "1:a", "streaming": "off"}),
            serde_json::json!({"token": "1:a", "mode": "webhook"}),
            serde_json::json!({"token": "1:a", "mode": "webhook", "webhook_secret": "s"}),
        ] {
            assert_ne!(of(other.clone()), first, "{other}");
        }
    }
}
