//! Health, readiness, status and metrics.

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

/// Whether the process is healthy. A platform that is down does not count, because a restart would not help.
pub(crate) async fn health(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let reasons = request.server.handle.health().degraded;
    let status = if reasons.is_empty() { "ok" } else { "degraded" };
    Ok(ApiResponse::ok(json!({"status": status, "reasons": reasons, "version": env!("CARGO_PKG_VERSION")})))
}

/// Whether every account is connected to its platform. An account that an admin disconnected does not count as a fault,
/// as long as another one is ready. Only callers with a token are told the reasons and who disconnected an account.
pub(crate) async fn ready(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let accounts = request.server.handle.accounts();
    let some = accounts.is_empty() || accounts.iter().any(|account| account.ready);
    let ready = some && accounts.iter().all(|account| account.ready || account.stopped.is_some());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let show = if request.caller().is_ok() { show::account } else { show::account_in_public };
    let accounts: Vec<_> = accounts.iter().map(show).collect();
    Ok(ApiResponse::Json(status, json!({"ready": ready, "accounts": accounts})))
}

/// The status of the gateway with its counts, and what the caller's token may do.
pub(crate) async fn status(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let mut shown = show::status(&request.server.handle.status().await?);
    shown["pairing"] = request.server.handle.pairing_requests().await?.len().into();
    shown["clients"] = request.server.hub.clients().into();
    let caller = request.caller()?;
    shown["caller"] = json!({"token": &*caller.person, "scope": caller.scope.name()});
    Ok(ApiResponse::ok(shown))
}

/// The metrics in Prometheus' text format.
pub(crate) async fn metrics(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let text = (request.server.metrics)();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok(ApiResponse::Other((kind, text).into_response()))
}
