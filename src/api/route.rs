//! The table of everything that can be asked, and the router made from it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use frontdesk_core::access::Action;
use tower::ServiceExt;

use crate::endpoint::{
    access, audit, channel, chat, dead_letter, outbox, page, pairing, send, session, status, webhook,
};
use crate::error::ApiError;
use crate::gate::{self, Endpoint, Need, Peer, Repeat};
use crate::origin::Page;
use crate::refusals::Why;
use crate::server::ServerState;
use crate::token::Scope;
use crate::url;
use crate::ws::handshake;

macro_rules! endpoints {
    ($($method:ident $path:literal $need:expr, $repeat:ident, $run:path;)*) => {
        &[$(Endpoint {
            method: Method::$method,
            path: $path,
            need: $need,
            repeat: Repeat::$repeat,
            run: |call| Box::pin($run(call)),
        }),*]
    };
}

const LOOK: Need = Need::Token(Scope::Read, Action::Administer);
const CHANGE: Need = Need::Token(Scope::Admin, Action::Administer);
const SPEAK: Need = Need::Token(Scope::Admin, Action::Speak);

/// Everything that can be asked. What is not here has no path, so that nothing goes without its rule.
pub(crate) static ENDPOINTS: &[Endpoint] = endpoints! {
    GET "/" Need::Nothing, Own, page::index;
    GET "/app.js" Need::Nothing, Own, page::script;
    GET "/style.css" Need::Nothing, Own, page::style;
    GET "/health" Need::Probe, Own, status::health;
    GET "/ready" Need::Probe, Own, status::ready;
    GET "/metrics" LOOK, Own, status::metrics;
    GET "/api/status" LOOK, Own, status::status;
    GET "/api/sessions" LOOK, Own, session::list;
    GET "/api/session/{key}" LOOK, Own, session::get;
    DELETE "/api/session/{key}" CHANGE, Own, session::erase;
    GET "/api/session/{key}/messages" LOOK, Own, session::messages;
    POST "/api/session/{key}/reset" CHANGE, Remembered, session::reset;
    POST "/api/session/{key}/stop" CHANGE, Remembered, session::stop;
    GET "/api/outbox" LOOK, Own, outbox::list;
    POST "/api/outbox/{id}/retry" CHANGE, Remembered, outbox::retry;
    POST "/api/outbox/{id}/drop" CHANGE, Remembered, outbox::give_up;
    GET "/api/dead-letters" LOOK, Own, dead_letter::list;
    DELETE "/api/dead-letters" CHANGE, Own, dead_letter::discard_all;
    GET "/api/dead-letters/{id}" LOOK, Own, dead_letter::get;
    DELETE "/api/dead-letters/{id}" CHANGE, Own, dead_letter::discard;
    GET "/api/pairing" LOOK, Own, pairing::list;
    POST "/api/pairing/{code}/approve" CHANGE, Remembered, pairing::approve;
    POST "/api/pairing/{code}/deny" CHANGE, Remembered, pairing::deny;
    GET "/api/access" LOOK, Own, access::list;
    POST "/api/access" CHANGE, Remembered, access::grant;
    DELETE "/api/access/{principal}" CHANGE, Own, access::revoke;
    GET "/api/allowlist" LOOK, Own, access::list;
    POST "/api/allowlist" CHANGE, Remembered, access::grant;
    DELETE "/api/allowlist/{principal}" CHANGE, Own, access::revoke;
    POST "/api/channel/{channel}/start" CHANGE, Remembered, channel::start;
    POST "/api/channel/{channel}/stop" CHANGE, Remembered, channel::stop;
    GET "/api/audit" LOOK, Own, audit::list;
    GET "/webhooks/{channel}/{account}" Need::Webhook, Own, webhook::receive;
    POST "/webhooks/{channel}/{account}" Need::Webhook, Own, webhook::receive;
    POST "/api/send" CHANGE, Remembered, send::send;
    POST "/api/chat" SPEAK, Own, chat::chat;
    GET "/ws" Need::Socket, Own, handshake::upgrade;
};

/// The router of the table.
pub(crate) fn router(server: Arc<ServerState>) -> Router {
    let mut router = Router::new();
    for endpoint in ENDPOINTS {
        let Ok(filter) = MethodFilter::try_from(endpoint.method.clone()) else { continue };
        let run = move |State(server): State<Arc<ServerState>>, request: Request| {
            gate::pass(server, endpoint, request)
        };
        router = router.route(endpoint.path, on(filter, run));
    }
    router
        .fallback(|| async { ApiError::not_found("there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            let message = "this path does not take this method; the Allow header names those that it takes";
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        })
        .with_state(server)
}

/// Answers a request: its URL and its names first, then the table; and what every answer carries.
pub(crate) async fn answer(server: &ServerState, router: Router, request: Request) -> Response {
    let refused = refused(server, &request);
    let listed = match server.origins.page(request.headers()) {
        Page::Listed => request.headers().get(header::ORIGIN).cloned(),
        Page::None | Page::Own | Page::Foreign => None,
    };
    let api = !matches!(request.uri().path(), "/" | "/app.js" | "/style.css");
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
    // Only pages that the operator listed are told that they may read the answer, and none gets cookies:
    // there are none.
    if let Some(origin) = listed {
        set(header::VARY, "Origin");
        set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE");
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Idempotency-Key");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    metrics::counter!("frontdesk_http_responses_total", "status" => status_class(response.status()))
        .increment(1);
    response
}

/// Refuses a URL with a token in it before anything else, and a request that was meant for somebody else.
fn refused(server: &ServerState, request: &Request) -> Result<(), ApiError> {
    let (uri, headers) = (request.uri(), request.headers());
    let check = || {
        url::check(uri, &server.tokens).map_err(|error| (Why::TokenInUrl, error))?;
        server.origins.check_host(uri, headers).map_err(|error| (Why::UnknownHost, error))
    };
    check().map_err(|(why, error)| {
        if let Some(peer) = request.extensions().get::<Peer>() {
            let host = headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
            let detail = if why == Why::UnknownHost { String::from_utf8_lossy(host) } else { "".into() };
            server.refusals.note(why, server.client(peer.address, headers), &detail, server.now());
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
    fn whatever_changes_something_needs_more_than_a_read_token() {
        for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.need != Need::Webhook) {
            let changes = endpoint.method != Method::GET;
            let admin = matches!(endpoint.need, Need::Token(Scope::Admin, _));
            assert_eq!(changes, admin, "{} {}", endpoint.method, endpoint.path);
        }
    }

    #[test]
    fn platforms_come_to_one_path_and_nobody_else_does() {
        let of_platforms = |endpoint: &&Endpoint| endpoint.need == Need::Webhook;
        let paths: Vec<&str> = ENDPOINTS.iter().filter(of_platforms).map(|endpoint| endpoint.path).collect();
        assert_eq!(paths, ["/webhooks/{channel}/{account}"; 2]);
        assert_eq!(crate::webhook_path("telegram", "work"), "/webhooks/telegram/work");
    }

    #[test]
    fn what_needs_nothing_is_the_page_and_the_probes() {
        let open: Vec<&str> = ENDPOINTS
            .iter()
            .filter(|e| matches!(e.need, Need::Nothing | Need::Probe))
            .map(|e| e.path)
            .collect();
        assert_eq!(open, ["/", "/app.js", "/style.css", "/health", "/ready"]);
    }
}
