//! The `[channels.discord]` section: one bot, and further ones under `accounts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::account::{AccountId, DEFAULT_ACCOUNT};
use frontdesk_core::config::{Assignment, ConfigError, Secret, join};
use frontdesk_core::port::Adapter;
use frontdesk_core::profile::Profile;
use frontdesk_kit::{
    BuildAdapter, ConfiguredAccount, Fingerprint, Host, Ids, Kind, Section, Setup, Variables, WebhookUrl,
    account,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Account, Settings};
use crate::{CHANNEL, DiscordAdapter};

/// The path of the section.
const PATH: &str = "channels.discord";

/// The environment variable with the first bot's token.
pub(crate) const TOKEN: &str = "DISCORD_TOKEN";

/// Ids of people and of channels look the same: both are numbers of up to 20 digits.
const IDS: Ids = Ids {
    kind,
    a_person: "80351110224678912",
    a_group: "41771983423143937",
    has_roles: true,
    memberships: &[],
};

const NO_TOKEN: &str = "it is enabled and has no token: write the one from the developer portal here, as a text, as \
                        { file = \"...\" } or as { command = [...] }";

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
    }

    fn accounts(&self, _: WebhookUrl<'_>) -> Vec<ConfiguredAccount> {
        let of_channel = &self.bot.account.routing;
        let configured = |(name, path, bot): (&str, String, &Bot)| {
            // An empty name is refused by the check.
            let id = AccountId::new(CHANNEL, Some(name)).unwrap_or_else(|_| AccountId::default_of(CHANNEL));
            ConfiguredAccount {
                id,
                routing: bot.account.routing.clone(),
                channel: Assignment { agent: of_channel.agent.clone(), role: of_channel.role.clone() },
                people: bot.account.people.people.clone(),
                groups: bot.account.people.groups.clone(),
                access: bot.account.people.access(),
                on: bot.account.is_on(),
                problem: self.problem(&path, bot),
                notice: bot.notice(&path),
                fingerprint: bot.fingerprint(),
                build: build(bot.adapter_config(name), &path),
                path,
            }
        };
        self.bots().map(configured).collect()
    }

    fn check(&self, _: WebhookUrl<'_>) -> Vec<ConfigError> {
        let mut wrong = Vec::new();
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for (name, path, bot) in self.bots() {
            if path != PATH {
                let problem = account::check_name(PATH, name).err();
                wrong.extend(problem.map(|problem| ConfigError::new(path.clone(), problem)));
            }
            wrong.extend(IDS.check(&path, &bot.account.people, &bot.account.routing));
            wrong.extend(bot.check(name, &path));
            // A token begins with the bot's id, which shows whether two accounts are the same bot.
            let token = bot.account.token().map(|token| token.expose());
            let Some(id) = token.and_then(|token| token.split('.').next()) else { continue };
            match known.get(id) {
                Some(first) => {
                    let problem = format!("this is the same bot as {first}; one bot can be one account only");
                    wrong.push(ConfigError::new(join(&path, "token"), problem));
                }
                None => drop(known.insert(id, path)),
            }
        }
        wrong
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }
}

impl Discord {
    fn bots(&self) -> impl Iterator<Item = (&str, String, &Bot)> {
        account::named(PATH, &self.bot, &self.accounts)
    }

    /// The bot of this account.
    pub(crate) fn of(&self, account: &AccountId) -> Option<&Bot> {
        self.bots().find(|(name, ..)| *name == account.name()).map(|(_, _, bot)| bot)
    }

    /// A token that is given and empty: a bot was meant, and none is connected.
    fn problem(&self, path: &str, bot: &Bot) -> Option<String> {
        if path == PATH && self.empty_variable {
            return Some(format!(
                "the environment variable {TOKEN} is empty, so no Discord bot is connected: set it to the token from the developer portal"
            ));
        }
        let key = join(path, "token");
        bot.account.token_is_empty().then(|| {
            format!("{key} is empty, so this bot is not connected: write the token from the developer portal there")
        })
    }
}

/// Builds the adapter of a bot; without a token it has no configuration.
fn build(account: Option<Account>, path: &str) -> BuildAdapter {
    let path = path.to_owned();
    Arc::new(move |host: &Host| {
        let account = account.clone().ok_or_else(|| ConfigError::new(path.clone(), NO_TOKEN))?;
        let built = DiscordAdapter::new(account, host.clock.clone());
        let adapter = built.map_err(|error| error.under(&path))?;
        Ok(Arc::new(adapter) as Arc<dyn Adapter>)
    })
}

impl Bot {
    fn notice(&self, path: &str) -> Option<String> {
        let account = &self.account;
        if account.token_is_empty() {
            return None;
        }
        let forgotten = account.enabled.is_none() && account.token().is_none() && *self != Bot::default();
        if forgotten {
            return Some(format!("{path} has no token, so this bot is not connected"));
        }
        let open = account.is_on() && account.people.dm_policy == DmPolicy::Open;
        open.then(|| format!("{path}: dm_policy is open, so everybody on Discord may write to the agent"))
    }

    fn check(&self, name: &str, path: &str) -> Vec<ConfigError> {
        let checked = match self.adapter_config(name) {
            Some(account) => account.check(),
            None => self.settings.check(),
        };
        let mut wrong: Vec<ConfigError> = checked.err().into_iter().map(|error| error.under(path)).collect();
        if self.account.token().is_none() && self.account.enabled == Some(true) {
            let or = if name == DEFAULT_ACCOUNT { ", or set DISCORD_TOKEN" } else { "" };
            wrong.push(ConfigError::new(join(path, "token"), format!("{NO_TOKEN}{or}")));
        }
        wrong
    }

    /// The configuration of the adapter; `None` without a token.
    pub(crate) fn adapter_config(&self, name: &str) -> Option<Account> {
        let token = self.account.token()?.expose();
        Some(Account { settings: self.settings.clone(), ..Account::new(name, token) })
    }

    /// Changes with everything that [`Bot::adapter_config`] contains.
    fn fingerprint(&self) -> Fingerprint {
        let token = self.account.token().map(Secret::expose).unwrap_or_default();
        let settings = format!("{:?}", self.settings);
        Fingerprint::of([token, &settings].map(str::as_bytes))
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
