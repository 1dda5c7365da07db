//! A platform whose section describes one bot, and further ones under `accounts`: what all such sections have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::account::{AccountId, DEFAULT_ACCOUNT};
use frontdesk_core::config::{Assignment, ConfigError, join};

use crate::account::ids::Ids;
use crate::account::{Account, check_name, named};
use crate::section::{BuildAdapter, Built, ConfiguredAccount, Fingerprint, Host, WebhookUrl};

/// A platform, and the words of messages about its accounts.
#[derive(Clone, Copy)]
pub struct Platform {
    /// The channel's name in keys and addresses: `discord`.
    pub channel: &'static str,
    /// The platform's name: `Discord`.
    pub name: &'static str,
    /// What an account is there: `bot` or `app`.
    pub noun: &'static str,
    /// The environment variable with the token of the account `default`.
    pub variable: &'static str,
    /// The token: `the token from the developer portal`.
    pub token: &'static str,
    /// Everybody who may write if `dm_policy` is open: `everybody on Discord`.
    pub everybody: &'static str,
    /// The form of its ids.
    pub ids: Ids,
}

/// One account of such a section: its keys, and the adapter that is built from them.
pub trait BotAccount: Default + PartialEq {
    /// The keys that accounts of all platforms have.
    fn account(&self) -> &Account;
    /// Whether it is to be connected.
    fn is_on(&self) -> bool;
    /// What no other account may have as well; `None` if it is not given.
    fn unique(&self) -> Option<Unique<'_>>;
    /// Checks what is the platform's own. Errors have whole paths and contain no secret.
    fn check(&self, name: &str, path: &str, public_url: Option<String>) -> Vec<ConfigError>;
    /// Changes with everything that the adapter is built from.
    fn fingerprint(&self, public_url: Option<&str>) -> Fingerprint;
    /// Builds its adapter.
    fn build(&self, name: &str, path: &str, public_url: Option<String>) -> BuildAdapter;
}

/// What only one account may have, because the platform gives each message to one connection only.
pub struct Unique<'a> {
    /// The key from which it is read.
    pub key: &'static str,
    /// What two accounts with the same value are: `bot`.
    pub noun: &'static str,
    /// The value. It may be a secret and is never shown.
    pub value: &'a str,
}

impl Platform {
    /// All accounts of the section. `variable_is_empty` says that [`Platform::variable`] is set and empty.
    pub fn accounts<B: BotAccount>(
        &self,
        first: &B,
        others: &BTreeMap<String, B>,
        variable_is_empty: bool,
        webhook_url: WebhookUrl<'_>,
    ) -> Vec<ConfiguredAccount> {
        let of_channel = &first.account().routing;
        let configured = |(name, path, bot): (&str, String, &B)| {
            let account = bot.account();
            let id = self.id(name);
            let public_url = webhook_url(&id);
            ConfiguredAccount {
                routing: account.routing.clone(),
                channel: Assignment { agent: of_channel.agent.clone(), role: of_channel.role.clone() },
                people: account.people.people.clone(),
                groups: account.people.groups.clone(),
                access: account.people.access(),
                on: bot.is_on(),
                problem: self.problem(&path, account, variable_is_empty),
                notice: self.notice(&path, bot),
                fingerprint: bot.fingerprint(public_url.as_deref()),
                build: bot.build(name, &path, public_url),
                id,
                path,
            }
        };
        self.named(first, others).map(configured).collect()
    }

    /// Checks all accounts: their names, the ids that they list, their own keys, and that no two are the same.
    pub fn check<B: BotAccount>(
        &self,
        first: &B,
        others: &BTreeMap<String, B>,
        webhook_url: WebhookUrl<'_>,
    ) -> Vec<ConfigError> {
        let section = self.section();
        let mut wrong = Vec::new();
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        for (name, path, bot) in self.named(first, others) {
            if path != section {
                let problem = check_name(&section, name).err();
                wrong.extend(problem.map(|problem| ConfigError::new(path.clone(), problem)));
            }
            wrong.extend(self.ids.check(&path, &bot.account().people, &bot.account().routing));
            wrong.extend(bot.check(name, &path, webhook_url(&self.id(name))));
            let Some(Unique { key, noun, value }) = bot.unique() else { continue };
            match known.get(value) {
                Some(first) => {
                    let problem =
                        format!("this is the same {noun} as {first}; one {noun} can be one account only");
                    wrong.push(ConfigError::new(join(&path, key), problem));
                }
                None => drop(known.insert(value, path)),
            }
        }
        wrong
    }

    /// The keys of one account.
    pub fn find<'a, B>(
        &self,
        first: &'a B,
        others: &'a BTreeMap<String, B>,
        account: &AccountId,
    ) -> Option<&'a B> {
        self.named(first, others).find(|(name, ..)| *name == account.name()).map(|(_, _, bot)| bot)
    }

    /// What is wrong with an account that has no token; `settings` is what is wrong with its other keys.
    pub fn without_token(
        &self,
        name: &str,
        path: &str,
        account: &Account,
        settings: Result<(), ConfigError>,
    ) -> Vec<ConfigError> {
        let mut wrong: Vec<ConfigError> = settings.err().into_iter().map(|error| error.under(path)).collect();
        if account.enabled == Some(true) {
            let or = match name {
                DEFAULT_ACCOUNT => format!(", or set {}", self.variable),
                _ => String::new(),
            };
            wrong.push(ConfigError::new(join(path, "token"), format!("{}{or}", self.no_token())));
        }
        wrong
    }

    /// Builds the adapter from its configuration, which an account without a token does not have.
    pub fn builder<C: Clone + Send + Sync + 'static>(
        &self,
        config: Option<C>,
        path: &str,
        build: fn(C, &Host) -> Built,
    ) -> BuildAdapter {
        let (path, no_token) = (path.to_owned(), self.no_token());
        Arc::new(move |host: &Host| {
            let config = config.clone().ok_or_else(|| ConfigError::new(path.clone(), no_token.clone()))?;
            build(config, host).map_err(|error| error.under(&path))
        })
    }

    fn section(&self) -> String {
        join("channels", self.channel)
    }

    fn named<'a, B>(
        &self,
        first: &'a B,
        others: &'a BTreeMap<String, B>,
    ) -> impl Iterator<Item = (&'a str, String, &'a B)> + use<'a, B> {
        named(&self.section(), first, others)
    }

    /// The id of the account with this name. The check refuses names that cannot be part of one.
    fn id(&self, name: &str) -> AccountId {
        AccountId::new(self.channel, Some(name)).unwrap_or_else(|_| AccountId::default_of(self.channel))
    }

    fn no_token(&self) -> String {
        format!(
            "it is enabled and has no token: write {} here, as a text, as {{ file = \"...\" }} or as {{ command = [...] }}",
            self.token
        )
    }

    /// A token that is given and empty: an account was meant, and none is connected.
    fn problem(&self, path: &str, account: &Account, variable_is_empty: bool) -> Option<String> {
        let Self { name, noun, variable, token, .. } = self;
        if path == self.section() && variable_is_empty {
            return Some(format!(
                "the environment variable {variable} is empty, so no {name} {noun} is connected: set it to {token}"
            ));
        }
        let key = join(path, "token");
        let is_empty = account.token_is_empty();
        is_empty.then(|| format!("{key} is empty, so this {noun} is not connected: write {token} there"))
    }

    fn notice<B: BotAccount>(&self, path: &str, bot: &B) -> Option<String> {
        let Self { noun, everybody, .. } = self;
        let account = bot.account();
        if account.token_is_empty() {
            return None;
        }
        if account.enabled.is_none() && !bot.is_on() && *bot != B::default() {
            return Some(format!("{path} has no token, so this {noun} is not connected"));
        }
        let is_open = bot.is_on() && account.people.dm_policy == DmPolicy::Open;
        is_open.then(|| format!("{path}: dm_policy is open, so {everybody} may write to the agent"))
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::config::Secret;

    use super::*;
    use crate::account::ids::Kind;

    const PLATFORM: Platform = Platform {
        channel: "irc",
        name: "IRC",
        noun: "bot",
        variable: "IRC_TOKEN",
        token: "the token of the network",
        everybody: "everybody on IRC",
        ids: Ids { kind: |_| Kind::Either, a_person: "7", a_group: "5", has_roles: false, memberships: &[] },
    };

    #[derive(Default, PartialEq)]
    struct Bot(Account);

    impl BotAccount for Bot {
        fn account(&self) -> &Account {
            &self.0
        }

        fn is_on(&self) -> bool {
            self.0.is_on()
        }

        fn unique(&self) -> Option<Unique<'_>> {
            Some(Unique { key: "token", noun: "bot", value: self.0.token()?.expose() })
        }

        fn check(&self, name: &str, path: &str, _: Option<String>) -> Vec<ConfigError> {
            match self.0.token() {
                Some(_) => Vec::new(),
                None => PLATFORM.without_token(name, path, &self.0, Ok(())),
            }
        }

        fn fingerprint(&self, _: Option<&str>) -> Fingerprint {
            Fingerprint::of([])
        }

        fn build(&self, _: &str, path: &str, _: Option<String>) -> BuildAdapter {
            PLATFORM.builder(None::<()>, path, |(), _| Err(ConfigError::new("", "nothing to build")))
        }
    }

    fn bot(token: Option<&str>, enabled: Option<bool>) -> Bot {
        Bot(Account { token: token.map(Secret::new), enabled, ..Account::default() })
    }

    fn one(first: &Bot, variable_is_empty: bool) -> ConfiguredAccount {
        PLATFORM.accounts(first, &BTreeMap::new(), variable_is_empty, &|_| None).remove(0)
    }

    #[test]
    fn an_account_that_was_meant_and_has_no_token_says_so() {
        let none = one(&Bot::default(), false);
        assert_eq!((none.on, none.problem, none.notice), (false, None, None));
        let variable = one(&Bot::default(), true).problem.unwrap();
        assert_eq!(
            variable,
            "the environment variable IRC_TOKEN is empty, so no IRC bot is connected: set it to the token of the network"
        );
        let empty = one(&bot(Some(""), None), false);
        assert!(
            empty.problem.unwrap().starts_with("channels.irc.token is empty, so this bot is not connected")
        );
        assert_eq!(empty.notice, None, "it is said once");
        let mut forgotten = Bot::default();
        forgotten.0.people.admins = vec!["7".into()];
        let notice = one(&forgotten, false).notice.unwrap();
        assert_eq!(notice, "channels.irc has no token, so this bot is not connected");
        let wrong = PLATFORM.check(&bot(None, Some(true)), &BTreeMap::new(), &|_| None);
        assert!(wrong[0].to_string().starts_with("channels.irc.token: it is enabled and has no token"));
        assert!(wrong[0].to_string().ends_with(", or set IRC_TOKEN"));
    }

    #[test]
    fn an_account_that_everybody_may_write_to_is_noticed_if_it_is_on() {
        let mut open = bot(Some("t"), None);
        open.0.people.dm_policy = DmPolicy::Open;
        assert!(one(&open, false).notice.unwrap().contains("so everybody on IRC may write"));
        open.0.enabled = Some(false);
        assert_eq!(one(&open, false).notice, None);
    }

    #[test]
    fn each_account_needs_a_name_and_a_bot_of_its_own() {
        let others = |name: &str, token: &str| BTreeMap::from([(name.to_owned(), bot(Some(token), None))]);
        let check = |others| {
            let wrong = PLATFORM.check(&bot(Some("secret"), None), &others, &|_| None);
            wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(check(others("work", "other")), "");
        assert_eq!(
            check(others("work", "secret")),
            "channels.irc.accounts.work.token: this is the same bot as channels.irc; one bot can be one account only"
        );
        assert!(check(others("a/b", "other")).contains("1 to 64 letters"));
        let all = others("work", "other");
        let work = AccountId::new("irc", Some("work")).unwrap();
        assert_eq!(PLATFORM.find(&Bot::default(), &all, &work).unwrap().0.token().unwrap().expose(), "other");
    }
}
