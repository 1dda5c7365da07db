//! Connecting and disconnecting channels: also the web channel itself, on which none of this depends.

use serde_json::json;

use crate::error::ApiError;
use crate::gate::{Answer, Call};

pub(crate) async fn start(call: Call) -> Result<Answer, ApiError> {
    switch(call, false).await
}

pub(crate) async fn stop(call: Call) -> Result<Answer, ApiError> {
    switch(call, true).await
}

async fn switch(call: Call, stopped: bool) -> Result<Answer, ApiError> {
    let (accounts, warning) = call.server.handle.switch(call.param(0)?, stopped, call.author()?).await?;
    let accounts: Vec<_> = accounts
        .iter()
        .map(|account| json!({"channel": account.channel(), "account": account.name()}))
        .collect();
    Ok(Answer::ok(json!({"stopped": stopped, "accounts": accounts, "warning": warning})))
}
