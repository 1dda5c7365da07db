//! The configuration keys that all chat platforms share: an account, who may write to it, and which agent answers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use frontdesk_core::access::{ChannelAccess, DmPolicy, GroupAccess, Members};
use frontdesk_core::account::DEFAULT_ACCOUNT;
use frontdesk_core::config::{Assignment, Chat, Routing, Secret, join};
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
    /// another person. On Slack `team:ID` and `usergroup:ID` stand for the members of a workspace and of a user group.
    /// `channel:ID` has the bot answer in a channel as well; with `role:ID`, `team:ID` or `usergroup:ID` beside it, where the
    /// platform has such, only their members and the people in this list may write there.
    pub allow: Vec<Id>,
    /// People who may write everywhere and manage the gateway with `/gateway`, by their platform ids.
    pub admins: Vec<Id>,
    /// Other bots that the bot answers, by their platform ids.
    pub bots: Vec<Id>,
    /// Agents and roles of single people, by their platform ids. They hold in private chats, and in groups in which each
    /// person has a session of their own; where several people share a session, those of the chat hold. They allow nobody
    /// to write.
    pub people: BTreeMap<String, Assignment>,
    /// Groups in which the bot answers, by their platform ids. Admins can allow further ones with `/gateway allow-here`.
    pub groups: BTreeMap<String, Group>,
}

/// A group in which the bot answers. Without a list of people or roles everybody there may write.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Group {
    /// People who may write to the bot in the group, by their ids, and roles as `role:ID`, on Slack `team:ID` and
    /// `usergroup:ID`. Without this key everybody may; with an empty list nobody may.
    #[schemars(with = "Vec<Id>")] // a `null` would look like an empty list and mean the opposite
    pub allow: Option<Vec<Id>>,
    /// Roles whose holders may write to the bot in the group, by their ids, on platforms that have roles.
    #[schemars(with = "Vec<Id>")]
    pub roles: Option<Vec<Id>>,
    /// People who may change the conversation that the group shares (`/new`, `/resume`, `/model`, ...) and stop or retry what
    /// others asked for, by their ids, and `role:ID`, `team:ID` or `usergroup:ID` where the platform has such. Without this
    /// key everybody may change it, and only admins may stop others.
    pub moderators: Vec<Id>,
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

    /// What an entry of `allow` names.
    pub fn named(&self) -> Named<'_> {
        match self.0.split_once(':') {
            Some(("role", role)) => Named::Role(role),
            Some(("channel", channel)) => Named::Channel(channel),
            Some(("team" | "usergroup", _)) => Named::Membership(&self.0),
            _ => Named::Person(&self.0),
        }
    }
}

/// What an entry of `allow` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// A person.
    Person(&'a str),
    /// The holders of a role.
    Role(&'a str),
    /// A channel, in which the bot answers then.
    Channel(&'a str),
    /// The members of a team or of a user group, which hold everywhere: the whole entry, as in `team:T1`.
    Membership(&'a str),
}

impl<'a> Named<'a> {
    fn person(self) -> Option<&'a str> {
        if let Named::Person(id) = self { Some(id) } else { None }
    }

    fn role(self) -> Option<&'a str> {
        if let Named::Role(id) = self { Some(id) } else { None }
    }

    fn membership(self) -> Option<&'a str> {
        if let Named::Membership(entry) = self { Some(entry) } else { None }
    }

    fn channel(self) -> Option<&'a str> {
        if let Named::Channel(id) = self { Some(id) } else { None }
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

    /// Whether a token is given and empty.
    pub fn token_is_empty(&self) -> bool {
        self.token.is_some() && self.token().is_none()
    }

    /// Takes the token from the value of an environment variable, if the file has none. Returns whether the account has
    /// no token because the variable is empty.
    pub fn take_token(&mut self, variable: Option<&str>) -> bool {
        match variable {
            Some(_) if self.token().is_some() => false,
            Some("") => self.token.is_none(),
            Some(token) => {
                self.token = Some(Secret::new(token));
                false
            }
            None => false,
        }
    }

    /// Whether the account is to be connected.
    pub fn is_on(&self) -> bool {
        self.enabled.unwrap_or(self.token().is_some())
    }
}

impl People {
    /// The teams and user groups whose members these keys name, as they are written.
    pub fn memberships(&self) -> BTreeSet<String> {
        let groups = self.groups.values();
        let lists = groups.flat_map(|group| [group.allow.as_deref().unwrap_or_default(), &group.moderators]);
        std::iter::once(self.allow.as_slice())
            .chain(lists)
            .flat_map(|list| chosen(list, Named::membership))
            .collect()
    }

    /// The access rules that these keys describe.
    pub fn access(&self) -> ChannelAccess {
        let group = |group: &Group| {
            let allowed = group.allow.as_deref().unwrap_or_default();
            let mut members = members(allowed);
            members.roles.extend(group.roles.as_deref().map(set).unwrap_or_default());
            let closed = group.allow.is_some() || group.roles.is_some();
            GroupAccess { closed, members, moderators: self::members(&group.moderators) }
        };
        let mut allow = chosen(&self.allow, Named::person);
        // `*` repeats what `open` says; it is no id.
        allow.remove(ids::EVERYBODY);
        let allow_roles = chosen(&self.allow, Named::membership);
        let mut roles = chosen(&self.allow, Named::role);
        roles.extend(allow_roles.iter().cloned());
        // Without a role everybody may write in the channels of the list.
        let people = if roles.is_empty() { BTreeSet::new() } else { allow.clone() };
        let closed = !roles.is_empty();
        let listed = GroupAccess { closed, members: Members { people, roles }, ..GroupAccess::default() };
        let channels = chosen(&self.allow, Named::channel).into_iter();
        let mut groups: BTreeMap<String, GroupAccess> =
            channels.map(|channel| (channel, listed.clone())).collect();
        // What a group says for itself holds.
        groups.extend(self.groups.iter().map(|(id, rules)| (id.clone(), group(rules))));
        ChannelAccess {
            dm_policy: self.dm_policy,
            allow,
            allow_roles,
            admins: set(&self.admins),
            groups,
            bots: set(&self.bots),
        }
    }
}

/// The people, the roles and the memberships of a list.
fn members(list: &[Id]) -> Members {
    let role = |named: Named<'_>| named.role().or(named.membership()).map(str::to_owned);
    let roles = list.iter().filter_map(|id| role(id.named())).collect();
    Members { people: chosen(list, Named::person), roles }
}

fn chosen<'a>(list: &'a [Id], choose: impl Fn(Named<'a>) -> Option<&'a str>) -> BTreeSet<String> {
    list.iter().filter_map(|id| choose(id.named())).map(str::to_owned).collect()
}

fn set(list: &[Id]) -> BTreeSet<String> {
    list.iter().map(|id| id.0.clone()).collect()
}

/// The accounts of a section, each with its name and its path: the section itself is the account `default`.
pub(crate) fn named<'a, A>(
    section: &str,
    first: &'a A,
    others: &'a BTreeMap<String, A>,
) -> impl Iterator<Item = (&'a str, String, &'a A)> + use<'a, A> {
    let accounts = join(section, "accounts");
    let first = std::iter::once((DEFAULT_ACCOUNT, section.to_owned(), first));
    first.chain(others.iter().map(move |(name, account)| (name.as_str(), join(&accounts, name), account)))
}

/// The error in the name of an account under `accounts`, if there is one. The name is part of addresses, keys and URLs.
pub(crate) fn check_name(section: &str, name: &str) -> Result<(), String> {
    if name == DEFAULT_ACCOUNT {
        return Err(format!(
            "the account `default` is the one in [{section}] itself, where some of these keys stand as well: write \
             each of them once"
        ));
    }
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match plain && (1..=64).contains(&name.len()) {
        true => Ok(()),
        false => Err("the name of an account has 1 to 64 letters, digits, `-` and `_`".to_owned()),
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
    fn listed_groups_are_served() {
        let group = Group { allow: Some(vec!["7".into()]), ..Group::default() };
        let people = People { groups: BTreeMap::from([("-1".to_owned(), group)]), ..People::default() };
        assert!(people.access().groups["-1"].members.people.contains("7"));
    }

    #[test]
    fn channels_and_roles_can_be_listed_with_people() {
        let ids = |list: &[&str]| list.iter().map(|id| Id::from(*id)).collect::<Vec<_>>();
        let names = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        let open = People { allow: ids(&["7", "channel:5"]), ..People::default() }.access();
        assert_eq!((open.allow, open.groups["5"].closed), (names(&["7"]), false));
        let people = People { allow: ids(&["7", "channel:5", "channel:6", "role:33"]), ..People::default() };
        let group = Group { allow: Some(ids(&["8", "role:34"])), ..Group::default() };
        let access = People { groups: BTreeMap::from([("6".to_owned(), group)]), ..people }.access();
        let listed = |people: &[&str], roles: &[&str]| GroupAccess {
            closed: true,
            members: Members { people: names(people), roles: names(roles) },
            ..GroupAccess::default()
        };
        assert_eq!(access.groups["5"], listed(&["7"], &["33"]));
        assert_eq!(access.groups["6"], listed(&["8"], &["34"]), "its own list holds");
        assert_eq!(access.allow, names(&["7"]), "nobody may write in private for a role");
        assert!(access.allow_roles.is_empty());
    }

    #[test]
    fn members_of_teams_and_user_groups_may_write_in_private_and_in_the_channels_of_the_list() {
        let ids = |list: &[&str]| list.iter().map(|id| Id::from(*id)).collect::<Vec<_>>();
        let names = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        let group = Group { moderators: ids(&["U2", "usergroup:S2"]), ..Group::default() };
        let people = People {
            allow: ids(&["U1", "team:T1", "usergroup:S1", "channel:C1"]),
            groups: BTreeMap::from([("C2".to_owned(), group)]),
            ..People::default()
        };
        assert_eq!(people.memberships(), names(&["team:T1", "usergroup:S1", "usergroup:S2"]));
        let access = people.access();
        assert_eq!(access.allow, names(&["U1"]));
        assert_eq!(access.allow_roles, names(&["team:T1", "usergroup:S1"]));
        let listed = Members { people: names(&["U1"]), roles: names(&["team:T1", "usergroup:S1"]) };
        assert_eq!((access.groups["C1"].closed, &access.groups["C1"].members), (true, &listed));
        let moderators = Members { people: names(&["U2"]), roles: names(&["usergroup:S2"]) };
        assert_eq!((access.groups["C2"].closed, &access.groups["C2"].moderators), (false, &moderators));
    }

    #[test]
    fn the_name_of_an_account_can_stand_in_a_path() {
        assert_eq!(check_name("channels.x", "work-2_b"), Ok(()));
        for name in ["", "a/b", "a.b", "ä", "default", &"x".repeat(65)] {
            assert!(check_name("channels.x", name).is_err(), "{name:?}");
        }
    }
}
