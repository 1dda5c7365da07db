//! The web chat: three files, nothing from anywhere else.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

use crate::error::ApiError;
use crate::gate::{Answer, Call};

/// The page may load and call us, and nobody else; nobody may frame it. Sockets to ourselves are `'self'`.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn index(_: Call) -> Result<Answer, ApiError> {
    file("text/html; charset=utf-8", include_str!("../page/index.html"))
}

pub(crate) async fn script(_: Call) -> Result<Answer, ApiError> {
    file("text/javascript; charset=utf-8", include_str!("../page/app.js"))
}

pub(crate) async fn style(_: Call) -> Result<Answer, ApiError> {
    file("text/css; charset=utf-8", include_str!("../page/style.css"))
}

fn file(kind: &'static str, text: &'static str) -> Result<Answer, ApiError> {
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    Ok(Answer::Other((headers, text).into_response()))
}
