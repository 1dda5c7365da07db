//! The state that all requests and WebSockets share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, StatusCode};
use frontdesk_core::access::{Action, Context, Decision, Requester};
use frontdesk_core::account::AccountId;
use frontdesk_core::ask::Audience;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Clock, Mono, Stop, Webhook};
use frontdesk_core::rate_limiter::RateLimiter;
use frontdesk_core::token::AppUserError;
use frontdesk_runtime::GatewayHandle;
use frontdesk_store::row::Author;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::Reload;
use crate::budget::{Budget, StrangersBudget};
use crate::connections::{ConnectionSlot, ConnectionTable};
use crate::error::ApiError;
use crate::hook::Hook;
use crate::hub::WebHub;
use crate::idempotency::IdempotencyCache;
use crate::network::client_network;
use crate::origin::PageOrigin;
use crate::refusals::{RefusalKind, RefusalLog, shortened};
use crate::settings::HttpSettings;
use crate::ticket::Tickets;
use crate::token::{Caller, Scope, Tokens, USER, bearer, hash_token, user};
use crate::tool_token::ToolTokens;

/// Maximum bytes of request bodies in memory.
pub(crate) const MAX_BODY_MEMORY: usize = 32 * 1024 * 1024;
/// Maximum bytes of request bodies in memory that belong to clients which have not authenticated.
pub(crate) const MAX_STRANGERS_MEMORY: usize = 16 * 1024 * 1024;

/// Maximum bytes of large answers that clients have not read yet.
pub(crate) const MAX_UNREAD_MEMORY: usize = 64 * 1024 * 1024;

/// How often a refused origin gets a row in the audit, whatever the origin, and how many at once.
pub(crate) const FOREIGN_ORIGIN_AUDIT: (Duration, u32) = (Duration::from_secs(300), 12);

/// The state that all requests and WebSockets share.
pub(crate) struct ServerState {
    /// What a reload replaces.
    pub(crate) settings: Arc<ArcSwap<HttpSettings>>,
    pub(crate) reload: Option<Arc<dyn Reload>>,
    pub(crate) hub: Arc<WebHub>,
    pub(crate) handle: GatewayHandle,
    pub(crate) tokens: Tokens,
    pub(crate) tool_tokens: ToolTokens,
    pub(crate) tickets: Tickets,
    /// Told when a callback was stored.
    pub(crate) callbacks: Notify,
    pub(crate) idempotency: IdempotencyCache,
    pub(crate) metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) stop: Stop,
    /// Connections and upgraded WebSockets. A stopping server waits for them.
    pub(crate) tasks: TaskTracker,
    pub(crate) connections: Arc<ConnectionTable>,
    /// The memory of bodies that are being read or handled.
    pub(crate) bodies: Budget,
    /// The memory of bodies that are read before the client has authenticated.
    pub(crate) strangers_bodies: StrangersBudget,
    /// The memory of answers that clients have not read yet.
    pub(crate) unread: Budget,
    pub(crate) refusals: RefusalLog,
    /// Limits the audit rows about one refused origin.
    pub(crate) audited_per_origin: RateLimiter<String>,
    /// Limits the audit rows about all refused origins together.
    pub(crate) audited_origins: RateLimiter<()>,
}

impl ServerState {
    /// The configuration as it is now.
    pub(crate) fn settings(&self) -> Arc<HttpSettings> {
        self.settings.load_full()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.handle.clock()
    }

    pub(crate) fn now(&self) -> Mono {
        self.clock().mono()
    }

    /// Tells the hub whenever an admin disconnects the web channel or connects it again. Never returns.
    pub(crate) async fn follow_channel_switch(&self) {
        let mut switch = self.handle.disconnected(&AccountId::default_of("web"));
        loop {
            self.hub.set_disconnected(switch.borrow_and_update().is_some());
            if switch.changed().await.is_err() {
                break;
            }
        }
        std::future::pending().await
    }

    /// Returns after this time.
    pub(crate) async fn pause(&self, time: Duration) {
        self.clock().sleep_until(self.now() + time).await;
    }

    /// Counts a request without a token. Its bucket is never one that a valid token needs.
    pub(crate) fn limit_without_token(&self, ip: IpAddr, headers: &HeaderMap) -> Result<(), ApiError> {
        let settings = self.settings();
        let page =
            if settings.origins.is_cross_site(headers) { PageOrigin::Foreign } else { PageOrigin::None };
        settings.per_ip.take(&(client_network(ip), page), self.now()).map_err(ApiError::too_many)
    }

    /// Counts a request of a token.
    pub(crate) fn limit_token(&self, caller: &Caller) -> Result<(), ApiError> {
        self.settings().per_token.take(&caller.person, self.now()).map_err(ApiError::too_many)
    }

    /// The caller of a token, or the user whom the program that holds it names. An address with too many wrong tokens must
    /// wait, but a valid token is accepted from it all the same, because guessing 256 bits does not gain from many attempts.
    pub(crate) fn authenticate(
        &self,
        token: &str,
        user: Option<&str>,
        ip: IpAddr,
        slot: &ConnectionSlot,
    ) -> Result<Caller, ApiError> {
        let caller = self.tokens.find(token).or_else(|| self.named_caller(token));
        let caller = caller.ok_or_else(|| self.wrong_token(ip))?;
        slot.authenticate();
        match (caller.scope, user) {
            (Scope::App, Some(user)) => {
                let user = user.parse().map_err(|error: AppUserError| ApiError::user(error.to_string()))?;
                caller.for_user(&user).map_err(|error| ApiError::user(error.to_string()))
            }
            (Scope::App, None) => Err(ApiError::user(format!(
                "a token with the scope app talks in the name of a user: name one in the header {USER}"
            ))),
            (_, Some(_)) => {
                Err(ApiError::user("only a token with the scope app names users; this one has another"))
            }
            (_, None) => Ok(caller),
        }
    }

    fn named_caller(&self, token: &str) -> Option<Caller> {
        let row = self.handle.token(&hash_token(token))?;
        self.handle.token_used(&row.name);
        Caller::named(&row).ok()
    }

    /// Whether a caller's token is still valid, with the same scope.
    pub(crate) fn is_valid(&self, caller: &Caller) -> bool {
        self.tokens.is_valid(caller) || self.handle.token(caller.hash()).is_some_and(|row| caller.is_of(&row))
    }

    /// The session of an agent's token.
    pub(crate) fn authenticate_agent(
        &self,
        token: &str,
        ip: IpAddr,
        slot: &ConnectionSlot,
    ) -> Result<SessionKey, ApiError> {
        let session = self.tool_tokens.session(token).ok_or_else(|| self.wrong_token(ip))?;
        slot.authenticate();
        Ok(session)
    }

    /// Counts and records a wrong token of an address.
    fn wrong_token(&self, ip: IpAddr) -> ApiError {
        metrics::counter!("frontdesk_auth_failures_total").increment(1);
        if let Err(too_many) = self.count_auth_failure(ip) {
            return too_many;
        }
        self.refusals.record(RefusalKind::WrongToken, ip, "", self.now());
        ApiError::unauthorized()
    }

    /// Counts a login ticket that is not valid, and returns the error for it.
    pub(crate) fn wrong_ticket(&self, ip: IpAddr) -> ApiError {
        metrics::counter!("frontdesk_auth_failures_total").increment(1);
        if let Err(too_many) = self.count_auth_failure(ip) {
            return too_many;
        }
        let message = "this login link was used already, or is too old: get a new one with `frontdesk link`";
        ApiError::new(StatusCode::UNAUTHORIZED, "ticket_used", message)
    }

    /// The caller of a probe, if the request shows a token that may read. The response then says more.
    pub(crate) fn identify(&self, headers: &HeaderMap, ip: IpAddr, slot: &ConnectionSlot) -> Option<Caller> {
        let caller = self.authenticate(bearer(headers)?, user(headers).ok()?, ip, slot).ok()?;
        self.authorize(&caller, Scope::Read, Action::Administer).ok().map(|()| caller)
    }

    /// Counts a wrong token or secret of an address. An error says that there were too many.
    pub(crate) fn count_auth_failure(&self, ip: IpAddr) -> Result<(), ApiError> {
        self.settings().failures.take(&client_network(ip), self.now()).map_err(ApiError::too_many)
    }

    /// Records a request of a foreign origin: in the log and, less often, in the audit.
    pub(crate) async fn note_foreign_origin(&self, headers: &HeaderMap, ip: IpAddr) {
        metrics::counter!("frontdesk_foreign_origins_total").increment(1);
        let origin = headers.get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()));
        let origin = origin.unwrap_or_default();
        self.refusals.record(RefusalKind::ForeignOrigin, ip, &origin, self.now());
        let origin = shortened(&origin);
        if self.audited_per_origin.take(&origin, self.now()).is_err()
            || self.audited_origins.take(&(), self.now()).is_err()
        {
            return;
        }
        let author = Author { name: ip.to_string(), via: "api" };
        let row = self.handle.audit(&author, "refused_origin", &origin, "refused:foreign_origin");
        if let Err(error) = row.await {
            tracing::warn!(%error, "a refused origin could not be written to the audit");
        }
    }

    /// Checks a caller's scope and the access rules.
    pub(crate) fn authorize(&self, caller: &Caller, scope: Scope, action: Action) -> Result<(), ApiError> {
        let (is_enough, action) = match caller.scope {
            Scope::Admin => (true, action),
            // The token is what lets its holder read; the rules say whether they may be here at all.
            Scope::Read => (scope == Scope::Read, Action::Write),
            Scope::Chat => (action == Action::Write, action),
            // Only the users whom it names may do something.
            Scope::App => (false, action),
        };
        if !is_enough {
            return Err(ApiError::forbidden());
        }
        match self.handle.authorize(Requester::person(&caller.principal), Context::Dm, action) {
            Decision::Allow => Ok(()),
            Decision::Pair | Decision::Deny(_) => Err(ApiError::forbidden()),
        }
    }

    /// Checks whether a caller may do something in a session: with the scope `chat` in those of their own chats, which need
    /// no rights beyond that, otherwise as an admin in all.
    pub(crate) fn authorize_session(
        &self,
        caller: &Caller,
        scope: Scope,
        session: &SessionKey,
    ) -> Result<(), ApiError> {
        if caller.scope != Scope::Chat {
            return self.authorize(caller, scope, Action::Administer);
        }
        self.authorize(caller, scope, Action::Write)?;
        match caller.owns(session) {
            true => Ok(()),
            // The same answer as for a session that does not exist: others do not learn which sessions there are.
            false => Err(ApiError::not_found(format!("there is no session {session}"))),
        }
    }

    /// Whether a caller may administer the gateway.
    pub(crate) fn is_operator(&self, caller: &Caller) -> bool {
        self.authorize(caller, Scope::Admin, Action::Administer).is_ok()
    }

    /// Whether a caller may answer a question that these people are asked.
    pub(crate) fn may_answer(&self, caller: &Caller, audience: &Audience) -> bool {
        let is_asked = matches!(audience, Audience::People(people) if people.contains(&caller.principal));
        is_asked && self.authorize(caller, Scope::Admin, Action::Write).is_ok() || self.is_operator(caller)
    }

    /// The account that a path names, and its webhook.
    pub(crate) fn webhook(&self, params: &[String]) -> Result<(AccountId, Arc<dyn Webhook>), ApiError> {
        let [channel, account] = params else { return Err(ApiError::internal()) };
        let nobody = || ApiError::not_found("no channel has a webhook at this path");
        let account = AccountId::new(channel, Some(account)).map_err(|_| nobody())?;
        let webhook = self.settings().webhooks.get(&account).cloned().ok_or_else(nobody)?;
        Ok((account, webhook))
    }

    /// Counts a request of this account's platform, which has shown that it is genuine.
    pub(crate) fn limit_webhook(&self, account: &AccountId, slot: &ConnectionSlot) -> Result<(), ApiError> {
        slot.authenticate();
        self.settings().per_webhook.take(account, self.now()).map_err(ApiError::too_many)
    }

    /// The endpoint for events that a path names.
    pub(crate) fn hook(&self, params: &[String]) -> Result<Arc<Hook>, ApiError> {
        let [name] = params else { return Err(ApiError::internal()) };
        let nobody =
            || ApiError::not_found("no events are accepted at this path: see [hooks] in the configuration");
        self.settings().hooks.get(name).ok_or_else(nobody)
    }

    /// Counts and logs a request without the right secret, and returns the error for it. `to` names the webhook. An address
    /// with too many such requests must wait, but a request with the right secret is accepted from it all the same.
    pub(crate) fn refuse_forged(&self, to: &str, ip: IpAddr) -> ApiError {
        metrics::counter!("frontdesk_webhooks_forged_total").increment(1);
        if let Err(too_many) = self.count_auth_failure(ip) {
            return too_many;
        }
        self.refusals.record(RefusalKind::ForgedWebhook, ip, to, self.now());
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "this request does not show the webhook's secret",
        )
    }

    /// Counts and logs an event or a webhook request whose signature names the wrong time, and returns the error for it.
    pub(crate) fn refuse_stale(&self, to: &str, ip: IpAddr) -> ApiError {
        if let Err(too_many) = self.count_auth_failure(ip) {
            return too_many;
        }
        self.refusals.record(RefusalKind::StaleWebhook, ip, to, self.now());
        let message = "the time of this event is too far from now: send it again, or check the clocks";
        ApiError::new(StatusCode::UNAUTHORIZED, "stale", message)
    }

    /// The client's address behind trusted proxies.
    pub(crate) fn client(&self, peer: std::net::SocketAddr, headers: &HeaderMap) -> IpAddr {
        self.settings().origins.client(peer, headers)
    }
}
