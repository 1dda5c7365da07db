//! Receives updates by webhook.
//!
//! A webhook delivery does not change the stored cursor: each delivery is acknowledged by its own response. Polling
//! starts without an offset anyway, so a bot may be switched between polling and webhook at any time; Telegram keeps
//! the pending updates.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::config::Secret;
use frontdesk_core::message::Source;
use frontdesk_core::port::{
    AdapterError, Forgery, Inbox, Webhook, WebhookOutcome, WebhookProof, WebhookRequest,
};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;
use teloxide_core::payloads::GetWebhookInfo;
use tokio::sync::Mutex as AsyncMutex;

use crate::api::Api;
use crate::callback::{self, CallbackAnswer, CallbackQueue};
use crate::config::Settings;
use crate::error::Fault;
use crate::inbound::{self, Albums, Bot, UPDATES};
use crate::{CHANNEL, menu};
use frontdesk_kit::timer::Timer;

/// The header with the secret that proves that a request comes from Telegram.
const HEADER: &str = "x-telegram-bot-api-secret-token";

/// The endpoint that Telegram delivers updates to.
pub(crate) struct WebhookEndpoint {
    secret: Secret,
    /// The current connection; `None` while there is none.
    connection: Mutex<Option<Arc<Connection>>>,
}

struct Connection {
    bot: Bot,
    source: Source,
    inbox: Arc<dyn Inbox>,
    callback_queue: CallbackQueue,
    /// Locked during a delivery, so that deliveries keep their order.
    albums: AsyncMutex<Albums>,
}

impl WebhookEndpoint {
    pub(crate) fn new(secret: Secret) -> Self {
        Self { secret, connection: Mutex::default() }
    }

    fn is_from_telegram(&self, given: Option<&str>) -> bool {
        let wanted = self.secret.expose().as_bytes();
        given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(wanted)))
    }

    fn connection(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Webhook for WebhookEndpoint {
    fn proof(&self) -> WebhookProof {
        WebhookProof::Head
    }

    fn admits(&self, header: &(dyn for<'n> Fn(&'n str) -> Option<String> + Sync)) -> bool {
        self.is_from_telegram(header(HEADER).as_deref())
    }

    fn verify(&self, request: &WebhookRequest) -> Result<(), Forgery> {
        if self.is_from_telegram(request.header(HEADER)) { Ok(()) } else { Err(Forgery::Forged) }
    }

    async fn receive(&self, request: WebhookRequest) -> WebhookOutcome {
        let Some(connection) = self.connection().clone() else { return WebhookOutcome::Busy };
        match request.get {
            true => WebhookOutcome::Garbage,
            false => connection.take(&String::from_utf8_lossy(&request.body)).await,
        }
    }
}

impl Connection {
    /// Every update is stored, readable or not. Otherwise Telegram would deliver it again and hold back all later ones.
    async fn take(&self, body: &str) -> WebhookOutcome {
        let mut albums = self.albums.lock().await;
        let mut parsed = match inbound::parse(&self.bot, body) {
            Ok(parsed) => parsed,
            Err(error) => {
                tracing::error!(channel = CHANNEL, account = %self.source.account, %error, "the account's name cannot be part of an address");
                return WebhookOutcome::Busy;
            }
        };
        albums.settle(std::iter::once(&mut parsed.event));
        let outcomes = match self.inbox.push(&self.source, vec![parsed.event], None).await {
            Err(busy) => {
                tracing::debug!(channel = CHANNEL, account = %self.source.account, %busy, "the update was not stored and will be delivered again");
                return WebhookOutcome::Busy;
            }
            Ok(outcomes) => outcomes,
        };
        self.inbox.heard(&self.source);
        if let Some(id) = parsed.callback {
            self.callback_queue.report(CallbackAnswer::new(id, outcomes.first()));
        }
        WebhookOutcome::Taken(None)
    }
}

/// Registers the webhook with Telegram and checks it regularly.
pub(crate) struct WebhookRegistration<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    pub timer: Timer,
    pub endpoint: &'a WebhookEndpoint,
    pub public_url: &'a str,
    pub secret: &'a Secret,
}

/// Keeps the endpoint connected until it is dropped.
struct ConnectedGuard<'a>(&'a WebhookEndpoint);

impl Drop for ConnectedGuard<'_> {
    fn drop(&mut self) {
        *self.0.connection() = None;
    }
}

#[derive(Deserialize)]
struct Info {
    url: String,
    #[serde(default)]
    pending_update_count: i64,
    last_error_date: Option<i64>,
    last_error_message: Option<String>,
}

impl WebhookRegistration<'_> {
    /// Receives until the connection ends. The webhook is not removed at the end: Telegram keeps the updates that
    /// arrive meanwhile.
    pub(crate) async fn run(&self, bot: Bot, inbox: Arc<dyn Inbox>) -> Result<(), AdapterError> {
        let (callback_queue, queue) = callback::queue();
        let (source, account) = (bot.source(), bot.account.clone());
        let albums = AsyncMutex::default();
        let connection =
            Connection { bot, source: source.clone(), inbox: inbox.clone(), callback_queue, albums };
        *self.endpoint.connection() = Some(Arc::new(connection));
        let _guard = ConnectedGuard(self.endpoint);
        let chores = async {
            menu::write(self.api, &account).await;
            callback::answer(self.api, queue).await
        };
        tokio::select! {
            ended = self.watch(&source, inbox.as_ref()) => ended,
            never = chores => match never {},
        }
    }

    async fn watch(&self, source: &Source, inbox: &dyn Inbox) -> Result<(), AdapterError> {
        self.set().await?;
        let mut known = self.check().await?.last_error_date;
        inbox.heard(source);
        loop {
            self.timer.pause(Duration::from_secs(self.settings.webhook_check_seconds)).await;
            let info = self.check().await?;
            if info.last_error_date == known {
                inbox.heard(source);
                continue;
            }
            known = info.last_error_date;
            let (account, waiting) = (&source.account, info.pending_update_count);
            let error = self.api.clean(&info.last_error_message.unwrap_or_default());
            tracing::warn!(channel = CHANNEL, %account, waiting, error, "Telegram could not deliver an update");
        }
    }

    async fn set(&self) -> Result<(), AdapterError> {
        let body = json!({
            "url": self.public_url,
            "secret_token": self.secret.expose(),
            "allowed_updates": UPDATES,
            // One at a time, because concurrent deliveries could overtake each other.
            "max_connections": 1,
            "drop_pending_updates": false,
        });
        self.api.invoke_by_name("setWebhook", &body).await.map(drop).map_err(|fault| match &fault {
            Fault::Refused(refusal) if refusal.code == 400 => AdapterError::Setup(fault.to_string()),
            _ => fault.for_connection(),
        })
    }

    async fn check(&self) -> Result<Info, AdapterError> {
        let info: Info = self.api.query(&GetWebhookInfo::new()).await.map_err(Fault::for_connection)?;
        match info.url == self.public_url {
            true => Ok(info),
            false => {
                tracing::error!(channel = CHANNEL, "another program changed the bot's webhook");
                Err(AdapterError::Lost(
                    "another program changed the bot's webhook: stop that program".to_owned(),
                ))
            }
        }
    }
}
