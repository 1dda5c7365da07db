//! The configuration: read again, or only compared with what is in use.

use axum::http::StatusCode;
use frontdesk_store::row::Author;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ReloadRefused;
use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;

/// What a reload is asked to do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReloadRequest {
    /// Whether nothing is to be applied.
    #[serde(default)]
    plan: bool,
}

/// The configuration in use. Secrets are left out.
pub(crate) async fn show(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let json = json!({"config": *request.server.handle.shown_config()}).to_string();
    let reserved = request.server.reserve_unread(json.len()).await?;
    Ok(list::reserved_response(json, reserved))
}

pub(crate) async fn reload(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let wanted = if request.body.is_empty() { ReloadRequest::default() } else { request.json()? };
    take_over(&request.server, &wanted, request.author()?).await.map(ApiResponse::ok)
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
