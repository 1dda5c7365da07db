//! Where the configuration comes from, and the parts that the program gives beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::port::{Adapter, Agent};
use frontdesk_kit::Channel;
use serde_json::Value;

use crate::agents::notes_on;
use crate::config::{self, Config, Loaded, More, Problems};
use crate::no_agent::NoAgent;

/// Reads the configuration at each reload. It may block.
pub type ReadConfig = Arc<dyn Fn() -> Result<Loaded, Problems> + Send + Sync>;

/// Where the configuration comes from.
pub(crate) enum Source {
    Given(Box<Config>),
    File(PathBuf),
    Read { read: ReadConfig, file: Option<PathBuf> },
}

/// Platforms, agents and accounts that the program gives. They stay over every reload.
#[derive(Default)]
pub(crate) struct GivenParts {
    pub(crate) agents: BTreeMap<String, Arc<dyn Agent>>,
    pub(crate) no_agent: bool,
    pub(crate) channels: Vec<Channel>,
    pub(crate) adapters: Vec<Arc<dyn Adapter>>,
    pub(crate) access: BTreeMap<AccountId, ChannelAccess>,
}

impl Source {
    /// The file, if there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Source::Given(_) => None,
            Source::File(file) => Some(file),
            Source::Read { file, .. } => file.as_deref(),
        }
    }

    /// Reads and checks the configuration, with the parts that the program gives. Returns it also as hooks are given it,
    /// without secrets.
    pub(crate) fn read(&self, parts: &GivenParts) -> Result<(Config, Value), Problems> {
        let more = parts.more();
        let (config, shown) = match self {
            Source::File(file) => {
                let env = |name: &str| std::env::var(name).ok();
                let loaded = config::load_with(file, &env, &more)?;
                return Ok((loaded.config, config::show::effective_with(&loaded.document, &parts.channels)));
            }
            Source::Given(config) => {
                let mut config = Config::clone(config);
                config.channels.add(&parts.channels);
                let shown = config::show::without_file(&config);
                (config, shown)
            }
            Source::Read { read, .. } => {
                let loaded = read()?;
                (loaded.config, config::show::effective_with(&loaded.document, &parts.channels))
            }
        };
        let errors = config.check(&more);
        if errors.is_empty() { Ok((config, shown)) } else { Err(Problems::in_memory(errors)) }
    }
}

impl GivenParts {
    fn more(&self) -> More {
        More {
            agents: self.agents.keys().cloned().collect(),
            channels: self.adapters.iter().map(|adapter| adapter.profile().channel.clone()).collect(),
            platforms: self.channels.clone(),
        }
    }

    /// Builds an agent of the configuration, which may name others as its fallbacks.
    pub(crate) fn build_agent(
        &self,
        name: &str,
        all: &BTreeMap<String, frontdesk_agents::Config>,
        host: &frontdesk_agents::Host,
    ) -> Result<Arc<dyn Agent>, frontdesk_agents::BuildError> {
        if self.no_agent {
            return Ok(Arc::new(NoAgent));
        }
        let config = all.get(name).cloned().unwrap_or_default();
        let agent = frontdesk_agents::build_one_of(name, &config, all, host)?;
        for note in notes_on(name, &config, agent.as_ref()) {
            tracing::warn!("{note}");
        }
        Ok(agent)
    }

    /// Who may write on each account. An account that was given without access rules allows nobody.
    pub(crate) fn access(
        &self,
        mut configured: BTreeMap<AccountId, ChannelAccess>,
        adapters: &[Arc<dyn Adapter>],
    ) -> BTreeMap<AccountId, ChannelAccess> {
        configured.extend(self.access.clone());
        for adapter in adapters {
            configured.entry(adapter.account().clone()).or_default();
        }
        configured
    }
}
