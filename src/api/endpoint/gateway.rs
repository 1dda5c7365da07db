//! Stops and restarts the whole gateway.

use frontdesk_runtime::Lifecycle;
use serde_json::json;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

pub(crate) async fn stop(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let said = "The gateway stops. Accepted messages are kept and answered after the next start.";
    end(&request, Lifecycle::Stop, said).await
}

pub(crate) async fn restart(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    end(&request, Lifecycle::Restart, "The gateway restarts. No accepted message is lost.").await
}

async fn end(request: &ApiRequest, wanted: Lifecycle, said: &str) -> Result<ApiResponse, ApiError> {
    request.server.handle.end(wanted, &request.author()?).await?;
    Ok(ApiResponse::ok(json!({ "said": said })))
}
