//! The configuration section of a platform, and the accounts that it describes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::config::{Assignment, Chat, ConfigError, Routing, join};
use frontdesk_core::port::{Adapter, Clock, Live};
use frontdesk_core::profile::Profile;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::account::Group;
use crate::account::ids::Ids;
use crate::setup::Setup;

/// What stands under `[channels.NAME]` for one platform.
///
/// The doc comments of the type and of its fields become the comments of the example configuration. A field of type
/// [`Secret`](frontdesk_core::config::Secret) is never shown and may be given as a file or a command.
pub trait Section:
    fmt::Debug + Clone + Default + PartialEq + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// The channel's name in the configuration, in keys and in addresses: lower case letters and digits.
    const CHANNEL: &'static str;
    /// Environment variables that may give what the section does not, such as a token.
    const VARIABLES: &'static [&'static str];
    /// The form of the platform's ids, by which permissions of admins are checked; `None` if every text can be one.
    const IDS: Option<Ids>;
    /// The platform's capabilities and limits with default settings.
    fn profile() -> Profile;
    /// The keys of the section that its further accounts (`accounts.NAME`) inherit; empty without such accounts.
    fn inherited() -> Vec<String>;
    /// Takes what the section does not give from those of [`Section::VARIABLES`] that are set.
    fn take_variables(&mut self, variables: &Variables);
    /// All accounts, also those that are not to be connected.
    fn accounts(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfiguredAccount>;
    /// Checks what the types cannot express. Errors have whole paths (`channels.NAME.key`) and contain no secret. An
    /// account that passes can be built.
    fn check(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfigError>;
    /// How people set up its accounts; `None` if there is nothing to do on a platform's pages.
    fn setup(&self) -> Option<&dyn Setup>;
}

/// Environment variables that are set, by their names, without whitespace around their values.
pub type Variables = BTreeMap<&'static str, String>;

/// The public URL at which an account receives webhooks; `None` if the gateway has no public URL.
pub type WebhookUrl<'a> = &'a dyn Fn(&AccountId) -> Option<String>;

/// One account of a section: what the gateway needs to know about it, and how its adapter is built.
#[derive(Clone)]
pub struct ConfiguredAccount {
    /// The account.
    pub id: AccountId,
    /// Its path, for example `channels.telegram.accounts.work`.
    pub path: String,
    /// Routing of its messages, without its groups and people and what holds for the whole channel.
    pub routing: Routing,
    /// The agent and the role of the whole channel, for accounts that set none.
    pub channel: Assignment,
    /// Agents and roles of single people.
    pub people: BTreeMap<String, Assignment>,
    /// Groups in which the bot answers, each with its rules.
    pub groups: BTreeMap<String, Group>,
    /// Who may write.
    pub access: ChannelAccess,
    /// Whether it is to be connected.
    pub on: bool,
    /// Why it is not connected although it seems to be meant, and what to do. For the status.
    pub problem: Option<String>,
    /// Something that is allowed and may not be what was meant. For the log.
    pub notice: Option<String>,
    /// Identifies what its adapter is built from: a reload of the configuration that does not change it keeps the
    /// connection.
    pub fingerprint: Fingerprint,
    /// Builds its adapter.
    pub build: BuildAdapter,
}

/// Builds the adapter of one account, without connecting. Errors have whole paths.
pub type BuildAdapter = Arc<dyn Fn(&Host) -> Built + Send + Sync>;

/// An adapter, or why it cannot be built.
pub type Built = Result<Arc<dyn Adapter>, ConfigError>;

/// What a running gateway gives to its adapters.
#[derive(Clone)]
pub struct Host {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The HTTP server's clients, for the web channel.
    pub live: Arc<dyn Live>,
}

impl ConfiguredAccount {
    /// Every chat with its own rules, and its path.
    pub fn chats(&self) -> impl Iterator<Item = (String, &Chat)> {
        let (chats, groups) = (join(&self.path, "chats"), join(&self.path, "groups"));
        let named = self.routing.chats.iter().map(move |(id, chat)| (join(&chats, id), chat));
        named.chain(self.groups.iter().map(move |(id, group)| (join(&groups, id), &group.chat)))
    }

    /// Every place with an agent or a role.
    pub fn assignments(&self) -> impl Iterator<Item = Assigned<'_>> {
        let account = Assigned::of(self.path.clone(), &self.routing.agent, &self.routing.role);
        let chats = self.chats().flat_map(|(path, chat)| {
            let topics = join(&path, "topics");
            let topics = chat
                .topics
                .iter()
                .map(move |(id, topic)| Assigned::of(join(&topics, id), &topic.agent, &topic.role));
            topics.chain([Assigned::of(path, &chat.agent, &chat.role)])
        });
        let people = join(&self.path, "people");
        let people = self
            .people
            .iter()
            .map(move |(id, person)| Assigned::of(join(&people, id), &person.agent, &person.role));
        std::iter::once(account).chain(chats).chain(people)
    }

    /// The routing of everything, groups, people and the channel included.
    pub fn routes(&self) -> Routing {
        let mut routing = self.routing.clone();
        routing.channel = self.channel.clone();
        routing.people.extend(self.people.clone());
        routing.chats.extend(self.groups.iter().map(|(id, group)| (id.clone(), group.chat.clone())));
        routing
    }
}

/// The agent and the role of one place of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned<'a> {
    /// The path of the place.
    pub path: String,
    /// The agent that is named there.
    pub agent: Option<&'a str>,
    /// The role that is named there.
    pub role: Option<&'a str>,
}

impl<'a> Assigned<'a> {
    fn of(path: String, agent: &'a Option<String>, role: &'a Option<String>) -> Self {
        Self { path, agent: agent.as_deref(), role: role.as_deref() }
    }
}

/// Identifies a list of texts, some of which may be secret. Only kept in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of these parts in this order.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that no two lists give the same bytes.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_changes_with_every_part() {
        let of = |parts: &[&str]| Fingerprint::of(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["token", "url"]), of(&["token", "url"]));
        for other in [&["token", "URL"][..], &["tokenurl"], &["token", "url", ""], &["tokenu", "rl"]] {
            assert_ne!(of(&["token", "url"]), of(other), "{other:?}");
        }
    }

    #[test]
    fn groups_are_routed_like_other_chats() {
        let topic = |agent: &str| Assignment { agent: Some(agent.into()), role: Some("r".into()) };
        let topics = BTreeMap::from([("5".to_owned(), topic("t"))]);
        let chat = Chat { agent: Some("a".into()), topics, ..Chat::default() };
        let group = Group { chat, ..Group::default() };
        let account = ConfiguredAccount {
            id: AccountId::default_of("x"),
            path: "channels.x".into(),
            routing: Routing {
                chats: BTreeMap::from([("5".to_owned(), Chat::default())]),
                ..Routing::default()
            },
            channel: Assignment::default(),
            people: BTreeMap::from([("7".to_owned(), topic("b"))]),
            groups: BTreeMap::from([("-1".to_owned(), group.clone())]),
            access: ChannelAccess::default(),
            on: true,
            problem: None,
            notice: None,
            fingerprint: Fingerprint::of([]),
            build: Arc::new(|_| Err(ConfigError::new("", "nothing to build"))),
        };
        assert_eq!(account.routes().chats.get("-1"), Some(&group.chat));
        assert_eq!(account.routes().people["7"], topic("b"));
        let assigned = account.assignments().filter_map(|one| Some(format!("{} {}", one.path, one.agent?)));
        let all =
            ["groups.-1.topics.5 t", "groups.-1 a", "people.7 b"].map(|one| format!("channels.x.{one}"));
        assert_eq!(assigned.collect::<Vec<_>>(), all);
        let paths: Vec<String> = account.chats().map(|(path, _)| path).collect();
        assert_eq!(paths, ["channels.x.chats.5", "channels.x.groups.-1"]);
    }
}
