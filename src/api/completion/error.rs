//! Errors in the form that clients of this interface know.

use std::fmt::Display;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::ApiError;

/// Tells the official clients not to send the request again: it was accepted, so a repetition would be a second turn.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The response of a request that failed before its answer began.
pub(crate) fn response(error: ApiError) -> Response {
    let again = error.about.is_none() && matches!(error.status.as_u16(), 429 | 503);
    let body = body(&error);
    let mut response = error.into_response();
    *response.body_mut() = body.to_string().into();
    response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    if !again {
        response.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}

/// The body, and the data of the event by which a stream fails.
pub(super) fn body(error: &ApiError) -> Value {
    let mut fields = error.fields();
    fields["type"] = kind(error.status).into();
    fields["param"] = Value::Null;
    json!({"error": fields})
}

/// A request asks for something with which the answer could not comply.
pub(crate) fn unsupported(field: impl Display, why: impl Display) -> ApiError {
    let mut error = ApiError::bad_request(format!("{field}: {why}"));
    error.code = "unsupported_parameter".into();
    error
}

fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}
