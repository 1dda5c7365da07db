//! The HTTP server: the API, the WebSocket and the web chat's page. It owns the sockets and decides only who may call
//! it; the runtime's gate decides about messages.

mod answered;
mod ask;
mod attachment;
mod body;
mod budget;
mod callback;
mod client_stream;
mod completion;
pub mod config;
mod connections;
mod dispatch;
mod ending;
mod endpoint;
mod error;
mod file;
mod frame;
mod frame_queue;
mod growing_answer;
mod hook;
mod hub;
mod idempotency;
mod job;
mod json_fault;
mod json_rpc;
mod list;
mod listen;
mod mcp;
mod network;
mod openapi;
mod origin;
mod prompt;
mod prompt_queue;
mod random;
mod refusals;
mod reload;
mod request;
mod route;
mod server;
mod settings;
mod show;
mod sse;
mod task;
mod ticket;
mod token;
mod tool_token;
mod url;
mod waiter;
mod ws;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use frontdesk_core::account::AccountId;
use frontdesk_core::config::ConfigError;
use frontdesk_core::port::{Stop, Webhook};
use frontdesk_core::rate_limiter::RateLimiter;
use frontdesk_runtime::GatewayHandle;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

pub use config::{Config, Limits, Rate};
pub use hook::config::{HookEndpoint, HookMode, Hooks};
pub use hook::signature::Signature;
pub use hub::WebHub;
pub use mcp::tool_server_config;
pub use openapi::{frames, openapi};
pub use prompt_queue::Closed;
pub use reload::{Reload, ReloadRefused};
use settings::HttpSettings;
pub use settings::{NextServerConfig, ServerConfig};
pub use token::{Scope, Token, Tokens, hash_token, make_token};
pub use tool_token::ToolTokens;

/// The webhooks of platforms, by account.
pub type Webhooks = BTreeMap<AccountId, Arc<dyn Webhook>>;

/// The path to which an account's platform sends its events. Neither name contains anything that a URL would have to
/// escape.
pub fn webhook_path(channel: &str, account: &str) -> String {
    format!("/webhooks/{channel}/{account}")
}

/// The HTTP server, configured and not yet serving.
pub struct Api {
    settings: Arc<ArcSwap<HttpSettings>>,
    hub: Arc<WebHub>,
    handle: GatewayHandle,
    tokens: Tokens,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    reload: Option<Arc<dyn Reload>>,
    max_connections: usize,
    tool_tokens: Option<ToolTokens>,
}

impl Api {
    /// Builds the server for this gateway. `hub` is the one that the web adapter uses; `metrics` returns the text of
    /// `/metrics`. An error names the value that cannot be used. One such error is a server that other machines can
    /// reach while there is no token.
    pub fn new(
        config: Config,
        hub: Arc<WebHub>,
        handle: GatewayHandle,
        tokens: Tokens,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        config.check_exposure(tokens.len())?;
        let max_connections = config.limits.max_connections;
        let settings = HttpSettings::new(config, Webhooks::new(), &Hooks::default(), None)?;
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        Ok(Self { settings, hub, handle, tokens, metrics, reload: None, max_connections, tool_tokens: None })
    }

    /// Serves these webhooks at [`webhook_path`].
    pub fn with_webhooks(self, webhooks: Webhooks) -> Self {
        let settings = HttpSettings::clone(&self.settings.load());
        self.settings.store(Arc::new(HttpSettings { webhooks, ..settings }));
        self
    }

    /// Serves the tools to agents with these tokens, whose endpoints the runtime was given at its start.
    pub fn with_tools(self, tokens: ToolTokens) -> Self {
        Self { tool_tokens: Some(tokens), ..self }
    }

    /// Accepts these events of other programs. An error names the value that cannot be used.
    pub fn with_hooks(self, hooks: &Hooks) -> Result<Self, ConfigError> {
        let settings = HttpSettings::clone(&self.settings.load());
        let hooks = hook::HookSet::new(hooks, None)?;
        self.settings.store(Arc::new(HttpSettings { hooks, ..settings }));
        Ok(self)
    }

    /// Reloads the configuration with this when an admin asks for it.
    pub fn with_reload(mut self, reload: Arc<dyn Reload>) -> Self {
        self.reload = Some(reload);
        self
    }

    /// Replaces the configuration while the server runs.
    pub fn server_config(&self) -> ServerConfig {
        ServerConfig(self.settings.clone())
    }

    /// Lowers the configured number of connections, if the process has fewer descriptors to spare.
    pub fn with_connections(mut self, max: usize) -> Self {
        self.max_connections = self.max_connections.min(max);
        self
    }

    /// Serves until `stop`, then closes: WebSockets get the close code 1001, and requests that wait for an answer a
    /// 503, though their prompts are answered all the same. To stop the gateway, close the [`WebHub`] first, then let
    /// the runtime end its turns, and cancel `stop` last, so that clients still receive their answers. Returns when the
    /// last connection has ended, within a few seconds. An error means that the listener cannot be served.
    pub async fn serve(self, listener: TcpListener, stop: Stop) -> std::io::Result<()> {
        let address = listener.local_addr()?;
        tracing::info!(%address, "the HTTP server is listening");
        let tool_tokens = match self.tool_tokens {
            Some(tokens) => tokens,
            None => ToolTokens::new().map_err(std::io::Error::other)?,
        };
        let server = Arc::new(server::ServerState {
            settings: self.settings,
            reload: self.reload,
            idempotency: idempotency::IdempotencyCache::default(),
            connections: connections::ConnectionTable::new(self.max_connections),
            bodies: budget::Budget::new(server::MAX_BODY_MEMORY),
            strangers_bodies: budget::StrangersBudget::new(server::MAX_STRANGERS_MEMORY),
            unread: budget::Budget::new(server::MAX_UNREAD_MEMORY),
            refusals: refusals::RefusalLog::default(),
            audited_per_origin: RateLimiter::per_minute(1, 1),
            audited_origins: RateLimiter::every(
                server::FOREIGN_ORIGIN_AUDIT.0,
                server::FOREIGN_ORIGIN_AUDIT.1,
            ),
            tasks: TaskTracker::new(),
            hub: self.hub,
            handle: self.handle,
            tokens: self.tokens,
            tool_tokens,
            tickets: ticket::Tickets::default(),
            callbacks: Notify::new(),
            metrics: self.metrics,
            stop,
        });
        tokio::select! {
            // First, so that the first prompt finds the channel's current state.
            biased;
            () = server.follow_channel_switch() => {}
            () = callback::run(server.clone()) => {}
            () = listen::run(server.clone(), listener) => {}
        }
        server.hub.close(Closed::Stopping);
        Ok(())
    }
}
