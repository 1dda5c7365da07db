//! A gateway at work, as its owner sees it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_api::{Closed, WebHub};
use frontdesk_core::address::Address;
use frontdesk_core::port::{Adapter, Stop};
use frontdesk_runtime::{GatewayError, GatewayHandle, Status};
use frontdesk_store::lock::Lock;
use frontdesk_store::row::{Author, OutboxRow};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::token::ClearToken;

/// A gateway at work. Dropping it without [`Running::stop`] is a crash, and as harmless.
pub struct Running {
    whole: Whole,
}

/// What a gateway at work is made of.
pub(crate) struct Whole {
    pub(crate) runtime: frontdesk_runtime::Running,
    /// The door's task.
    pub(crate) serving: JoinSet<()>,
    /// Takes the prompts in.
    pub(crate) hub: Arc<WebHub>,
    /// Ends the door's task.
    pub(crate) stop: Stop,
    /// Says that the door's task has ended, whatever ended it.
    pub(crate) closed: Stop,
    pub(crate) config: Config,
    pub(crate) address: SocketAddr,
    pub(crate) token: ClearToken,
    pub(crate) token_is_new: bool,
    pub(crate) adapters: Vec<Arc<dyn Adapter>>,
    /// Held as long as we live.
    pub(crate) lock: Lock,
}

impl Running {
    pub(crate) fn new(whole: Whole) -> Running {
        Running { whole }
    }

    /// Stops taking messages, gives running turns `turns.drain_seconds`, and closes. What did not end is
    /// resumed at the next start.
    pub async fn stop(self) {
        let Whole { runtime, mut serving, stop, hub, lock, .. } = self.whole;
        // Whoever comes now is told to come again. The door itself is served to the end, so that the answers
        // of the turns that still run find those who wait for them.
        hub.close(Closed::Stopping);
        runtime.stop().await;
        stop.cancel();
        while serving.join_next().await.is_some() {}
        drop(lock);
    }

    /// How things stand.
    pub async fn status(&self) -> Result<Status, GatewayError> {
        self.handle().status().await
    }

    /// The configuration it runs with.
    pub fn get_config(&self) -> &Config {
        &self.whole.config
    }

    /// Whether the door is open. It is until [`Running::stop`], unless its task died.
    pub fn is_running(&self) -> bool {
        !self.whole.closed.is_cancelled()
    }

    /// The first account of a channel.
    pub fn adapter(&self, channel: &str) -> Option<&Arc<dyn Adapter>> {
        self.whole.adapters.iter().find(|adapter| adapter.profile().channel == channel)
    }

    /// Every account of every channel.
    pub fn adapters(&self) -> &[Arc<dyn Adapter>] {
        &self.whole.adapters
    }

    /// Puts a text on its way to a chat of a channel's default account. `key` is the same for every
    /// repetition of one request: the second one sends nothing.
    pub async fn send_message(
        &self,
        channel: &str,
        chat: &str,
        text: &str,
        key: &str,
    ) -> Result<Vec<OutboxRow>, GatewayError> {
        let to = Address::new(channel, None, chat, None)
            .map_err(|error| GatewayError::Invalid(error.to_string()))?;
        let author = Author { name: "program".to_owned(), via: "program" };
        self.handle().send(&to, text, None, key, &author).await
    }

    /// The handle that everything else can be asked of; clones outlive nothing.
    pub fn handle(&self) -> &GatewayHandle {
        self.whole.runtime.handle()
    }

    /// Where the door is.
    pub fn address(&self) -> SocketAddr {
        self.whole.address
    }

    /// The door's URL, as people reach it.
    pub fn url(&self) -> String {
        match &self.whole.config.gateway.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => local_url(self.whole.address),
        }
    }

    /// The token that opens the door, and whether this start made it.
    pub fn token(&self) -> (&ClearToken, bool) {
        (&self.whole.token, self.whole.token_is_new)
    }

    /// Resolves with the cause when the gateway cannot go on: the database is broken, or the door fell shut.
    pub async fn failed(&self) -> String {
        tokio::select! {
            cause = self.whole.runtime.failed() => cause,
            () = self.whole.closed.cancelled() => "the door fell shut; the log says why".to_owned(),
        }
    }
}

/// The URL of a door on this machine.
fn local_url(address: SocketAddr) -> String {
    match address {
        _ if !address.ip().is_unspecified() => format!("http://{address}"),
        SocketAddr::V4(_) => format!("http://127.0.0.1:{}", address.port()),
        SocketAddr::V6(_) => format!("http://[::1]:{}", address.port()),
    }
}

/// Whether a gateway answers on this port of this machine.
pub async fn is_gateway_running(port: u16) -> bool {
    let Ok(client) = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build() else {
        return false;
    };
    let Ok(response) = client.get(format!("http://127.0.0.1:{port}/health")).send().await else {
        return false;
    };
    // Any server may answer on that port: ours says how it is.
    response.json::<serde_json::Value>().await.is_ok_and(|health| {
        health.get("status").is_some() && health.get("reasons").is_some() && health.get("version").is_some()
    })
}
