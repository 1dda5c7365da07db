//! The start of a gateway, in this order: home folder, lock, port, agents, adapters, runtime, HTTP server.
//!
//! The port is bound before anything is started, so that a port in use has no other effect. No connection is answered
//! before the runtime is ready.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_agents::Host;
use frontdesk_api::{Api, Closed, Scope, Token, Tokens, WebHub, Webhooks};
use frontdesk_core::agent::Capabilities;
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::id::{BootId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Clock, Prompt, Stop, Turn};
use frontdesk_kit::{Channel, ConfiguredAccount};
use frontdesk_runtime::{AgentEntry, Setup};
use frontdesk_store::lock::Lock;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::channels;
use crate::clock::SystemClock;
use crate::config::{Config, Problems};
use crate::descriptors;
use crate::error::StartError;
use crate::gateway::Builder;
use crate::home::Home;
use crate::running::{Parts, Running};
use crate::token::{self, ClearToken};

impl Builder {
    /// Starts the gateway: takes the home, binds the port, opens the database, continues what the previous process left
    /// unfinished, and begins to receive. Needs a Tokio runtime with time and IO.
    pub async fn start(self) -> Result<Running, StartError> {
        start(self).await
    }
}

async fn start(mut builder: Builder) -> Result<Running, StartError> {
    let (config, shown) = builder.take_config()?;
    let home = builder.take_home()?;
    for notice in home.secure()? {
        tracing::warn!("{notice}");
    }
    let mut lock = Lock::take(home.path())?;
    frontdesk_agents::command::clear_facts(home.path())
        .map_err(|source| StartError::Facts { path: home.path().to_owned(), source })?;
    let (token, token_is_new) = ClearToken::read_or_make(&home.token())?;
    let tokens =
        Tokens::new(vec![Token { id: token::ID.to_owned(), hash: token.hash(), scope: Scope::Admin }])?;
    config.gateway.check_exposure(tokens.len()).map_err(|error| Problems::in_memory([error]))?;
    let (listener, address) = listen(&config).await?;

    let clock = builder.clock.take().unwrap_or_else(|| Arc::new(SystemClock::new()));
    let hub = WebHub::new(&config.gateway.limits);
    let accounts = config.channels.accounts(&config.gateway);
    for notice in channels::notices(&accounts) {
        tracing::warn!("{notice}");
    }
    if !config.channels.take_prompts(&accounts) {
        hub.close(Closed::Off);
    }
    let host = frontdesk_kit::Host { clock: clock.clone(), live: hub.clone() };
    let adapters = adapters(&mut builder, &accounts, &host)?;
    let webhooks = webhooks(&adapters);
    // Before any turn is claimed, so that a second attempt does not run beside a first one that outlived its gateway.
    frontdesk_agents::process::end_leftovers(home.path(), clock.as_ref())
        .await
        .map_err(StartError::Leftovers)?;
    let setup = setup(&mut builder, &config, &accounts, &home, &token, clock, adapters.clone())?;
    let setup = Setup { shown, ..setup };
    let runtime = frontdesk_runtime::Running::start(setup).await?;
    keep_hash(&runtime, &token).await?;
    lock.write_address(&reachable(address).to_string(), config.gateway.public_url.as_deref())?;

    let (stop, closed) = (Stop::new(), Stop::new());
    let metrics = builder.metrics.take().unwrap_or_else(|| Arc::new(String::new));
    let api = match Api::new(config.gateway.clone(), hub.clone(), runtime.handle().clone(), tokens, metrics) {
        Ok(api) => api.with_webhooks(webhooks).with_connections(descriptors::connections(&config)),
        Err(error) => {
            runtime.stop().await;
            return Err(Problems::in_memory([error]).into());
        }
    };
    let mut serving = JoinSet::new();
    serving.spawn(serve(api, listener, stop.clone(), closed.clone()));
    Ok(Running::new(Parts {
        runtime,
        serving,
        hub,
        stop,
        closed,
        config,
        address,
        token,
        token_is_new,
        adapters,
        lock,
    }))
}

async fn serve(api: Api, listener: TcpListener, stop: Stop, closed: Stop) {
    // The guard cancels `closed` also when the server panics.
    let _closed = closed.drop_guard();
    if let Err(error) = api.serve(listener, stop).await {
        tracing::error!(%error, "the HTTP server has ended");
    }
}

/// Binds the socket of the HTTP server. Connections are not answered yet.
async fn listen(config: &Config) -> Result<(TcpListener, SocketAddr), StartError> {
    let (host, port) = (config.gateway.host.trim_matches(['[', ']']), config.gateway.port);
    let failed = |source| StartError::Listen { host: host.to_owned(), port, source };
    let listener = TcpListener::bind((host, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The address at which a program on this machine reaches the HTTP server.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let mut address = bound;
    if bound.ip().is_unspecified() {
        address.set_ip(match bound {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

type Adapters = Vec<Arc<dyn frontdesk_core::port::Adapter>>;

fn adapters(
    builder: &mut Builder,
    accounts: &[ConfiguredAccount],
    host: &frontdesk_kit::Host,
) -> Result<Adapters, Problems> {
    let on = accounts.iter().filter(|account| account.on);
    let built = on.map(|account| (account.build)(host)).collect::<Result<Adapters, _>>();
    let mut adapters = built.map_err(|error| Problems::in_memory([error]))?;
    adapters.append(&mut builder.adapters);
    Ok(adapters)
}

/// The webhooks of the adapters.
fn webhooks(adapters: &Adapters) -> Webhooks {
    let hook = |adapter: &Arc<dyn frontdesk_core::port::Adapter>| {
        Some((adapter.account().clone(), adapter.webhook()?))
    };
    adapters.iter().filter_map(hook).collect()
}

fn setup(
    builder: &mut Builder,
    config: &Config,
    accounts: &[ConfiguredAccount],
    home: &Home,
    token: &ClearToken,
    clock: Arc<dyn Clock>,
    adapters: Adapters,
) -> Result<Setup, StartError> {
    let mut access = channels::access(accounts);
    let platforms: Vec<Channel> = config.channels.platforms().copied().collect();
    access.append(&mut builder.access);
    // An adapter that was added without access rules allows nobody.
    for adapter in &adapters {
        access.entry(adapter.account().clone()).or_default();
    }
    Ok(Setup {
        config: config.runtime.clone(),
        database: home.database(),
        boot: boot()?,
        timezone: crate::machine_zone(),
        agents: agents(builder, config, home, &clock)?,
        clock,
        default_agent: config.default_agent().to_owned(),
        adapters,
        media: home.media(),
        secret: token.pairing_secret(),
        routing: channels::routing(accounts),
        access,
        problems: channels::problems(accounts),
        grant_rule: Arc::new(move |who, scope| channels::check_grant(&platforms, who, scope)),
        shown: serde_json::Value::Null,
        hooks: std::mem::take(&mut builder.hooks),
    })
}

fn agents(
    builder: &mut Builder,
    config: &Config,
    home: &Home,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<String, AgentEntry>, StartError> {
    let host =
        Host { home: home.path().to_owned(), clock: clock.clone(), env: std::env::vars_os().collect() };
    let mut agents = BTreeMap::new();
    for (name, config) in &config.agents {
        let agent =
            if builder.no_agent { Arc::new(NoAgent) } else { frontdesk_agents::build(name, config, &host)? };
        // Only a warning: the program may be installed before the first message arrives.
        if let Some(problem) = agent.problem().filter(|_| !builder.no_agent) {
            tracing::warn!("agent {name} cannot answer: {problem}");
        }
        agents.insert(name.clone(), AgentEntry { agent, max_turns: config.max_turns() });
    }
    for (name, agent) in std::mem::take(&mut builder.agents) {
        agents.insert(name, AgentEntry { agent, max_turns: None });
    }
    Ok(agents)
}

/// A random id for this process.
fn boot() -> Result<BootId, StartError> {
    let mut bits = [0; 8];
    getrandom::fill(&mut bits).map_err(|error| StartError::Random(error.to_string()))?;
    Ok(BootId::from_bits(u64::from_le_bytes(bits)))
}

/// Stores the hash of the token, if the token is new or its file was changed.
async fn keep_hash(runtime: &frontdesk_runtime::Running, token: &ClearToken) -> Result<(), StartError> {
    let (store, now) = (runtime.store(), runtime.handle().clock().wall());
    let hash = token.hash().to_vec();
    if store.token(token::ID).await?.as_ref() != Some(&hash) {
        store.token_made(token::ID, hash, now).await?;
    }
    Ok(())
}

/// Used instead of agents by a gateway without agents: every turn fails with that message.
struct NoAgent;

#[async_trait]
impl Agent for NoAgent {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn turn(&self, _turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        stream::iter([Err(AgentError::Unavailable("this gateway was started without agents".into()))]).boxed()
    }

    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }

    async fn abort(&self, _turn: TurnId) {}

    async fn compact(&self, _turn: Turn, _instructions: Option<String>) -> Result<Compacted, AgentError> {
        Err(AgentError::Failed("it does not compact".to_owned()))
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}

    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        Some("this gateway was started without agents".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_on_all_addresses_is_found_on_this_machine() {
        let at = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(at("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(at("[::]:80"), "[::1]:80");
        assert_eq!(at("192.0.2.1:80"), "192.0.2.1:80");
    }
}
