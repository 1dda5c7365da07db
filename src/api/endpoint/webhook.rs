//! Webhooks: passes the requests of platforms to their adapters, which check and read them.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use frontdesk_core::port::{Forgery, WebhookOutcome, WebhookRequest};
use futures_util::FutureExt;
use serde_json::json;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse, Identity};

/// When a platform may send a refused request again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Takes a request of a platform, which shows by a secret or a signature that it comes from there. Answers when its events are
/// stored, in the form that the platform expects.
#[utoipa::path(method(get, post), path = "/webhooks/{channel}/{account}", responses((status = 200, content((Value = "application/json"), (String = "text/plain"))), (status = 401), (status = 404)))]
pub(crate) async fn receive(mut request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let server = request.server.clone();
    let (account, webhook) = server.webhook(&request.params)?;
    let headers = request.parts.headers.iter();
    let delivery = WebhookRequest {
        get: request.parts.method != Method::POST,
        query: request.parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect(),
        // Moved, not copied: nobody else needs it.
        body: std::mem::take(&mut request.body).into(),
    };
    if !matches!(request.identity, Identity::Sender) {
        match webhook.verify(&delivery) {
            Ok(()) => server.limit_webhook(&account, &request.peer.slot)?,
            Err(Forgery::Forged) => return Err(server.refuse_forged(&account.to_string(), request.ip)),
            Err(Forgery::Stale) => return Err(server.refuse_stale(&account.to_string(), request.ip)),
        }
    }
    let outcome = AssertUnwindSafe(webhook.receive(delivery)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| {
        let channel = account.channel();
        tracing::error!(channel, %account, "the adapter panicked while it read a webhook request");
        WebhookOutcome::Busy
    });
    match outcome {
        WebhookOutcome::Taken(Some(reply)) => {
            Ok(ApiResponse::Other(([(header::CONTENT_TYPE, reply.mime)], reply.body).into_response()))
        }
        // The platform would send an unreadable request again and again if it got any other status.
        WebhookOutcome::Taken(None) | WebhookOutcome::Garbage => Ok(ApiResponse::ok(json!({}))),
        WebhookOutcome::Busy => {
            let message = "the events cannot be stored at the moment: send them again";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(RETRY_AFTER))
        }
    }
}
