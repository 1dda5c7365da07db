//! The door: HTTP, the WebSocket and the web chat's page. It owns the sockets and decides nothing else: what
//! a message is worth, the gate behind it says.

pub mod config;
mod door;
mod endpoint;
mod error;
mod frame;
mod gate;
mod house;
mod limit;
mod listen;
mod origin;
mod outgoing;
mod prompt;
mod random;
mod repeat;
mod route;
mod show;
mod token;
mod waiter;
mod ws;

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::port::{Stop, Webhook};
use frontdesk_runtime::Desk;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

pub use config::{Config, ConfigError, Limits, Rate};
pub use door::{Closed, Door};
pub use token::{Scope, Token, Tokens, hash_token, make_token};

/// Where platforms bring their events by themselves, by channel and account.
pub type Webhooks = BTreeMap<(String, String), Arc<dyn Webhook>>;

/// The path at which an account's platform brings its events. Neither name holds anything that a URL would have to
/// escape.
pub fn webhook_path(channel: &str, account: &str) -> String {
    format!("/webhooks/{channel}/{account}")
}

/// The door, built and not yet open.
pub struct Api {
    config: Config,
    origins: origin::Origins,
    door: Arc<Door>,
    desk: Desk,
    tokens: Tokens,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    webhooks: Webhooks,
}

impl Api {
    /// A door with these rules in front of this gateway. `door` is the one that the web adapter was made
    /// with; `metrics` gives the text of `/metrics`. An error names the value that cannot be used; a door
    /// that other machines can reach and that has no token is one.
    pub fn new(
        config: Config,
        door: Arc<Door>,
        desk: Desk,
        tokens: Tokens,
        metrics: Arc<dyn Fn() -> String + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        config.check_lock(tokens.len())?;
        let origins = origin::Origins::new(&config)?;
        Ok(Self { origins, config, door, desk, tokens, metrics, webhooks: Webhooks::new() })
    }

    /// Lets these platforms in at [`webhook_path`].
    pub fn with_webhooks(mut self, webhooks: Webhooks) -> Self {
        self.webhooks = webhooks;
        self
    }

    /// Serves until `stop`, then closes: sockets are told so (1001), requests that wait for an answer get a
    /// 503, and their prompts are answered all the same. Who stops the gateway closes the [`Door`] first, then
    /// lets the runtime end its turns, and stops this last, so that their answers still find who waits. Returns
    /// when the last connection has ended, within a few seconds. An error means that the listener is none that
    /// could be served.
    pub async fn serve(self, listener: TcpListener, stop: Stop) -> std::io::Result<()> {
        let address = listener.local_addr()?;
        tracing::info!(%address, "the door is open");
        let limits = &self.config.limits;
        let house = Arc::new(house::House {
            origins: self.origins,
            per_ip: limit::Buckets::new(limits.per_ip),
            per_token: limit::Buckets::new(limits.per_token),
            failures: limit::Buckets::new(limits.auth_failures),
            repeats: repeat::Repeats::default(),
            tasks: TaskTracker::new(),
            config: self.config,
            door: self.door,
            desk: self.desk,
            tokens: self.tokens,
            metrics: self.metrics,
            webhooks: self.webhooks,
            stop,
        });
        listen::run(house.clone(), listener).await;
        house.door.close(Closed::Stopping);
        Ok(())
    }
}
