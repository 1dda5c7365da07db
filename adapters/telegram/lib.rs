//! Telegram: what it allows, how text is written on it, and one adapter per bot.
//!
//! ```
//! # use std::sync::Arc;
//! # use frontdesk_core::port::Clock;
//! use frontdesk_core::config::{ConfigError, Secret};
//! use frontdesk_telegram::{Account, Streaming, TelegramAdapter, WebhookAccess};
//!
//! # fn wire(clock: Arc<dyn Clock>) -> Result<(), ConfigError> {
//! let mut account = Account::new("default", "123456:AAbb-cc_dd");
//! account.settings.streaming = Streaming::Block;
//! account.webhook = Some(WebhookAccess {
//!     public_url: "https://bot.example.org/hooks/telegram/default".into(),
//!     secret: Secret::new("a-long-secret"),
//! });
//! let adapter = TelegramAdapter::new(account, clock)?;
//! # Ok(())
//! # }
//! ```

mod album;
mod api;
mod callback;
mod config;
mod destination;
mod error;
mod groups;
mod inbound;
mod keyboard;
pub mod markup;
mod media;
mod menu;
mod outbound;
mod pace;
mod poll;
mod reaction;
mod section;
mod setup;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::config::ConfigError;
use frontdesk_core::delivery::{Delivery, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, AdapterError, Bytes, Clock, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::Profile;
use serde::Deserialize;
use teloxide_core::payloads::GetMe;

use api::Api;
pub use config::{Account, Settings, Streaming, WebhookAccess};
use destination::Chat;
use error::Fault;
use frontdesk_kit::timer::Timer;
use inbound::Bot;
use pace::Pace;
use poll::{PollConflict, Poller};
pub use section::{Bot as BotSection, Mode, Telegram};
use webhook::{WebhookEndpoint, WebhookRegistration};

/// The channel's name in keys and addresses.
pub const CHANNEL: &str = "telegram";

/// Telegram's capabilities and limits for an account with default settings.
pub fn profile() -> Profile {
    Settings::default().profile()
}

/// The adapter of one bot.
pub struct TelegramAdapter {
    profile: Profile,
    id: AccountId,
    account: Account,
    api: Api,
    clock: Arc<dyn Clock>,
    endpoint: Option<Arc<WebhookEndpoint>>,
    pace: Pace,
    /// Kept across connections, because the other program may run longer than one connection.
    conflict: PollConflict,
}

impl TelegramAdapter {
    /// Creates the adapter without connecting.
    pub fn new(account: Account, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        account.check()?;
        let id = AccountId::new(CHANNEL, Some(&account.name))
            .map_err(|error| ConfigError::new("name", error.to_string()))?;
        let endpoint =
            account.webhook.as_ref().map(|webhook| Arc::new(WebhookEndpoint::new(webhook.secret.clone())));
        Ok(Self {
            profile: account.settings.profile(),
            id,
            api: Api::new(&account)?,
            pace: Pace::new(&account.settings, clock.clone()),
            account,
            clock,
            endpoint,
            conflict: PollConflict::default(),
        })
    }

    /// Counts what was sent to a chat, and finds out whom a refusal for speed concerns.
    fn counted<T>(&self, chat: i64, sent: Result<T, SendError>) -> Result<T, SendError> {
        match sent {
            Ok(receipt) => {
                self.pace.sent(chat);
                Ok(receipt)
            }
            Err(SendError::Later { after: Some(after), detail, .. }) => {
                Err(SendError::Later { after: Some(after), scope: self.pace.refused(chat, after), detail })
            }
            Err(error) => Err(error),
        }
    }

    async fn bot(&self) -> Result<Bot, AdapterError> {
        let user: User = self.api.query(&GetMe::new()).await.map_err(Fault::for_connection)?;
        let username = user.username.unwrap_or_default();
        Ok(Bot {
            id: user.id,
            username,
            account: self.id.clone(),
            require_username: self.account.settings.require_username,
        })
    }

    /// Receives until the connection ends.
    async fn receive(&self, inbox: Arc<dyn Inbox>) -> Result<(), AdapterError> {
        let bot = self.bot().await?;
        tracing::info!(channel = CHANNEL, account = %bot.account, bot = bot.username, "connected");
        let timer = Timer::new(self.clock.clone());
        match (&self.account.webhook, &self.endpoint) {
            (Some(WebhookAccess { public_url, secret }), Some(endpoint)) => {
                WebhookRegistration {
                    api: &self.api,
                    settings: &self.account.settings,
                    timer,
                    endpoint,
                    public_url,
                    secret,
                }
                .run(bot, inbox)
                .await
            }
            _ => {
                Poller {
                    api: &self.api,
                    settings: &self.account.settings,
                    timer,
                    bot: &bot,
                    inbox: inbox.as_ref(),
                    conflict: &self.conflict,
                }
                .run()
                .await
            }
        }
    }
}

/// The fields of `getMe` that we use. Servers differ in the others.
#[derive(Deserialize)]
struct User {
    id: i64,
    username: Option<String>,
}

#[async_trait]
impl Adapter for TelegramAdapter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.id
    }

    /// A token begins with the bot's id.
    fn login(&self) -> Option<String> {
        self.account.token.expose().split_once(':').map(|(id, _)| id.to_owned())
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        tokio::select! {
            ended = self.receive(inbox) => ended,
            // A push that is cancelled here may be committed or not. The update is delivered again in both cases.
            () = stop.cancelled() => Ok(()),
        }
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        let chat = Chat::of(to)?.id.0;
        let sent = outbound::deliver(&self.api, &self.account.settings, to, delivery).await;
        self.counted(chat, sent)
    }

    async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        let (chat, grows) = (Chat::of(to)?.id.0, matches!(signal, Signal::Grow { .. }));
        if grows {
            self.pace.check_edit(chat)?;
        }
        let shown = outbound::signal(&self.api, &self.account.settings, to, signal).await;
        if grows { self.counted(chat, shown) } else { shown }
    }

    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError> {
        media::fetch(&self.api, &self.account.settings, file).await
    }

    async fn group(&self, id: &str) -> Result<Group, LookupError> {
        groups::describe(&self.api, self.login().as_deref(), id).await
    }

    async fn groups(&self, _: Option<&str>) -> Result<GroupPage, LookupError> {
        Err(LookupError::Unsupported)
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        self.endpoint.clone().map(|endpoint| endpoint as Arc<dyn Webhook>)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use frontdesk_core::profile::Unit;

    use super::*;

    #[test]
    fn its_profile_can_be_right() {
        frontdesk_conformance::profile::check(&profile());
    }

    #[test]
    fn typing_is_repeated_before_telegram_lets_it_lapse() {
        assert!(profile().typing.unwrap() < Duration::from_secs(5));
    }

    #[test]
    fn a_part_is_shorter_than_the_longest_message_of_the_bot_api() {
        let limit = profile().limit;
        assert_eq!(limit.unit, Unit::Utf16);
        assert!(limit.max <= 4096);
    }
}
