//! Connects and disconnects channels. This works for the web channel too, because these endpoints do not depend on it.

use frontdesk_core::account::AccountId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

/// The accounts that were named, and those for which it is a change.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChannelSwitched {
    stopped: bool,
    accounts: Vec<AccountName>,
    changed: Vec<AccountName>,
    /// Says that no admin can reach the gateway from a chat now.
    warning: Option<String>,
}

/// The name of an account.
#[derive(Debug, Serialize, JsonSchema)]
struct AccountName {
    channel: String,
    account: String,
}

/// Connects a channel, or one account of it.
#[utoipa::path(post, path = "/api/channel/{channel}/start", responses((status = 200, body = ChannelSwitched), (status = 404)))]
pub(crate) async fn start(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    switch(request, false).await
}

/// Disconnects a channel, or one account of it.
#[utoipa::path(post, path = "/api/channel/{channel}/stop", responses((status = 200, body = ChannelSwitched), (status = 404)))]
pub(crate) async fn stop(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    switch(request, true).await
}

async fn switch(request: ApiRequest, stopped: bool) -> Result<ApiResponse, ApiError> {
    let switched = request.server.handle.switch(request.param(0)?, stopped, request.author()?).await?;
    let shown = |accounts: &[AccountId]| accounts.iter().map(AccountName::from).collect();
    Ok(ApiResponse::ok(ChannelSwitched {
        stopped,
        accounts: shown(&switched.accounts),
        changed: shown(&switched.changed),
        warning: switched.warning,
    }))
}

impl From<&AccountId> for AccountName {
    fn from(account: &AccountId) -> Self {
        Self { channel: account.channel().to_owned(), account: account.name().to_owned() }
    }
}
