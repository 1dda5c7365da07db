//! The configuration that all chat platforms share: an account, who may write to it, and which agent answers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::access::{ChannelAccess, DmPolicy, GroupAccess};
use frontdesk_core::account::AccountId;
use frontdesk_core::config::{Secret, join};
use frontdesk_runtime::config::{Chat, Routing};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

pub mod ids;

/// One account of a chat platform.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Account {
    /// Whether the account is connected. Unset means that it is, if it has a token.
    pub enabled: Option<bool>,
    /// The bot's token: a secret, best kept in a file or an environment variable.
    pub token: Option<Secret>,
    /// Who may write.
    #[serde(flatten)]
    pub people: People,
    /// Routing of its messages.
    #[serde(flatten)]
    pub routing: Routing,
}

/// Who may write on one account. It says nothing about other accounts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct People {
    /// Who may write private messages: with `pairing` unknown senders get a code that an admin can approve, with
    /// `allowlist` they get no answer, with `open` everybody may write, with `disabled` nobody, not even admins.
    pub dm_policy: DmPolicy,
    /// People who may write private messages, by their platform ids. Names are refused, because a name can pass to
    /// another person.
    pub allow: Vec<Id>,
    /// People who may write everywhere and manage the gateway with `/gateway`, by their platform ids.
    pub admins: Vec<Id>,
    /// Other bots that the bot answers, by their platform ids.
    pub bots: Vec<Id>,
    /// Groups in which the bot answers, by their platform ids. Admins can allow further ones with `/gateway allow-here`.
    pub groups: BTreeMap<String, Group>,
}

/// A group in which the bot answers. Without a list of people or roles everybody there may write.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Group {
    /// People who may write to the bot in the group, by their ids. Without this key everybody may; with an empty list
    /// nobody may.
    #[schemars(with = "Vec<Id>")] // a `null` would look like an empty list and mean the opposite
    pub allow: Option<Vec<Id>>,
    /// Roles whose holders may write to the bot in the group, by their ids, on platforms that have roles.
    #[schemars(with = "Vec<Id>")]
    pub roles: Option<Vec<Id>>,
    /// Rules for this group.
    #[serde(flatten)]
    pub chat: Chat,
}

/// An id given by a platform. In the file it is a text or a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(i64),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Text(text) => Id(text),
            Written::Number(n) => Id(n.to_string()),
        })
    }
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "An id given by a platform, as a text or as a number.",
            "type": json!(["string", "integer"])
        })
    }
}

impl Account {
    /// The token, if one is given and not empty.
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref().filter(|token| !token.expose().trim().is_empty())
    }

    /// Whether the account is to be connected.
    pub fn is_on(&self) -> bool {
        self.enabled.unwrap_or(self.token().is_some())
    }
}

impl People {
    /// The access rules that these keys describe.
    pub fn access(&self) -> ChannelAccess {
        let named = |list: &Option<Vec<Id>>| list.as_deref().map(set).unwrap_or_default();
        let group = |group: &Group| GroupAccess {
            closed: group.allow.is_some() || group.roles.is_some(),
            people: named(&group.allow),
            roles: named(&group.roles),
        };
        let mut allow = set(&self.allow);
        // `*` repeats what `open` says; it is no id.
        allow.remove(ids::EVERYBODY);
        ChannelAccess {
            dm_policy: self.dm_policy,
            allow,
            admins: set(&self.admins),
            groups: self.groups.iter().map(|(id, rules)| (id.clone(), group(rules))).collect(),
            bots: set(&self.bots),
        }
    }
}

fn set(list: &[Id]) -> BTreeSet<String> {
    list.iter().map(|id| id.0.clone()).collect()
}

/// The part of the configuration that belongs to one account, on any platform.
#[derive(Debug, Clone)]
pub struct Section<'c> {
    /// Its path, for example `channels.telegram.accounts.work`.
    pub path: String,
    /// The channel.
    pub channel: &'static str,
    /// The account.
    pub account: &'c str,
    /// Routing of its messages.
    pub routing: &'c Routing,
    /// Groups in which the bot answers; `None` on platforms without groups.
    pub groups: Option<&'c BTreeMap<String, Group>>,
}

impl<'c> Section<'c> {
    /// The account. An empty name is refused when the file is checked.
    pub fn id(&self) -> AccountId {
        AccountId::new(self.channel, Some(self.account))
            .unwrap_or_else(|_| AccountId::default_of(self.channel))
    }

    /// Every chat with its own rules, and its path.
    pub fn chats(&self) -> impl Iterator<Item = (String, &'c Chat)> {
        let at = |table: &str| join(&self.path, table);
        let (chats, groups) = (at("chats"), at("groups"));
        let named = self.routing.chats.iter().map(move |(id, chat)| (join(&chats, id), chat));
        let served = self.groups.into_iter().flatten();
        named.chain(served.map(move |(id, group)| (join(&groups, id), &group.chat)))
    }

    /// The routing of all chats, groups included.
    pub fn routes(&self) -> Routing {
        let mut routing = self.routing.clone();
        let groups = self.groups.into_iter().flatten();
        routing.chats.extend(groups.map(|(id, group)| (id.clone(), group.chat.clone())));
        routing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_on_if_it_has_a_token_or_is_enabled() {
        let on = |enabled, token: Option<&str>| {
            let account = Account { enabled, token: token.map(Secret::new), ..Account::default() };
            account.is_on()
        };
        assert!(on(None, Some("1:a")) && on(Some(true), None));
        assert!(!on(None, None) && !on(None, Some("")) && !on(Some(false), Some("1:a")));
    }

    #[test]
    fn an_id_is_a_text_or_a_number() {
        let ids: Vec<Id> = serde_json::from_value(json!(["1", 2, -3])).unwrap();
        assert_eq!(ids, ["1".into(), "2".into(), "-3".into()]);
        assert!(serde_json::from_value::<Id>(json!(1.5)).is_err());
    }

    #[test]
    fn listed_groups_are_served_and_routed() {
        let chat = Chat { agent: Some("a".into()), ..Chat::default() };
        let group = Group { allow: Some(vec!["7".into()]), chat: chat.clone(), ..Group::default() };
        let people = People { groups: BTreeMap::from([("-1".to_owned(), group)]), ..People::default() };
        let routing =
            Routing { chats: BTreeMap::from([("5".to_owned(), Chat::default())]), ..Routing::default() };
        let section = Section {
            path: "channels.x".into(),
            channel: "x",
            account: "default",
            routing: &routing,
            groups: Some(&people.groups),
        };
        assert_eq!(section.routes().chats.get("-1"), Some(&chat));
        let paths: Vec<String> = section.chats().map(|(path, _)| path).collect();
        assert_eq!(paths, ["channels.x.chats.5", "channels.x.groups.-1"]);
        assert!(people.access().groups["-1"].people.contains("7"));
    }
}
