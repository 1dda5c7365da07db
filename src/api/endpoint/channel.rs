//! Connects and disconnects channels. This works for the web channel too, because these endpoints do not depend on it.

use serde_json::json;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

pub(crate) async fn start(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    switch(request, false).await
}

pub(crate) async fn stop(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    switch(request, true).await
}

async fn switch(request: ApiRequest, stopped: bool) -> Result<ApiResponse, ApiError> {
    let (accounts, warning) =
        request.server.handle.switch(request.param(0)?, stopped, request.author()?).await?;
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| json!({"channel": account.channel(), "account": account.name()}))
        .collect();
    Ok(ApiResponse::ok(json!({"stopped": stopped, "accounts": accounts, "warning": warning})))
}
