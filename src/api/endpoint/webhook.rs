//! Events that platforms bring by themselves. What they say is the adapter's to judge; this is the way to it.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse;
use frontdesk_core::port::{Delivered, Request};
use futures_util::FutureExt;
use serde_json::json;

use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::house::House;
use crate::refusals::Why;

/// When a platform may bring again what was not taken.
const AGAIN: Duration = Duration::from_secs(2);

/// Refuses what cannot come from the platform, before anything of its body is read. Who tries too often is told to
/// wait, as with wrong tokens; the platform itself comes in all the same.
pub(crate) fn check_headers(
    house: &House,
    params: &[String],
    headers: &HeaderMap,
    ip: IpAddr,
) -> Result<(), ApiError> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    if house.webhook(params)?.admits(&header) {
        return Ok(());
    }
    metrics::counter!("frontdesk_webhooks_forged_total").increment(1);
    house.fail(ip)?;
    house.refusals.note(Why::ForgedWebhook, ip, &params.join("/"), house.now());
    Err(forged())
}

/// Hands a request to its adapter, and answers when its events are committed.
pub(crate) async fn receive(mut call: Call) -> Result<Answer, ApiError> {
    let webhook = call.house.webhook(&call.params)?.clone();
    let headers = call.parts.headers.iter();
    let request = Request {
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
        Delivered::Busy
    });
    match delivered {
        Delivered::Taken(Some(reply)) => {
            Ok(Answer::Other(([(header::CONTENT_TYPE, reply.mime)], reply.body).into_response()))
        }
        // What is no use today will be none tomorrow: with anything but 200 it would come for ever.
        Delivered::Taken(None) | Delivered::Garbage => Ok(Answer::ok(json!({}))),
        Delivered::Forged => {
            metrics::counter!("frontdesk_webhooks_forged_total").increment(1);
            let (house, params) = (&call.house, call.params.join("/"));
            house.refusals.note(Why::ForgedWebhook, call.ip, &params, house.now());
            Err(forged())
        }
        Delivered::Busy => {
            let message = "not taken now: bring it again";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(AGAIN))
        }
    }
}

fn forged() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "this does not come from the platform")
}
