//! The builder of a gateway.

use std::path::PathBuf;
use std::sync::Arc;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::hook::Hook;
use frontdesk_core::port::{Adapter, Agent, Clock};
use frontdesk_kit::Channel;

use crate::config::Config;
use crate::error::StartError;
use crate::home::Home;
use crate::source::{GivenParts, ReadConfig, Source};

/// Renders the text of `/metrics`. The program has a recorder; the library has none.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Called with each configuration that a reload applies.
pub type OnReload = Arc<dyn Fn(&Config) + Send + Sync>;

/// A gateway between chats and agents.
#[derive(Debug, Clone, Copy)]
pub struct Gateway;

impl Gateway {
    /// A builder with the defaults: a web chat with an agent that echoes, in the user's home folder.
    pub fn builder() -> Builder {
        Builder {
            source: Source::Given(Box::default()),
            home: None,
            parts: GivenParts::default(),
            reload: None,
            on_reload: None,
            hooks: Vec::new(),
            clock: None,
            metrics: None,
            obeys_admins: false,
        }
    }
}

/// The parts and settings of a gateway.
pub struct Builder {
    pub(crate) source: Source,
    pub(crate) home: Option<PathBuf>,
    pub(crate) parts: GivenParts,
    pub(crate) reload: Option<Source>,
    pub(crate) on_reload: Option<OnReload>,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) obeys_admins: bool,
}

impl Builder {
    /// Uses this configuration. Keys that are not set are not taken from the environment.
    pub fn config(mut self, config: Config) -> Self {
        self.source = Source::Given(Box::new(config));
        self
    }

    /// Uses the configuration in this file, TOML or JSONC by its name. The file is read at the start and at
    /// each reload.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Source::File(path.into());
        self
    }

    /// Reads the configuration with this function at each reload. `file` is the file that it reads, if there is one.
    /// Without it a reload reads the file of [`Builder::config_file`] again, and changes nothing after
    /// [`Builder::config`].
    pub fn reload_from(mut self, read: ReadConfig, file: Option<PathBuf>) -> Self {
        self.reload = Some(Source::Read { read, file });
        self
    }

    /// Calls this with each configuration that a reload applies, for what belongs to the process, such as the level
    /// of the log.
    pub fn on_reload(mut self, on_reload: OnReload) -> Self {
        self.on_reload = Some(on_reload);
        self
    }

    /// Keeps database and token in this folder, which is created if missing. The default is `$FRONTDESK_HOME`, or
    /// `~/.frontdesk`.
    pub fn home(mut self, path: impl Into<PathBuf>) -> Self {
        self.home = Some(path.into());
        self
    }

    /// Adds an agent, or replaces the one of this name in the configuration.
    pub fn agent(mut self, name: impl Into<String>, agent: Arc<dyn Agent>) -> Self {
        self.parts.agents.insert(name.into(), agent);
        self
    }

    /// Starts without the configuration's agents. Only hooks answer messages; the sender of any other message is told
    /// that there is no agent.
    pub fn no_agent(mut self) -> Self {
        self.parts.no_agent = true;
        self
    }

    /// Adds a platform with a section `[channels.NAME]` in the configuration, which says what accounts there are:
    /// `.channel(Channel::of::<MySection>())`.
    pub fn channel(mut self, channel: Channel) -> Self {
        self.parts.channels.push(channel);
        self
    }

    /// Adds one account of a platform of your own without a section in the configuration. Nobody may write there until
    /// [`Builder::access`] or an admin allows it.
    pub fn adapter(mut self, adapter: Arc<dyn Adapter>) -> Self {
        self.parts.adapters.push(adapter);
        self
    }

    /// Sets who may write on one account of a channel of your own.
    pub fn access(mut self, account: AccountId, access: ChannelAccess) -> Self {
        self.parts.access.insert(account, access);
        self
    }

    /// Adds a hook, which observes or changes what the gateway does.
    pub fn hook(mut self, hook: Arc<dyn Hook>) -> Self {
        self.hooks.push(hook);
        self
    }

    /// Uses this clock instead of the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Renders `/metrics` with this function. Without it the page is empty, because the recorder belongs to the process.
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Promises that the program does what admins ask of the whole process in a chat: it follows `handle().lifecycle()`, and
    /// stops, restarts or reloads the gateway. Without this promise admins are told that another program runs the gateway.
    pub fn obeys_admins(mut self) -> Self {
        self.obeys_admins = true;
        self
    }

    /// The home folder, as set here or by the environment.
    pub(crate) fn take_home(&self) -> Result<Home, StartError> {
        Ok(Home::find(self.home.as_deref(), &|name| std::env::var(name).ok())?)
    }
}
