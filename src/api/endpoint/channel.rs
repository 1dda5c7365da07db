//! Connects and disconnects channels. This works for the web channel too, because these endpoints do not depend on it.

use frontdesk_core::account::AccountId;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

pub(crate) async fn start(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    switch(request, false).await
}

pub(crate) async fn stop(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    switch(request, true).await
}

async fn switch(request: ApiRequest, stopped: bool) -> Result<ApiResponse, ApiError> {
    let switched = request.server.handle.switch(request.param(0)?, stopped, request.author()?).await?;
    let shown = |accounts: &[AccountId]| -> Vec<Value> {
        let one = |account: &AccountId| json!({"channel": account.channel(), "account": account.name()});
        accounts.iter().map(one).collect()
    };
    Ok(ApiResponse::ok(json!({
        "stopped": stopped,
        "accounts": shown(&switched.accounts),
        "changed": shown(&switched.changed),
        "warning": switched.warning,
    })))
}
