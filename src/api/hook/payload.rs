//! What an event says.

use axum::http::{HeaderMap, header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::signature::{Signature, hex};
use crate::error::ApiError;
use crate::json_fault;
use crate::random;

/// The longest id of a sender that is kept as it is.
const ID: usize = 128;

/// Reads an event: JSON, or a form whose field `payload` is JSON, as GitHub and Slack may send. `curl -d` and many libraries say
/// that a body is a form if nobody names a type, so a form without that field is read as JSON.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let read = if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        form_field(body, "payload")
            .map_or_else(|| serde_json::from_slice(body), |json| serde_json::from_slice(&json))
    } else {
        serde_json::from_slice(body)
    };
    read.map_err(|error| {
        let what = "an event is JSON, or a form with JSON in its field `payload`";
        ApiError::new(
            axum::http::StatusCode::BAD_REQUEST,
            "bad_json",
            format!("{what}: {}", json_fault::words(&error)),
        )
    })
}

/// The field of a form.
fn form_field(body: &[u8], name: &str) -> Option<Vec<u8>> {
    let pairs = body.split(|byte| *byte == b'&');
    let value = pairs.filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")).next()?;
    let value: Vec<u8> = value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Some(percent_encoding::percent_decode(&value).collect())
}

/// What tells an event from all others of its endpoint: the same for every time that the sender repeats it.
pub(crate) fn key(
    signature: Signature,
    headers: &HeaderMap,
    body: &[u8],
    event: &Value,
) -> Result<String, ApiError> {
    let of_sender = match signature {
        Signature::Slack => event.get("event_id").and_then(Value::as_str),
        other => other.id(headers),
    };
    if let Some(id) = of_sender.filter(|id| !id.is_empty()) {
        let is_plain = id.len() <= ID && id.bytes().all(|byte| byte.is_ascii_graphic());
        return Ok(if is_plain { id.to_owned() } else { digest(&[id.as_bytes()]) });
    }
    match signature {
        // A sender that names no id may mean the same again: "the disk is full".
        Signature::Bearer => random::id(),
        signature => {
            let time = signature.time_header().and_then(|name| headers.get(name));
            Ok(digest(&[time.map_or(b"", |time| time.as_bytes()), body]))
        }
    }
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("sha256-{}", hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use serde_json::json;

    use super::*;

    fn headers<const N: usize>(list: [(&'static str, &str); N]) -> HeaderMap {
        list.into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn an_event_is_json_or_a_form_with_json() {
        let form = headers([("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
        let body = b"a=1&payload=%7B%22a%22%3A+%22b+%26%2B%22%7D&x";
        assert_eq!(read(&form, body).unwrap(), json!({"a": "b &+"}));
        assert_eq!(read(&HeaderMap::new(), b" [1] ").unwrap(), json!([1]));
        assert_eq!(read(&form, br#"{"text": "a=1&b=2"}"#).unwrap(), json!({"text": "a=1&b=2"}));
        for (headers, body) in [(&form, "a=1"), (&form, "payload="), (&HeaderMap::new(), "{"), (&form, "{")] {
            assert_eq!(read(headers, body.as_bytes()).unwrap_err().code, "bad_json", "{body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read(&HeaderMap::new(), deep.as_bytes()).unwrap_err().code, "bad_json");
    }

    #[test]
    fn a_repetition_has_the_same_key() {
        let of = |signature, headers: &HeaderMap, body: &str| {
            let event = serde_json::from_str(body).unwrap_or_default();
            key(signature, headers, body.as_bytes(), &event).unwrap()
        };
        let none = HeaderMap::new();
        let delivered = headers([("x-github-delivery", "72d3162e")]);
        assert_eq!(of(Signature::Github, &delivered, "{}"), "72d3162e");
        assert_eq!(of(Signature::Github, &none, "{}"), of(Signature::Github, &none, "{}"));
        assert_ne!(of(Signature::Github, &none, "{}"), of(Signature::Github, &none, "[]"));
        let slack = "{\"event_id\": \"Ev123\"}";
        let (first, again) =
            (headers([("x-slack-request-timestamp", "1")]), headers([("x-slack-request-timestamp", "9")]));
        assert_eq!(
            (of(Signature::Slack, &first, slack), of(Signature::Slack, &again, slack)),
            ("Ev123".into(), "Ev123".into())
        );
        assert_ne!(of(Signature::Slack, &first, "{}"), of(Signature::Slack, &again, "{}"));
        // Anybody may say it twice.
        assert_ne!(of(Signature::Bearer, &none, "{}"), of(Signature::Bearer, &none, "{}"));
        let long = headers([("webhook-id", &"x".repeat(500))]);
        assert!(of(Signature::Generic, &long, "{}").starts_with("sha256-"));
    }
}
