//! The web chat's page: five files that load nothing from other hosts.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

/// The page may load and call only the gateway, and no other page may frame it. `'self'` includes WebSockets to the
/// gateway.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn index(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    file("text/html; charset=utf-8", include_str!("../page/index.html"))
}

pub(crate) async fn script(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    file("text/javascript; charset=utf-8", include_str!("../page/app.js"))
}

pub(crate) async fn asks(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    file("text/javascript; charset=utf-8", include_str!("../page/asks.js"))
}

pub(crate) async fn tasks(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    file("text/javascript; charset=utf-8", include_str!("../page/tasks.js"))
}

pub(crate) async fn style(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    file("text/css; charset=utf-8", include_str!("../page/style.css"))
}

fn file(kind: &'static str, text: &'static str) -> Result<ApiResponse, ApiError> {
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    Ok(ApiResponse::Other((headers, text).into_response()))
}
