//! The start of a gateway, in this order: home folder, lock, port, agents, adapters, runtime, HTTP server.
//!
//! The port is bound before anything is started, so that a port in use has no other effect. No connection is answered
//! before the runtime is ready.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use frontdesk_agents::Host;
use frontdesk_api::{Api, Scope, Token, Tokens, ToolTokens, WebHub};
use frontdesk_core::address::Principal;
use frontdesk_core::id::BootId;
use frontdesk_core::port::{Clock, Stop};
use frontdesk_http::Guard;
use frontdesk_http::proxy::Proxy;
use frontdesk_kit::{Channel, ConfiguredAccount};
use frontdesk_runtime::{AgentEntry, Setup};
use frontdesk_store::lock::Lock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::channels;
use crate::clock::SystemClock;
use crate::config::{Config, Problems};
use crate::descriptors;
use crate::error::StartError;
use crate::gateway::Builder;
use crate::home::Home;
use crate::reload::{ApiReload, Reloader, webhooks};
use crate::roles;
use crate::running::{Parts, Running};
use crate::source::GivenParts;
use crate::token::{self, ClearToken, TokenError};
use crate::voice;
use crate::watch;
use crate::webhook::GuardedSender;

impl Builder {
    /// Starts the gateway: takes the home, binds the port, opens the database, continues what the previous process left
    /// unfinished, and begins to receive. Needs a Tokio runtime with time and IO.
    pub async fn start(self) -> Result<Running, StartError> {
        start(self).await
    }
}

async fn start(mut builder: Builder) -> Result<Running, StartError> {
    let (config, shown) = builder.source.read(&builder.parts)?;
    let home = builder.take_home()?;
    let mut lock = take(&home)?;
    let (token, token_is_new) = ClearToken::read_or_make(&home.token())?;
    let tokens = tokens(&config, &token)?;
    let (listener, address) = listen(&config).await?;
    let clock = builder.clock.take().unwrap_or_else(|| Arc::new(SystemClock::new()));
    let Connections { hub, accounts, platforms, adapters } =
        connections(&builder.parts, &config, clock.clone())?;
    let webhooks = webhooks(&adapters);
    let proxy = proxy(&config, reachable(address), clock.clone()).await?;
    let agents = agents_host(&config, &home, clock, proxy.as_ref()).await?;
    let setup = setup(&mut builder, &config, &accounts, &home, &token, &agents, adapters.clone())?;
    // Turns of an earlier process go on before the server serves, and their agents must find the tools.
    let tool_tokens = ToolTokens::new().map_err(|error| TokenError::Random(error.to_string()))?;
    let tool_endpoints = Some(tool_tokens.endpoints(address));
    let runtime = frontdesk_runtime::Running::start(Setup { shown, tool_endpoints, ..setup }).await?;
    keep_hash(&runtime, &token).await?;
    let reachable = reachable(address).to_string();
    lock.write_address(&reachable, config.gateway.public_url.as_deref())?;
    let lock = Arc::new(Mutex::new(lock));

    let (stop, closed, token_count) = (Stop::new(), Stop::new(), tokens.len());
    let metrics = builder.metrics.take().unwrap_or_else(|| Arc::new(String::new));
    let api = Api::new(config.gateway.clone(), hub.clone(), runtime.handle().clone(), tokens, metrics);
    let api = match api.and_then(|api| api.with_hooks(&config.hooks)) {
        Ok(api) => api
            .with_webhooks(webhooks)
            .with_tools(tool_tokens)
            .with_connections(descriptors::connections(&config)),
        Err(error) => {
            runtime.stop().await;
            return Err(Problems::in_memory([error]).into());
        }
    };
    let reloader = Arc::new(Reloader {
        source: builder.reload.unwrap_or(builder.source),
        parts: builder.parts,
        config: ArcSwap::from_pointee(config),
        adapters: ArcSwap::from_pointee(adapters),
        handle: runtime.handle().clone(),
        server: api.server_config(),
        hub: hub.clone(),
        agents,
        platforms,
        tokens: token_count,
        lock: (Arc::downgrade(&lock), reachable),
        on_reload: builder.on_reload,
        taken_over: tokio::sync::Notify::new(),
        alone: tokio::sync::Mutex::default(),
    });
    let api = api.with_reload(Arc::new(ApiReload(reloader.clone())));
    let serving = serving(serve(api, listener, stop.clone(), closed.clone()), &reloader, proxy, &stop);
    Ok(Running::new(Parts {
        runtime,
        serving,
        hub,
        stop,
        closed,
        reloader,
        address,
        token,
        token_is_new,
        lock,
    }))
}

/// Whom the HTTP server obeys.
fn tokens(config: &Config, token: &ClearToken) -> Result<Tokens, StartError> {
    let admin = Token { id: token::ID.to_owned(), hash: token.hash(), scope: Scope::Admin };
    let tokens = Tokens::new(vec![admin])?;
    config.gateway.check_exposure(tokens.len()).map_err(|error| Problems::in_memory([error]))?;
    Ok(tokens)
}

/// The HTTP server and what runs beside it.
fn serving(
    server: impl Future<Output = ()> + Send + 'static,
    reloader: &Arc<Reloader>,
    proxy: Option<Proxy>,
    stop: &Stop,
) -> JoinSet<()> {
    let mut serving = JoinSet::new();
    serving.spawn(server);
    serving.spawn(watch::run(reloader.clone(), stop.clone()));
    if let Some(proxy) = proxy {
        serving.spawn(proxy.run(stop.clone()));
    }
    serving
}

/// Takes the home folder, which no other gateway uses until this one has stopped.
fn take(home: &Home) -> Result<Lock, StartError> {
    for notice in home.secure()? {
        tracing::warn!("{notice}");
    }
    let lock = Lock::take(home.path())?;
    frontdesk_agents::command::clear_facts(home.path())
        .map_err(|source| StartError::Facts { path: home.path().to_owned(), source })?;
    Ok(lock)
}

/// The configured accounts and their adapters.
struct Connections {
    hub: Arc<WebHub>,
    accounts: Vec<ConfiguredAccount>,
    platforms: frontdesk_kit::Host,
    adapters: Adapters,
}

fn connections(parts: &GivenParts, config: &Config, clock: Arc<dyn Clock>) -> Result<Connections, Problems> {
    let hub = WebHub::new(&config.gateway.limits);
    let accounts = accounts(config, &hub);
    let platforms = frontdesk_kit::Host { clock, live: hub.clone() };
    let adapters = adapters(parts, &accounts, &platforms)?;
    Ok(Connections { hub, accounts, platforms, adapters })
}

/// The configured accounts. The hub learns those of the web channel.
fn accounts(config: &Config, hub: &WebHub) -> Vec<ConfiguredAccount> {
    let accounts = config.channels.accounts(&config.gateway);
    for notice in channels::notices(&accounts) {
        tracing::warn!("{notice}");
    }
    hub.set_configured(config.channels.take_prompts(&accounts));
    accounts
}

/// What all agents share. Before it returns, the programs that outlived an earlier gateway are ended: otherwise the next
/// attempt of a turn could run at the same time as the one before.
async fn agents_host(
    config: &Config,
    home: &Home,
    clock: Arc<dyn Clock>,
    proxy: Option<&Proxy>,
) -> Result<Host, StartError> {
    frontdesk_agents::process::end_leftovers(home.path(), clock.as_ref())
        .await
        .map_err(StartError::Leftovers)?;
    let (env, proxy) = (std::env::vars_os().collect(), proxy.map(Proxy::access));
    let host = Host { home: home.path().to_owned(), clock, env, proxy, providers: Arc::default() };
    for note in roles::notes(config, &host) {
        tracing::warn!("{note}");
    }
    Ok(host)
}

/// The proxy for agents, if it is wanted.
async fn proxy(config: &Config, own: SocketAddr, clock: Arc<dyn Clock>) -> Result<Option<Proxy>, StartError> {
    let ssrf = &config.security.ssrf;
    if !ssrf.enabled {
        return Ok(None);
    }
    Ok(Some(Proxy::bind(guard(config)?, own, clock).await.map_err(StartError::Proxy)?))
}

/// What the gateway reaches for others.
fn guard(config: &Config) -> Result<Guard, Problems> {
    Guard::new(&config.security.ssrf).map_err(|error| Problems::in_memory([error.under("security.ssrf")]))
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
    parts: &GivenParts,
    accounts: &[ConfiguredAccount],
    host: &frontdesk_kit::Host,
) -> Result<Adapters, Problems> {
    let on = accounts.iter().filter(|account| account.on);
    let built = on.map(|account| (account.build)(host)).collect::<Result<Adapters, _>>();
    let mut adapters = built.map_err(|error| Problems::in_memory([error]))?;
    adapters.extend(parts.adapters.iter().cloned());
    Ok(adapters)
}

fn setup(
    builder: &mut Builder,
    config: &Config,
    accounts: &[ConfiguredAccount],
    home: &Home,
    token: &ClearToken,
    host: &Host,
    adapters: Adapters,
) -> Result<Setup, StartError> {
    let platforms: Vec<Channel> = config.channels.platforms().copied().collect();
    let access = builder.parts.access(channels::access(accounts), &adapters);
    Ok(Setup {
        config: config.runtime.clone(),
        database: home.database(),
        boot: boot()?,
        timezone: crate::machine_zone(),
        agents: agents(&builder.parts, config, host)?,
        clock: host.clock.clone(),
        default_agent: config.default_agent().to_owned(),
        transcriber: voice::transcriber(config, host)?,
        adapters,
        channels: crate::adapters::registry().iter().map(|platform| (platform.profile)()).collect(),
        media: home.media(),
        secret: token.pairing_secret(),
        routing: channels::routing(accounts),
        access,
        problems: channels::problems(accounts),
        grant_rule: Arc::new(move |who, scope| channels::check_grant(&platforms, who, scope)),
        shown: serde_json::Value::Null,
        hooks: std::mem::take(&mut builder.hooks),
        operator: Principal::new("web", None, token::ID)?,
        instructions: home.instructions(),
        webhooks: Arc::new(GuardedSender::new(guard(config)?)),
        obeys_admins: builder.obeys_admins,
        tool_endpoints: None,
    })
}

fn agents(
    parts: &GivenParts,
    config: &Config,
    host: &Host,
) -> Result<BTreeMap<String, AgentEntry>, StartError> {
    let mut agents = BTreeMap::new();
    for (name, agent) in &config.agents {
        let entry = AgentEntry {
            agent: parts.build_agent(name, &config.agents, host)?,
            max_turns: agent.max_turns(),
        };
        agents.insert(name.clone(), entry);
    }
    for (name, agent) in &parts.agents {
        agents.insert(name.clone(), AgentEntry { agent: agent.clone(), max_turns: None });
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
    let hash = token.hash();
    if store.owner_token(token::ID).await?.as_deref() != Some(&hash) {
        store.owner_token_made(token::ID, hash, now).await?;
    }
    Ok(())
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
