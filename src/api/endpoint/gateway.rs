//! Stops and restarts the whole gateway.

use frontdesk_runtime::Lifecycle;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

/// What happens now, in words.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Said {
    said: String,
}

/// Stops the gateway.
#[utoipa::path(post, path = "/api/gateway/stop", responses((status = 200, body = Said)))]
pub(crate) async fn stop(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let said = "The gateway stops. Accepted messages are kept and answered after the next start.";
    end(&request, Lifecycle::Stop, said).await
}

/// Restarts the gateway.
#[utoipa::path(post, path = "/api/gateway/restart", responses((status = 200, body = Said)))]
pub(crate) async fn restart(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    end(&request, Lifecycle::Restart, "The gateway restarts. No accepted message is lost.").await
}

async fn end(request: &ApiRequest, wanted: Lifecycle, said: &str) -> Result<ApiResponse, ApiError> {
    request.server.handle.end(wanted, &request.author()?).await?;
    Ok(ApiResponse::ok(Said { said: said.to_owned() }))
}
