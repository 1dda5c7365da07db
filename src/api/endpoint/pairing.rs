//! Pairing requests of unknown people, and an admin's decisions. Codes are only received, never sent.

use axum::http::StatusCode;
use frontdesk_core::account::AccountId;
use frontdesk_core::pairing::Code;
use frontdesk_store::row::{AccessChange, AccessDone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoint::access::check_account;
use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;
use crate::show::access::PairingRequest;

/// The account that the request must have come through; any if none is given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairingAccount {
    platform: Option<String>,
    /// An account needs its platform.
    account: Option<String>,
}

/// The open pairing requests.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PairingRequests {
    requests: Vec<PairingRequest>,
}

/// The person who is let in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ApprovedPairing {
    approved: PairingRequest,
}

/// The person who is not let in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeniedPairing {
    denied: PairingRequest,
}

/// Lists the open pairing requests.
#[utoipa::path(get, path = "/api/pairing", responses((status = 200, body = PairingRequests)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let rows = request.server.handle.pairing_requests().await?;
    Ok(ApiResponse::ok(PairingRequests { requests: rows.iter().map(PairingRequest::from).collect() }))
}

/// Lets in the person who shows this code.
#[utoipa::path(post, path = "/api/pairing/{code}/approve", request_body = Option<PairingAccount>, responses((status = 200, body = ApprovedPairing), (status = 404)))]
pub(crate) async fn approve(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (code, account) = code_and_account(&request)?;
    decide(&request, AccessChange::Approve { code, account }).await
}

/// Denies the request with this code.
#[utoipa::path(post, path = "/api/pairing/{code}/deny", request_body = Option<PairingAccount>, responses((status = 200, body = DeniedPairing), (status = 404)))]
pub(crate) async fn deny(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (code, account) = code_and_account(&request)?;
    decide(&request, AccessChange::Deny { code, account }).await
}

/// Lets the sender of a request in whom the caller has seen in the list. The list shows no codes, so that nobody reads one
/// out of it; an admin who knows the person needs none.
#[utoipa::path(post, path = "/api/pairing/requests/{request}/approve", responses((status = 200, body = ApprovedPairing), (status = 404)))]
pub(crate) async fn approve_request(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = request_id(&request)?;
    decide(&request, AccessChange::ApproveRequest(id)).await
}

/// Denies a request that the caller has seen in the list.
#[utoipa::path(post, path = "/api/pairing/requests/{request}/deny", responses((status = 200, body = DeniedPairing), (status = 404)))]
pub(crate) async fn deny_request(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = request_id(&request)?;
    decide(&request, AccessChange::DenyRequest(id)).await
}

fn request_id(request: &ApiRequest) -> Result<i64, ApiError> {
    let id = request.param(0)?.parse();
    id.map_err(|_| ApiError::bad_request("a request's id is a number, as the list shows it"))
}

async fn decide(request: &ApiRequest, change: AccessChange) -> Result<ApiResponse, ApiError> {
    match request.server.handle.change_access(change, request.author()?).await? {
        AccessDone::Approved(row) => Ok(ApiResponse::ok(ApprovedPairing { approved: (&row).into() })),
        AccessDone::Denied(row) => Ok(ApiResponse::ok(DeniedPairing { denied: (&row).into() })),
        AccessDone::NoSuchCode { left } => Err(no_such_code(left)),
        AccessDone::NoSuchRequest => Err(ApiError::not_found(
            "this request is not open any more: it was decided, or it is older than an hour",
        )),
        AccessDone::Locked { until } => {
            let message = format!(
                "too many wrong codes were entered: approving by code is locked for you until {}, also with a \
                 right code. To let somebody in without a code, grant access by their id (`frontdesk access \
                 allow CHANNEL USER`)",
                show::time(until)
            );
            let wait = (until - request.server.clock().wall()).to_std().unwrap_or_default();
            Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "locked", message).after(wait))
        }
        AccessDone::Granted { .. }
        | AccessDone::Revoked(_)
        | AccessDone::Blocked { .. }
        | AccessDone::Unblocked { .. }
        | AccessDone::Served { .. }
        | AccessDone::Switched { .. }
        | AccessDone::Muted { .. }
        | AccessDone::ZoneChosen
        | AccessDone::BudgetSet
        | AccessDone::TokenStored
        | AccessDone::TokenNameTaken
        | AccessDone::NoSuchToken
        | AccessDone::Noted => Err(ApiError::internal()),
    }
}

fn no_such_code(left: u32) -> ApiError {
    let tries = match left {
        0 => "this was the last try: you are locked out of approving by code for an hour".to_owned(),
        1 => "after one more wrong code you are locked out for an hour".to_owned(),
        left => format!("after {left} more wrong codes you are locked out for an hour"),
    };
    let message = format!(
        "no open request has this code: it is wrong, used, denied or older than an hour, or the request came \
         through another account; {tries}"
    );
    ApiError::new(StatusCode::NOT_FOUND, "no_such_code", message)
}

/// The code in the path and the account in the body, which may be empty.
fn code_and_account(request: &ApiRequest) -> Result<(Code, Option<AccountId>), ApiError> {
    let malformed = || {
        // The code is not repeated in the error: a mistyped code may still be most of a valid one.
        ApiError::bad_request("a code has eight letters and digits, such as ABCD2345, and never 0, O, 1 or I")
    };
    let code = Code::read(request.param(0)?).ok_or_else(malformed)?;
    let filter: PairingAccount =
        if request.body.is_empty() { PairingAccount::default() } else { request.json()? };
    let account = match (filter.platform, filter.account) {
        (Some(platform), name) => {
            let account = AccountId::new(&platform, name.as_deref());
            Some(account.map_err(|error| ApiError::bad_request(error.to_string()))?)
        }
        (None, None) => None,
        (None, Some(_)) => return Err(ApiError::bad_request("an `account` needs its `platform`")),
    };
    if let Some(account) = &account {
        check_account(&request.server, account)?;
    }
    Ok((code, account))
}
