//! Takes over another configuration while the gateway runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use frontdesk_api::{ReloadRefused, ServerConfig, WebHub, Webhooks};
use frontdesk_core::account::AccountId;
use frontdesk_core::port::Adapter;
use frontdesk_kit::ConfiguredAccount;
use frontdesk_runtime::{GatewayHandle, Next, NextAgent, Part};
use frontdesk_store::lock::Lock;
use frontdesk_store::row::Author;
use serde_json::Value;

use crate::agents::problem_of;
use crate::channels;
use crate::config::{Config, Problems};
use crate::gateway::OnReload;
use crate::plan::{Change, Plan, in_use};
use crate::roles;
use crate::source::{GivenParts, Source};
use crate::voice;

/// Why a configuration was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It is wrong. The one before stays in use.
    #[error("{0}")]
    Config(#[from] Problems),
    /// An agent cannot be built. The configuration before stays in use.
    #[error(transparent)]
    Agent(#[from] frontdesk_agents::BuildError),
    /// The runtime did not take it over.
    #[error(transparent)]
    Runtime(#[from] frontdesk_runtime::ReloadError),
    /// It could not be read, because the process ends.
    #[error("the configuration was not read: {0}")]
    Read(String),
}

/// What a reload needs.
pub(crate) struct Reloader {
    pub(crate) source: Source,
    pub(crate) parts: GivenParts,
    pub(crate) config: ArcSwap<Config>,
    pub(crate) adapters: ArcSwap<Vec<Arc<dyn Adapter>>>,
    pub(crate) handle: GatewayHandle,
    pub(crate) server: ServerConfig,
    pub(crate) hub: Arc<WebHub>,
    pub(crate) agents: frontdesk_agents::Host,
    pub(crate) platforms: frontdesk_kit::Host,
    /// The number of tokens of the API.
    pub(crate) tokens: usize,
    /// The lock file, which names the public URL, while the gateway runs; and the address in it.
    pub(crate) lock: (Weak<Mutex<Lock>>, String),
    pub(crate) on_reload: Option<OnReload>,
    /// Told when a configuration was applied.
    pub(crate) taken_over: tokio::sync::Notify,
    /// Held during a reload.
    pub(crate) alone: tokio::sync::Mutex<()>,
}

impl Reloader {
    /// What a reload would change.
    pub(crate) async fn plan(self: &Arc<Self>) -> Result<Plan, ReloadError> {
        let (next, _) = self.read().await?;
        let mut plan = Plan::between(&self.config.load(), &next);
        let (_, adapters) = self.accounts(&next.channels.accounts(&next.gateway), &plan)?;
        self.complete(&mut plan, &adapters, &next).await;
        Ok(plan)
    }

    /// Reads the configuration again and takes it over, one caller after the other. A wrong one is shown in the health
    /// until a right one is read. It goes on if the caller does not wait for it.
    pub(crate) async fn reload(self: &Arc<Self>, author: Author) -> Result<Plan, ReloadError> {
        let reloader = self.clone();
        let stopping = frontdesk_runtime::ReloadError::Stopping;
        self.handle.finished(async move { reloader.reload_now(author).await }, stopping.into()).await
    }

    async fn reload_now(self: &Arc<Self>, author: Author) -> Result<Plan, ReloadError> {
        let _alone = self.alone.lock().await;
        let done = match self.read().await {
            Ok((next, shown)) => self.take_over(next, shown).await,
            Err(error) => Err(error),
        };
        let by = author.name.as_str();
        let outcome = match done.as_ref().map_err(ReloadRefused::from) {
            Ok(plan) => {
                self.handle.note_config_error(None);
                tracing::info!(by, "the configuration is reloaded; {}", plan.summary());
                for what in &plan.unfinished {
                    tracing::error!(by, "the configuration is in use, but {what}");
                }
                if plan.unfinished.is_empty() { "done" } else { "done:unfinished" }
            }
            Err(ReloadRefused::Wrong(error)) => {
                tracing::error!(by, error, "the configuration is wrong; the previous one stays in use");
                self.handle.note_config_error(Some(error));
                "refused:bad_config"
            }
            Err(ReloadRefused::Stopping) => {
                tracing::warn!(by, "the configuration is not reloaded, because the gateway is stopping");
                "refused:stopping"
            }
            Err(ReloadRefused::Failed(error)) => {
                tracing::error!(
                    by,
                    error,
                    "the configuration was not applied; the previous one stays in use"
                );
                "refused:failed"
            }
        };
        let file = self.source.file().map(|file| file.display().to_string()).unwrap_or_default();
        if let Err(error) = self.handle.audit(&author, "reload", &file, outcome).await {
            tracing::warn!(%error, "a reload could not be written to the audit");
        }
        done
    }

    /// Adds what keeps changed agents from answering, and what the database knows: what the agents leave that are removed, and which accounts are other bots than before.
    async fn complete(&self, plan: &mut Plan, adapters: &[Arc<dyn Adapter>], next: &Config) {
        let changed =
            next.agents.iter().filter(|(name, _)| !self.parts.no_agent && plan.agent(name) != Change::Kept);
        plan.notes = changed.filter_map(|(name, config)| problem_of(name, config, &self.agents)).collect();
        plan.notes.extend(roles::notes(next, &self.agents));
        for account in plan.accounts.iter_mut().filter(|account| account.change != Change::Kept) {
            let adapter = adapters.iter().find(|adapter| adapter.account().to_string() == account.account);
            let Some(adapter) = adapter else { continue };
            match self.handle.is_another_login(adapter.as_ref()).await {
                Ok(is_another) => account.another_login = is_another,
                Err(error) => {
                    tracing::warn!(account = account.account, %error, "cannot read which bot the account was connected as; the plan leaves this out")
                }
            }
        }
        for agent in plan.agents.iter_mut().filter(|agent| agent.change == Change::Removed) {
            match self.handle.agent_load(&agent.agent).await {
                Ok(load) => (agent.waiting, agent.running) = (Some(load.waiting), Some(load.running)),
                Err(error) => {
                    tracing::warn!(agent = agent.agent, %error, "cannot count the messages that wait for this agent; the plan leaves them out")
                }
            }
        }
    }

    /// Reads and checks the configuration. Secrets of programs and files are read again.
    async fn read(self: &Arc<Self>) -> Result<(Config, Value), ReloadError> {
        let reloader = self.clone();
        let read = tokio::task::spawn_blocking(move || reloader.source.read(&reloader.parts)).await;
        let (mut config, shown) = read.map_err(|error| ReloadError::Read(error.to_string()))??;
        if config.gateway.port == 0 {
            // A free port was chosen at the start.
            config.gateway.port = self.config.load().gateway.port;
        }
        let exposed = config.gateway.check_exposure(self.tokens);
        exposed.map_err(|error| Problems::in_memory([error]))?;
        Ok((config, shown))
    }

    async fn take_over(&self, next: Config, shown: Value) -> Result<Plan, ReloadError> {
        let before = self.config.load_full();
        let mut plan = Plan::between(&before, &next);
        let next = in_use(&before, next);
        let wrong = |error| ReloadError::Config(Problems::in_memory([error]));
        let configured = next.channels.accounts(&next.gateway);
        // Whatever can fail is done before anything is replaced; the runtime checks its part before it changes anything.
        let (accounts, adapters) = self.accounts(&configured, &plan)?;
        self.complete(&mut plan, &adapters, &next).await;
        let agents = self.next_agents(&next, &plan)?;
        let transcriber = match next.voice == before.voice {
            true => next.voice.is_on().then_some(Part::Kept),
            false => voice::transcriber(&next, &self.agents)?.map(Part::New),
        };
        let access = self.parts.access(channels::access(&configured), &adapters);
        let server = self.server.prepare(next.gateway.clone(), webhooks(&adapters), &next.hooks, self.tokens);
        let server = server.map_err(wrong)?;
        // An adapter that begins to take prompts finds the hub open.
        let takes_prompts = next.channels.take_prompts(&configured);
        if takes_prompts {
            self.hub.set_configured(true);
        }
        let taken_over = self.handle.reload(Next {
            config: next.runtime.clone(),
            agents,
            default_agent: next.default_agent().to_owned(),
            transcriber,
            accounts,
            routing: channels::routing(&configured),
            access,
            problems: channels::problems(&configured),
            shown,
        });
        let taken_over = match taken_over.await {
            Ok(taken_over) => taken_over,
            Err(error) => {
                let took_prompts = before.channels.take_prompts(&before.channels.accounts(&before.gateway));
                self.hub.set_configured(took_prompts);
                return Err(error.into());
            }
        };
        self.hub.set_configured(takes_prompts);
        self.server.replace(server);
        self.write_public_url(&next);
        if let Some(on_reload) = &self.on_reload {
            on_reload(&next);
        }
        self.adapters.store(Arc::new(adapters));
        self.config.store(Arc::new(next));
        self.taken_over.notify_one();
        Ok(Plan { unfinished: taken_over.unfinished, ..plan })
    }

    /// The accounts, each kept or with a new adapter, and all adapters.
    fn accounts(
        &self,
        configured: &[ConfiguredAccount],
        plan: &Plan,
    ) -> Result<(Accounts, Vec<Arc<dyn Adapter>>), ReloadError> {
        let known = self.adapters.load();
        let (mut accounts, mut adapters) = (Accounts::new(), Vec::new());
        for account in configured.iter().filter(|account| account.on) {
            let kept = known.iter().find(|adapter| *adapter.account() == account.id);
            let (part, adapter) = match (plan.account(&account.id), kept) {
                (Change::Kept, Some(kept)) => (Part::Kept, kept.clone()),
                _ => {
                    let built = (account.build)(&self.platforms);
                    let built = built.map_err(|error| Problems::in_memory([error]))?;
                    (Part::New(built.clone()), built)
                }
            };
            accounts.insert(account.id.clone(), part);
            adapters.push(adapter);
        }
        for given in &self.parts.adapters {
            accounts.insert(given.account().clone(), Part::Kept);
            adapters.push(given.clone());
        }
        Ok((accounts, adapters))
    }

    /// The agents, each kept or built anew.
    fn next_agents(&self, next: &Config, plan: &Plan) -> Result<BTreeMap<String, NextAgent>, ReloadError> {
        let mut agents = BTreeMap::new();
        for (name, config) in &next.agents {
            let agent = match plan.agent(name) {
                Change::Kept => Part::Kept,
                _ => Part::New(self.parts.build_agent(name, &next.agents, &self.agents)?),
            };
            agents.insert(name.clone(), NextAgent { agent, max_turns: config.max_turns() });
        }
        for name in self.parts.agents.keys() {
            agents.insert(name.clone(), NextAgent { agent: Part::Kept, max_turns: None });
        }
        Ok(agents)
    }

    /// Notes the public URL for the command line.
    fn write_public_url(&self, next: &Config) {
        let (lock, address) = &self.lock;
        let Some(lock) = lock.upgrade() else { return };
        let mut lock = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = lock.write_address(address, next.gateway.public_url.as_deref()) {
            tracing::warn!(%error, "the public URL could not be noted for the command line");
        }
    }
}

type Accounts = BTreeMap<AccountId, Part<Arc<dyn Adapter>>>;

/// The webhooks of the adapters.
pub(crate) fn webhooks(adapters: &[Arc<dyn Adapter>]) -> Webhooks {
    let hook = |adapter: &Arc<dyn Adapter>| Some((adapter.account().clone(), adapter.webhook()?));
    adapters.iter().filter_map(hook).collect()
}

impl From<&ReloadError> for ReloadRefused {
    fn from(error: &ReloadError) -> Self {
        use frontdesk_runtime::ReloadError as Refused;
        match error {
            ReloadError::Config(_) | ReloadError::Agent(_) | ReloadError::Runtime(Refused::Config(_)) => {
                ReloadRefused::Wrong(error.to_string())
            }
            ReloadError::Runtime(Refused::Stopping) => ReloadRefused::Stopping,
            ReloadError::Read(_) | ReloadError::Runtime(Refused::Store(_)) => {
                ReloadRefused::Failed(error.to_string())
            }
        }
    }
}

/// The reload as the API asks for it.
pub(crate) struct ApiReload(pub(crate) Arc<Reloader>);

#[async_trait]
impl frontdesk_api::Reload for ApiReload {
    async fn reload(&self, plan: bool, author: Author) -> Result<Value, ReloadRefused> {
        let done = if plan { self.0.plan().await } else { self.0.reload(author).await };
        let shown = done.map_err(|error| ReloadRefused::from(&error))?;
        let shown = serde_json::to_value(shown).map_err(|error| ReloadRefused::Failed(error.to_string()))?;
        let mut body = serde_json::json!({ "plan": plan });
        if let (Some(body), Value::Object(shown)) = (body.as_object_mut(), shown) {
            body.extend(shown);
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::config::ConfigError;

    use super::*;

    #[test]
    fn what_the_runtime_finds_wrong_is_a_wrong_configuration() {
        let refused = |error: frontdesk_runtime::ReloadError| ReloadRefused::from(&ReloadError::from(error));
        let wrong = ConfigError::new("default_agent", "there is no agent `x`");
        assert!(
            matches!(refused(wrong.into()), ReloadRefused::Wrong(error) if error.contains("no agent `x`"))
        );
        assert_eq!(refused(frontdesk_runtime::ReloadError::Stopping), ReloadRefused::Stopping);
    }
}
