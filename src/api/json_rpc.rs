//! Messages of JSON-RPC as `/mcp` takes them. What is no such message gets the error that the specification names for it.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, InitializeRequestParams, PaginatedRequestParams};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WrongMessage {
    /// The message's id; null if it has none that can be read.
    id: Value,
    error: ErrorData,
    status: StatusCode,
}

/// Refuses what is no message, and a request whose parameters are wrong.
pub(crate) fn check(body: &[u8]) -> Result<(), WrongMessage> {
    let refused =
        |id: Value, error: ErrorData| Err(WrongMessage { id, error, status: StatusCode::BAD_REQUEST });
    let invalid = |id: Value, why: &'static str| refused(id, ErrorData::invalid_request(why, None));
    let message = match serde_json::from_slice(body) {
        Ok(Value::Object(message)) => message,
        Ok(Value::Array(_)) => return invalid(Value::Null, "batches are not supported: send one message"),
        Ok(_) => return invalid(Value::Null, "a message must be an object"),
        Err(error) => return refused(Value::Null, ErrorData::parse_error(error.to_string(), None)),
    };
    let id = match message.get("id") {
        None => None,
        Some(id) if id.is_string() || id.is_i64() => Some(id.clone()),
        Some(_) => return invalid(Value::Null, "the id must be a text or an integer"),
    };
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return invalid(id.unwrap_or_default(), "jsonrpc must be \"2.0\"");
    }
    let is_reply = message.contains_key("result") || message.contains_key("error");
    let method = match message.get("method") {
        Some(Value::String(method)) => method,
        None if is_reply => return Ok(()),
        _ => return invalid(id.unwrap_or_default(), "method must be a text"),
    };
    // A notification gets no answer.
    let Some(id) = id else { return Ok(()) };
    check_params(method, message.get("params")).map_err(|why| {
        let error = ErrorData::invalid_params(format!("params: {why}"), None);
        WrongMessage { id, error, status: StatusCode::OK }
    })
}

/// Refuses wrong parameters of the methods that a server of tools has.
fn check_params(method: &str, params: Option<&Value>) -> Result<(), String> {
    let params = match params {
        None => json!({}),
        Some(Value::Object(_)) => params.cloned().unwrap_or_default(),
        Some(_) => return Err("they must be an object".to_owned()),
    };
    match method {
        "initialize" => read::<InitializeRequestParams>(params),
        "tools/list" => read::<PaginatedRequestParams>(params),
        "tools/call" => read::<CallToolRequestParams>(params),
        _ => Ok(()),
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<(), String> {
    serde_json::from_value::<T>(params).map(drop).map_err(|error| error.to_string())
}

impl WrongMessage {
    pub(crate) fn response(self) -> Response {
        let Self { id, error, status } = self;
        let body =
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": error.code, "message": error.message}});
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_gets_the_error_of_the_specification() {
        let call =
            |params: Value| json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
        let named = |arguments: Value| call(json!({"name": "f", "arguments": arguments})).to_string();
        for (body, code, id) in [
            ("{\"jsonrpc\":".to_owned(), -32700, Value::Null),
            (String::new(), -32700, Value::Null),
            ("[]".to_owned(), -32600, Value::Null),
            (format!("[{}]", call(json!({"name": "f"}))), -32600, Value::Null),
            ("1".to_owned(), -32600, Value::Null),
            (json!({"id": 7, "method": "tools/list"}).to_string(), -32600, json!(7)),
            (json!({"jsonrpc": "2.0", "id": "a"}).to_string(), -32600, json!("a")),
            (json!({"jsonrpc": "2.0", "id": [], "method": "ping"}).to_string(), -32600, Value::Null),
            (json!({"jsonrpc": "2.0", "id": 7, "method": 1}).to_string(), -32600, json!(7)),
            (call(json!([])).to_string(), -32602, json!(7)),
            (call(json!({})).to_string(), -32602, json!(7)),
            (
                json!({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": []}).to_string(),
                -32602,
                json!(7),
            ),
            (
                json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"cursor": 5}})
                    .to_string(),
                -32602,
                json!(7),
            ),
            (named(json!([])), -32602, json!(7)),
            (named(json!("x")), -32602, json!(7)),
            (json!({"jsonrpc": "2.0", "id": 7, "method": "initialize"}).to_string(), -32602, json!(7)),
        ] {
            let wrong = check(body.as_bytes()).unwrap_err();
            assert_eq!((wrong.error.code.0, &wrong.id), (code, &id), "{body}");
            let status = if code == -32602 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            assert_eq!(wrong.status, status, "{body}");
        }
        for body in [
            named(json!({})),
            named(Value::Null),
            call(json!({"name": "f"})).to_string(),
            json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}).to_string(),
            json!({"jsonrpc": "2.0", "id": 7, "method": "unknown", "params": {"x": 1}}).to_string(),
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string(),
            // Nobody would read an error about a notification, and a reply is no request.
            json!({"jsonrpc": "2.0", "method": "tools/call", "params": {}}).to_string(),
            json!({"jsonrpc": "2.0", "id": 7, "result": {}}).to_string(),
            json!({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": "no"}}).to_string(),
        ] {
            assert_eq!(check(body.as_bytes()), Ok(()), "{body}");
        }
    }
}
