//! How the house is: for probes, for people and for Prometheus.

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::show;

/// Whether the process is well. A platform that is down does not make it ill, so nobody restarts it for that.
pub(crate) async fn health(call: Call) -> Result<Answer, ApiError> {
    let reasons = call.server.handle.health().degraded;
    let status = if reasons.is_empty() { "ok" } else { "degraded" };
    Ok(Answer::ok(json!({"status": status, "reasons": reasons, "version": env!("CARGO_PKG_VERSION")})))
}

/// Whether every account hears its platform. One that an admin disconnected is not ready, and that is as it should
/// be, as long as another one is. Why, and who disconnected it, is told to those who show a token.
pub(crate) async fn ready(call: Call) -> Result<Answer, ApiError> {
    let accounts = call.server.handle.accounts();
    let some = accounts.is_empty() || accounts.iter().any(|account| account.ready);
    let ready = some && accounts.iter().all(|account| account.ready || account.stopped.is_some());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let show = if call.caller.is_some() { show::account } else { show::account_in_public };
    let accounts: Vec<_> = accounts.iter().map(show).collect();
    Ok(Answer::Json(status, json!({"ready": ready, "accounts": accounts})))
}

/// How things stand, in numbers.
pub(crate) async fn status(call: Call) -> Result<Answer, ApiError> {
    Ok(Answer::ok(show::status(&call.server.handle.status().await?)))
}

/// The metrics in Prometheus' text form.
pub(crate) async fn metrics(call: Call) -> Result<Answer, ApiError> {
    let text = (call.server.metrics)();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok(Answer::Other((kind, text).into_response()))
}
