//! The responses that endpoints of a kind share.

use axum::http::Method;
use serde_json::{Value, json};

use super::has_key;
use crate::dispatch::{Access, Endpoint};

/// The errors: status, name, and what it says.
const ERRORS: [(u16, &str, &str); 17] = [
    (400, "BadRequest", "Something in the request is not valid, or a token is in the URL"),
    (401, "Unauthorized", "The request shows no valid token"),
    (403, "Forbidden", "The token may not do that, or the page that sent the request may not"),
    (404, "NotFound", "What the request names is not there"),
    (406, "NotAcceptable", "The response has no form that the request accepts"),
    (408, "RequestTimeout", "The body did not arrive in time"),
    (409, "Conflict", "The state does not allow that, or the key was used for another request"),
    (413, "PayloadTooLarge", "The body is larger than the limits of the gateway allow"),
    (415, "UnsupportedMediaType", "The body is not JSON, or it is compressed"),
    (421, "Misdirected", "The name in the `Host` header is not the gateway's"),
    (422, "Unreadable", "The event does not have what the endpoint's template names"),
    (426, "UpgradeRequired", "The path is a WebSocket"),
    (429, "TooManyRequests", "A limit, a quota or a budget is used up"),
    (500, "Internal", "Something went wrong in the gateway; its log says what"),
    (502, "BadGateway", "The agent or the platform has failed"),
    (503, "Unavailable", "The gateway is busy, is stopping or cannot store anything at the moment"),
    (507, "NoSpace", "The disk is full"),
];

/// The errors as shared responses.
pub(super) fn all() -> Value {
    ERRORS.iter().map(|(status, name, what)| ((*name).to_owned(), error(*status, what))).collect()
}

fn error(status: u16, what: &str) -> Value {
    let mut shown = json!({
        "description": what,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    });
    let header = |what: &str, schema: Value| json!({"description": what, "schema": schema});
    let whole = json!({"type": "integer", "minimum": 0});
    match status {
        401 => {
            shown["headers"] = json!({"WWW-Authenticate": header("The scheme", json!({"const": "Bearer"}))})
        }
        429 | 503 => shown["headers"] = json!({"Retry-After": header("Seconds to wait", whole)}),
        _ => {}
    }
    shown
}

/// Adds the errors that follow from the table, and a body to those that the handler names by their status alone.
pub(super) fn complete(operation: &mut Value, endpoint: &Endpoint) {
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for status in implied(endpoint) {
        responses.entry(status.to_string()).or_insert_with(|| json!({"description": ""}));
    }
    for (status, response) in responses.iter_mut() {
        let is_own = response.get("content").is_some();
        let known = ERRORS.iter().find(|(code, ..)| code.to_string() == *status);
        if let (Some((_, name, _)), false) = (known, is_own) {
            *response = json!({"$ref": format!("#/components/responses/{name}")});
        }
        if response.get("$ref").is_none() && response.get("description").is_none_or(|text| text == "") {
            response["description"] = "Done".into();
        }
        let content = response.get_mut("content").and_then(Value::as_object_mut);
        for (kind, media) in content.into_iter().flatten() {
            if kind == "application/octet-stream" {
                *media = json!({});
            }
        }
    }
}

/// The errors that an endpoint of this kind may answer, whatever it does.
fn implied(endpoint: &Endpoint) -> Vec<u16> {
    let mut statuses = vec![400, 413, 415, 421, 500, 503];
    let reads_body = endpoint.method == Method::POST || endpoint.method == Method::PATCH;
    if reads_body {
        statuses.push(408);
    }
    if endpoint.access != Access::Probe {
        statuses.push(429);
    }
    if !matches!(endpoint.access, Access::Public | Access::Probe) {
        statuses.push(401);
    }
    // Pages of other origins may not change anything.
    if endpoint.method != Method::GET || matches!(endpoint.access, Access::Token(..) | Access::WebSocket) {
        statuses.push(403);
    }
    if has_key(endpoint) {
        statuses.push(409);
    }
    statuses
}
