//! A platform in the program's registry.

use std::any::Any;
use std::fmt;

use frontdesk_core::config::ConfigError;
use frontdesk_core::profile::Profile;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::account::ids::Ids;
use crate::section::{ConfiguredAccount, Section, Variables, WebhookUrl};
use crate::setup::Setup;

/// Everything that the program knows about one platform. Made from its [`Section`].
#[derive(Clone, Copy)]
pub struct Channel {
    /// The name in the configuration, in keys and in addresses.
    pub name: &'static str,
    /// The form of the platform's ids, if it has one.
    pub ids: Option<Ids>,
    /// The platform's capabilities and limits with default settings.
    pub profile: fn() -> Profile,
    /// The keys of the section that its further accounts inherit.
    pub inherited: fn() -> Vec<String>,
    /// The schema of the section, with its description.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    variables: &'static [&'static str],
    default: fn() -> Box<dyn Erased>,
    parse: fn(Value) -> Result<Box<dyn Erased>, serde_json::Error>,
}

impl Channel {
    /// The platform with this section.
    pub fn of<S: Section>() -> Channel {
        Channel {
            name: S::CHANNEL,
            ids: S::IDS,
            profile: S::profile,
            inherited: S::inherited,
            schema: schema::<S>,
            variables: S::VARIABLES,
            default: || Box::new(S::default()),
            parse: |value| Ok(Box::new(serde_json::from_value::<S>(value)?)),
        }
    }

    /// The section of a configuration that does not have it.
    pub fn default_section(&self) -> AnySection {
        AnySection { channel: *self, section: (self.default)() }
    }

    /// Reads the section. Secrets have been replaced by their texts.
    pub fn parse(&self, value: Value) -> Result<AnySection, serde_json::Error> {
        Ok(AnySection { channel: *self, section: (self.parse)(value)? })
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.name)
    }
}

fn schema<S: Section>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<S>();
    // A reference, which has no description of its own.
    if let Some(description) = S::json_schema(generator).get("description") {
        schema.insert("description".to_owned(), description.clone());
    }
    schema
}

/// The section of any platform.
pub struct AnySection {
    channel: Channel,
    section: Box<dyn Erased>,
}

impl AnySection {
    /// A section of a platform.
    pub fn new<S: Section>(section: S) -> Self {
        Self { channel: Channel::of::<S>(), section: Box::new(section) }
    }

    /// The platform.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The section, if it is of this platform.
    pub fn get<S: Section>(&self) -> Option<&S> {
        self.section.any().downcast_ref()
    }

    /// Takes what the section does not give from environment variables.
    pub fn take_variables(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        let set =
            self.channel.variables.iter().filter_map(|name| Some((*name, env(name)?.trim().to_owned())));
        self.section.take_variables(&set.collect());
    }

    /// All accounts, also those that are not to be connected.
    pub fn accounts(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfiguredAccount> {
        self.section.accounts(webhook_url)
    }

    /// Checks what the types cannot express.
    pub fn check(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfigError> {
        self.section.check(webhook_url)
    }

    /// How people set up its accounts.
    pub fn setup(&self) -> Option<&dyn Setup> {
        self.section.setup()
    }
}

impl Clone for AnySection {
    fn clone(&self) -> Self {
        Self { channel: self.channel, section: self.section.copy() }
    }
}

impl PartialEq for AnySection {
    fn eq(&self, other: &Self) -> bool {
        self.section.equals(other.section.any())
    }
}

impl fmt::Debug for AnySection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.section.fmt(f)
    }
}

/// A [`Section`] whose type is forgotten.
trait Erased: fmt::Debug + Send + Sync {
    fn any(&self) -> &dyn Any;
    fn copy(&self) -> Box<dyn Erased>;
    fn equals(&self, other: &dyn Any) -> bool;
    fn take_variables(&mut self, variables: &Variables);
    fn accounts(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfiguredAccount>;
    fn check(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfigError>;
    fn setup(&self) -> Option<&dyn Setup>;
}

impl<S: Section> Erased for S {
    fn any(&self) -> &dyn Any {
        self
    }

    fn copy(&self) -> Box<dyn Erased> {
        Box::new(self.clone())
    }

    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<S>() == Some(self)
    }

    fn take_variables(&mut self, variables: &Variables) {
        Section::take_variables(self, variables);
    }

    fn accounts(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfiguredAccount> {
        Section::accounts(self, webhook_url)
    }

    fn check(&self, webhook_url: WebhookUrl<'_>) -> Vec<ConfigError> {
        Section::check(self, webhook_url)
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Section::setup(self)
    }
}
