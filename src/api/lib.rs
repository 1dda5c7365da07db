//! The door: HTTP, the WebSocket and the web chat's page. It owns the sockets and decides nothing else: what
//! a message is worth, the gate behind it says.

mod budget;
pub mod config;
mod connections;
mod endpoint;
mod error;
mod frame;
mod frame_queue;
mod gate;
mod hub;
mod limit;
mod list;
mod listen;
mod origin;
mod prompt;
mod random;
mod refusals;
mod repeat;
mod route;
mod server;
mod show;
mod timed;
mod token;
mod url;
mod waiter;
mod ws;

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::account::AccountId;
use frontdesk_core::config::ConfigError;
use frontdesk_core::port::{Stop, Webhook};
use frontdesk_runtime::GatewayHandle;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

pub use config::{Config, Limits, Rate};
pub use hub::{Closed, WebHub};
pub use token::{Scope, Token, Tokens, hash_token, make_token};

/// Where platforms bring their events by themselves, by account.
pub type Webhooks = BTreeMap<AccountId, Arc<dyn Webhook>>;

/// The path at which an account's platform brings its events. Neither name holds anything that a URL would have to
/// escape.
pub fn webhook_path(channel: &str, account: &str) -> String {
    format!("/webhooks/{channel}/{account}")
}

/// The door, built and not yet open.
pub struct Api {
    config: Config,
    origins: origin::Origins,
    hub: Arc<WebHub>,
    handle: GatewayHandle,
    tokens: Tokens,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    webhooks: Webhooks,
    most_connections: usize,
}

impl Api {
    /// A door with these rules in front of this gateway. `door` is the one that the web adapter was made
    /// with; `metrics` gives the text of `/metrics`. An error names the value that cannot be used; a door
    /// that other machines can reach and that has no token is one.
    pub fn new(
        config: Config,
        hub: Arc<WebHub>,
        handle: GatewayHandle,
        tokens: Tokens,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        config.check_lock(tokens.len())?;
        let origins = origin::Origins::new(&config)?;
        let most_connections = config.limits.max_connections;
        let webhooks = Webhooks::new();
        Ok(Self { origins, config, hub, handle, tokens, metrics, webhooks, most_connections })
    }

    /// Lets these platforms in at [`webhook_path`].
    pub fn with_webhooks(mut self, webhooks: Webhooks) -> Self {
        self.webhooks = webhooks;
        self
    }

    /// Lets fewer connections in than the configuration does, for the process has not more descriptors to spare.
    pub fn with_connections(mut self, most: usize) -> Self {
        self.most_connections = self.most_connections.min(most);
        self
    }

    /// Serves until `stop`, then closes: sockets are told so (1001), requests that wait for an answer get a
    /// 503, and their prompts are answered all the same. Who stops the gateway closes the [`WebHub`] first, then
    /// lets the runtime end its turns, and stops this last, so that their answers still find who waits. Returns
    /// when the last connection has ended, within a few seconds. An error means that the listener is none that
    /// could be served.
    pub async fn serve(self, listener: TcpListener, stop: Stop) -> std::io::Result<()> {
        let address = listener.local_addr()?;
        tracing::info!(%address, "the door is open");
        let limits = &self.config.limits;
        let server = Arc::new(server::ServerState {
            origins: self.origins,
            per_ip: limit::Buckets::new(limits.per_ip),
            per_token: limit::Buckets::new(limits.per_token),
            per_webhook: limit::Buckets::new(limits.per_token),
            failures: limit::Buckets::new(limits.auth_failures),
            repeats: repeat::Repeats::default(),
            connections: connections::Connections::new(self.most_connections),
            bodies: budget::Budget::new(server::BODIES),
            unread: budget::Budget::new(server::UNREAD),
            refusals: refusals::Refusals::default(),
            foreign: limit::Buckets::new(config::Rate { per_minute: 1, burst: 1 }),
            audited: limit::Buckets::slow(server::AUDITED.0, server::AUDITED.1),
            tasks: TaskTracker::new(),
            config: self.config,
            hub: self.hub,
            handle: self.handle,
            tokens: self.tokens,
            metrics: self.metrics,
            webhooks: self.webhooks,
            stop,
        });
        tokio::select! {
            // First, so that the first prompt finds the channel as it is.
            biased;
            () = server.follow_switch() => {}
            () = listen::run(server.clone(), listener) => {}
        }
        server.hub.close(Closed::Stopping);
        Ok(())
    }
}
