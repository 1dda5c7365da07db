//! The configuration: read again, or only compared with what is in use.

use axum::http::StatusCode;
use frontdesk_store::row::Author;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ReloadRefused;
use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;

/// What a reload is asked to do.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReloadRequest {
    /// Whether to say only what would change.
    #[serde(default)]
    plan: bool,
}

/// The configuration in use.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ShownConfig {
    config: Value,
}

/// The configuration in use. Secrets are left out.
#[utoipa::path(get, path = "/api/config", responses((status = 200, body = ShownConfig)))]
pub(crate) async fn show(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let config = Value::clone(&request.server.handle.shown_config());
    request.server.large_response(&ShownConfig { config }).await
}

/// What a reload has changed or would change.
// The program that reads the configuration makes the body.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReloadReport {
    /// Whether nothing was applied.
    plan: bool,
    /// Accounts and agents with what happens to each, and the keys and routes that change.
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Reads the configuration again and applies it.
#[utoipa::path(post, path = "/api/config/reload", request_body = Option<ReloadRequest>, responses((status = 200, body = ReloadReport), (status = 404)))]
pub(crate) async fn reload(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let wanted = if request.body.is_empty() { ReloadRequest::default() } else { request.json()? };
    take_over(&request.server, &wanted, request.author()?).await.map(ApiResponse::ok::<Value>)
}

/// Reloads the configuration for an admin.
pub(crate) async fn take_over(
    server: &ServerState,
    wanted: &ReloadRequest,
    author: Author,
) -> Result<Value, ApiError> {
    let Some(reload) = &server.reload else {
        return Err(ApiError::not_found("this gateway has no configuration that can be reloaded"));
    };
    reload.reload(wanted.plan, author).await.map_err(|refused| match refused {
        ReloadRefused::Wrong(problems) => ApiError::new(StatusCode::BAD_REQUEST, "bad_config", problems),
        ReloadRefused::Stopping => ApiError::stopping(),
        ReloadRefused::Failed(problem) => {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "reload_failed", problem)
        }
    })
}
