//! What a reload of the configuration can replace while the server runs.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use frontdesk_core::account::AccountId;
use frontdesk_core::config::ConfigError;
use frontdesk_core::key::SessionKey;
use frontdesk_core::rate_limiter::RateLimiter;

use crate::Webhooks;
use crate::config::{Config, Rate};
use crate::hook::HookSet;
use crate::hook::config::Hooks;
use crate::origin::{OriginPolicy, PageOrigin};

/// The configuration of the server, parsed. A request takes it once for each decision.
#[derive(Clone)]
pub(crate) struct HttpSettings {
    pub(crate) config: Config,
    pub(crate) origins: OriginPolicy,
    pub(crate) webhooks: Webhooks,
    pub(crate) hooks: HookSet,
    /// Limits requests without a token by address. Requests of other sites' pages have buckets of their own.
    pub(crate) per_ip: Arc<RateLimiter<(IpAddr, PageOrigin)>>,
    /// Limits requests by token.
    pub(crate) per_token: Arc<RateLimiter<Arc<str>>>,
    /// Limits webhook requests with a valid secret by account.
    pub(crate) per_webhook: Arc<RateLimiter<AccountId>>,
    /// Limits requests of agents by session.
    pub(crate) per_agent: Arc<RateLimiter<SessionKey>>,
    pub(crate) failures: Arc<RateLimiter<IpAddr>>,
}

impl HttpSettings {
    /// The settings of a configuration. Limits that stay the same keep what `before` has counted.
    pub(crate) fn new(
        config: Config,
        webhooks: Webhooks,
        hooks: &Hooks,
        before: Option<&HttpSettings>,
    ) -> Result<Self, ConfigError> {
        let limits = &config.limits;
        let old = before.map(|before| &before.config.limits);
        Ok(Self {
            origins: OriginPolicy::new(&config)?,
            per_ip: kept(limits.per_ip, old.map(|old| old.per_ip), before.map(|before| &before.per_ip)),
            per_token: kept(limits.per_token, old.map(|old| old.per_token), before.map(|b| &b.per_token)),
            per_webhook: kept(limits.per_token, old.map(|old| old.per_token), before.map(|b| &b.per_webhook)),
            per_agent: kept(limits.per_token, old.map(|old| old.per_token), before.map(|b| &b.per_agent)),
            failures: kept(
                limits.auth_failures,
                old.map(|old| old.auth_failures),
                before.map(|b| &b.failures),
            ),
            hooks: HookSet::new(hooks, before.map(|before| &before.hooks))?,
            config,
            webhooks,
        })
    }
}

fn kept<K: Hash + Eq + Clone>(
    rate: Rate,
    old: Option<Rate>,
    before: Option<&Arc<RateLimiter<K>>>,
) -> Arc<RateLimiter<K>> {
    match before.filter(|_| old == Some(rate)) {
        Some(before) => before.clone(),
        None => Arc::new(RateLimiter::per_minute(rate.per_minute, rate.burst)),
    }
}

/// Replaces the configuration of a running server.
#[derive(Clone)]
pub struct ServerConfig(pub(crate) Arc<ArcSwap<HttpSettings>>);

/// A checked configuration of a server, ready to be served by.
pub struct NextServerConfig(HttpSettings);

impl ServerConfig {
    /// Checks a configuration that passes platforms' events to these webhooks and accepts these events of other programs. Nothing changes yet. The address to listen
    /// on, `limits.max_connections` and `limits.ws_buffer` stay as they were at the start. `tokens` is the number of tokens.
    pub fn prepare(
        &self,
        config: Config,
        webhooks: Webhooks,
        hooks: &Hooks,
        tokens: usize,
    ) -> Result<NextServerConfig, ConfigError> {
        config.check()?;
        config.check_exposure(tokens)?;
        HttpSettings::new(config, webhooks, hooks, Some(&self.0.load())).map(NextServerConfig)
    }

    /// Serves by this configuration from the next request on.
    pub fn replace(&self, next: NextServerConfig) {
        self.0.store(Arc::new(next.0));
    }
}
