//! Discord: what it allows, how text is written on it, and one adapter per bot.
//!
//! ```
//! # use std::sync::Arc;
//! # use frontdesk_core::port::Clock;
//! use frontdesk_core::config::ConfigError;
//! use frontdesk_discord::{Account, DiscordAdapter, Streaming};
//!
//! # fn wire(clock: Arc<dyn Clock>) -> Result<(), ConfigError> {
//! let mut account = Account::new("default", "MTAwMDAwMDAw.AAbb.cc_dd");
//! account.settings.streaming = Streaming::Block;
//! let adapter = DiscordAdapter::new(account, clock)?;
//! # Ok(())
//! # }
//! ```
//!
//! Of serenity only types are used. Its client cannot resume a stored session, waits for rate limits by itself and ignores
//! proxies, and its models lose a whole message over one odd field.

mod buttons;
mod commands;
mod config;
mod context;
mod destination;
mod emoji;
mod error;
mod file_reference;
mod gateway;
mod groups;
mod guilds;
mod history;
mod inbound;
mod incoming_file;
mod interactions;
mod invalid_requests;
mod limits;
pub mod markup;
mod outbound;
mod permissions;
mod progress;
mod reference;
mod rest;
mod rights;
mod section;
mod setup;
mod socket;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::config::ConfigError;
use frontdesk_core::delivery::{Delivery, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, AdapterError, Bytes, Clock, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::Profile;
use frontdesk_kit::timer::Timer;
use reqwest::Method;
use serde::Deserialize;

pub use config::{Account, Settings, Streaming};
use context::{Context, FailedConnections, Received};
use destination::PrivateChats;
use error::Fault;
use inbound::Bot;
use interactions::Interactions;
use outbound::{ForumPosts, Outbound};
use rest::{Request, Rest};
pub use section::{Bot as BotSection, Discord};

/// The channel's name in keys and addresses.
pub const CHANNEL: &str = "discord";

/// Discord's capabilities and limits for an account with default settings.
pub fn profile() -> Profile {
    Settings::default().profile()
}

/// The adapter of one bot.
pub struct DiscordAdapter {
    profile: Profile,
    id: AccountId,
    account: Arc<Account>,
    rest: Arc<Rest>,
    clock: Arc<dyn Clock>,
    chats: PrivateChats,
    interactions: Arc<Interactions>,
    received: Arc<Received>,
    failed: Arc<FailedConnections>,
    posts: ForumPosts,
}

impl DiscordAdapter {
    /// Creates the adapter without connecting.
    pub fn new(account: Account, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        account.check()?;
        let id = AccountId::new(CHANNEL, Some(&account.name))
            .map_err(|error| ConfigError::new("name", error.to_string()))?;
        Ok(Self {
            profile: account.settings.profile(),
            id,
            rest: Arc::new(Rest::new(&account, clock.clone())?),
            account: Arc::new(account),
            clock,
            chats: PrivateChats::default(),
            interactions: Arc::default(),
            received: Arc::default(),
            failed: Arc::default(),
            posts: ForumPosts::default(),
        })
    }

    /// The id of the bot user, which most tokens contain.
    async fn bot(&self) -> Result<String, AdapterError> {
        #[derive(Deserialize)]
        struct User {
            id: String,
        }
        if let Some(id) = self.login() {
            return Ok(id);
        }
        let request = Request::new("get_my_user", Method::GET, &["users", "@me"]);
        let user: User = self.rest.query(&request).await.map_err(Fault::for_connection)?;
        Ok(user.id)
    }

    fn outbound(&self) -> Outbound<'_> {
        Outbound {
            rest: &self.rest,
            settings: &self.account.settings,
            chats: &self.chats,
            interactions: &self.interactions,
            posts: &self.posts,
            bot: self.login(),
        }
    }
}

#[async_trait]
impl Adapter for DiscordAdapter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.id
    }

    /// A token begins with the bot's id in Base64.
    fn login(&self) -> Option<String> {
        let first = self.account.token.expose().split('.').next()?;
        let decoded = URL_SAFE_NO_PAD.decode(first).ok()?;
        String::from_utf8(decoded).ok().filter(|id| id.parse::<u64>().is_ok())
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        let bot = tokio::select! {
            bot = self.bot() => bot?,
            () = stop.cancelled() => return Ok(()),
        };
        let context = Context {
            rest: self.rest.clone(),
            account: self.account.clone(),
            timer: Timer::new(self.clock.clone()),
            bot: Arc::new(Bot {
                id: bot,
                account: self.id.clone(),
                answers_in_threads: self.account.settings.answer_in_threads,
            }),
            inbox,
            interactions: self.interactions.clone(),
            received: self.received.clone(),
            failed: self.failed.clone(),
        };
        gateway::receive(&context, &stop).await
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        self.outbound().deliver(to, delivery).await
    }

    async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        self.outbound().signal(to, signal).await
    }

    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError> {
        incoming_file::fetch(&self.rest, &self.account.settings, file).await
    }

    async fn group(&self, id: &str) -> Result<Group, LookupError> {
        groups::describe(&self.rest, id).await
    }

    async fn groups(&self, from: Option<&str>) -> Result<GroupPage, LookupError> {
        let bot = self.bot().await.map_err(|error| LookupError::Later(error.to_string()))?;
        groups::list(&self.rest, &bot, from).await
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}
