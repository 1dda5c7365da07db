//! What every request and every socket shares.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use frontdesk_core::access::{Action, Context, Decision, Who};
use frontdesk_core::account::AccountId;
use frontdesk_core::port::{Clock, Mono, Stop, Webhook};
use frontdesk_runtime::GatewayHandle;
use frontdesk_store::row::{AccessChange, Author};
use tokio_util::task::TaskTracker;

use crate::Webhooks;
use crate::budget::Budget;
use crate::config::Config;
use crate::connections::{Connections, Slot};
use crate::error::ApiError;
use crate::hub::WebHub;
use crate::limit::{Buckets, client};
use crate::origin::{Origins, Page};
use crate::refusals::{Refusals, Why, short};
use crate::repeat::Repeats;
use crate::token::{Caller, Scope, Tokens, bearer};

/// How many bytes of requests' bodies may be held at once.
pub(crate) const BODIES: usize = 32 * 1024 * 1024;

/// How many bytes of large answers may be held at once for clients who have not read them yet.
pub(crate) const UNREAD: usize = 64 * 1024 * 1024;

/// How often a refused origin gets a row in the audit, whatever it calls itself, and how many come at once.
pub(crate) const AUDITED: (Duration, u32) = (Duration::from_secs(300), 12);

/// What every request and every socket shares.
pub(crate) struct ServerState {
    pub(crate) config: Config,
    pub(crate) hub: Arc<WebHub>,
    pub(crate) handle: GatewayHandle,
    pub(crate) tokens: Tokens,
    pub(crate) origins: Origins,
    pub(crate) repeats: Repeats,
    pub(crate) metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) webhooks: Webhooks,
    pub(crate) stop: Stop,
    /// Connections and upgraded sockets: stopping waits for them.
    pub(crate) tasks: TaskTracker,
    pub(crate) connections: Arc<Connections>,
    /// The memory of bodies that are being read or carried out.
    pub(crate) bodies: Budget,
    /// The memory of answers that are being read by their clients.
    pub(crate) unread: Budget,
    pub(crate) refusals: Refusals,
    /// Requests without a token, by address, and apart from them those of other pages in that address's browsers.
    pub(crate) per_ip: Buckets<(IpAddr, Page)>,
    /// Requests with a token, by whose it is.
    pub(crate) per_token: Buckets<Arc<str>>,
    /// The same by the webhook's channel and account.
    pub(crate) per_webhook: Buckets<Vec<String>>,
    pub(crate) failures: Buckets<IpAddr>,
    /// Rows of the audit for one origin,
    pub(crate) foreign: Buckets<String>,
    /// and for all of them.
    pub(crate) audited: Buckets<()>,
}

impl ServerState {
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.handle.clock()
    }

    pub(crate) fn now(&self) -> Mono {
        self.clock().mono()
    }

    /// Tells the door whenever an admin disconnects the web channel or connects it again. Never returns.
    pub(crate) async fn follow_switch(&self) {
        if let Some(mut switch) = self.handle.disconnected(&AccountId::default_of("web")) {
            loop {
                self.hub.set_disconnected(switch.borrow_and_update().is_some());
                if switch.changed().await.is_err() {
                    break;
                }
            }
        }
        std::future::pending().await
    }

    /// Returns after this time.
    pub(crate) async fn pause(&self, time: Duration) {
        self.clock().sleep_until(self.now() + time).await;
    }

    /// Draws from the bucket of those who show no token: never from what the right token needs.
    pub(crate) fn admit(&self, ip: IpAddr, headers: &HeaderMap) -> Result<(), ApiError> {
        let page = if self.origins.is_foreign(headers) { Page::Foreign } else { Page::None };
        self.per_ip.take(&(client(ip), page), self.now()).map_err(ApiError::too_many)
    }

    /// Draws from a token's bucket.
    pub(crate) fn admit_token(&self, caller: &Caller) -> Result<(), ApiError> {
        self.per_token.take(&caller.token, self.now()).map_err(ApiError::too_many)
    }

    /// Whose token this is. Who guesses too often is told to wait; whoever has the right token comes in from
    /// the same address all the same, for guesses of 256 bits gain nothing by being many.
    pub(crate) fn login(&self, clear: &str, ip: IpAddr, slot: &Slot) -> Result<Caller, ApiError> {
        if let Some(caller) = self.tokens.find(clear) {
            slot.authenticate();
            return Ok(caller);
        }
        metrics::counter!("frontdesk_auth_failures_total").increment(1);
        self.fail(ip)?;
        self.refusals.note(Why::WrongToken, ip, "", self.now());
        Err(ApiError::unauthorized())
    }

    /// Who asks a probe, if they show a token that may look: they are told more.
    pub(crate) fn recognise(&self, headers: &HeaderMap, ip: IpAddr, slot: &Slot) -> Option<Caller> {
        let caller = self.login(bearer(headers)?, ip, slot).ok()?;
        self.authorize(&caller, Scope::Read, Action::Administer).ok().map(|()| caller)
    }

    /// Counts a wrong proof from an address; an error says that there were too many.
    pub(crate) fn fail(&self, ip: IpAddr) -> Result<(), ApiError> {
        self.failures.take(&client(ip), self.now()).map_err(ApiError::too_many)
    }

    /// Writes down that a page of a foreign origin was refused: in the log and, less often, in the audit.
    pub(crate) async fn refuse_origin(&self, headers: &HeaderMap, ip: IpAddr) {
        metrics::counter!("frontdesk_foreign_origins_total").increment(1);
        let origin = headers.get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()));
        let origin = origin.unwrap_or_default();
        self.refusals.note(Why::ForeignOrigin, ip, &origin, self.now());
        let origin = short(&origin);
        if self.foreign.take(&origin, self.now()).is_err() || self.audited.take(&(), self.now()).is_err() {
            return;
        }
        let change = AccessChange::Note {
            action: "refused_origin".to_owned(),
            subject: origin,
            outcome: "refused:foreign_origin".to_owned(),
        };
        let author = Author { name: ip.to_string(), via: "api" };
        if let Err(error) = self.handle.change_access(change, author).await {
            tracing::warn!(%error, "a refused origin has no row in the audit");
        }
    }

    /// Whether somebody may do something: the token's scope, and the one rule.
    pub(crate) fn authorize(&self, caller: &Caller, scope: Scope, action: Action) -> Result<(), ApiError> {
        if caller.scope < scope {
            return Err(ApiError::forbidden());
        }
        match self.handle.authorize(Who::person(&caller.principal), Context::Dm, action) {
            Decision::Allow => Ok(()),
            Decision::Pair | Decision::Deny(_) => Err(ApiError::forbidden()),
        }
    }

    /// Where an account's platform brings its events.
    pub(crate) fn webhook(&self, params: &[String]) -> Result<&Arc<dyn Webhook>, ApiError> {
        let [channel, account] = params else { return Err(ApiError::internal()) };
        let nobody = || ApiError::not_found("no platform brings its events to this path");
        let account = AccountId::new(channel, Some(account)).map_err(|_| nobody())?;
        self.webhooks.get(&account).ok_or_else(nobody)
    }

    /// The client's own address behind trusted proxies.
    pub(crate) fn client(&self, peer: std::net::SocketAddr, headers: &HeaderMap) -> IpAddr {
        self.origins.client(peer, headers)
    }
}
