//! A running gateway.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_api::{Closed, WebHub};
use frontdesk_core::address::Address;
use frontdesk_core::port::{Adapter, Stop};
use frontdesk_runtime::{Broadcast, GatewayError, GatewayHandle, SendRequest, Status};
use frontdesk_store::lock::Lock;
use frontdesk_store::row::{Author, OutboxRow};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::plan::Plan;
use crate::reload::{ReloadError, Reloader};
use crate::token::ClearToken;

/// A running gateway. Dropping it without [`Running::stop`] is like a crash: nothing that was accepted is lost.
pub struct Running {
    parts: Parts,
}

/// The parts of a running gateway.
pub(crate) struct Parts {
    pub(crate) runtime: frontdesk_runtime::Running,
    /// The task of the HTTP server.
    pub(crate) serving: JoinSet<()>,
    /// Delivers the API's messages to the web channel.
    pub(crate) hub: Arc<WebHub>,
    /// Ends the HTTP server.
    pub(crate) stop: Stop,
    /// Cancelled when the HTTP server has ended, for any reason.
    pub(crate) closed: Stop,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) address: SocketAddr,
    pub(crate) token: ClearToken,
    pub(crate) token_is_new: bool,
    /// Held until the gateway has stopped.
    pub(crate) lock: Arc<Mutex<Lock>>,
}

impl Running {
    pub(crate) fn new(parts: Parts) -> Running {
        Running { parts }
    }

    /// Stops accepting messages, waits up to `turns.drain_seconds` for running turns, and closes. Turns that did not end
    /// are continued at the next start.
    pub async fn stop(self) {
        let Parts { runtime, mut serving, stop, hub, lock, .. } = self.parts;
        // New messages are refused with "try again later". The HTTP server runs to the end, so that clients still get
        // the answers of the turns that are running.
        hub.close(Closed::Stopping);
        runtime.stop().await;
        stop.cancel();
        while serving.join_next().await.is_some() {}
        drop(lock);
    }

    /// The status of the gateway.
    pub async fn status(&self) -> Result<Status, GatewayError> {
        self.handle().status().await
    }

    /// The number of open WebSockets: pages, terminals and programs that are connected.
    pub fn clients(&self) -> usize {
        self.parts.hub.clients()
    }

    /// The configuration in use.
    pub fn get_config(&self) -> Arc<Config> {
        self.parts.reloader.config.load_full()
    }

    /// Reads the configuration again and takes it over: changed accounts reconnect, changed agents are replaced after
    /// their running turns, and everything else stays as it is. Agents and accounts that the builder was given stay. A
    /// wrong configuration changes nothing, and [`Running::status`] shows its errors until a right one is read.
    pub async fn reload(&self) -> Result<Plan, ReloadError> {
        self.reload_by(&program()).await
    }

    /// Like [`Running::reload`], with the author that the log and the audit name.
    pub async fn reload_by(&self, author: &Author) -> Result<Plan, ReloadError> {
        self.parts.reloader.reload(author.clone()).await
    }

    /// What [`Running::reload`] would change.
    pub async fn plan_reload(&self) -> Result<Plan, ReloadError> {
        self.parts.reloader.plan().await
    }

    /// Whether the HTTP server is running. It is until [`Running::stop`], unless it failed.
    pub fn is_running(&self) -> bool {
        !self.parts.closed.is_cancelled()
    }

    /// The first account of a channel.
    pub fn adapter(&self, channel: &str) -> Option<Arc<dyn Adapter>> {
        self.adapters().into_iter().find(|adapter| adapter.profile().channel == channel)
    }

    /// Every account of every channel.
    pub fn adapters(&self) -> Vec<Arc<dyn Adapter>> {
        self.parts.reloader.adapters.load().to_vec()
    }

    /// Sends a text to a chat of a channel's default account. `key` is the idempotency key: a second request with the
    /// same key sends nothing.
    pub async fn send_message(
        &self,
        channel: &str,
        chat: &str,
        text: &str,
        key: &str,
    ) -> Result<Vec<OutboxRow>, GatewayError> {
        let to = Address::new(channel, None, chat, None)
            .map_err(|error| GatewayError::Invalid(error.to_string()))?;
        self.handle().send(&to, text, None, key, &program()).await
    }

    /// Sends a text to several chats. `key` is the idempotency key, as in [`Running::send_message`]. If a chat is on no
    /// channel of the configuration, nothing is sent to any, and the result names it.
    pub async fn broadcast(&self, to: &[Address], text: &str, key: &str) -> Result<Broadcast, GatewayError> {
        let author = program();
        let message = SendRequest { text, media: None, key, author: &author, urgent: false, native: None };
        self.handle().broadcast(to, false, message).await
    }

    /// The handle for everything else. It does not keep the gateway running.
    pub fn handle(&self) -> &GatewayHandle {
        self.parts.runtime.handle()
    }

    /// The address on which the HTTP server listens.
    pub fn address(&self) -> SocketAddr {
        self.parts.address
    }

    /// The URL at which people reach the gateway.
    pub fn url(&self) -> String {
        match &self.get_config().gateway.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => self.local_url(),
        }
    }

    /// The URL at which programs on this machine reach the gateway.
    pub fn local_url(&self) -> String {
        local_url(self.parts.address)
    }

    /// The token of the API, and whether this start created it.
    pub fn token(&self) -> (&ClearToken, bool) {
        (&self.parts.token, self.parts.token_is_new)
    }

    /// Resolves with the cause when the gateway cannot continue: the database is broken, or the HTTP server ended.
    pub async fn failed(&self) -> String {
        tokio::select! {
            cause = self.parts.runtime.failed() => cause,
            () = self.parts.closed.cancelled() => "the HTTP server ended; the log says why".to_owned(),
        }
    }
}

/// The program that uses the library, as the author of changes.
fn program() -> Author {
    Author { name: "program".to_owned(), via: "program" }
}

/// The URL of an address on this machine.
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
    // Another server may answer on that port; only a gateway has these fields.
    response.json::<serde_json::Value>().await.is_ok_and(|health| {
        health.get("status").is_some() && health.get("reasons").is_some() && health.get("version").is_some()
    })
}
