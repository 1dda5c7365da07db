//! The `[channels.telegram]` section: one bot, and further ones under `accounts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::access::{ChannelAccess, DmPolicy};
use frontdesk_core::account::{AccountId, DEFAULT_ACCOUNT};
use frontdesk_core::config::{ConfigError, Secret, join};
use frontdesk_core::port::{Adapter, Clock};
use frontdesk_telegram::{CHANNEL, Settings, TelegramAdapter, WebhookAccess};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::ids::{Ids, Kind};
use crate::channel::{Account, Section};
use crate::clock::SystemClock;
use crate::document::{Key, Node, Value};

/// The path of the section.
const PATH: &str = "channels.telegram";

/// The environment variable with the first bot's token.
const TOKEN: &str = "TELEGRAM_BOT_TOKEN";

/// Telegram's ids are whole numbers, positive for people and bots, negative for groups (Bot API, User and Chat).
pub const IDS: Ids = Ids { kind, a_person: "123456789", a_group: "-1001234567890", has_roles: false };

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
    /// `streaming`, the limits and times), and nothing else: access to one bot is no access to another.
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
    pub account: Account,
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

impl Telegram {
    /// Every bot with the name of its account and its path.
    fn bots(&self) -> impl Iterator<Item = (&str, String, &Bot)> {
        let first = std::iter::once((DEFAULT_ACCOUNT, PATH.to_owned(), &self.bot));
        let accounts = join(PATH, "accounts");
        first.chain(self.accounts.iter().map(move |(name, bot)| (name.as_str(), join(&accounts, name), bot)))
    }

    pub(super) fn sections(&self) -> Vec<Section<'_>> {
        self.bots().map(|(name, path, bot)| bot.section(name, path)).collect()
    }

    pub(super) fn access(&self) -> Vec<(AccountId, ChannelAccess)> {
        let of = |(name, path, bot): (&str, String, &Bot)| {
            (bot.section(name, path).id(), bot.account.people.access())
        };
        self.bots().map(of).collect()
    }

    /// Takes the first bot's token from the environment, if the file has none.
    pub(super) fn take_token(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        if self.bot.account.token().is_some() {
            return;
        }
        let token = env(TOKEN).map(|token| token.trim().to_owned());
        self.empty_variable = token.as_deref() == Some("") && self.bot.account.token.is_none();
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            self.bot.account.token = Some(Secret::new(token));
        }
    }

    /// Tokens that are given and empty: a bot was meant, and none is connected.
    pub(super) fn problems(&self) -> Vec<String> {
        let variable = self.empty_variable.then(|| {
            format!("the environment variable {TOKEN} is empty, so no Telegram bot is connected: set it to the token from @BotFather")
        });
        let empty = |(_, path, bot): (&str, String, &Bot)| {
            let is_empty = bot.account.token.is_some() && bot.account.token().is_none();
            is_empty.then(|| {
                let key = join(&path, "token");
                format!("{key} is empty, so this bot is not connected: write the token from @BotFather there")
            })
        };
        variable.into_iter().chain(self.bots().filter_map(empty)).collect()
    }

    pub(super) fn notices(&self) -> Vec<String> {
        let odd = |(_, path, bot): (&str, String, &Bot)| {
            let account = &bot.account;
            if account.token.is_some() && account.token().is_none() {
                return None;
            }
            let forgotten = account.enabled.is_none() && account.token().is_none() && *bot != Bot::default();
            if forgotten {
                return Some(format!("{path} has no token, so this bot is not connected"));
            }
            let open = account.is_on() && account.people.dm_policy == DmPolicy::Open;
            open.then(|| {
                format!("{path}: dm_policy is open, so everybody on Telegram may write to the agent")
            })
        };
        self.problems().into_iter().chain(self.bots().filter_map(odd)).collect()
    }

    pub(super) fn check(&self, gateway: &frontdesk_api::Config) -> Vec<ConfigError> {
        let mut wrong = Vec::new();
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for (name, path, bot) in self.bots() {
            if path != PATH {
                wrong.extend(check_name(name).map(|problem| ConfigError::new(path.clone(), problem)));
            }
            wrong.extend(IDS.check(&bot.section(name, path.clone()), &bot.account.people));
            wrong.extend(bot.check(name, &path, gateway));
            // A token begins with the bot's number, which shows whether two accounts are the same bot.
            let token = bot.account.token().map(|token| token.expose());
            let Some(number) = token.and_then(|token| token.split(':').next()) else { continue };
            match known.get(number) {
                Some(first) => {
                    let problem = format!("this is the same bot as {first}; one bot can be one account only");
                    wrong.push(ConfigError::new(join(&path, "token"), problem));
                }
                None => drop(known.insert(number, path)),
            }
        }
        wrong
    }

    pub(super) fn build(
        &self,
        gateway: &frontdesk_api::Config,
        clock: &Arc<dyn Clock>,
    ) -> Result<Vec<Arc<dyn Adapter>>, ConfigError> {
        let on = self.bots().filter(|(_, _, bot)| bot.account.is_on());
        let built = on.map(|(name, path, bot)| {
            let account =
                bot.adapter_config(name, gateway).ok_or_else(|| ConfigError::new(path.clone(), NO_TOKEN))?;
            let built = TelegramAdapter::new(account, clock.clone());
            let adapter = built.map_err(|error| error.under(&path))?;
            Ok(Arc::new(adapter) as Arc<dyn Adapter>)
        });
        built.collect()
    }
}

const NO_TOKEN: &str = "it is enabled and has no token: write the one from @BotFather here, as a text, as \
                        { file = \"...\" } or as { command = [...] }";

impl Bot {
    fn section<'c>(&'c self, account: &'c str, path: String) -> Section<'c> {
        let Account { people, routing, .. } = &self.account;
        Section { path, channel: CHANNEL, account, routing, groups: Some(&people.groups) }
    }

    fn check(&self, name: &str, path: &str, gateway: &frontdesk_api::Config) -> Vec<ConfigError> {
        let at = |key: &str, problem: String| ConfigError::new(join(path, key), problem);
        let Some(account) = self.adapter_config(name, gateway) else {
            let settings = self.settings.check().err();
            let mut wrong: Vec<ConfigError> = settings.into_iter().map(|error| error.under(path)).collect();
            if self.account.enabled == Some(true) {
                let or = if name == DEFAULT_ACCOUNT { ", or set TELEGRAM_BOT_TOKEN" } else { "" };
                wrong.push(at("token", format!("{NO_TOKEN}{or}")));
            }
            return wrong;
        };
        if self.mode == Mode::Webhook && gateway.public_url.is_none() {
            let problem =
                "Telegram must be able to reach the gateway: set gateway.public_url, or mode = \"polling\"";
            return vec![at("mode", problem.to_owned())];
        }
        // Whether it can be built is part of whether it is right. Nothing is connected by that.
        let built = TelegramAdapter::new(account, Arc::new(SystemClock::new()));
        let wrong = built.err().map(|error| match error.path.as_str() {
            "webhook.secret" => at("webhook_secret", error.problem),
            "webhook.public_url" => at("mode", format!("gateway.public_url: {}", error.problem)),
            _ => error.under(path),
        });
        wrong.into_iter().collect()
    }

    /// The configuration of the adapter; `None` without a token.
    fn adapter_config(
        &self,
        name: &str,
        gateway: &frontdesk_api::Config,
    ) -> Option<frontdesk_telegram::Account> {
        let token = self.account.token()?.expose();
        let mut account = frontdesk_telegram::Account::new(name, token);
        account.settings = self.settings.clone();
        if self.mode == Mode::Webhook {
            let base = gateway.public_url.as_deref().unwrap_or_default();
            let public_url =
                format!("{}{}", base.trim_end_matches('/'), frontdesk_api::webhook_path(CHANNEL, name));
            let secret = self.webhook_secret.clone().unwrap_or_default();
            account.webhook = Some(WebhookAccess { public_url, secret });
        }
        Some(account)
    }
}

/// What is wrong with the name of an account. The name is part of addresses, keys and URLs.
fn check_name(name: &str) -> Option<String> {
    if name == DEFAULT_ACCOUNT {
        return Some(format!(
            "the account `default` is the one in [{PATH}] itself, where some of these keys stand as well: write each \
             of them once"
        ));
    }
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let good = plain && (1..=64).contains(&name.len());
    (!good).then(|| "the name of an account has 1 to 64 letters, digits, `-` and `_`".to_owned())
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

/// Copies the settings of the section to accounts that do not set them. The keys of `accounts.default` are moved to
/// the section itself, which is the account `default`.
pub(super) fn inherit(section: &mut Node) {
    let default = take_default(section);
    inherit_settings(section);
    if let Some((key, account)) = default {
        put_default(section, key, account);
    }
}

/// Removes the account `default` from `accounts` and returns it.
fn take_default(section: &mut Node) -> Option<(Key, Node)> {
    let Value::Table(accounts) = &mut section.get_mut("accounts")?.value else { return None };
    let at = accounts.iter().position(|(key, _)| key.name == DEFAULT_ACCOUNT)?;
    matches!(accounts[at].1.value, Value::Table(_)).then(|| accounts.remove(at))
}

/// Moves the keys of `accounts.default` to the section. A key that the section has too stays where it was, and is
/// reported there.
fn put_default(section: &mut Node, key: Key, mut account: Node) {
    let (Value::Table(keys), Value::Table(own)) = (&mut account.value, &mut section.value) else { return };
    let (twice, once): (Vec<_>, Vec<_>) = std::mem::take(keys)
        .into_iter()
        .partition(|(key, _)| own.iter().any(|(known, _)| known.name == key.name));
    own.extend(once);
    if !twice.is_empty() {
        *keys = twice;
        if let Some(Value::Table(accounts)) = section.get_mut("accounts").map(|accounts| &mut accounts.value)
        {
            accounts.push((key, account));
        }
    }
}

fn inherit_settings(section: &mut Node) {
    let Ok(serde_json::Value::Object(settings)) = serde_json::to_value(Settings::default()) else { return };
    let written = section.entries().iter().filter(|(key, _)| settings.contains_key(&key.name));
    let written: Vec<_> = written.cloned().collect();
    let Some(Value::Table(accounts)) = section.get_mut("accounts").map(|accounts| &mut accounts.value) else {
        return;
    };
    for (_, account) in accounts {
        let missing: Vec<_> =
            written.iter().filter(|(key, _)| account.get(&key.name).is_none()).cloned().collect();
        if let Value::Table(entries) = &mut account.value {
            entries.extend(missing);
        }
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
    fn the_name_of_an_account_can_stand_in_a_path() {
        assert_eq!(check_name("work-2_b"), None);
        for name in ["", "a/b", "a.b", "ä", "default", &"x".repeat(65)] {
            assert!(check_name(name).is_some(), "{name:?}");
        }
    }
}
