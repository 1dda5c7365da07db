//! Slack: what it allows, how text is written on it, and one adapter per app and workspace.

mod api;
mod blocks;
mod config;
mod error;
mod gap;
mod groups;
mod history;
pub mod inbound;
pub mod incoming_webhook;
mod intake;
mod limits;
pub mod markup;
mod media;
mod outbound;
mod own_blocks;
mod people;
mod places;
mod reactions;
mod receive;
mod reference;
mod section;
mod sent;
mod setup;
mod socket;
mod status;
mod stream;
mod webhook;
mod workspace;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::config::ConfigError;
use frontdesk_core::delivery::{Delivery, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, AdapterError, Bytes, Clock, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::Profile;
use frontdesk_kit::timer::Timer;
use serde_json::json;
use tokio::sync::OnceCell;

use api::Api;
pub use config::{Account, Events, Settings, Streaming, SuggestedPrompt};
use error::Fault;
use inbound::App;
pub use inbound::DmSessions;
use outbound::Outbound;
use receive::Receiving;
pub use section::{Bot as BotSection, Slack};
use sent::Sent;
use status::Sessions;
use stream::Streams;
use webhook::Endpoint;
use workspace::Workspace;

/// The channel's name in keys and addresses.
pub const CHANNEL: &str = "slack";

/// Slack's capabilities and limits for an account with default settings.
pub fn profile() -> Profile {
    Settings::default().profile()
}

/// The adapter of one app in one workspace.
pub struct SlackAdapter {
    profile: Profile,
    id: AccountId,
    account: Account,
    api: Arc<Api>,
    workspace: Arc<Workspace>,
    opened: Mutex<HashMap<String, String>>,
    sent: Sent,
    streams: Streams,
    sessions: Sessions,
    user: OnceCell<String>,
    /// Where events arrive over HTTP; `None` with Socket Mode.
    endpoint: Option<Arc<Endpoint>>,
    /// Whether what was missed before the start was read.
    was_read: AtomicBool,
}

impl SlackAdapter {
    /// Creates the adapter without connecting.
    pub fn new(account: Account, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        account.check()?;
        let id = AccountId::new(CHANNEL, Some(&account.name))
            .map_err(|error| ConfigError::new("name", error.to_string()))?;
        let (mut profile, api) = (account.settings.profile(), Api::new(&account)?);
        let api = Arc::new(api.with_limits(clock.clone()));
        let endpoint = match &account.events {
            Events::SocketMode { .. } => None,
            Events::Http { signing_secret } => {
                // Slack sends nothing but events.
                profile.max_silence = None;
                Some(Arc::new(Endpoint::new(signing_secret.clone(), clock.clone())))
            }
        };
        Ok(Self {
            profile,
            id,
            api,
            sent: Sent::new(clock.wall()),
            streams: Streams::default(),
            sessions: Sessions::default(),
            workspace: Arc::new(Workspace::new(account.memberships.clone(), Timer::new(clock))),
            account,
            opened: Mutex::default(),
            user: OnceCell::new(),
            endpoint,
            was_read: AtomicBool::new(false),
        })
    }

    fn outbound(&self) -> Outbound<'_> {
        Outbound {
            api: &self.api,
            settings: &self.account.settings,
            opened: &self.opened,
            sent: &self.sent,
            streams: &self.streams,
            sessions: &self.sessions,
            workspace: &self.workspace,
            user: &self.user,
        }
    }

    async fn app(&self) -> Result<App, AdapterError> {
        let me = self.api.call("auth.test", json!({})).await.map_err(Fault::for_connection)?;
        let text = |name: &str| me[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let need = |name: &'static str| {
            text(name).ok_or_else(|| {
                AdapterError::Setup(format!("the token is no bot's: Slack names no {name} for it"))
            })
        };
        Ok(App {
            account: self.id.clone(),
            app: text("app_id").unwrap_or_else(|| app_of(&self.account.events)),
            team: need("team_id")?,
            enterprise: text("enterprise_id"),
            user: need("user_id")?,
            bot: need("bot_id")?,
            dm_sessions: self.account.settings.dm_sessions,
            has_agent_view: false,
            externals: self.account.settings.externals,
            guests: self.account.settings.guests,
        })
    }

    /// Receives until the connection ends.
    async fn receive(&self, inbox: Arc<dyn Inbox>) -> Result<(), AdapterError> {
        let app = self.app().await?;
        let receiving = Receiving {
            api: &self.api,
            settings: &self.account.settings,
            workspace: &self.workspace,
            app: &app,
            inbox: inbox.as_ref(),
            was_read: &self.was_read,
            is_connected: AtomicBool::new(false),
        };
        match &self.endpoint {
            Some(endpoint) => endpoint.run(&receiving, inbox.clone()).await,
            None => socket::Connection(receiving).run().await,
        }
    }
}

/// The id of the app in its own token: `xapp-1-A1-...`.
fn app_of(events: &Events) -> String {
    let id = match events {
        Events::SocketMode { app_token } => app_token.expose().split('-').nth(2),
        Events::Http { .. } => None,
    };
    id.unwrap_or("app").to_owned()
}

#[async_trait]
impl Adapter for SlackAdapter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.id
    }

    /// The token does not say whose it is.
    fn login(&self) -> Option<String> {
        None
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        tokio::select! {
            ended = self.receive(inbox) => ended,
            // A push that is cancelled here may be committed or not. The event comes again in both cases.
            () = stop.cancelled() => Ok(()),
        }
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        self.outbound().deliver(to, delivery).await
    }

    async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        self.outbound().signal(to, signal).await
    }

    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError> {
        media::fetch(&self.api, &self.account.settings, file).await
    }

    async fn group(&self, id: &str) -> Result<Group, LookupError> {
        groups::describe(&self.api, id).await
    }

    async fn groups(&self, from: Option<&str>) -> Result<GroupPage, LookupError> {
        groups::list(&self.api, from).await
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        self.endpoint.clone().map(|endpoint| endpoint as Arc<dyn Webhook>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_profile_can_be_right() {
        frontdesk_conformance::profile::check(&profile());
    }

    #[test]
    fn an_apps_token_names_the_app() {
        let app_token = frontdesk_core::config::Secret::new("xapp-1-A0123-456-abc");
        assert_eq!(app_of(&Events::SocketMode { app_token }), "A0123");
    }
}
