//! Strangers who ask to be let in, and what an admin says to that. A code comes in and never goes out.

use axum::http::StatusCode;
use frontdesk_core::account::AccountId;
use frontdesk_core::pairing::Code;
use frontdesk_store::row::{AccessChange, AccessDone};
use serde::Deserialize;
use serde_json::json;

use crate::endpoint::access::known_account;
use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::show;

/// Where the request must have come from; anywhere if it is not said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    platform: Option<String>,
    account: Option<String>,
}

pub(crate) async fn list(call: Call) -> Result<Answer, ApiError> {
    let rows = call.server.handle.pairing_requests().await?;
    Ok(Answer::ok(json!({"requests": rows.iter().map(show::pairing).collect::<Vec<_>>()})))
}

pub(crate) async fn approve(call: Call) -> Result<Answer, ApiError> {
    let (code, account) = asked(&call)?;
    answer(&call, AccessChange::Approve { code, account }).await
}

pub(crate) async fn deny(call: Call) -> Result<Answer, ApiError> {
    let (code, account) = asked(&call)?;
    answer(&call, AccessChange::Deny { code, account }).await
}

async fn answer(call: &Call, change: AccessChange) -> Result<Answer, ApiError> {
    match call.server.handle.change_access(change, call.author()?).await? {
        AccessDone::Approved(row) => Ok(Answer::ok(json!({"approved": show::pairing(&row)}))),
        AccessDone::Denied(row) => Ok(Answer::ok(json!({"denied": show::pairing(&row)}))),
        AccessDone::NoSuchCode { left } => Err(no_such_code(left)),
        AccessDone::Locked { until } => {
            let message = format!(
                "too many wrong codes came this way: it is locked until {}, also for right ones. To let somebody \
                 in without a code, grant it by their id (`frontdesk access allow PLATFORM USER`)",
                show::time(until)
            );
            let wait = (until - call.server.clock().wall()).to_std().unwrap_or_default();
            Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "locked", message).after(wait))
        }
        AccessDone::Granted { .. }
        | AccessDone::Revoked(_)
        | AccessDone::Served { .. }
        | AccessDone::Done => Err(ApiError::internal()),
    }
}

fn no_such_code(left: u32) -> ApiError {
    let tries = match left {
        0 => "this was the last try: this way in is locked for an hour".to_owned(),
        1 => "one more wrong code locks this way in for an hour".to_owned(),
        left => format!("{left} more wrong codes lock this way in for an hour"),
    };
    let message = format!(
        "no open request has this code: it is wrong, used, denied or older than an hour, or the request came \
         through another account; {tries}"
    );
    ApiError::new(StatusCode::NOT_FOUND, "no_such_code", message)
}

/// The code of the path and the place of the body, which may be empty.
fn asked(call: &Call) -> Result<(Code, Option<AccountId>), ApiError> {
    let malformed = || {
        // It is not repeated: what was mistyped may still be most of a code.
        ApiError::bad_request("a code has eight letters and digits, such as ABCD2345, and never 0, O, 1 or I")
    };
    let code = Code::read(call.param(0)?).ok_or_else(malformed)?;
    let place: Place = if call.body.is_empty() { Place::default() } else { call.json()? };
    let account = match (place.platform, place.account) {
        (Some(platform), name) => {
            let account = AccountId::new(&platform, name.as_deref());
            Some(account.map_err(|error| ApiError::bad_request(error.to_string()))?)
        }
        (None, None) => None,
        (None, Some(_)) => return Err(ApiError::bad_request("an `account` needs its `platform`")),
    };
    if let Some(account) = &account {
        known_account(&call.server, account)?;
    }
    Ok((code, account))
}
