//! The operator's console: files that load nothing from other hosts, and use those of the page.

use crate::endpoint::page::{PageFile, SCRIPT, STYLE, respond};
use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

macro_rules! console_files {
    ($($name:literal $kind:expr;)*) => {
        &[$(($name, $kind, include_str!(concat!("../console/", $name)))),*]
    };
}

/// The files that the console loads besides those of the page.
static FILES: &[PageFile] = console_files! {
    "chart.css" STYLE;
    "console.css" STYLE;
    "action.js" SCRIPT;
    "audit.js" SCRIPT;
    "budgets.js" SCRIPT;
    "chart.js" SCRIPT;
    "configuration.js" SCRIPT;
    "deadletters.js" SCRIPT;
    "events.js" SCRIPT;
    "format.js" SCRIPT;
    "groups.js" SCRIPT;
    "jobs.js" SCRIPT;
    "list.js" SCRIPT;
    "main.js" SCRIPT;
    "outbox.js" SCRIPT;
    "overview.js" SCRIPT;
    "pairing.js" SCRIPT;
    "people.js" SCRIPT;
    "place.js" SCRIPT;
    "questions.js" SCRIPT;
    "sessions.js" SCRIPT;
    "stream.js" SCRIPT;
    "tasks.js" SCRIPT;
    "tokens.js" SCRIPT;
    "transcript.js" SCRIPT;
};

/// The operator's console.
#[utoipa::path(get, path = "/console", responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn index(_: ApiRequest) -> Result<ApiResponse, ApiError> {
    respond("text/html; charset=utf-8", include_str!("../console/index.html"))
}

/// A file that the console loads.
#[utoipa::path(get, path = "/console/{asset}", responses((status = 200, content((String = "text/javascript"), (String = "text/css"))), (status = 404)))]
pub(crate) async fn file(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name = request.param(0)?;
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => respond(kind, text),
        None => Err(ApiError::not_found("the console has no such file")),
    }
}
