//! Events that platforms bring by themselves. What they say is the adapter's to judge; this is the way to it.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse;
use frontdesk_core::port::{WebhookOutcome, WebhookRequest};
use futures_util::FutureExt;
use serde_json::json;

use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::refusals::Why;
use crate::server::ServerState;

/// When a platform may bring again what was not taken.
const AGAIN: Duration = Duration::from_secs(2);

/// Refuses what cannot come from the platform, before anything of its body is read. Who tries too often is told to
/// wait, as with wrong tokens; the platform itself comes in all the same.
pub(crate) fn check_headers(
    server: &ServerState,
    params: &[String],
    headers: &HeaderMap,
    ip: IpAddr,
) -> Result<(), ApiError> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    if server.webhook(params)?.admits(&header) {
        return Ok(());
    }
    metrics::counter!("frontdesk_webhooks_forged_total").increment(1);
    server.fail(ip)?;
    server.refusals.note(Why::ForgedWebhook, ip, &params.join("/"), server.now());
    Err(forged())
}

/// Hands a request to its adapter, and answers when its events are committed.
pub(crate) async fn receive(mut call: Call) -> Result<Answer, ApiError> {
    let webhook = call.server.webhook(&call.params)?.clone();
    let headers = call.parts.headers.iter();
    let request = WebhookRequest {
        get: call.parts.method != Method::POST,
        query: call.parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect(),
        // Not copied: it is nobody else's.
        body: std::mem::take(&mut call.body).into(),
    };
    let delivered = AssertUnwindSafe(webhook.receive(request)).catch_unwind().await;
    let delivered = delivered.unwrap_or_else(|_| {
        tracing::error!(channel = call.params.first(), "the adapter panicked over what its platform brought");
        WebhookOutcome::Busy
    });
    match delivered {
        WebhookOutcome::Taken(Some(reply)) => {
            Ok(Answer::Other(([(header::CONTENT_TYPE, reply.mime)], reply.body).into_response()))
        }
        // What is no use today will be none tomorrow: with anything but 200 it would come for ever.
        WebhookOutcome::Taken(None) | WebhookOutcome::Garbage => Ok(Answer::ok(json!({}))),
        WebhookOutcome::Forged => {
            metrics::counter!("frontdesk_webhooks_forged_total").increment(1);
            let (server, params) = (&call.server, call.params.join("/"));
            server.refusals.note(Why::ForgedWebhook, call.ip, &params, server.now());
            Err(forged())
        }
        WebhookOutcome::Busy => {
            let message = "not taken now: bring it again";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(AGAIN))
        }
    }
}

fn forged() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "this does not come from the platform")
}
