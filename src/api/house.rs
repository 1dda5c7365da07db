//! What every request and every socket shares.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use frontdesk_core::access::{Action, Context, Decision, Who};
use frontdesk_core::port::{Clock, Mono, Stop, Webhook};
use frontdesk_runtime::Desk;
use tokio_util::task::TaskTracker;

use crate::Webhooks;
use crate::config::Config;
use crate::door::Door;
use crate::error::ApiError;
use crate::limit::{Buckets, client};
use crate::origin::Origins;
use crate::repeat::Repeats;
use crate::token::{Caller, Scope, Tokens};

/// What every request and every socket shares.
pub(crate) struct House {
    pub(crate) config: Config,
    pub(crate) door: Arc<Door>,
    pub(crate) desk: Desk,
    pub(crate) tokens: Tokens,
    pub(crate) origins: Origins,
    pub(crate) repeats: Repeats,
    pub(crate) metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) webhooks: Webhooks,
    pub(crate) stop: Stop,
    /// Connections and upgraded sockets: stopping waits for them.
    pub(crate) tasks: TaskTracker,
    pub(crate) per_ip: Buckets<IpAddr>,
    pub(crate) per_token: Buckets<Arc<str>>,
    pub(crate) failures: Buckets<IpAddr>,
}

impl House {
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.desk.clock()
    }

    pub(crate) fn now(&self) -> Mono {
        self.clock().mono()
    }

    /// Returns after this time.
    pub(crate) async fn pause(&self, time: Duration) {
        self.clock().sleep_until(self.now() + time).await;
    }

    /// Draws from a client's bucket.
    pub(crate) fn admit(&self, ip: IpAddr) -> Result<(), ApiError> {
        self.per_ip.take(&client(ip), self.now()).map_err(ApiError::too_many)
    }

    /// Draws from a token's bucket.
    pub(crate) fn admit_token(&self, caller: &Caller) -> Result<(), ApiError> {
        self.per_token.take(&caller.token, self.now()).map_err(ApiError::too_many)
    }

    /// Whose token this is. Who guesses too often is told to wait; whoever has the right token comes in from
    /// the same address all the same, for guesses of 256 bits gain nothing by being many.
    pub(crate) fn login(&self, clear: &str, ip: IpAddr) -> Result<Caller, ApiError> {
        if let Some(caller) = self.tokens.find(clear) {
            return Ok(caller);
        }
        metrics::counter!("frontdesk_auth_failures_total").increment(1);
        self.fail(ip)?;
        tracing::warn!(%ip, "a wrong token was refused");
        Err(ApiError::unauthorized())
    }

    /// Counts a wrong proof from an address; an error says that there were too many.
    pub(crate) fn fail(&self, ip: IpAddr) -> Result<(), ApiError> {
        self.failures.take(&client(ip), self.now()).map_err(ApiError::too_many)
    }

    /// Whether somebody may do something: the token's scope, and the one rule.
    pub(crate) fn authorize(&self, caller: &Caller, scope: Scope, action: Action) -> Result<(), ApiError> {
        if caller.scope < scope {
            return Err(ApiError::forbidden());
        }
        match self.desk.authorize(Who::person(&caller.principal), Context::Dm, action) {
            Decision::Allow => Ok(()),
            Decision::Pair | Decision::Deny(_) => Err(ApiError::forbidden()),
        }
    }

    /// Where an account's platform brings its events.
    pub(crate) fn webhook(&self, params: &[String]) -> Result<&Arc<dyn Webhook>, ApiError> {
        let [channel, account] = params else { return Err(ApiError::internal()) };
        let nobody = || ApiError::not_found("no platform brings its events to this path");
        self.webhooks.get(&(channel.clone(), account.clone())).ok_or_else(nobody)
    }

    /// The client's own address behind trusted proxies.
    pub(crate) fn client(&self, peer: std::net::SocketAddr, headers: &HeaderMap) -> IpAddr {
        self.origins.client(peer, headers)
    }
}
