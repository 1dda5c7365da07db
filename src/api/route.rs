//! The table of endpoints, and the router built from it.
//!
//! A new endpoint is a line in the table and a handler that describes itself:
//!
//! ```text
//! /// Lists notes, the newest first.                         (the first sentence is the summary)
//! #[utoipa::path(get, path = "/api/notes", params(NotesQuery), responses((status = 200, body = Notes), (status = 404)))]
//! pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
//! ```
//!
//! Bodies and queries derive `JsonSchema` and stand in the list of `openapi/schemas.rs`, a new parameter of a path in that of
//! `openapi/parameters.rs`. Errors that all endpoints of a kind share are added there; a handler names those of its own by
//! their status. A POST without fields is `ReplayBare`. `UPDATE=1 cargo test -p frontdesk-api --lib openapi` then writes
//! `schema/openapi.json`, and every response that the server suite sees is compared with it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use frontdesk_core::access::Action;
use tower::ServiceExt;

use crate::dispatch::{Access, Description, Endpoint, Idempotency, dispatch};
use crate::endpoint::{
    access, ask, audit, budget, channel, charts, chat, completion, config, console, dead_letter, event, file,
    gateway, group, hook, job, login, mcp, message, outbox, page, pairing, schema, search, send, session,
    status, task, timeline, token, webhook,
};
use crate::error::ApiError;
use crate::origin::PageOrigin;
use crate::refusals::RefusalKind;
use crate::request::Peer;
use crate::server::ServerState;
use crate::token::Scope;
use crate::url;
use crate::ws::handshake;

macro_rules! endpoints {
    ($($method:ident $path:literal $access:expr, $idempotency:ident, $module:ident::$handler:ident;)*) => {
        /// Every endpoint. A path that is not listed here does not exist, so every path has its access rule.
        pub(crate) static ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            method: Method::$method,
            path: $path,
            access: $access,
            idempotency: Idempotency::$idempotency,
            run: |request| Box::pin($module::$handler(request)),
        }),*];

        /// What each of them says about itself, in the same order.
        pub(crate) static DESCRIPTIONS: &[fn() -> Description] = &[$(|| pastey::paste! {
            Description {
                tag: stringify!($module),
                handler: stringify!($handler),
                path: <$module::[<__path_ $handler>] as utoipa::Path>::path(),
                operation: <$module::[<__path_ $handler>] as utoipa::Path>::operation(),
            }
        }),*];
    };
}

const READ: Access = Access::Token(Scope::Read, Action::Administer);
const ADMIN: Access = Access::Token(Scope::Admin, Action::Administer);
/// Reads what is the caller's own, and as an admin everything.
const OWN: Access = Access::Token(Scope::Read, Action::Write);
const PROMPT: Access = Access::Token(Scope::Admin, Action::Write);

endpoints! {
    GET "/" Access::Public, NoReplay, page::index;
    GET "/page/{asset}" Access::Public, NoReplay, page::file;
    GET "/console" Access::Public, NoReplay, console::index;
    GET "/console/{asset}" Access::Public, NoReplay, console::file;
    GET "/api/openapi.json" Access::Public, NoReplay, schema::openapi;
    GET "/api/frames.json" Access::Public, NoReplay, schema::frames;
    GET "/health" Access::Probe, NoReplay, status::health;
    GET "/ready" Access::Probe, NoReplay, status::ready;
    GET "/metrics" READ, NoReplay, status::metrics;
    GET "/api/status" READ, NoReplay, status::status;
    GET "/api/charts" READ, NoReplay, charts::charts;
    GET "/api/sessions" OWN, NoReplay, session::list;
    GET "/api/messages" OWN, NoReplay, search::messages;
    GET "/api/session/{key}" OWN, NoReplay, session::get;
    PATCH "/api/session/{key}" PROMPT, NoReplay, session::change;
    DELETE "/api/session/{key}" ADMIN, NoReplay, session::erase;
    GET "/api/session/{key}/messages" OWN, NoReplay, session::messages;
    GET "/api/session/{key}/timeline" OWN, NoReplay, timeline::list;
    GET "/api/session/{key}/files/{file}" OWN, NoReplay, file::of_session;
    POST "/api/session/{key}/reset" PROMPT, ReplayBare, session::reset;
    POST "/api/session/{key}/stop" PROMPT, ReplayBare, session::stop;
    GET "/api/messages/{message}" OWN, NoReplay, message::get;
    GET "/api/outbox" READ, NoReplay, outbox::list;
    POST "/api/outbox/{part}/retry" ADMIN, ReplayBare, outbox::retry;
    POST "/api/outbox/{part}/drop" ADMIN, ReplayBare, outbox::discard;
    GET "/api/dead-letters" READ, NoReplay, dead_letter::list;
    DELETE "/api/dead-letters" ADMIN, NoReplay, dead_letter::discard_all;
    GET "/api/dead-letters/{letter}" READ, NoReplay, dead_letter::get;
    DELETE "/api/dead-letters/{letter}" ADMIN, NoReplay, dead_letter::discard;
    GET "/api/pairing" READ, NoReplay, pairing::list;
    POST "/api/pairing/{code}/approve" ADMIN, Replay, pairing::approve;
    POST "/api/pairing/{code}/deny" ADMIN, Replay, pairing::deny;
    POST "/api/pairing/requests/{request}/approve" ADMIN, ReplayBare, pairing::approve_request;
    POST "/api/pairing/requests/{request}/deny" ADMIN, ReplayBare, pairing::deny_request;
    GET "/api/access" READ, NoReplay, access::list;
    POST "/api/access" ADMIN, Replay, access::grant;
    DELETE "/api/access/{principal}" ADMIN, NoReplay, access::revoke;
    POST "/api/access/{principal}/block" ADMIN, ReplayBare, access::block;
    DELETE "/api/access/{principal}/block" ADMIN, NoReplay, access::unblock;
    GET "/api/allowlist" READ, NoReplay, access::list;
    POST "/api/allowlist" ADMIN, Replay, access::grant;
    DELETE "/api/allowlist/{principal}" ADMIN, NoReplay, access::revoke;
    POST "/api/channel/{channel}/start" ADMIN, ReplayBare, channel::start;
    POST "/api/channel/{channel}/stop" ADMIN, ReplayBare, channel::stop;
    GET "/api/channel/{channel}/groups" READ, NoReplay, group::list;
    GET "/api/channel/{channel}/groups/{group}" READ, NoReplay, group::get;
    POST "/api/gateway/stop" ADMIN, ReplayBare, gateway::stop;
    POST "/api/gateway/restart" ADMIN, ReplayBare, gateway::restart;
    GET "/api/config" READ, NoReplay, config::show;
    POST "/api/config/reload" ADMIN, NoReplay, config::reload;
    GET "/api/asks" OWN, NoReplay, ask::list;
    POST "/api/asks/{ask}" PROMPT, Replay, ask::answer;
    GET "/api/tasks" OWN, NoReplay, task::list;
    POST "/api/tasks" PROMPT, Replay, task::submit;
    GET "/api/tasks/{task}" OWN, NoReplay, task::get;
    POST "/api/tasks/{task}/cancel" PROMPT, ReplayBare, task::cancel;
    POST "/api/tasks/{task}/retry" PROMPT, ReplayBare, task::retry;
    GET "/api/background" OWN, NoReplay, task::list;
    POST "/api/background" PROMPT, Replay, task::submit;
    GET "/api/background/{task}" OWN, NoReplay, task::get;
    POST "/api/background/{task}/cancel" PROMPT, ReplayBare, task::cancel;
    POST "/api/background/{task}/retry" PROMPT, ReplayBare, task::retry;
    GET "/api/cron/jobs" OWN, NoReplay, job::list;
    POST "/api/cron/jobs" PROMPT, Replay, job::create;
    GET "/api/cron/jobs/{job}" OWN, NoReplay, job::get;
    PATCH "/api/cron/jobs/{job}" PROMPT, NoReplay, job::change;
    DELETE "/api/cron/jobs/{job}" PROMPT, NoReplay, job::remove;
    POST "/api/cron/jobs/{job}/run" PROMPT, ReplayBare, job::run;
    POST "/api/cron/jobs/{job}/pause" PROMPT, ReplayBare, job::pause;
    POST "/api/cron/jobs/{job}/resume" PROMPT, ReplayBare, job::resume;
    GET "/api/cron/jobs/{job}/runs" OWN, NoReplay, job::runs;
    GET "/api/cron/jobs/{job}/runs/{run}" OWN, NoReplay, job::one_run;
    GET "/api/budgets" READ, NoReplay, budget::list;
    POST "/api/budgets" ADMIN, Replay, budget::set;
    GET "/api/events" OWN, NoReplay, event::events;
    GET "/api/audit" READ, NoReplay, audit::list;
    GET "/api/tokens" READ, NoReplay, token::list;
    POST "/api/tokens" ADMIN, NoReplay, token::make;
    POST "/api/tokens/{token}/rotate" ADMIN, NoReplay, token::rotate;
    DELETE "/api/tokens/{token}" ADMIN, NoReplay, token::revoke;
    POST "/api/tickets" OWN, NoReplay, login::ticket;
    GET "/api/login" OWN, NoReplay, login::who;
    POST "/api/login" Access::Ticket, NoReplay, login::log_in;
    DELETE "/api/login" OWN, NoReplay, login::log_out;
    GET "/webhooks/{channel}/{account}" Access::Webhook, NoReplay, webhook::receive;
    POST "/webhooks/{channel}/{account}" Access::Webhook, NoReplay, webhook::receive;
    POST "/hooks/{hook}" Access::Event, NoReplay, hook::receive;
    POST "/api/send" ADMIN, Replay, send::send;
    POST "/api/broadcast" ADMIN, Replay, send::broadcast;
    GET "/api/files" OWN, NoReplay, file::limits;
    POST "/api/files" Access::Upload, NoReplay, file::upload;
    GET "/api/files/{upload}" OWN, NoReplay, file::get;
    DELETE "/api/files/{upload}" PROMPT, NoReplay, file::remove;
    POST "/api/chat" PROMPT, NoReplay, chat::chat;
    POST "/v1/chat/completions" PROMPT, NoReplay, completion::complete;
    GET "/v1/models" OWN, NoReplay, completion::models;
    GET "/v1/models/{model}" OWN, NoReplay, completion::model;
    POST "/mcp" Access::Tools, NoReplay, mcp::respond;
    GET "/ws" Access::WebSocket, NoReplay, handshake::upgrade;
}

/// Builds the router from the table.
pub(crate) fn router(server: Arc<ServerState>) -> Router {
    let mut router = Router::new();
    for endpoint in ENDPOINTS {
        let Ok(filter) = MethodFilter::try_from(endpoint.method.clone()) else { continue };
        let run = move |State(server): State<Arc<ServerState>>, request: Request| {
            dispatch(server, endpoint, request)
        };
        router = router.route(endpoint.path, on(filter, run));
    }
    router
        .fallback(|| async { ApiError::not_found("there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            let message =
                "this path does not accept this method; the Allow header lists those that it accepts";
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        })
        .with_state(server)
}

/// Answers a request: checks the URL and the host, routes it, and sets the headers that every response has.
pub(crate) async fn respond(server: &ServerState, router: Router, request: Request) -> Response {
    let refused = check_url_and_host(server, &request);
    let listed = match server.settings().origins.page(request.headers()) {
        PageOrigin::Listed => request.headers().get(header::ORIGIN).cloned(),
        PageOrigin::None | PageOrigin::Own | PageOrigin::Foreign => None,
    };
    let path = request.uri().path();
    let pages = ["/page/", "/console/"];
    let api = path != "/" && path != "/console" && !pages.iter().any(|page| path.starts_with(page));
    let mut response = match refused {
        Err(error) => error.into_response(),
        Ok(()) if request.method() == Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        Ok(()) => match router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
    };
    let headers = response.headers_mut();
    let mut set =
        |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    if api {
        set(header::CACHE_CONTROL, "no-store");
    }
    // Only pages that the configuration lists may read the response. No credentials are allowed, because there are no
    // cookies.
    if let Some(origin) = listed {
        set(header::VARY, "Origin");
        set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE");
        set(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Idempotency-Key, X-Frontdesk-Chat, X-Frontdesk-User, Last-Event-ID",
        );
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    metrics::counter!("frontdesk_http_responses_total", "status" => status_class(response.status()))
        .increment(1);
    response
}

/// Refuses a URL that contains a token, before anything else, and a host name that is not the gateway's.
fn check_url_and_host(server: &ServerState, request: &Request) -> Result<(), ApiError> {
    let (uri, headers) = (request.uri(), request.headers());
    let check = || {
        url::check(uri, &server.tokens).map_err(|error| (RefusalKind::TokenInUrl, error))?;
        server.settings().origins.check_host(uri, headers).map_err(|error| (RefusalKind::UnknownHost, error))
    };
    check().map_err(|(kind, error)| {
        if let Some(peer) = request.extensions().get::<Peer>() {
            let host = headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
            let detail =
                if kind == RefusalKind::UnknownHost { String::from_utf8_lossy(host) } else { "".into() };
            server.refusals.record(kind, server.client(peer.address, headers), &detail, server.now());
        }
        error
    })
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_needs_an_admin_token() {
        let others = [Access::Webhook, Access::Event, Access::Tools, Access::Ticket];
        // Everybody's own logins.
        let of_logins = |endpoint: &Endpoint| ["/api/tickets", "/api/login"].contains(&endpoint.path);
        let by_tokens = |endpoint: &&Endpoint| !others.contains(&endpoint.access) && !of_logins(endpoint);
        for endpoint in ENDPOINTS.iter().filter(by_tokens) {
            let changes = endpoint.method != Method::GET;
            let admin = matches!(endpoint.access, Access::Token(Scope::Admin, _) | Access::Upload);
            assert_eq!(changes, admin, "{} {}", endpoint.method, endpoint.path);
        }
    }

    #[test]
    fn webhooks_have_one_path_and_nothing_else_has_it() {
        let of_platforms = |endpoint: &&Endpoint| endpoint.access == Access::Webhook;
        let paths: Vec<&str> = ENDPOINTS.iter().filter(of_platforms).map(|endpoint| endpoint.path).collect();
        assert_eq!(paths, ["/webhooks/{channel}/{account}"; 2]);
        assert_eq!(crate::webhook_path("telegram", "work"), "/webhooks/telegram/work");
    }

    #[test]
    fn the_token_of_an_agent_opens_one_path() {
        let for_agents = ENDPOINTS.iter().filter(|endpoint| endpoint.access == Access::Tools);
        assert_eq!(for_agents.map(|endpoint| endpoint.path).collect::<Vec<_>>(), ["/mcp"]);
    }

    #[test]
    fn only_the_page_the_schemas_and_the_probes_need_no_token() {
        let open: Vec<&str> = ENDPOINTS
            .iter()
            .filter(|e| matches!(e.access, Access::Public | Access::Probe))
            .map(|e| e.path)
            .collect();
        assert_eq!(
            open,
            [
                "/",
                "/page/{asset}",
                "/console",
                "/console/{asset}",
                "/api/openapi.json",
                "/api/frames.json",
                "/health",
                "/ready"
            ]
        );
    }
}
