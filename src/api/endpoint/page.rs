//! The web chat's page: files that load nothing from other hosts.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

/// The page may load and call only the gateway, and no other page may frame it. `'self'` includes WebSockets to the
/// gateway.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; media-src blob:; object-src 'none'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(crate) const STYLE: &str = "text/css; charset=utf-8";

/// Name, media type and content.
pub(crate) type PageFile = (&'static str, &'static str, &'static str);

macro_rules! page_files {
    ($($name:literal $kind:expr;)*) => {
        &[$(($name, $kind, include_str!(concat!("../page/", $name)))),*]
    };
}

/// The files that the page loads.
static FILES: &[PageFile] = page_files! {
    "style.css" STYLE;
    "text.css" STYLE;
    "files.css" STYLE;
    "api.js" SCRIPT;
    "asks.js" SCRIPT;
    "attachments.js" SCRIPT;
    "banner.js" SCRIPT;
    "chat.js" SCRIPT;
    "composer.js" SCRIPT;
    "connection.js" SCRIPT;
    "conversations.js" SCRIPT;
    "dom.js" SCRIPT;
    "epochs.js" SCRIPT;
    "files.js" SCRIPT;
    "grammar.js" SCRIPT;
    "highlight.js" SCRIPT;
    "history.js" SCRIPT;
    "login.js" SCRIPT;
    "main.js" SCRIPT;
    "markdown.js" SCRIPT;
    "place.js" SCRIPT;
    "recorder.js" SCRIPT;
    "search.js" SCRIPT;
    "start.js" SCRIPT;
    "storage.js" SCRIPT;
    "tasks.js" SCRIPT;
    "thinking.js" SCRIPT;
    "timeline.js" SCRIPT;
};

/// The web chat.
#[utoipa::path(get, path = "/", responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn index(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    respond("text/html; charset=utf-8", include_str!("../page/index.html"))
}

/// A file that the page loads.
#[utoipa::path(get, path = "/page/{asset}", responses((status = 200, content((String = "text/javascript"), (String = "text/css"))), (status = 404)))]
pub(crate) async fn file(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name = request.param(0)?;
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => respond(kind, text),
        None => Err(ApiError::not_found("the page has no such file")),
    }
}

/// A file of the page or of the console, with the headers that keep it apart from everything else.
pub(crate) fn respond(kind: &'static str, text: &'static str) -> Result<ApiResponse, ApiError> {
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(self), geolocation=()"),
    ];
    Ok(ApiResponse::Other((headers, text).into_response()))
}
