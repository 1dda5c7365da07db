//! Checks of ids in the configuration. Only ids of the platform are accepted, because they always belong to the same
//! person; names do not.
//!
//! Errors do not repeat the id that was written: it may have come from a variable that holds a secret.

use frontdesk_core::access::DmPolicy;
use frontdesk_core::config::{ConfigError, Routing, join};

use super::{Group, Id, Named, People};

/// What other programs use for "everybody".
pub const EVERYBODY: &str = "*";

/// How to find somebody's id.
pub const HOW_TO_FIND: &str =
    "to find it, ask the person to send /whoami to the bot, or look at `frontdesk pairing list`";

/// The form of a platform's ids.
#[derive(Clone, Copy)]
pub struct Ids {
    /// What kind of thing an id belongs to.
    pub kind: fn(&str) -> Kind,
    /// An example of a person's id.
    pub a_person: &'static str,
    /// An example of a group's id.
    pub a_group: &'static str,
    /// Whether people have roles in its groups.
    pub has_roles: bool,
    /// The memberships that hold everywhere on the platform, such as `team:ID`; none on most.
    pub memberships: &'static [Membership],
}

/// Something that people are members of everywhere on a platform.
#[derive(Clone, Copy)]
pub struct Membership {
    /// An example of an entry: `team:T0123456789`.
    pub example: &'static str,
    /// Whether this is an entry of this kind.
    pub is: fn(&str) -> bool,
}

/// What kind of thing an id belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person or a bot.
    Person,
    /// A chat of several people.
    Group,
    /// A person or a chat: on this platform an id does not say which.
    Either,
    /// An account of the platform itself, behind which any person may stand.
    Anybody,
    /// Not an id: a name, or a mistake.
    None,
}

impl Ids {
    /// Checks that an id is a person's.
    pub fn person(&self, id: &str) -> Result<(), String> {
        let like = self.a_person;
        Err(match (self.kind)(id) {
            Kind::Person | Kind::Either => return Ok(()),
            Kind::Group => format!(
                "this is a group's id, and only people can be listed here, such as {like}; {HOW_TO_FIND}"
            ),
            Kind::Anybody => {
                let why = "this account belongs to the platform and is shared by everybody who writes anonymously, so \
                           it names no single person";
                why.to_owned()
            }
            Kind::None if id.trim().is_empty() => {
                format!("the id is empty; write the platform's id, such as {like}, or remove the entry")
            }
            Kind::None if id == EVERYBODY => {
                format!("\"*\" is not accepted here; write the id of each person, such as {like}")
            }
            Kind::None => format!(
                "this is not an id. A name can pass to another person, so only the platform's ids are accepted, \
                 such as {like}; {HOW_TO_FIND}"
            ),
        })
    }

    /// Checks that an id is a group's.
    pub fn group(&self, id: &str) -> Result<(), String> {
        let like = self.a_group;
        match (self.kind)(id) {
            Kind::Group | Kind::Either => Ok(()),
            _ if id == EVERYBODY => {
                Err(format!("groups must be listed one by one; write the id of each, such as \"{like}\""))
            }
            _ => Err(format!(
                "this is not a group's id, which looks like \"{like}\"; or remove the group here, and let an \
                 admin send `/gateway allow-here` in it"
            )),
        }
    }

    /// Checks who may write on the account at `path`, and the chats that it lists.
    pub fn check(&self, path: &str, people: &People, routing: &Routing) -> Vec<ConfigError> {
        let at = |table: &str| join(path, table);
        let mut wrong = self.allowed(&at("allow"), people);
        wrong.extend(self.people(&at("admins"), &people.admins));
        wrong.extend(self.people(&at("bots"), &people.bots));
        for id in people.people.keys() {
            let path = join(&at("people"), id);
            wrong.extend(self.person(id).err().map(|problem| ConfigError::new(path, problem)));
        }
        for (id, group) in &people.groups {
            wrong.extend(self.served(&join(&at("groups"), id), id, group));
        }
        for id in routing.chats.keys() {
            let path = join(&at("chats"), id);
            if people.groups.contains_key(id) {
                let problem = "this chat is listed in `groups` as well; keep it there, with all its keys";
                wrong.push(ConfigError::new(path, problem));
            } else if self.group(id).is_err() {
                wrong.extend(self.person(id).err().map(|problem| ConfigError::new(path, problem)));
            }
        }
        wrong
    }

    /// Checks `allow`. Other programs want `*` there for an open policy.
    fn allowed(&self, path: &str, people: &People) -> Vec<ConfigError> {
        let all = people.allow.iter().enumerate();
        let has_channel = people.allow.iter().any(|id| matches!(id.named(), Named::Channel(_)));
        let wrong = all.filter_map(|(n, id)| {
            let problem = match id.as_str() {
                _ if let Named::Channel(channel) = id.named() => self.group(channel).err()?,
                _ if let Named::Membership(entry) = id.named() => self.membership(entry).err()?,
                entry if self.is_unknown_form(entry) => format!("this is not an id; {}", self.forms(&["channel:ID"])),
                _ if let Named::Role(role) = id.named() => match self.role(role) {
                    Ok(()) if !has_channel => {
                        let problem = "a role says who may write in channels, and this list names no channel: add one as \
                                       \"channel:ID\", or write the role into `allow` of a group";
                        problem.to_owned()
                    }
                    role => role.err()?,
                },
                EVERYBODY if people.dm_policy == DmPolicy::Open => return None,
                EVERYBODY => {
                    let instead = "\"*\" is not accepted here; to let everybody write private messages, set \
                                   dm_policy = \"open\" and remove this entry";
                    instead.to_owned()
                }
                id => self.person(id).err()?,
            };
            Some(ConfigError::new(item(path, n), problem))
        });
        wrong.collect()
    }

    /// Checks that an id can be a role's.
    fn role(&self, id: &str) -> Result<(), String> {
        match (self.kind)(id) {
            _ if !self.has_roles && !self.memberships.is_empty() => {
                Err(format!("this platform has no roles; {}", self.forms(&[])))
            }
            _ if !self.has_roles => Err("this platform has no roles; list the people".to_owned()),
            Kind::None | Kind::Anybody => Err(format!(
                "this is not a role's id. A name can pass to another role, so only the platform's ids are accepted, such \
                 as {}",
                self.a_group
            )),
            _ => Ok(()),
        }
    }

    /// Checks an entry that names a membership.
    fn membership(&self, entry: &str) -> Result<(), String> {
        let kind = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
        match self.memberships.iter().find(|one| kind(one.example) == kind(entry)) {
            None => Err("this platform has no teams and user groups; list the people".to_owned()),
            Some(known) if (known.is)(entry) => Ok(()),
            Some(known) => {
                Err(format!("this is not an id of that kind, which is written like {}", known.example))
            }
        }
    }

    /// Whether an entry has the form `word:...` and the word means nothing.
    fn is_unknown_form(&self, entry: &str) -> bool {
        let word = entry.split_once(':').map(|(word, _)| word);
        word.is_some_and(|word| !["role", "channel", "team", "usergroup"].contains(&word))
            && (self.kind)(entry) == Kind::None
    }

    /// The forms that an entry can have.
    fn forms(&self, others: &[&str]) -> String {
        let mut forms = vec![self.a_person];
        forms.extend(others);
        forms.extend(self.memberships.iter().map(|known| known.example));
        if self.has_roles {
            forms.push("role:ID");
        }
        format!("an entry here is written in one of these forms: {}", forms.join(", "))
    }

    fn people(&self, path: &str, list: &[Id]) -> Vec<ConfigError> {
        let wrong = list.iter().enumerate().filter_map(|(n, id)| {
            let problem = self.person(id.as_str()).err()?;
            Some(ConfigError::new(item(path, n), problem))
        });
        wrong.collect()
    }

    fn served(&self, path: &str, id: &str, group: &Group) -> Vec<ConfigError> {
        let mut wrong = Vec::new();
        if let Err(problem) = self.group(id) {
            wrong.push(ConfigError::new(path, problem));
        }
        wrong.extend(self.members(&join(path, "allow"), group.allow.as_deref().unwrap_or_default()));
        wrong.extend(self.members(&join(path, "moderators"), &group.moderators));
        let (roles, named) = (join(path, "roles"), group.roles.as_deref().unwrap_or_default());
        if !self.has_roles && group.roles.is_some() {
            let problem = "this platform has no roles in groups; name people in `allow`. To give the group one of [roles], write `role`".to_owned();
            wrong.push(ConfigError::new(roles, problem));
        } else if let Some(n) = named.iter().position(|id| id.as_str().trim().is_empty()) {
            let problem = "the role's id is empty; write it or remove the entry".to_owned();
            wrong.push(ConfigError::new(item(&roles, n), problem));
        }
        wrong
    }

    /// Checks a list of people and roles in a group.
    fn members(&self, path: &str, list: &[Id]) -> Vec<ConfigError> {
        let wrong = list.iter().enumerate().filter_map(|(n, id)| {
            let problem = match id.named() {
                Named::Role(role) => self.role(role).err()?,
                Named::Membership(entry) => self.membership(entry).err()?,
                _ if self.is_unknown_form(id.as_str()) => format!("this is not an id; {}", self.forms(&[])),
                _ => self.person(id.as_str()).err()?,
            };
            Some(ConfigError::new(item(path, n), problem))
        });
        wrong.collect()
    }
}

fn item(path: &str, n: usize) -> String {
    format!("{path}[{n}]")
}
