//! The `[channels.tcp]` section.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::config::{Assignment, ConfigError, Routing, Secret, join};
use frontdesk_core::port::Adapter;
use frontdesk_core::profile::Profile;
use frontdesk_kit::account::People;
use frontdesk_kit::{ConfiguredAccount, Fingerprint, Host, Ids, Kind, Section, Setup, Variables, WebhookUrl};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{CHANNEL, Settings, TcpChat, line};

const PATH: &str = "channels.tcp";

/// A chat of lines over TCP.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TcpSection {
    /// The address on which it listens, such as `127.0.0.1:7070`. Unset means that the chat is off.
    pub listen: Option<String>,
    /// The people who can log in, each with a secret.
    pub logins: BTreeMap<String, Secret>,
    /// Seconds that a client may take to acknowledge a message.
    pub ack_seconds: u64,
    /// Who may write.
    #[serde(flatten)]
    pub people: People,
    /// Routing of its messages.
    #[serde(flatten)]
    pub routing: Routing,
}

impl Default for TcpSection {
    fn default() -> Self {
        Self {
            listen: None,
            logins: BTreeMap::new(),
            ack_seconds: 10,
            people: People::default(),
            routing: Routing::default(),
        }
    }
}

/// The operator gives people their names, so a name never passes to another person and can be an id.
const IDS: Ids = Ids { kind, a_person: "anna", a_group: "#garden", has_roles: false, memberships: &[] };

fn kind(id: &str) -> Kind {
    match (line::is_name(id), line::is_group(id)) {
        (true, _) => Kind::Person,
        (_, true) => Kind::Group,
        _ => Kind::None,
    }
}

impl Section for TcpSection {
    const CHANNEL: &'static str = CHANNEL;
    const VARIABLES: &'static [&'static str] = &[];
    const IDS: Option<Ids> = Some(IDS);

    fn profile() -> Profile {
        crate::profile()
    }

    fn inherited() -> Vec<String> {
        Vec::new()
    }

    fn take_variables(&mut self, _: &Variables) {}

    fn accounts(&self, _: WebhookUrl<'_>) -> Vec<ConfiguredAccount> {
        let settings = Settings {
            id: AccountId::default_of(CHANNEL),
            listen: self.listen.clone().unwrap_or_default(),
            logins: self.logins.clone(),
            patience: Duration::from_secs(self.ack_seconds),
        };
        vec![ConfiguredAccount {
            id: settings.id.clone(),
            path: PATH.to_owned(),
            routing: self.routing.clone(),
            channel: Assignment::default(),
            people: self.people.people.clone(),
            groups: self.people.groups.clone(),
            access: self.people.access(),
            on: self.listen.is_some(),
            problem: None,
            notice: None,
            fingerprint: self.fingerprint(),
            build: Arc::new(move |host: &Host| {
                Ok(Arc::new(TcpChat::new(settings.clone(), host.clock.clone())) as Arc<dyn Adapter>)
            }),
        }]
    }

    fn check(&self, _: WebhookUrl<'_>) -> Vec<ConfigError> {
        let mut wrong = IDS.check(PATH, &self.people, &self.routing);
        for name in self.logins.keys().filter(|name| kind(name) != Kind::Person) {
            let problem = "a name has 1 to 32 lower case letters and digits";
            wrong.push(ConfigError::new(join(&join(PATH, "logins"), name), problem));
        }
        wrong
    }

    fn setup(&self) -> Option<&dyn Setup> {
        None
    }
}

impl TcpSection {
    /// Changes with everything in [`Settings`].
    fn fingerprint(&self) -> Fingerprint {
        let mut parts = vec![self.listen.clone().unwrap_or_default(), self.ack_seconds.to_string()];
        parts
            .extend(self.logins.iter().flat_map(|(name, secret)| [name.clone(), secret.expose().to_owned()]));
        Fingerprint::of(parts.iter().map(String::as_bytes))
    }
}
