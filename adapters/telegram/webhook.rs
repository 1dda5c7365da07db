//! Updates that Telegram brings by itself.
//!
//! A delivery moves no cursor: each is acknowledged by its own answer. Polling begins without an offset anyway, so
//! that a bot may be switched from one way to the other at any time; Telegram keeps what waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::config::Secret;
use frontdesk_core::message::Source;
use frontdesk_core::port::{AdapterError, Inbox, Webhook, WebhookOutcome, WebhookRequest};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;
use teloxide_core::payloads::GetWebhookInfo;
use tokio::sync::Mutex as AsyncMutex;

use crate::api::Api;
use crate::callback::{self, Pressed};
use crate::config::Settings;
use crate::error::Fault;
use crate::inbound::{self, Albums, Me};
use crate::poll::UPDATES;
use crate::timer::Timer;
use crate::{CHANNEL, menu};

/// What Telegram proves itself with.
const HEADER: &str = "x-telegram-bot-api-secret-token";

/// The place where Telegram brings updates.
pub(crate) struct Hook {
    secret: Secret,
    /// Where they go; none while there is no connection.
    line: Mutex<Option<Arc<Line>>>,
}

struct Line {
    me: Me,
    source: Source,
    inbox: Arc<dyn Inbox>,
    pressed: Pressed,
    /// One delivery at a time, so that their order holds.
    albums: AsyncMutex<Albums>,
}

impl Hook {
    pub(crate) fn new(secret: Secret) -> Self {
        Self { secret, line: Mutex::default() }
    }

    fn is_from_telegram(&self, given: Option<&str>) -> bool {
        let wanted = self.secret.expose().as_bytes();
        given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(wanted)))
    }

    fn line(&self) -> MutexGuard<'_, Option<Arc<Line>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Webhook for Hook {
    fn admits(&self, header: &(dyn for<'n> Fn(&'n str) -> Option<String> + Sync)) -> bool {
        self.is_from_telegram(header(HEADER).as_deref())
    }

    async fn receive(&self, request: WebhookRequest) -> WebhookOutcome {
        if !self.is_from_telegram(request.header(HEADER)) {
            return WebhookOutcome::Forged;
        }
        let Some(line) = self.line().clone() else { return WebhookOutcome::Busy };
        match request.get {
            true => WebhookOutcome::Garbage,
            false => line.take(&String::from_utf8_lossy(&request.body)).await,
        }
    }
}

impl Line {
    /// Whatever Telegram brings is kept, readable or not: it would bring it again and nothing else before.
    async fn take(&self, body: &str) -> WebhookOutcome {
        let mut albums = self.albums.lock().await;
        let mut understood = match inbound::understand(&self.me, body) {
            Ok(understood) => understood,
            Err(error) => {
                tracing::error!(channel = CHANNEL, account = %self.source.account, %error, "an update has no place");
                return WebhookOutcome::Busy;
            }
        };
        albums.settle(std::iter::once(&mut understood.event));
        match self.inbox.push(&self.source, vec![understood.event], None).await {
            Err(busy) => {
                tracing::debug!(channel = CHANNEL, account = %self.source.account, %busy, "an update waits at Telegram");
                return WebhookOutcome::Busy;
            }
            Ok(_) => self.inbox.heard(&self.source),
        }
        if let Some(id) = understood.callback {
            self.pressed.report(id);
        }
        WebhookOutcome::Taken(None)
    }
}

/// Keeps Telegram bringing updates.
pub(crate) struct Keeper<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    pub timer: Timer,
    pub hook: &'a Hook,
    pub public_url: &'a str,
    pub secret: &'a Secret,
}

/// Takes deliveries as long as it lives.
struct Open<'a>(&'a Hook);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        *self.0.line() = None;
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

impl Keeper<'_> {
    /// Receives until the connection ends. The webhook stays when we go: what comes meanwhile waits at Telegram.
    pub(crate) async fn run(&self, me: Me, inbox: Arc<dyn Inbox>) -> Result<(), AdapterError> {
        let (pressed, queue) = callback::queue();
        let (source, account) = (me.source(), me.account.clone());
        let albums = AsyncMutex::default();
        let line = Line { me, source: source.clone(), inbox: inbox.clone(), pressed, albums };
        *self.hook.line() = Some(Arc::new(line));
        let _open = Open(self.hook);
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
        let mut known = self.look().await?.last_error_date;
        inbox.heard(source);
        loop {
            self.timer.pause(Duration::from_secs(self.settings.webhook_check_seconds)).await;
            let info = self.look().await?;
            if info.last_error_date == known {
                inbox.heard(source);
                continue;
            }
            known = info.last_error_date;
            let (account, waiting) = (&source.account, info.pending_update_count);
            let error = self.api.clean(&info.last_error_message.unwrap_or_default());
            tracing::warn!(channel = CHANNEL, %account, waiting, error, "Telegram could not bring an update");
        }
    }

    async fn set(&self) -> Result<(), AdapterError> {
        let body = json!({
            "url": self.public_url,
            "secret_token": self.secret.expose(),
            "allowed_updates": UPDATES,
            // One after the other: more at a time would overtake each other.
            "max_connections": 1,
            "drop_pending_updates": false,
        });
        self.api.tell("setWebhook", &body).await.map(drop).map_err(|fault| match &fault {
            Fault::Refused(refusal) if refusal.code == 400 => AdapterError::Setup(fault.to_string()),
            _ => fault.for_connection(),
        })
    }

    async fn look(&self) -> Result<Info, AdapterError> {
        let info: Info = self.api.learn(&GetWebhookInfo::new()).await.map_err(Fault::for_connection)?;
        match info.url == self.public_url {
            true => Ok(info),
            false => {
                tracing::error!(channel = CHANNEL, "another program took the bot's webhook away");
                Err(AdapterError::Lost("another program took the bot's webhook away: stop it".to_owned()))
            }
        }
    }
}
