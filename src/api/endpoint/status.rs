//! Health, readiness, status and metrics.

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::status::{GatewayStatus, Health, Readiness, ReadyAccount, StatusCaller};

/// Whether the process is healthy. A platform that is down does not count, because a restart would not help.
#[utoipa::path(get, path = "/health", responses((status = 200, body = Health)))]
pub(crate) async fn health(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let reasons = request.server.handle.health().degraded;
    let status = if reasons.is_empty() { "ok" } else { "degraded" };
    Ok(ApiResponse::ok(Health { status, reasons, version: env!("CARGO_PKG_VERSION") }))
}

/// Whether every account is connected to its platform. An account that an admin disconnected does not count as a fault,
/// as long as another one is ready. Only callers with a token are told the reasons and who disconnected an account.
#[utoipa::path(get, path = "/ready", responses((status = 200, body = Readiness), (status = 503, description = "An account is not connected", body = Readiness)))]
pub(crate) async fn ready(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let accounts = request.server.handle.accounts();
    let some = accounts.is_empty() || accounts.iter().any(|account| account.ready);
    let ready = some && accounts.iter().all(|account| account.ready || account.stopped.is_some());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let whole = request.caller().is_ok();
    let accounts = accounts.iter().map(|account| match whole {
        true => ReadyAccount::Whole(account.into()),
        false => ReadyAccount::Public(account.into()),
    });
    Ok(ApiResponse::json(status, Readiness { ready, accounts: accounts.collect() }))
}

/// The status of the gateway with its counts, and what the caller's token may do.
#[utoipa::path(get, path = "/api/status", responses((status = 200, body = GatewayStatus)))]
pub(crate) async fn status(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let handle = &request.server.handle;
    let (status, pairing) = (handle.status().await?, handle.pairing_requests().await?.len());
    let caller = request.caller()?;
    let caller = StatusCaller { token: caller.person.to_string(), scope: caller.scope.name() };
    Ok(ApiResponse::ok(GatewayStatus::new(&status, (pairing, request.server.hub.clients()), caller)))
}

/// The metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn metrics(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let text = (request.server.metrics)();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok(ApiResponse::Other((kind, text).into_response()))
}
